"""The next file, fetched while the rows of the one before go out: one at a time, by one thread.

The thread moves bytes from an HTTP client of its own to the sync's folder and touches nothing else: no ledger, no
journal, no storage, no output. What comes of it, an error too, waits until the main thread asks for that file. A signal
finds the main thread where it always is; the thread is a daemon and ends with the process.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import IO, TYPE_CHECKING

from tap_billing_reports.core.errors import SyncError
from tap_billing_reports.storage.disk_guard import Spool

if TYPE_CHECKING:
    from pathlib import Path

    from tap_billing_reports.http.client import Download, HttpClient
    from tap_billing_reports.http.sent import FileRequest
    from tap_billing_reports.reports.jobs import ReportClient

# Of temporary space that a file may take before it is its turn; a bigger one is fetched when it is.
AHEAD_BYTES = 1 << 30
_STOP_SECONDS = 2.0


class _NotAhead(Exception):  # noqa: N818 - no error: the main thread fetches the file itself
    """The file is too big, or nobody wants it any more."""


class Ahead:
    """Fetches one file ahead. Used by the main thread."""

    def __init__(self) -> None:
        self._clients: dict[str, HttpClient] = {}
        self._job: _Job | None = None

    @property
    def is_idle(self) -> bool:
        """Whether another file can be begun."""
        return self._job is None

    def begin(self, client: ReportClient, wanted: FileRequest, path: Path) -> None:
        """Fetch a file to a path, in a thread of its own."""
        if wanted.size is not None and wanted.size > AHEAD_BYTES:
            return
        if client.name not in self._clients:
            self._clients[client.name] = client.source_client.http.another()
        self._job = _Job(self._clients[client.name], wanted, path)
        self._job.start()

    def take(self, path: Path) -> Download | None:
        """What has come of the file at a path, once it is there; None: it has to be fetched now.

        Raises:
            As `HttpClient.download`.
        """
        if self._job is None or self._job.path != path:
            return None
        job = self._job
        job.join()
        self._job = None
        if job.error is not None and not isinstance(job.error, (_NotAhead, SyncError)):
            raise job.error
        # A full disk may have room again, now that the file before is read.
        return job.got

    def stop(self) -> None:
        """Nobody wants the file any more; the folder may go."""
        if self._job is not None:
            self._job.unwanted.set()
            # A signal may have come before the thread had begun.
            with suppress(RuntimeError):
                self._job.join(_STOP_SECONDS)
            self._job = None


class _Job(threading.Thread):
    """One download. `got` or `error` is there once it has ended."""

    def __init__(self, http: HttpClient, wanted: FileRequest, path: Path) -> None:
        super().__init__(name=f"fetch {path.name}", daemon=True)
        self.path = path
        self.unwanted = threading.Event()
        self.got: Download | None = None
        self.error: Exception | None = None
        self._http = http
        self._wanted = wanted

    def run(self) -> None:
        try:
            with self.path.open("wb") as file:
                to: IO[bytes] = _Bounded(file, self._wanted.size, self.unwanted)  # type: ignore[assignment] # as in download.py
                self.got = self._http.download(self._wanted, to)
        except OSError as error:
            self.error = SyncError(str(error))
        except Exception as error:  # noqa: BLE001 - it is raised again where the file is asked for
            self.error = error


class _Bounded(Spool):
    """Takes so many bytes and, once nobody wants them, none."""

    def __init__(self, file: IO[bytes], size: int | None, unwanted: threading.Event) -> None:
        super().__init__(file, size)
        self._unwanted = unwanted

    def write(self, data: bytes) -> int:
        if self._unwanted.is_set() or self._file.tell() + len(data) > AHEAD_BYTES:
            raise _NotAhead
        return super().write(data)
