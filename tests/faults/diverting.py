"""Leads chosen calls of one HTTP client to a place that goes wrong below HTTP: no listener, or a wrong certificate."""

from __future__ import annotations

import os
import re
import ssl
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta, timezone
from math import inf
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus, urlsplit, urlunsplit

import trustme

from tests.http.faultserver import FaultServer, deaf_port, free_port, reply

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_billing_reports.http.client import HttpClient


class Places:
    """Where calls can be led.

    Attributes:
        urls: kind of fault -> `scheme://host:port`.
        servers: those of them that would have noticed a request.
    """

    def __init__(self, urls: dict[str, str], servers: list[FaultServer]) -> None:
        self.urls = urls
        self.servers = servers

    def noticed(self) -> int:
        """Requests that reached a server with a wrong certificate: none may."""
        return sum(len(server.requests) for server in self.servers)


@contextmanager
def places() -> Iterator[Places]:
    """Opens them; an authority that is trusted meanwhile has signed all certificates but the stranger's."""
    authority, stranger = trustme.CA(), trustme.CA()
    past = datetime.now(timezone.utc) - timedelta(days=1)
    certificates = {
        "stranger": stranger.issue_cert("localhost"),
        "other host": authority.issue_cert("vendor.example"),
        "expired": authority.issue_cert("localhost", not_before=past - timedelta(days=1), not_after=past),
    }
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory())
        bundle = f"{folder}/ca.pem"
        authority.cert_pem.write_to_path(bundle)
        before = os.environ.get("REQUESTS_CA_BUNDLE")
        os.environ["REQUESTS_CA_BUNDLE"] = bundle
        stack.callback(_restore, before)
        urls, servers = {"refused": f"http://127.0.0.1:{free_port()}"}, []
        for kind, certificate in certificates.items():
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            certificate.configure_cert(context)
            server = stack.enter_context(FaultServer([reply()] * 50, tls=context))
            servers.append(server)
            urls[kind] = f"https://localhost:{server.port}"
        deaf = deaf_port()
        urls["deaf"] = f"http://127.0.0.1:{next(deaf)}"
        # Run to its end, where it closes its sockets.
        stack.callback(next, deaf, None)
        yield Places(urls, servers)


def _restore(before: str | None) -> None:
    if before is None:
        del os.environ["REQUESTS_CA_BUNDLE"]
    else:
        os.environ["REQUESTS_CA_BUNDLE"] = before


def divert(http: HttpClient, to: str, match: dict[str, str], *, times: int | None, skip: int = 0) -> None:
    """Send the client's matching calls to that place; the tap itself connects, and meets what is there.

    Args:
        times: so many of them, None for all.
        skip: so many before them go where they should.
    """
    path, another = re.compile(match["path"]), http.another
    left: list[float] = [skip, inf if times is None else times]

    def is_struck(method: str, where: str, query: str) -> bool:
        if method != match["method"] or not path.search(where) or match.get("query", "") not in unquote_plus(query):
            return False
        if left[0] > 0:
            left[0] -= 1
            return False
        left[1] -= 1
        return left[1] >= 0

    def diverts(one: HttpClient) -> HttpClient:
        adapter: Any = one._transport._adapter
        send = adapter.send

        def diverted(request: Any, **kwargs: Any) -> Any:
            parts = urlsplit(request.url)
            if is_struck(request.method, parts.path, parts.query):
                elsewhere = urlsplit(to)
                request.url = urlunsplit((elsewhere.scheme, elsewhere.netloc, parts.path, parts.query, ""))
            return send(request, **kwargs)

        adapter.send = diverted
        return one

    # The thread that fetches ahead has a client of its own.
    diverts(http).another = lambda: diverts(another())  # type: ignore[method-assign]
