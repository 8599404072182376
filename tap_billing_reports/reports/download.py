"""A finished run's bytes: streamed to disk, held against what was declared, kept where that is asked for."""

from __future__ import annotations

import re
from pathlib import Path

from tap_billing_reports.declarations import RemoteFile, Run
from tap_billing_reports.errors import FileError, ReportError
from tap_billing_reports.reports.due import Due, LocalFile
from tap_billing_reports.storage import Storage

# A transfer that was cut without a sign is worth repeating; a vendor that declares wrongly is not.
TRIES = 3
_TAIL_BYTES = 512


class Collector:
    """Fetches files into a folder of the sync's own (mode 0700, removed at its end), one name a run.

    Args:
        folder: where to; removed by its owner.
        storage: where files are kept beyond the sync; None keeps none.
    """

    def __init__(self, folder: Path, storage: Storage | None) -> None:
        self._folder = folder
        self._storage = storage

    def collect(self, due: Due, run: Run) -> LocalFile:
        """The run's file on disk, whole.

        Raises:
            NotFound: the file has expired or is gone: the period must be ordered again.
            FileError: it is not what it should be. Unavailable, Refused: as `Door.download`.
        """
        remote = run.file
        if remote is None:
            raise ReportError(f"run {run.run_id} has succeeded but names no file")
        path = self._folder / re.sub(r"[^A-Za-z0-9._-]", "_", f"{due.shop.name}-{remote.file_id}")
        kept = self._kept_path(due, run, remote)
        for attempt in range(1, TRIES + 1):
            with path.open("wb") as file:
                got = due.shop.asker.door.download(
                    remote.host,
                    remote.path,
                    file,
                    size=remote.size,
                    headers={"Accept": _ACCEPT[remote.format], **due.account.headers},
                )
            problem = _problem(path, got.size, remote)
            if problem is None:
                break
            if attempt == TRIES:
                raise FileError(f"file {remote.file_id}: {problem}")
        uri = None
        if self._storage is not None and kept is not None:
            self._storage.keep(path, kept)
            uri = self._storage.uri(kept)
        return LocalFile(path, got.size, got.sha256, remote, uri)

    def _kept_path(self, due: Due, run: Run, remote: RemoteFile) -> str | None:
        if self._storage is None:
            return None
        name = f"{run.run_id}.{remote.format}"
        return self._storage.path(
            "files", due.shop.name, due.account.account_id, due.report.name, due.period.key, name
        )

    @staticmethod
    def discard(file: LocalFile) -> None:
        """The rows are out: give the disk back."""
        file.path.unlink(missing_ok=True)


_ACCEPT = {"csv": "text/csv, */*;q=0.1", "xml": "application/xml", "xlsx": "*/*"}


def _problem(path: Path, size: int, remote: RemoteFile) -> str | None:
    """What is wrong with a downloaded file, before any of it is read as rows."""
    if remote.size is not None and size != remote.size:
        return f"{size} bytes arrived, {remote.size} were declared"
    if size == 0:
        return "it is empty"
    with path.open("rb") as file:
        head = file.read(_TAIL_BYTES).lstrip(b"\xef\xbb\xbf \t\r\n")
        file.seek(max(0, size - _TAIL_BYTES))
        tail = file.read().rstrip()
    if remote.format == "xml":
        if not head.startswith(b"<"):
            return "it does not begin as XML"
        if not re.search(rb"</[^<>]+>$|/>$", tail):
            return "it does not end as XML: it was cut short"
    elif remote.format == "csv" and head[:1] in {b"<", b"{"}:
        return "it begins as a web page or an error, not as CSV"
    return None
