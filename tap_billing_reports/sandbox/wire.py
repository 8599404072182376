"""Below ASGI: access to a request's TCP connection, for answers that no correct server would send."""

from __future__ import annotations

import asyncio
import socket
import struct
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import Receive, Scope, Send

EXTENSION = "sandbox.connection"
_ENOUGH_UNSENT = 64 * 1024


class WireProtocol(H11Protocol):
    """uvicorn's own HTTP/1.1 protocol, which also tells the application about its connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        served: Any = self.app

        async def with_connection(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[EXTENSION] = Connection(self.transport)
            await served(scope, receive, send)

        self.app = with_connection


class Connection:
    """The transport under one request; whoever writes here must close it and send nothing through ASGI."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    async def head(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        try:
            phrase = HTTPStatus(status).phrase
        except ValueError:
            phrase = ""
        lines = [f"HTTP/1.1 {status} {phrase}".encode(), *(name + b": " + value for name, value in headers)]
        await self.write(b"\r\n".join([*lines, b"", b""]))

    async def write(self, data: bytes) -> None:
        """Send `data`, waiting while the client is slower than we are."""
        self._transport.write(data)
        await self._drained(_ENOUGH_UNSENT)

    async def flushed(self) -> None:
        """Return once the kernel has every byte written so far."""
        await self._drained(0)

    async def _drained(self, unsent: int) -> None:
        # The flow control of the protocol belongs to uvicorn; looking is simpler than sharing its callbacks.
        while self._transport.get_write_buffer_size() > unsent and not self._transport.is_closing():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.001)

    def close(self) -> None:
        """End the connection in order, after the bytes written so far."""
        self._transport.close()

    async def reset(self) -> None:
        """End the connection with a TCP reset; the client first gets a moment to read what was sent."""
        await self.flushed()
        await asyncio.sleep(0.05)
        raw: socket.socket | None = self._transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()
