"""Whole syncs of reports against the vendor in memory, and a target that keeps rows and STATEs of them."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from tap_billing_reports.core.errors import FileError
from tap_billing_reports.declare import Account, Report, Windowed
from tap_billing_reports.reports.files.download import Collector, discard
from tap_billing_reports.reports.jobs import Collected
from tap_billing_reports.reports.planning import Planner
from tap_billing_reports.reports.recorder import Recorder
from tap_billing_reports.reports.runs.ordering import Orders
from tap_billing_reports.reports.runs.runner import Runner
from tap_billing_reports.reports.state.journal import Journal, StorageJournal
from tap_billing_reports.reports.state.ledger import Ledger, check_state

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from tap_billing_reports.reports.jobs import Finished, LocalFile, ReportJob
    from tap_billing_reports.reports.state.journal import Note
    from tap_billing_reports.storage.files import Storage
    from tests.reports.vendor import Vendor

ACCOUNT = Account("fake", "acct", "fake_account")
DAILY = Report("fake", "daily.1", "daily", "UTC", Windowed("day"))
CHUNK = 2


class KilledError(BaseException):
    """The process is gone: nothing of it goes on."""


@dataclass
class Target:
    """Upserts rows by key and keeps every STATE, each with the rows as they were then."""

    rows: dict[tuple[str, str, int], str | None] = field(default_factory=dict)
    states: list[tuple[str, dict[tuple[str, str, int], str | None]]] = field(default_factory=list)
    taken_back: int = 0

    def live(self) -> dict[tuple[str, str, int], str]:
        return {key: value for key, value in self.rows.items() if value is not None}

    def period(self, stream: str, period: str) -> list[str]:
        return [value for (name, key, _), value in sorted(self.live().items()) if (name, key) == (stream, period)]

    @property
    def state(self) -> str | None:
        return self.states[-1][0] if self.states else None


@dataclass
class WatchedJournal(StorageJournal):
    """Says when it writes, and remembers which runs it was ever told of."""

    hook: Callable[[str], None] = lambda _event: None
    told: set[str] = field(default_factory=set)
    outdated: set[str] = field(default_factory=set)
    """Runs that had been read when another reading of their period was begun."""

    def write(self, job: ReportJob, note: Note) -> None:
        self.hook("note")
        super().write(job, note)
        if note.run is None and job.known_run is not None:
            self.outdated.add(job.known_run)
        if note.run is not None:
            self.told.add(note.run.run_id)
        self.hook("noted")


@dataclass
class Sync:
    """One sync, as the tap makes it.

    Args:
        state: the STATE to go on from, as JSON text.
        hook: called with the name of each event; raises to break off there.
    """

    vendor: Vendor
    folder: Path
    target: Target = field(default_factory=Target)
    reports: tuple[Report, ...] = (DAILY,)
    storage: Storage | None = None
    state: str | None = None
    start: date = date(2026, 3, 1)
    end: date | None = None
    reuse_runs_since: datetime | None = None
    max_new_runs: int = 60
    deadline: float = 600.0
    emission_seconds: float = 0.0
    selected: bool = True
    """Whether the row streams are; else only the files are wanted."""
    hook: Callable[[str], None] = lambda _event: None
    told: set[str] = field(default_factory=set)
    outdated: set[str] = field(default_factory=set)
    finished: list[Finished] = field(default_factory=list)
    read: dict[str, int] = field(default_factory=dict)
    """Period -> rows of each good reading."""
    errors: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bookmarks: dict[str, dict[str, Any]] = json.loads(self.state) if self.state else {}
        for stream, bookmark in self.bookmarks.items():
            check_state(stream, bookmark)
        self.ledgers: dict[str, Ledger] = {}
        self.planner = Planner(self.start, self.end, self.vendor.clock.now(), self.reuse_runs_since)
        self.journal: Journal = Journal()
        if self.storage is not None:
            self.journal = WatchedJournal(self.storage, hook=self.hook, told=self.told, outdated=self.outdated)
        self.recorder = Recorder(self.ledger, self.planner, self.journal)
        self.client = self.vendor.client()
        self.orders = Orders(self.vendor.clock, self.reuse_runs_since)
        self.runner = Runner(
            orders=self.orders,
            recorder=self.recorder,
            collector=Collector(self.folder, self.storage),
            checkpoint=self.checkpoint,
            clock=self.vendor.clock,
            deadline_seconds=self.deadline,
            max_new_runs=self.max_new_runs,
        )

    def ledger(self, stream: str) -> Ledger:
        if stream not in self.ledgers:
            self.ledgers[stream] = Ledger(lambda: self.bookmarks.setdefault(stream, {}))
        return self.ledgers[stream]

    def jobs(self) -> list[ReportJob]:
        jobs = []
        for report in self.reports:
            ledger = self.ledger(report.stream)
            ledger.identify(ACCOUNT.account_id, report.stream, report.identity)
            if self.selected and ledger.entry(ACCOUNT.account_id).unsent:
                ledger.begin_again(ACCOUNT.account_id)
            jobs.extend(self.planner.due_jobs(self.client, report, ACCOUNT, ledger.entry(ACCOUNT.account_id)))
        return jobs

    def run(self) -> Sync:
        jobs = self.jobs()
        self.orders.adoption.look_ahead(jobs)
        for finished in self.runner.finished(jobs):
            self._take(finished)
            self.checkpoint()
        return self

    def checkpoint(self) -> None:
        for ledger in self.ledgers.values():
            ledger.write()
        self.hook("state")
        self.target.states.append((json.dumps(self.bookmarks), dict(self.target.rows)))

    def _take(self, finished: Finished) -> None:
        self.finished.append(finished)
        error, rows = None if finished.error is None else str(finished.error), 0
        if isinstance(finished, Collected):
            try:
                rows = self._emit(finished.job, finished.file) if self.selected else _lines(finished.file)
            except FileError as problem:
                error = str(problem)
                self.recorder.broke_off(finished.job, finished.file)
                self.recorder.was_bad(finished.job, finished.run, self.vendor.clock.now())
            finally:
                discard(finished.files)
        if error is not None:
            self.errors.append(error)
        elif isinstance(finished, Collected):
            self.read[finished.job.period.key] = rows
            self.recorder.done(finished.job, rows, sent=self.selected)
        if finished.note is not None:
            self.notes.append(finished.note)

    def _emit(self, job: ReportJob, file: LocalFile) -> int:
        lines = iter(file.path.read_text().splitlines()[1:])
        number = 0
        while chunk := list(itertools.islice(lines, CHUNK)):
            if self.recorder.emitting(job, file, number + len(chunk)):
                self.checkpoint()
            self.runner.tend()
            for line in chunk:
                if line == "!":
                    raise FileError("garbled", line=number + 2)
                number += 1
                self.hook("row")
                self.target.rows[job.report.stream, job.period.key, number] = line
        for surplus in range(number + 1, (job.previous_rows or 0) + 1):
            self.hook("surplus")
            self.target.rows[job.report.stream, job.period.key, surplus] = None
            self.target.taken_back += 1
        if self.emission_seconds:
            for _ in range(10):
                self.vendor.clock.sleep(self.emission_seconds / 10)
                self.runner.tend()
        return number


def _lines(file: LocalFile) -> int:
    return len(file.path.read_text().splitlines()) - 1
