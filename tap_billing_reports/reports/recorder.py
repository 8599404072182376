"""Enters what happens to due periods: into the ledgers, which STATE carries, and into the journal at once."""

from __future__ import annotations

import dataclasses
from datetime import timedelta, timezone
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tap_billing_reports.core.errors import ReportError
from tap_billing_reports.reports.realm import REMEDY, difference
from tap_billing_reports.reports.state.journal import Journal, Note, NotedRun, asked_of, kept_files, without_files
from tap_billing_reports.reports.state.layout import OpenPeriod

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from tap_billing_reports.declare import Run
    from tap_billing_reports.reports.jobs import LocalFile, ReportJob
    from tap_billing_reports.reports.planning import Planner
    from tap_billing_reports.reports.state.entry import Entry
    from tap_billing_reports.reports.state.ledger import Ledger


# A vendor's clock, which dates runs, may be ahead of ours by so much; a clock that is further ahead is a wrong one.
CLOCKS_APART = timedelta(days=2)
# A run whose file could not be used in so many syncs is given up: the vendor may have had a fault when it made it.
READINGS = 2
# "Not there" is believed, where a vendor has no words for it, if it is still the answer so long after the first time.
ABSENT_FOR = timedelta(days=1)


class Recorder:
    """One place that changes ledgers and journal: intended, ordered, collected, emitting, dropped, done.

    Args:
        ledger_of: gives the ledger of a row stream.
        planner: knows which windows are whole and which are read again.
        journal: where orders are noted at once; without storage it notes nothing.
    """

    def __init__(self, ledger_of: Callable[[str], Ledger], planner: Planner, journal: Journal | None = None) -> None:
        self._ledger_of = ledger_of
        self._planner = planner
        self._journal = journal or Journal()

    def _entry(self, job: ReportJob) -> Entry:
        """The account's entry, to be looked at."""
        return self._ledger_of(job.report.stream).entry(job.account.account_id)

    def _changing(self, job: ReportJob) -> AbstractContextManager[Entry]:
        return self._ledger_of(job.report.stream).changing(job.account.account_id)

    # -- what is known ---------------------------------------------------------------------------------

    def recall(self, job: ReportJob) -> tuple[ReportJob, Note | None]:
        """The period with what the journal adds to it, and the note to go on with, if there is one.

        A note says nothing where it was made for other parameters, before `reuse_runs_since`, about the
        reading that the ledger holds already, or before an order that STATE knows.

        Raises:
            ReportError: it is of another realm: test data, as it may be, under live settings.
        """
        note = self._journal.recall(job)
        if note is None:
            return job, None
        if note.realm is not None and (changed := difference(note.realm, job.client.realm)):
            raise ReportError(f"what storage_url holds of its period {job.key} {changed}: {REMEDY}", about=job.about)
        if note.rows is not None:
            job = dataclasses.replace(job, previous_rows=max(note.rows, job.previous_rows or 0))
        since = self._planner.reuse_runs_since
        stale = (
            note.asked != asked_of(job)
            or (since is not None and note.at < since)
            # Made by a clock that was ahead: what it asked for was not all there.
            or (not job.report.cadence.has_subjects and note.at > self._planner.now + CLOCKS_APART)
            or (note.run is not None and note.run.run_id == job.known_run)
            or (job.run_id is not None and (note.run is None or not _is_newer(note, job)))
        )
        if not stale and note.run is None and note.realm is None:
            job = dataclasses.replace(job, old_key=note.attempt)
        return job, None if stale else note

    def earlier_rows(self, job: ReportJob, file: LocalFile) -> int:
        """Rows that may be out from earlier readings than that of this very file."""
        known = self._entry(job).opened(job.key)
        out = known.out_rows if known.out != file.mark else 0
        return max(job.previous_rows or 0, known.rows, out)

    # -- what happens ----------------------------------------------------------------------------------

    def intended(self, job: ReportJob, attempt: int, at: datetime) -> None:
        """An order is about to go out."""
        realm = None if attempt == job.old_key else dict(job.client.realm)
        note = Note(asked=asked_of(job), attempt=attempt, at=at, rows=job.previous_rows, realm=realm)
        self._journal.write(job, note)

    def ordered(self, job: ReportJob, run: Run, attempt: int, at: datetime, *, adopted: bool) -> None:
        """A run exists for this period, made at an instant: whatever happens, the next sync goes on with it."""
        note = Note(
            asked=asked_of(job),
            attempt=attempt,
            at=at.astimezone(timezone.utc),
            adopted=adopted,
            rows=job.previous_rows,
            realm=dict(job.client.realm),
            run=NotedRun.of(run),
        )
        self._journal.write(job, note)
        self.resumed(job, note)

    def resumed(self, job: ReportJob, note: Note) -> None:
        """The journal knows a run that the ledger does not."""
        with self._changing(job) as entry:
            entry.open[job.key] = replace(
                _still_out(entry.opened(job.key), job.previous_rows),
                run=None if note.run is None else note.run.run_id,
                attempt=note.attempt,
                at=note.at,
                asked=note.asked,
                bad=note.bad,
                bad_since=note.bad_since if note.bad else None,
                adopted=note.adopted,
                start=job.period.start,
                end=job.period.end,
            )

    def fetched(self, job: ReportJob, run: Run, attempt: int, at: datetime, files: Sequence[LocalFile]) -> None:
        """What is there without an order is here, read at an instant; if it is kept, it is not asked for again."""
        note = Note(
            asked=asked_of(job),
            attempt=attempt,
            at=at.astimezone(timezone.utc),
            rows=job.previous_rows,
            realm=dict(job.client.realm),
            run=NotedRun.of(run),
            files=kept_files(files),
        )
        self._journal.write(job, note)
        self.resumed(job, note)

    def collected(self, job: ReportJob, run: Run, files: Sequence[LocalFile]) -> None:
        """The run's files are here; if they are kept, they need not be asked for again."""
        kept = kept_files(files)
        note = self._journal.recall(job)
        if kept and note is not None and note.files != kept:
            # The note may be an older one, of other parameters, where the ledger has been without this storage since.
            self._journal.write(job, replace(note, asked=asked_of(job), run=NotedRun.of(run), files=kept))

    def emitting(self, job: ReportJob, file: LocalFile, rows: int) -> bool:
        """Up to `rows` rows of the file are about to go out; True when that must reach the target first.

        Asked before every chunk. What is noted is at least doubled, so a long file is noted a few times; the
        surplus of a reading that breaks off and is then shorter can so be taken back.
        """
        known, mark = self._entry(job).opened(job.key), file.mark
        if known.out == mark and rows <= known.out_rows:
            return False
        if known.out == mark:
            known = replace(known, out_rows=max(rows, 2 * known.out_rows))
        else:
            # Another file's rows may be out: this one's may not cover them.
            known = replace(known, rows=self.earlier_rows(job, file), out=mark, out_rows=rows)
        with self._changing(job) as entry:
            entry.open[job.key] = known
        return True

    def unkept(self, job: ReportJob) -> None:
        """The kept files are gone or changed: they are not to be looked for again."""
        note = self._journal.recall(job)
        if note is not None:
            self._journal.write(job, without_files(note))

    def broke_off(self, job: ReportJob, file: LocalFile) -> None:
        """The file could not be read or does not hold: the run is asked for it again, not the storage."""
        note = self._journal.recall(job)
        if note is not None and note.files:
            rows = max(self.earlier_rows(job, file), self._entry(job).opened(job.key).out_rows)
            self._journal.write(job, replace(without_files(note), rows=rows or None))

    def dropped(self, job: ReportJob, next_attempt: int, at: datetime) -> None:
        """The run failed or is gone: the period is due again, under the next number."""
        note = self._journal.recall(job)
        if note is not None and note.run is not None:
            unread = replace(note, run=None, files=(), adopted=False, attempt=next_attempt, bad=0, bad_since=None)
            self._journal.write(job, unread)
        with self._changing(job) as entry:
            known = _failed(_still_out(entry.opened(job.key), job.previous_rows), at)
            entry.open[job.key] = replace(known, attempt=next_attempt)

    def was_bad(self, job: ReportJob, run: Run, at: datetime, *, absent: bool = False) -> int:
        """The run could not be used in this sync; returns in how many syncs so far.

        Args:
            job: what it was for.
            run: whose file could not be had, read or held against what is known.
            at: now.
            absent: the vendor answered that it is not there, which alone is no proof: that counts a second time only
                a day after the first.
        """
        known, note = self._entry(job).opened(job.key), self._journal.recall(job)
        before = bad = max(job.bad, known.bad)
        since = job.bad_since or at
        if not absent or bad == 0 or at - since >= ABSENT_FOR:
            bad += 1
        if bad >= READINGS > before and not absent:
            known = _failed(known, at)
        if note is not None and note.run is not None and note.run.run_id == run.run_id:
            self._journal.write(job, replace(note, bad=bad, bad_since=since))
        with self._changing(job) as entry:
            entry.open[job.key] = replace(known, bad=bad, bad_since=since)
        return bad

    def refused(self, job: ReportJob) -> None:
        """The order was refused: what was not comes before it the next time."""
        with self._changing(job) as entry:
            known = entry.opened(job.key)
            entry.open[job.key] = replace(known, refused=known.refused + 1)

    def not_yet(self, job: ReportJob, at: datetime) -> None:
        """The vendor does not have the period yet, in its own words."""
        with self._changing(job) as entry:
            moment = at.astimezone(timezone.utc).replace(microsecond=0)
            entry.open[job.key] = replace(entry.opened(job.key), not_yet=moment)

    def done(self, job: ReportJob, rows: int | None, *, sent: bool = True) -> None:
        """All that was selected of this period is out and its checks hold; `sent`: its rows are out, too."""
        if not sent:
            # The target holds what earlier readings have sent, be it more or fewer rows than these.
            rows = job.previous_rows
        note = self._journal.recall(job)
        if note is not None and note.run is not None:
            self._journal.write(job, replace(note, rows=rows))
        with self._changing(job) as entry:
            entry.unsent = entry.unsent or not sent
            known = entry.opened(job.key)
            entry.open.pop(job.key, None)
            self._planner.plan(job.report).enter_done(entry, job.key, job.period, known, rows)


def _failed(known: OpenPeriod, at: datetime) -> OpenPeriod:
    """One more run has failed."""
    return replace(known, failed=known.failed + 1, failed_at=at.astimezone(timezone.utc).replace(microsecond=0))


def _is_newer(note: Note, job: ReportJob) -> bool:
    return job.ordered_at is None or note.at >= job.ordered_at


def _still_out(known: OpenPeriod, previous_rows: int | None) -> OpenPeriod:
    """What outlives the run of an open period: the rows that may be out, and how many runs have failed."""
    return OpenPeriod(
        period=known.period,
        out=known.out,
        out_rows=known.out_rows,
        rows=max(previous_rows or 0, known.rows),
        failed=known.failed,
        failed_at=known.failed_at,
    )
