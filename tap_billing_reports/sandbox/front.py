"""The one ASGI application behind all ports: it logs, disturbs and serves each request."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, unquote_plus

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Match, Route

from .disturb import disturbed
from .faults import Asked
from .wire import EXTENSION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from starlette.requests import Request
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from .emulation import Emulation

EMULATED_BY = (b"x-emulated-by", b"billing-reports sandbox")
"""Each answer has this header: what is read here is invented, and whoever keeps it shall be able to say so."""
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


async def _foreign(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("A host that nobody should send a credential to.\n")


class Site:
    """One host of the current emulation: its application and the paths of its routes."""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self.routes = list(routes)
        self.app: ASGIApp = Starlette(routes=self.routes)

    def route(self, scope: Scope) -> str:
        """The path of the route that serves this request, or `-`: it keeps the counters short."""
        for route in self.routes:
            if route.matches(scope)[0] is not Match.NONE:
                return str(getattr(route, "path", "-"))
        return "-"


class Front:
    """Dispatches by the local port."""

    def __init__(self, ports: Mapping[int, str], control: ASGIApp, emulation: Callable[[], Emulation]) -> None:
        self._ports = ports
        self._control = control
        self._emulation = emulation
        self._sites: dict[str, Site] = {}
        self.renew()

    def renew(self) -> None:
        """Serve the routes of the emulation that is current now."""
        emulation = self._emulation()
        sites = {host: Site(vendor.routes(host)) for vendor in emulation.vendors.values() for host in vendor.hosts}
        sites["foreign"] = Site([Route("/{path:path}", _foreign, methods=_METHODS)])
        self._sites = sites

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = self._ports[scope["server"][1]]
        if host == "control":
            await self._control(scope, receive, send)
            return
        emulation = self._emulation()
        site = self._sites[host]
        body, receive = await _read(receive)
        query = scope["query_string"].decode("latin-1")
        asked = Asked(
            vendor=emulation.vendor_of.get(host),
            host=host,
            method=scope["method"],
            path=scope["path"],
            query=unquote(query),
            form=unquote(body.decode("utf-8", "replace")),
        )
        entry = emulation.log.open(_entry(emulation, asked, site.route(scope), scope, body))
        send = _counted(entry, send)
        if emulation.latency > 0:
            await asyncio.sleep(emulation.latency)
        rule = emulation.faults.take(asked)
        if rule is None:
            await site.app(scope, receive, send)
        else:
            entry["fault"] = rule.number
            await disturbed(site.app, rule.do, scope, receive, send, scope["extensions"][EXTENSION])


async def _read(receive: Receive) -> tuple[bytes, Receive]:
    """The request's body, and a `receive` that gives it once more."""
    pieces: list[bytes] = []
    while True:
        message = await receive()
        pieces.append(message.get("body", b""))
        if not message.get("more_body"):
            break
    body = b"".join(pieces)
    replay: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return replay.pop() if replay else await receive()

    return body, again


def _entry(emulation: Emulation, asked: Asked, route: str, scope: Scope, body: bytes) -> dict[str, Any]:
    form = body.decode("utf-8", "replace")
    hidden = emulation.secrets.hidden
    return {
        "time": emulation.clock.now().isoformat(),
        "host": asked.host,
        "vendor": asked.vendor,
        "method": asked.method,
        "path": hidden(asked.path),
        "route": route,
        "query": hidden(asked.query),
        "form": hidden(asked.form),
        "status": None,
        "bytes": 0,
        "secrets": emulation.secrets.seen(
            scope["headers"],
            unquote_plus(scope["query_string"].decode("latin-1")),
            asked.path,
            unquote_plus(form),
        ),
    }


def _counted(entry: dict[str, Any], send: Send) -> Send:
    """`send` that also notes status and bytes, before they go out: whoever has an answer finds it in the log."""

    async def counted(message: Message) -> None:
        if message["type"] == "http.response.start":
            entry["status"] = message["status"]
            message = {**message, "headers": [*message.get("headers", ()), EMULATED_BY]}
        else:
            entry["bytes"] += len(message.get("body", b""))
        await send(message)

    return counted
