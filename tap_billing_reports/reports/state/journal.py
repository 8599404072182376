"""What this tap has ordered and kept, told to the storage at once: targets keep STATE minutes later.

One small JSON object a period, `journal/<source>/<account>/<report>/<period>.json`, replaced at each step:

- as intent before the order goes out: an order may have been sent;
- with the run's id after it: the run is resumed, not ordered again;
- with the kept files once they are there, and with the rows once those are out: the period is read from the
  kept file, and nothing is asked of the vendor.

It holds for equal parameters only, and nothing in it is a secret. What a sync finds here is never older than
any STATE, except where the storage was swapped; so the later order of the two is resumed.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, get_args

import msgspec
from msgspec.structs import replace

from tap_billing_reports.core.dates import utc_text
from tap_billing_reports.declare import RemoteFile, Run, RunStatus
from tap_billing_reports.declare.runs import Format
from tap_billing_reports.reports.jobs import LocalFile, ReportJob, fingerprint
from tap_billing_reports.reports.state.layout import Instant  # noqa: TC001 - msgspec reads the annotations
from tap_billing_reports.storage.files import id_name
from tap_billing_reports.storage.packing import ENDINGS, Packing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_billing_reports.storage.files import Storage

VERSION = 1


class KeptFile(msgspec.Struct, frozen=True, kw_only=True, rename={"file_id": "id"}):
    """A file in the storage, and what it was at the vendor. `size` and `sha256` tell whether it is intact."""

    file_id: str
    format: Format
    host: str
    path: str
    declared_size: int | None
    created_at: Instant | None
    expires_at: Instant | None
    size: int
    sha256: str
    packing: Packing = ""
    declared_rows: int | None = None
    is_further: bool = False
    """Its rows follow those of the file before it."""

    @property
    def remote(self) -> RemoteFile:
        """The file as the vendor described it."""
        return RemoteFile(
            file_id=self.file_id,
            format=self.format,
            host=self.host,
            path=self.path,
            size=self.declared_size,
            created_at=self.created_at,
            expires_at=self.expires_at,
            rows=self.declared_rows,
        )


class NotedRun(msgspec.Struct, frozen=True, kw_only=True, rename={"run_id": "id"}):
    """A run, as the vendor described it when that was noted."""

    run_id: str
    source_status: str
    created_at: Instant | None
    finished_at: Instant | None

    @classmethod
    def of(cls, run: Run) -> NotedRun:
        return cls(
            run_id=run.run_id,
            source_status=run.source_status,
            created_at=_utc(run.created_at),
            finished_at=_utc(run.finished_at),
        )


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """What is noted of a period.

    Attributes:
        asked: tells the parameters and the interval apart from any others.
        attempt: under which number the order went out, or was about to.
        at: when.
        run: the run, None while it is unknown whether there is one.
        adopted: the run was found at the vendor.
        files: the kept files, that of the rows first.
        rows: rows that readings of this period may have sent.
        bad: how often the run could not be used, and `bad_since` when first.
        realm: where its data come from; None in a note that was written before that was recorded.
    """

    asked: str
    attempt: int
    at: Instant
    adopted: bool = False
    rows: int | None = None
    bad: int = 0
    bad_since: Instant | None = None
    realm: dict[str, str] | None = None
    run: NotedRun | None = None
    files: tuple[KeptFile, ...] = ()

    def kept_run(self, job: ReportJob) -> Run | None:
        """The run whose files are kept, None where none are."""
        if self.run is None or not self.files:
            return None
        return Run(
            run_id=self.run.run_id,
            status=RunStatus.READY,
            source_status=self.run.source_status,
            report_type=job.report.report_type,
            parameters=job.parameters,
            created_at=self.run.created_at,
            finished_at=self.run.finished_at,
            file=self.files[0].remote,
            further=tuple(file.remote for file in self.files if file.is_further),
        )


class Journal:
    """Remembers nothing: the journal of a sync without storage."""

    def recall(self, job: ReportJob) -> Note | None:
        """What is noted of the period, whatever it was asked for."""

    def write(self, job: ReportJob, note: Note) -> None:
        """Replace what is noted of the period.

        Raises:
            SyncError: the storage refuses; no order may go out that is not noted.
        """


@dataclass
class StorageJournal(Journal):
    """A journal in the storage of the kept files. One sync at a time writes it, see `lock`."""

    storage: Storage
    _there: dict[tuple[str, ...], frozenset[str]] = field(default_factory=dict)
    _notes: dict[str, Note | None] = field(default_factory=dict)

    def recall(self, job: ReportJob) -> Note | None:
        path = self._path(job)
        if path not in self._notes:
            there = path.rpartition("/")[2] in self._listed(_folder(job))
            self._notes[path] = _read(self.storage.read_json(path)) if there else None
        return self._notes[path]

    def write(self, job: ReportJob, note: Note) -> None:
        path = self._path(job)
        self.storage.write_json(path, _written(job, note))
        self._notes[path] = note

    def _listed(self, folder: tuple[str, ...]) -> frozenset[str]:
        """One listing instead of a question for each period of a long back-fill."""
        if folder not in self._there:
            self._there[folder] = frozenset(path.rpartition("/")[2] for path in self.storage.sizes(*folder))
        return self._there[folder]

    def _path(self, job: ReportJob) -> str:
        return self.storage.path(*_folder(job), job.key) + ".json"


def _folder(job: ReportJob) -> tuple[str, ...]:
    return ("journal", job.client.name, job.account.account_id, job.report.name)


def notes(storage: Storage) -> Iterator[tuple[tuple[str, ...], Note | None]]:
    """All that is noted: the names of source, account, report and period as files have them, and the note.

    None: this version cannot read it.
    """
    for names in sorted(storage.below("journal")):
        *folders, file = names
        if not file.startswith("."):
            yield (*folders, file.removesuffix(".json")), _read(storage.read_json(storage.at("journal", *names)))


def kept_names(run: str) -> frozenset[str]:
    """The names that a run's kept files may have."""
    return frozenset(id_name(f"{run}.{kind}{ending}") for kind in get_args(Format) for ending in ENDINGS.values())


