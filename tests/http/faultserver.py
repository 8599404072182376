"""A server on loopback that does what no HTTP library would: each request meets the next step of a script.

A step is a function of the connection and the request that writes what it likes; the last step repeats.
Every connection is closed after its step, so that one request is one connection.
"""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qsl, urlsplit

from tests.waiting import HANG_SECONDS

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

Step = "Callable[[socket.socket, Request], None]"


@dataclass(frozen=True)
class Request:
    """One request as it came in; header names in small letters."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)


@dataclass
class FaultServer:
    """Context manager. With `tls`, the certificate that it shows."""

    steps: list[Callable[[socket.socket, Request], None]]
    tls: ssl.SSLContext | None = None
    port: int = 0
    requests: list[Request] = field(default_factory=list)
    handshakes: int = 0

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # A thread in accept() is woken by shutdown, not by close.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self._thread.join(HANG_SECONDS)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}" if self.tls else f"http://127.0.0.1:{self.port}"

    @property
    def paths(self) -> list[str]:
        return [request.path for request in self.requests]

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, plain: socket.socket) -> None:
        # A client that gives up is the point of some tests.
        with suppress(OSError), plain:
            connection = plain
            if self.tls is not None:
                connection = self.tls.wrap_socket(plain, server_side=True)
                self.handshakes += 1
            with connection:
                request = _read(connection)
                if request is None:
                    return
                self.requests.append(request)
                step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
                step(connection, request)


def _read(connection: socket.socket) -> Request | None:
    stream = connection.makefile("rb")
    first = stream.readline().decode("latin-1").split()
    if len(first) != 3:
        return None
    headers = {}
    while line := stream.readline().decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))
    return Request(first[0], first[1], headers, body)


def raw(content: bytes) -> Callable[[socket.socket, Request], None]:
    """These bytes and no more."""

    def step(connection: socket.socket, _request: Request) -> None:
        connection.sendall(content)

    return step


def kept_alive(answer: Callable[[Request], bytes]) -> Callable[[socket.socket, Request], None]:
    """Answers this request and all that follow on the same connection."""

    def step(connection: socket.socket, request: Request) -> None:
        following: Request | None = request
        while following is not None:
            connection.sendall(answer(following))
            following = _read(connection)

    return step


def head(status: int, headers: dict[str, str] | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in (headers or {}).items())]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1")


def reply(
    status: int = 200, body: bytes = b"{}", headers: dict[str, str] | None = None
) -> Callable[[socket.socket, Request], None]:
    """A whole answer, declared JSON and of the right length unless the headers say otherwise."""
    sent = {"Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})}
    return raw(head(status, sent) + body)


def chunked(
    *pieces: bytes, end: bytes = b"0\r\n\r\n", headers: dict[str, str] | None = None
) -> Callable[[socket.socket, Request], None]:
    """Chunks, and whatever ends them."""
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    sent = {"Content-Type": "application/json", "Transfer-Encoding": "chunked", **(headers or {})}
    return raw(head(200, sent) + body + end)


def redirect(to: str, status: int = 302) -> Callable[[socket.socket, Request], None]:
    return reply(status, b"moved", {"Location": to, "Content-Type": "text/plain"})


def reset(connection: socket.socket, _request: Request) -> None:
    """RST instead of an answer."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def reset_after(content: bytes) -> Callable[[socket.socket, Request], None]:
    def step(connection: socket.socket, request: Request) -> None:
        connection.sendall(content)
        reset(connection, request)

    return step


def silence(connection: socket.socket, _request: Request) -> None:
    """No answer until the client gives up."""
    connection.recv(1)


def drip(content: bytes, between: Callable[[], object], first: bytes = b"") -> Callable[[socket.socket, Request], None]:
    """One byte at a time, `between` before each."""

    def step(connection: socket.socket, _request: Request) -> None:
        connection.sendall(first)
        for at in range(len(content)):
            between()
            connection.sendall(content[at : at + 1])

    return step


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def deaf_port() -> Iterator[int]:
    """A port whose queue of connections is full: connecting gets no answer at all."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = []
        for _ in range(3):
            client = socket.socket()
            client.setblocking(False)
            with suppress(BlockingIOError):
                client.connect(address)
            waiting.append(client)
        yield int(address[1])
        for client in waiting:
            client.close()
