"""What a fault rule does to a request on the wire. The rules themselves are in `faults`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from .wire import Connection

Headers = list[tuple[bytes, bytes]]

LOGIN_PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>Log in</title></head>"
    b'<body><form method="post" action="/login">'
    b'<input name="username"><input name="password" type="password">'
    b"</form></body></html>\n"
)
_DRIPS_PER_SECOND = 20


class _EnoughError(Exception):
    """The answer has been ended early on purpose; the vendor's application need not go on."""


async def disturbed(
    app: ASGIApp, do: Mapping[str, Any], scope: Scope, receive: Receive, send: Send, connection: Connection
) -> None:
    """Serve one request as the rule's `do` wants it."""
    kill = do.get("signal")
    if kill and kill.get("when", "after") == "before":
        _kill(kill)
    if "delay" in do:
        await asyncio.sleep(float(do["delay"]))
    if "stall" in do:
        await _gone(receive)
    elif instead := _instead(do):
        await _answer(send, *instead)
    elif "lose" in do:
        await app(scope, receive, _nowhere)
        connection.close()
        await _gone(receive)
    elif "reset" in do:
        await _truncated(app, scope, receive, connection, int(do["reset"]), "length", reset=True)
    elif "cut" in do and do["cut"].get("framing", "length") == "chunked":
        await _shortened(app, scope, receive, send, int(do["cut"]["after"]))
    elif "cut" in do:
        framing = do["cut"].get("framing", "length")
        await _truncated(app, scope, receive, connection, int(do["cut"]["after"]), framing, reset=False)
    else:
        await _changed(app, do, scope, receive, send)
    if kill and kill.get("when", "after") == "after":
        await connection.flushed()
        _kill(kill)


def _kill(what: Mapping[str, Any]) -> None:
    name = what.get("signal", "KILL")
    number = signal.Signals[f"SIG{name.removeprefix('SIG')}"] if isinstance(name, str) else signal.Signals(name)
    os.kill(int(what["pid"]), number)


def _instead(do: Mapping[str, Any]) -> tuple[int, Headers, bytes] | None:
    """Status, headers and body of an answer that does not come from the vendor, or None."""
    extra = [(str(name).lower().encode(), _header(value).encode()) for name, value in do.get("headers", {}).items()]
    if "redirect" in do:
        return int(do.get("status", 302)), [(b"location", str(do["redirect"]).encode()), *extra], b""
    if "html" in do:
        return 200, [(b"content-type", b"text/html; charset=utf-8"), *extra], LOGIN_PAGE
    if "empty" in do:
        return 200, extra, b""
    if "status" in do:
        body = do.get("body", "")
        if isinstance(body, str):
            return int(do["status"]), [(b"content-type", b"text/plain; charset=utf-8"), *extra], body.encode()
        return int(do["status"]), [(b"content-type", b"application/json"), *extra], json.dumps(body).encode()
    return None


def _header(value: object) -> str:
    """A header's value as text; `{"in": 9}` is the moment in nine seconds, counted from this answer."""
    if isinstance(value, dict):
        # As the Date header beside it, which is the machine's.
        return format_datetime(datetime.now(timezone.utc) + timedelta(seconds=value["in"]), usegmt=True)
    return str(value)


async def _answer(send: Send, status: int, headers: Headers, body: bytes) -> None:
    if not any(name == b"content-length" for name, _ in headers) and status not in {204, 304}:
        headers = [*headers, (b"content-length", str(len(body)).encode())]
    seen: set[bytes] = set()
    # A header given by the rule takes the place of our own, which stands before it.
    last = [pair for pair in reversed(headers) if not (pair[0] in seen or seen.add(pair[0]))]  # type: ignore[func-returns-value]
    await send({"type": "http.response.start", "status": status, "headers": last[::-1]})
    await send({"type": "http.response.body", "body": body})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _nowhere(message: Message) -> None:
    """An answer that is never sent."""