def asked_of(job: ReportJob) -> str:
    """Equal for equal parameters and intervals: what is noted for others says nothing about this period."""
    moments = [None if moment is None else utc_text(moment) for moment in (job.period.start, job.period.end)]
    text = json.dumps([fingerprint(job.report.report_type, job.parameters), moments])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def without_files(note: Note) -> Note:
    """The files are not what they should be: the run is asked for them again."""
    return replace(note, files=())


def kept_files(files: Sequence[LocalFile]) -> tuple[KeptFile, ...]:
    """Those of the files that are kept; none if not all are."""
    every = [(part, part is not file) for file in files for part in file.of_rows]
    if any(file.uri is None for file, _ in every):
        return ()
    return tuple(_kept(file, is_further=is_further) for file, is_further in every)


def _kept(file: LocalFile, *, is_further: bool) -> KeptFile:
    return KeptFile(
        file_id=file.remote.file_id,
        format=file.remote.format,
        host=file.remote.host,
        path=file.remote.path,
        declared_size=file.remote.size,
        created_at=_utc(file.remote.created_at),
        expires_at=_utc(file.remote.expires_at),
        size=file.size,
        sha256=file.sha256,
        packing=file.packing,
        declared_rows=file.remote.rows,
        is_further=is_further,
    )


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(timezone.utc)


# -- as JSON -------------------------------------------------------------------------------------------


def _written(job: ReportJob, note: Note) -> dict[str, object]:
    return {"version": VERSION, "stage": _stage(note), "period": job.period.key, **msgspec.to_builtins(note)}


def _stage(note: Note) -> str:
    """How far the period is; for people who read the journal."""
    if note.run is None:
        return "intent"
    return "kept" if note.files else "ordered"


def _read(found: object) -> Note | None:
    """The note, None for what this version cannot read: then the period is as if it had never been noted."""
    if not isinstance(found, dict) or found.get("version") != VERSION:
        return None
    with suppress(msgspec.ValidationError):
        return msgspec.convert(found, Note)
    return None
