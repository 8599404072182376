"""A small web server on loopback for the emulator. Nothing of the vendor is in it."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Request:
    """One call: `body` is its JSON, or its form as a dict; None without one."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any = None


@dataclass(frozen=True)
class Reply:
    """One answer: JSON, or text with a media type of its own."""

    content: Any
    status: int = 200
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        is_json = self.media_type == "application/json"
        return (json.dumps(self.content) if is_json else str(self.content)).encode()


@contextmanager
def served(answer: Callable[[Request], Reply], port: int = 0) -> Iterator[str]:
    """Serve until the block ends, one call after the other; the base URL. Port 0 is a free one."""
    one_at_a_time = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # An answer goes out in one piece, at once.
        wbufsize = -1
        disable_nagle_algorithm = True

        def handle_call(self) -> None:
            url = urlsplit(self.path)
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            is_form = headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
            body = None if not sent else dict(parse_qsl(sent.decode())) if is_form else json.loads(sent)
            with one_at_a_time:
                reply = answer(Request(self.command, url.path, dict(parse_qsl(url.query)), headers, body))
            content = reply.encoded()
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.media_type)
            self.send_header("Content-Length", str(len(content)))
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = handle_call

        def log_message(self, *_: Any) -> None:
            """Say nothing of each call."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        server.daemon_threads = True
        # A kept connection may be open still: the end of the block does not wait for it.
        server.block_on_close = False
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def serve_until_interrupted(answer: Callable[[Request], Reply], key: str) -> None:
    """For `python -m`: serve at the port that the command names, until the keyboard interrupts."""
    with served(answer, int(sys.argv[1]) if len(sys.argv) > 1 else 0) as url:
        sys.stdout.write(f"emulated at {url}, with the key {key}\n")
        sys.stdout.flush()
        threading.Event().wait()
