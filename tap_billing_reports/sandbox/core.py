"""The sandbox inside a process: `with Sandbox(...)` serves on loopback ports until the block ends."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, Self

import uvicorn

from .control import Control
from .control_http import control_app
from .emulation import SERVED, Emulation, available, hosts
from .front import Front
from .wire import WireProtocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from types import TracebackType

LOOPBACK = "127.0.0.1"
_START_SECONDS = 60.0


class Sandbox:
    """All hosts of the emulated vendors in one daemon thread, one loopback port each.

    Attributes:
        urls: host name -> base URL: `control`, `foreign` (no credential belongs there), each vendor's hosts.
        control: moves the clock, breaks requests, counts, gives settings and control totals.
    """

    def __init__(
        self,
        now: datetime | None = None,
        seed: int = 1,
        vendors: Sequence[str] = SERVED,
        *,
        port_base: int | None = None,
        **options: Any,
    ) -> None:
        """With `port_base` the hosts get the ports from there on, in the order of `urls`; else any free ones.

        Raises:
            ValueError: `now` has no time zone, or a vendor is not known.
            OSError: a port is taken.
        """
        self._start = {"now": now, "seed": seed, "vendors": available(vendors), "options": options}
        names = hosts(self._start["vendors"])  # type: ignore[arg-type]
        self._sockets: list[socket.socket] = []
        try:
            for number, _ in enumerate(names):
                self._sockets.append(_listen(0 if port_base is None else port_base + number))
        except OSError:
            self._close_sockets()
            raise
        ports = {found.getsockname()[1]: name for found, name in zip(self._sockets, names, strict=True)}
        self.urls = {name: f"http://{LOOPBACK}:{port}" for port, name in ports.items()}
        self._emulation = self._emulate()
        self.control = Control(lambda: self._emulation, self._reset)
        self._front = Front(ports, control_app(self.control, self.urls), lambda: self._emulation)
        config = uvicorn.Config(
            self._front,
            http=WireProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            timeout_keep_alive=120,
        )
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._serve, name="sandbox", daemon=True)

    def settings(self, start_date: str | None = None) -> dict[str, Any]:
        """Flat settings of the tap for every vendor here."""
        return self.control.settings(start_date)

    def start(self) -> None:
        """Raises RuntimeError when the server does not come up."""
        self._thread.start()
        give_up = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > give_up:
                raise RuntimeError("the sandbox did not start")
            time.sleep(0.005)

    def stop(self) -> None:
        """Drop every connection and close the ports."""
        self._server.should_exit = True
        self._server.force_exit = True
        if self._thread.is_alive():
            self._thread.join(_START_SECONDS)
        self._close_sockets()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _serve(self) -> None:
        asyncio.run(self._server.serve(sockets=self._sockets))

    def _emulate(self) -> Emulation:
        return Emulation(**self._start, urls=self.urls)  # type: ignore[arg-type]

    def _reset(self) -> None:
        self._emulation = self._emulate()
        self._front.renew()

    def _close_sockets(self) -> None:
        for found in self._sockets:
            found.close()


class _Server(uvicorn.Server):
    """Ends at once, whoever is still connected."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Since Python 3.12 the end of a server waits for its connections, and a client may keep one for ever. So nobody
        # waits for these servers; who was about to connect is known a moment later.
        servers, self.servers = self.servers, []
        for server in servers:
            server.close()
        self._abort_connections()
        await super().shutdown(sockets)
        self._abort_connections()

    def _abort_connections(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()


def _listen(port: int) -> socket.socket:
    # The protocol is named because asyncio switches delays off (TCP_NODELAY) only where it is.
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((LOOPBACK, port))
    except OSError:
        found.close()
        raise
    return found
