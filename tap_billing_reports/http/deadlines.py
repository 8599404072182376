"""Connections whose answers must begin in time: a read time-out alone is reset by every byte of a dripping header."""

from __future__ import annotations

import http.client
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

if TYPE_CHECKING:
    from urllib3.response import HTTPResponse


MOST_INTERIM: Final = 20
"""Answers of 1xx before the one that counts."""


class FinalResponse(http.client.HTTPResponse):
    """The answer that counts, after any interim ones, such as 103 with hints for browsers.

    `http.client` passes over 100 alone: it would take another 1xx for the answer, and what follows on the
    connection for the answer to the next request.
    """

    def begin(self) -> None:
        super().begin()
        interim = 0
        while 102 <= self.status < 200:
            interim += 1
            if interim > MOST_INTERIM:
                raise http.client.HTTPException("interim answers without end")
            self.headers = self.msg = None  # type: ignore[assignment] # as before the first call
            super().begin()
        if self.status in {101, 204, 205, 304}:
            # No body belongs to these. One that comes all the same would be the next request's answer.
            self.will_close = True


class PunctualAdapter(HTTPAdapter):
    """Sends like its base, but no status line and headers may take longer than `seconds`, proxies included."""

    def __init__(self, seconds: float) -> None:
        self._pools = _pools(seconds)
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        # A SOCKS proxy brings connections of its own.
        if not proxy.lower().startswith("socks"):
            manager.pool_classes_by_scheme = self._pools
        return manager


class _Watch:
    """Shuts a socket down when its time is over, which ends a read that is waiting for it."""

    def __init__(self, watched: socket.socket, seconds: float) -> None:
        self._socket = watched
        self.expired = False
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._timer.start()

    def _end(self) -> None:
        self.expired = True
        # Not the TLS socket's own shutdown, which changes the object under its reader.
        with suppress(OSError):
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def stop(self) -> None:
        self._timer.cancel()


def _pools(seconds: float) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        response_class = FinalResponse

        def getresponse(self) -> HTTPResponse:  # type: ignore[override] # as in urllib3
            return _in_time(self.sock, seconds, super().getresponse)

    class Secure(HTTPSConnection):
        response_class = FinalResponse

        def getresponse(self) -> HTTPResponse:  # type: ignore[override] # as in urllib3
            return _in_time(self.sock, seconds, super().getresponse)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


def _in_time(watched: socket.socket, seconds: float, get: Any) -> HTTPResponse:
    watch = _Watch(watched, seconds)
    try:
        response: HTTPResponse = get()
    except Exception:
        if watch.expired:
            raise TimeoutError("no whole header in time") from None
        raise
    finally:
        watch.stop()
    if watch.expired:
        # A header that was cut off reads as one that has ended.
        response.close()
        raise TimeoutError("no whole header in time")
    return response
