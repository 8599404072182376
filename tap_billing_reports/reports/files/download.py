"""A finished run's bytes: streamed to disk, held against what was declared, kept where that is asked for."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import IO, TYPE_CHECKING

from tap_billing_reports.core.errors import FileError, NotFound, ReportError
from tap_billing_reports.declare import PagedRows
from tap_billing_reports.http.sent import Absence, FileRequest
from tap_billing_reports.reports.answered import check_file
from tap_billing_reports.reports.files.paged import spool
from tap_billing_reports.reports.files.readers.xml_head import metadata_in
from tap_billing_reports.reports.jobs import LocalFile, ReportJob
from tap_billing_reports.storage.disk_guard import Spool
from tap_billing_reports.storage.packing import ENDINGS, PackingError, packing_of, plain_path, unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tap_billing_reports.declare import RemoteFile, Run
    from tap_billing_reports.declare.runs import Format
    from tap_billing_reports.http.client import Download
    from tap_billing_reports.reports.files.prefetch import Ahead
    from tap_billing_reports.reports.state.journal import KeptFile
    from tap_billing_reports.storage.files import Storage
    from tap_billing_reports.storage.packing import Packing

# A transfer that was cut without a sign is worth repeating; a vendor that declares wrongly is not.
TRIES = 3
# Files of text, which may come packed; the others are formats of their own.
_UNPACKED = frozenset({"csv", "ndjson", "xml"})
_ENDS_BYTES = 8192
ABSENT = frozenset({404, 410})


class Collector:
    """Fetches files into a folder of the sync's own (mode 0700, removed at its end), one name a file.

    Args:
        folder: where to; removed by its owner.
        storage: where files are kept beyond the sync; None keeps none.
        ahead: fetches files before it is their turn; None fetches each when it is.
    """

    def __init__(self, folder: Path, storage: Storage | None, ahead: Ahead | None = None) -> None:
        self._folder = folder
        self._storage = storage
        self._ahead = ahead

    def fetch_ahead(self, job: ReportJob, run: Run) -> None:
        """Begin to fetch the file of a run whose turn is next; does nothing while another one is fetched."""
        if self._ahead is None or not self._ahead.is_idle or run.file is None:
            return
        if isinstance(job.retrieval, PagedRows):
            return
        path = self._local_path(job, run.file)
        # Two reports may share a run: then its file is the one that is being read.
        if not path.exists():
            self._ahead.begin(job.client, _request(job, run.file), path)

    def collect(self, job: ReportJob, run: Run, between: Callable[[], None] = lambda: None) -> tuple[LocalFile, ...]:
        """The run's files on disk, whole: first that of the rows, with any `further` ones, then those that are kept.

        `between` is called between pages of rows.

        Raises:
            NotFound: the rows' file has expired or is gone: the period must be ordered again.
            AbsenceUnproven: a 404 for a file that should be there, not in the vendor's own words.
            FileError: one is not what it should be. Unavailable, Refused: as `HttpClient.download`.
        """
        if run.file is None:
            raise ReportError(f"run {run.run_id} has succeeded but names no file")
        paged = job.retrieval
        if isinstance(paged, PagedRows):
            files = [self._spool(job, run, run.file, paged, between)]
        else:
            files = [self._fetch(job, run, run.file)]
        try:
            for remote in (*run.further, *job.client.api.extra_files(job.report, run)):
                files.append(self._fetch(job, run, remote))
        except NotFound as error:
            discard(files)
            if (rule := job.client.api.not_yet) is not None:
                rule.raise_for(error)
            raise FileError(f"a file beside that of the rows is not there: {error}") from None
        except BaseException:
            discard(files)
            raise
        return _joined(files, len(run.further))

    def restore(self, job: ReportJob, run: Run, kept: tuple[KeptFile, ...]) -> tuple[LocalFile, ...] | None:
        """The same files out of the storage, None unless all are there and intact."""
        if (storage := self._storage) is None:
            return None
        wanted = 1 + len(run.further) + len(job.client.api.extra_files(job.report, run))
        files = []
        for file in kept:
            path, where = self._local_path(job, file.remote), _kept_path(storage, job, run, file.remote, file.packing)
            if not storage.fetch(where, path, size=file.size, sha256=file.sha256):
                path.unlink(missing_ok=True)
                break
            local = LocalFile(path, file.size, file.sha256, file.remote, storage.uri(where), file.packing)
            if local.packing and _unpacked(path, local.packing) is not None:
                discard([local])
                break
            files.append(local)
        if len(files) >= wanted:
            return _joined(files, len(run.further))
        discard(files)
        return None

    def _spool(
        self, job: ReportJob, run: Run, remote: RemoteFile, paged: PagedRows, between: Callable[[], None]
    ) -> LocalFile:
        path = self._local_path(job, remote)
        try:
            got = spool(job, paged, path, between)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        remote = replace(remote, rows=got.total)
        return LocalFile(path, got.size, got.sha256, remote, self._kept(job, run, remote, path))

    def _kept(self, job: ReportJob, run: Run, remote: RemoteFile, path: Path, packing: Packing = "") -> str | None:
        """Where a file is kept beyond the sync, if it is."""
        if self._storage is None:
            return None
        where = _kept_path(self._storage, job, run, remote, packing)
        self._storage.keep(path, where)
        return self._storage.uri(where)

    def _fetch(self, job: ReportJob, run: Run, remote: RemoteFile) -> LocalFile:
        path = self._local_path(job, remote)
        try:
            return self._fetched(job, run, remote, path)
        except BaseException:
            # A part of a file that nobody reads: thousands of such periods would fill the disk before the sync ends.
            path.unlink(missing_ok=True)
            plain_path(path).unlink(missing_ok=True)
            raise

    def _fetched(self, job: ReportJob, run: Run, remote: RemoteFile, path: Path) -> LocalFile:
        got = (None if self._ahead is None else self._ahead.take(path)) or self._download(job, remote, path)
        tries = 1
        while (problem := _fault(path, got.size, job, remote)) is not None:
            if tries == TRIES:
                raise FileError(f"file {remote.file_id}: {problem}")
            got = self._download(job, remote, path)
            tries += 1
        packing = _packing(path, remote)
        return LocalFile(path, got.size, got.sha256, remote, self._kept(job, run, remote, path, packing), packing)

    @staticmethod
    def _download(job: ReportJob, remote: RemoteFile, path: Path) -> Download:
        with path.open("wb") as file:
            to: IO[bytes] = Spool(file, remote.size)  # type: ignore[assignment] # as much of one as is used
            return job.client.source_client.http.download(_request(job, remote), to)

    def _local_path(self, job: ReportJob, remote: RemoteFile) -> Path:
        return self._folder / re.sub(r"[^A-Za-z0-9._-]", "_", f"{job.client.name}-{remote.file_id}")


def _kept_path(storage: Storage, job: ReportJob, run: Run, remote: RemoteFile, packing: Packing) -> str:
    """Where a file of a run is kept."""
    folders = ("files", job.client.name, job.account.account_id, job.report.name, job.key)
    every = [*filter(None, [run.file]), *run.further, *job.client.api.extra_files(job.report, run)]
    alike = [file.file_id for file in every if file.format == remote.format]
    # The first of a format is called by the run alone.
    place = alike.index(remote.file_id) if remote.file_id in alike else 0
    number = f".{place + 1}" if place else ""
    return storage.path(*folders, file=f"{run.run_id}{number}.{remote.format}{ENDINGS[packing]}")


def _packing(path: Path, remote: RemoteFile) -> Packing:
    """How a file came packed, where it may."""
    return packing_of(path) if remote.format in _UNPACKED else ""


def _fault(path: Path, size: int, job: ReportJob, remote: RemoteFile) -> str | None:
    """What is wrong with a file that has arrived; it is unpacked by then."""
    packing = _packing(path, remote)
    return _problem(path, size, remote, packing) or _objection(path, job, remote, packing)


def _request(job: ReportJob, remote: RemoteFile) -> FileRequest:
    """How a file of a run is asked for."""
    return FileRequest(
        remote.host,
        remote.path,
        remote.params,
        remote.link,
        remote.size,
        headers={"Accept": _ACCEPT[remote.format], **job.account.headers},
        account=job.account.account_id,
        absence=_absence(job, remote),
    )


def _absence(job: ReportJob, remote: RemoteFile) -> Absence:
    """A file that should be there, by the vendor's own words: a 404 is no proof that it is not.

    Where a 404 may mean that it is not there yet, it stays what it is, to be told apart.
    """
    rule, now = job.client.api.not_yet, job.client.source_client.clock.now()
    may_come = rule is not None and not ABSENT.isdisjoint(rule.statuses)
    is_over = remote.expires_at is not None and remote.expires_at <= now
    return Absence.BELIEVED if may_come or is_over else Absence.PROVEN


def _joined(files: list[LocalFile], further: int) -> tuple[LocalFile, ...]:
    """The files of a run, that of the rows with so many that follow it."""
    first, *others = files
    return replace(first, further=tuple(others[:further])), *others[further:]


def discard(files: tuple[LocalFile, ...] | list[LocalFile]) -> None:
    """The rows are out: give the disk back."""
    for file in (part for whole in files for part in whole.of_rows):
        file.path.unlink(missing_ok=True)
        plain_path(file.path).unlink(missing_ok=True)


_PROLOG = re.compile(rb"<\?.*?\?>|<!--.*?-->", re.DOTALL)
_ROOT = re.compile(rb"<([^\s<>/!?]+)[^<>]*>?")
_ACCEPT: Mapping[Format, str] = {
    "csv": "text/csv, */*;q=0.1",
    "ndjson": "application/x-ndjson, */*;q=0.1",
    "xml": "application/xml",
    "xlsx": "*/*",
    "pdf": "application/pdf",
}


def _problem(path: Path, size: int, remote: RemoteFile, packing: Packing) -> str | None:
    """What is wrong with a downloaded file, before any of it is read as rows; a packed one is unpacked for that."""
    if remote.size is not None and size != remote.size:
        return f"{size} bytes arrived, {remote.size} were declared"
    if size == 0:
        return "it is empty"
    if packing:
        if (problem := _unpacked(path, packing)) is not None:
            return problem
        path = plain_path(path)
        size = path.stat().st_size
        if size == 0:
            return "what it unpacks to is empty"
    with path.open("rb") as file:
        head = file.read(_ENDS_BYTES)
        file.seek(max(0, size - _ENDS_BYTES))
        tail = file.read()
    return _CHECKS[remote.format](head, tail)


def _unpacked(path: Path, packing: Packing) -> str | None:
    """Unpack a file; what is wrong with it."""
    try:
        unpack(path, packing)
    except PackingError as error:
        return str(error)
    return None


def _objection(path: Path, job: ReportJob, remote: RemoteFile, packing: Packing) -> str | None:
    """How the beginning of a file shows that it is another run's; its reader looks once more."""
    form = job.client.api.xml
    if remote.format != "xml" or form is None or not form.metadata:
        return None
    with (plain_path(path) if packing else path).open("rb") as file:
        try:
            check_file(job, metadata_in(file.read(_ENDS_BYTES), form.metadata))
        except FileError as error:
            return str(error)
    return None