async def _truncated(
    app: ASGIApp,
    scope: Scope,
    receive: Receive,
    connection: Connection,
    limit: int,
    framing: str,
    *,
    reset: bool,
) -> None:
    """The first `limit` bytes of the body on the bare connection, then its end, in order or by a reset."""
    left = limit
    start: MutableMapping[str, Any] = {}
    held: list[bytes] = []  # the body of an answer without a declared length, which must be known to be broken

    async def cut(message: Message) -> None:
        nonlocal left
        if message["type"] == "http.response.start":
            start.update(message)
            if framing == "close" or _declared(message["headers"]):
                await connection.head(message["status"], _framed(message["headers"], framing, None))
            else:
                start["whole"] = True
            return
        piece = bytes(message.get("body", b""))
        if "whole" in start:
            held.append(piece)
            if not message.get("more_body"):
                body = b"".join(held)
                await connection.head(start["status"], _framed(start["headers"], framing, len(body)))
                await connection.write(body[:limit])
            return
        await connection.write(piece[:left])
        left -= len(piece[:left])
        if left == 0:
            raise _EnoughError

    with contextlib.suppress(_EnoughError):
        await app(scope, receive, cut)
    if reset:
        await connection.reset()
    else:
        connection.close()
    await _gone(receive)


def _declared(headers: Headers) -> bool:
    return any(name.lower() == b"content-length" for name, _ in headers)


def _framed(headers: Headers, framing: str, length: int | None) -> Headers:
    kept = [(name, value) for name, value in headers if framing != "close" or name.lower() != b"content-length"]
    if length is not None:
        kept.append((b"content-length", str(length).encode()))
    return [*kept, (b"connection", b"close")]


async def _shortened(app: ASGIApp, scope: Scope, receive: Receive, send: Send, limit: int) -> None:
    """A body of `limit` bytes in chunks that end as they should: nothing on the wire tells that it is cut."""
    left = limit

    async def cut(message: Message) -> None:
        nonlocal left
        if message["type"] == "http.response.start":
            headers = [pair for pair in message["headers"] if pair[0].lower() != b"content-length"]
            await send({**message, "headers": headers})
            return
        piece = bytes(message.get("body", b""))[:left]
        left -= len(piece)
        more = bool(message.get("more_body")) and left > 0
        await send({"type": "http.response.body", "body": piece, "more_body": more})
        if left == 0 and message.get("more_body"):
            raise _EnoughError

    with contextlib.suppress(_EnoughError):
        await app(scope, receive, cut)


async def _changed(app: ASGIApp, do: Mapping[str, Any], scope: Scope, receive: Receive, send: Send) -> None:
    """The vendor's answer with altered text, slowly, or as it is."""
    target = _dripping(send, float(do["drip"])) if "drip" in do else send
    if "alter" not in do:
        await app(scope, receive, target)
        return
    start: dict[str, Any] = {}
    held: list[bytes] = []

    async def collect(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        else:
            held.append(bytes(message.get("body", b"")))

    await app(scope, receive, collect)
    body = _altered(b"".join(held), do["alter"])
    headers = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
    await _answer(target, start["status"], headers, body)


def _altered(body: bytes, alter: Mapping[str, Any]) -> bytes:
    if "drop_line" in alter:
        lines = body.splitlines(keepends=True)
        wanted = int(alter["drop_line"])
        index = wanted - 1 if wanted > 0 else len(lines) + wanted
        return b"".join(line for number, line in enumerate(lines) if number != index)
    if "pattern" in alter:
        return re.sub(str(alter["pattern"]).encode(), str(alter["to"]).encode(), body)
    return body.replace(str(alter["from"]).encode(), str(alter["to"]).encode())


def _dripping(send: Send, bytes_per_second: float) -> Send:
    size = max(1, round(bytes_per_second / _DRIPS_PER_SECOND))
    pause = size / bytes_per_second

    async def drip(message: Message) -> None:
        if message["type"] != "http.response.body":
            await send(message)
            return
        body = bytes(message.get("body", b""))
        for at in range(0, len(body), size):
            await send({"type": "http.response.body", "body": body[at : at + size], "more_body": True})
            await asyncio.sleep(pause)
        await send({"type": "http.response.body", "body": b"", "more_body": message.get("more_body", False)})

    return drip
