"""What this tap has ordered and kept, told to the storage at once: targets keep STATE minutes later.

One small JSON object a period, `journal/<source>/<account>/<report>/<period>.json`, replaced at each step:

- as intent before the order goes out: an order may have been sent;
- with the run's id after it: the run is gone on with, not ordered again;
- with the kept files once they are there, and with the rows once those are out: the period is read from the
  kept file, and nothing is asked of the vendor.

It holds for equal parameters only, and nothing in it is a secret. What a sync finds here is never older than
any STATE, except where the storage was swapped; so the later order of the two is gone on with.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tap_billing_reports.core.dates import parse_utc, utc_text
from tap_billing_reports.declare import RemoteFile, Run, RunStatus
from tap_billing_reports.reports.jobs import LocalFile, ReportJob, fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from tap_billing_reports.storage.files import Storage

VERSION = 1


@dataclass(frozen=True)
class KeptFile:
    """A file in the storage, and what it was at the vendor. `size` and `sha256` tell whether it is intact."""

    remote: RemoteFile
    size: int
    sha256: str


@dataclass(frozen=True)
class Note:
    """What is noted of a period.

    Attributes:
        asked: tells the parameters and the interval apart from any others.
        attempt: under which number the order went out, or was about to.
        at: when.
        run: the run, None while it is unknown whether there is one.
        adopted: the run was found at the vendor.
        files: the kept files, that of the rows first.
        realm: where its data come from; None in a note that was written before that was recorded.
        rows: rows that readings of this period may have sent.
        bad: how often the run was no good, and `bad_since` when first.
    """

    asked: str
    attempt: int
    at: datetime
    run: Run | None = None
    adopted: bool = False
    files: tuple[KeptFile, ...] = ()
    rows: int | None = None
    bad: int = 0
    bad_since: datetime | None = None
    realm: Mapping[str, str] | None = None


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
            self._notes[path] = _parsed(self.storage.read_json(path), job) if there else None
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


def asked_of(job: ReportJob) -> str:
    """Equal for equal parameters and intervals: what is noted for others says nothing about this period."""
    moments = [None if moment is None else utc_text(moment) for moment in (job.period.start, job.period.end)]
    text = json.dumps([fingerprint(job.report.report_type, job.parameters), moments])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def without_files(note: Note) -> Note:
    """The files are not what they should be: the run is asked for them again."""
    return replace(note, files=(), run=None if note.run is None else _pending(note.run.run_id, note.run.created_at))


def kept_files(files: Sequence[LocalFile]) -> tuple[KeptFile, ...]:
    """Those of the files that are kept; none if not all are."""
    if any(file.uri is None for file in files):
        return ()
    return tuple(KeptFile(file.remote, file.size, file.sha256) for file in files)


# -- as JSON -------------------------------------------------------------------------------------------


def _written(job: ReportJob, note: Note) -> dict[str, Any]:
    stage = "intent" if note.run is None else "kept" if note.files else "ordered"
    run = note.run
    return {
        "version": VERSION,
        "stage": stage,
        "period": job.period.key,
        "asked": note.asked,
        "attempt": note.attempt,
        "at": utc_text(note.at),
        "adopted": note.adopted,
        "rows": note.rows,
        "bad": note.bad,
        "bad_since": _text(note.bad_since),
        "realm": None if note.realm is None else dict(note.realm),
        "run": None
        if run is None
        else {
            "id": run.run_id,
            "source_status": run.source_status,
            "created_at": _text(run.created_at),
            "finished_at": _text(run.finished_at),
        },
        "files": [
            {
                "id": file.remote.file_id,
                "format": file.remote.format,
                "host": file.remote.host,
                "path": file.remote.path,
                "declared_size": file.remote.size,
                "created_at": _text(file.remote.created_at),
                "expires_at": _text(file.remote.expires_at),
                "size": file.size,
                "sha256": file.sha256,
            }
            for file in note.files
        ],
    }


def _parsed(found: Any, job: ReportJob) -> Note | None:
    """The note, None for what this version cannot read: then the period is as if it had never been noted."""
    try:
        if found["version"] != VERSION:
            return None
        files = tuple(
            KeptFile(
                RemoteFile(
                    file_id=file["id"],
                    format=file["format"],
                    host=file["host"],
                    path=file["path"],
                    size=file["declared_size"],
                    created_at=_moment(file["created_at"]),
                    expires_at=_moment(file["expires_at"]),
                ),
                size=int(file["size"]),
                sha256=str(file["sha256"]),
            )
            for file in found["files"]
        )
        run = found["run"]
        return Note(
            asked=found["asked"],
            attempt=int(found["attempt"]),
            at=parse_utc(found["at"]),
            run=None if run is None else _run(run, job, files),
            adopted=bool(found["adopted"]),
            files=files,
            rows=found["rows"],
            # Older notes do not say.
            bad=int(found.get("bad", 0)),
            bad_since=_moment(found.get("bad_since")),
            realm=found.get("realm"),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _run(facts: Any, job: ReportJob, files: tuple[KeptFile, ...]) -> Run:
    created_at = _moment(facts["created_at"])
    if not files:
        return _pending(facts["id"], created_at)
    return Run(
        run_id=facts["id"],
        status=RunStatus.READY,
        source_status=facts["source_status"],
        report_type=job.report.report_type,
        parameters=job.parameters,
        created_at=created_at,
        finished_at=_moment(facts["finished_at"]),
        file=files[0].remote,
    )


def _pending(run_id: str, created_at: datetime | None) -> Run:
    return Run(run_id, RunStatus.PENDING, RunStatus.PENDING.value, created_at=created_at)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else utc_text(moment)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else parse_utc(text)