# A page, an object of JSON, or a list of it; a column may be called "[Date]".
_NO_CSV = re.compile(rb'<|\{|\[\s*[\[{"\]]')


def _check_csv(head: bytes, _tail: bytes) -> str | None:
    return "it begins as a web page or an error, not as CSV" if _NO_CSV.match(_text(head)) else None


def _check_xml(head: bytes, tail: bytes) -> str | None:
    if not _text(head).startswith(b"<"):
        return "it does not begin as XML"
    root = _ROOT.match(_text(_PROLOG.sub(b"", head)))
    if root is None:
        return "it has no root element"
    # A root without content may close where it opens.
    closed = re.search(rb"</" + re.escape(root[1]) + rb"\s*>$", tail.rstrip()) or root[0].endswith(b"/>")
    return None if closed else "it does not end as XML: it was cut short"


def _check_xlsx(head: bytes, tail: bytes) -> str | None:
    """An XLSX file is a ZIP archive; the record that ends one stands at its end, as its comment is short."""
    if not head.startswith(b"PK\x03\x04"):
        return "it does not begin as a ZIP archive, which every XLSX file is"
    return None if b"PK\x05\x06" in tail else "it does not end as a ZIP archive: it was cut short"


def _check_ndjson(head: bytes, _tail: bytes) -> str | None:
    return None if _text(head).startswith(b"{") else "it does not begin as a JSON object"


def _check_pdf(head: bytes, tail: bytes) -> str | None:
    if not head.startswith(b"%PDF-"):
        return "it does not begin as a PDF"
    return None if b"%%EOF" in tail else "it does not end as a PDF: it was cut short"


def _text(head: bytes) -> bytes:
    return head.lstrip(b"\xef\xbb\xbf \t\r\n")


_CHECKS: Mapping[Format, Callable[[bytes, bytes], str | None]] = {
    "csv": _check_csv,
    "ndjson": _check_ndjson,
    "xml": _check_xml,
    "xlsx": _check_xlsx,
    "pdf": _check_pdf,
}
