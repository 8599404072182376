"""Enters what happens to due periods: into the ledgers, which STATE carries, and into the journal at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from tap_billing_reports.core.dates import parse_utc, utc_text
from tap_billing_reports.core.errors import ReportError
from tap_billing_reports.reports import per_invoice
from tap_billing_reports.reports.realm import REMEDY, difference
from tap_billing_reports.reports.state.journal import Journal, Note, asked_of, kept_files, without_files

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from tap_billing_reports.declare import Run
    from tap_billing_reports.reports.jobs import LocalFile, ReportJob
    from tap_billing_reports.reports.planning import Planner
    from tap_billing_reports.reports.state.ledger import Entry, Facts, Ledger


# A vendor's clock, which dates runs, may be ahead of ours by so much; a clock that is further ahead is a wrong one.
CLOCKS_APART = timedelta(days=2)
# A run whose file was no good in so many syncs is given up: the vendor may have been ill when it made it.
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
        return self._ledger_of(job.report.stream).entry(job.account.account_id)

    def _save(self, job: ReportJob) -> None:
        self._ledger_of(job.report.stream).save()

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
            job = replace(job, previous_rows=max(note.rows, job.previous_rows or 0))
        since = self._planner.reuse_runs_since
        stale = (
            note.asked != asked_of(job)
            or (since is not None and note.at < since)
            # Made by a clock that was ahead: what it asked for was not all there.
            or (job.report.unit is not None and note.at > self._planner.now + CLOCKS_APART)
            or (note.run is not None and note.run.run_id == job.known_run)
            or (job.run_id is not None and (note.run is None or not _is_newer(note, job)))
        )
        if not stale and note.run is None and note.realm is None:
            job = replace(job, old_key=note.attempt)
        return job, None if stale else note

    def earlier_rows(self, job: ReportJob, file: LocalFile) -> int:
        """Rows that may be out from earlier readings than that of this very file."""
        facts = self._entry(job).open.get(job.key, {})
        out: int = facts.get("out_rows", 0) if facts.get("out") != _mark(file) else 0
        return max(job.previous_rows or 0, int(facts.get("rows", 0)), out)

    # -- what happens ----------------------------------------------------------------------------------

    def intended(self, job: ReportJob, attempt: int, at: datetime) -> None:
        """An order is about to go out."""
        realm = None if attempt == job.old_key else dict(job.client.realm)
        self._journal.write(job, Note(asked_of(job), attempt, at, rows=job.previous_rows, realm=realm))

    def ordered(self, job: ReportJob, run: Run, attempt: int, *, adopted: bool) -> None:
        """A run exists for this period: whatever happens, the next sync goes on with it."""
        assert run.created_at is not None
        rows, realm = job.previous_rows, dict(job.client.realm)
        note = Note(asked_of(job), attempt, run.created_at, run, adopted, rows=rows, realm=realm)
        self._journal.write(job, note)
        self.resumed(job, note)

    def resumed(self, job: ReportJob, note: Note) -> None:
        """The journal knows a run that the ledger does not."""
        assert note.run is not None
        facts: Facts = {"run": note.run.run_id, "attempt": note.attempt, "at": utc_text(note.at), "asked": note.asked}
        facts |= _bad(note.bad, note.bad_since)
        if note.adopted:
            facts["adopted"] = True
        if job.period.start is not None and job.period.end is not None:
            facts |= {"start": utc_text(job.period.start), "end": utc_text(job.period.end)}
        entry = self._entry(job)
        known = entry.open.get(job.key, {})
        entry.open[job.key] = facts | _rows_out(known, job.previous_rows) | _failed(known)
        self._save(job)

    def collected(self, job: ReportJob, run: Run, files: Sequence[LocalFile]) -> None:
        """The run's files are here; if they are kept, they need not be asked for again."""
        kept = kept_files(files)
        note = self._journal.recall(job)
        if kept and note is not None and note.files != kept:
            # The note may be an older one, of other parameters, where the ledger has been without this storage since.
            self._journal.write(job, replace(note, asked=asked_of(job), run=run, files=kept))

    def emitting(self, job: ReportJob, file: LocalFile, rows: int) -> bool:
        """Up to `rows` rows of the file are about to go out; True when that must reach the target first.

        Asked before every chunk. What is noted is at least doubled, so a long file is noted a few times; the
        surplus of a reading that breaks off and is then shorter can so be taken back.
        """
        entry = self._entry(job)
        facts = entry.open.setdefault(job.key, {})
        mark = _mark(file)
        if facts.get("out") == mark and rows <= facts["out_rows"]:
            return False
        if facts.get("out") == mark:
            rows = max(rows, 2 * facts["out_rows"])
        else:
            # Another file's rows may be out: this one's may not cover them.
            facts["rows"] = self.earlier_rows(job, file)
        facts |= {"out": mark, "out_rows": rows}
        self._save(job)
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
            facts = self._entry(job).open.get(job.key, {})
            rows = max(self.earlier_rows(job, file), facts.get("out_rows", 0))
            self._journal.write(job, replace(without_files(note), rows=rows or None))

    def dropped(self, job: ReportJob, next_attempt: int, at: datetime) -> None:
        """The run failed or is gone: the period is due again, under the next number."""
        note = self._journal.recall(job)
        if note is not None and note.run is not None:
            unread = replace(note, run=None, files=(), adopted=False, attempt=next_attempt, bad=0, bad_since=None)
            self._journal.write(job, unread)
        entry = self._entry(job)
        known = entry.open.get(job.key, {})
        entry.open[job.key] = {"attempt": next_attempt, **_rows_out(known, job.previous_rows), **_failed(known, at)}
        self._save(job)

    def was_bad(self, job: ReportJob, run: Run, at: datetime, *, absent: bool = False) -> int:
        """The run was no good in this sync: how often that has been so by now.

        Args:
            job: what it was for.
            run: whose file could not be had, read or held against what is known.
            at: now.
            absent: the vendor answered that it is not there, which alone is no proof: that counts a second time only
                a day after the first.
        """
        entry, note = self._entry(job), self._journal.recall(job)
        facts = entry.open.setdefault(job.key, {})
        before = bad = max(job.bad, int(facts.get("bad", 0)))
        since = job.bad_since or at
        if not absent or bad == 0 or at - since >= ABSENT_FOR:
            bad += 1
        if bad >= READINGS > before and not absent:
            facts |= _failed(facts, at)
        facts |= _bad(bad, since)
        facts |= _bad(bad, since)
        if note is not None and note.run is not None and note.run.run_id == run.run_id:
            self._journal.write(job, replace(note, bad=bad, bad_since=since))
        self._save(job)
        return bad

    def refused(self, job: ReportJob) -> None:
        """The order was refused: what was not comes before it the next time."""
        facts = self._entry(job).open.setdefault(job.key, {})
        facts["refused"] = facts.get("refused", 0) + 1
        self._save(job)

    def done(self, job: ReportJob, rows: int | None, *, sent: bool = True) -> None:
        """All that was selected of this period is out and its checks hold; `sent`: its rows are out, too."""
        if not sent:
            # The target holds what earlier readings have sent, be it more or fewer rows than these.
            rows = job.previous_rows
        note = self._journal.recall(job)
        if note is not None and note.run is not None:
            self._journal.write(job, replace(note, rows=rows))
        entry, key = self._entry(job), job.key
        entry.unsent = entry.unsent or not sent
        facts = entry.open.pop(key, {})
        if job.report.per_invoice:
            per_invoice.subject_done(entry, key)
        elif job.report.unit is None:
            entry.done[key] = {}
        else:
            assert job.period.end is not None
            done: Facts = {
                "start": self._planner.cut_at(job.report, job.period),
                "end": utc_text(job.period.end),
                "run": facts.get("run"),
                "at": facts.get("at"),
                "rows": rows,
            }
            entry.done[key] = {name: value for name, value in done.items() if value is not None}
            self._close(job, entry)
        self._save(job)

    def _close(self, job: ReportJob, entry: Entry) -> None:
        """Move whole windows into the closed range; keep what is known of those that may be read again."""
        report = job.report
        closing = self._planner.closing(report, job.period)
        # What begins late is not whole: it stays apart, in case the vendor gets older data.
        if closing is None or "start" in entry.done[job.period.key]:
            return
        entry.done[job.period.key]["next"] = closing[1]
        moved = True
        while moved:
            moved = False
            for key, facts in sorted(entry.done.items()):
                if "next" in facts and not entry.is_closed(key):
                    entry.close(key, facts["next"])
                    moved = moved or entry.is_closed(key)
        for key, facts in list(entry.done.items()):
            if entry.is_closed(key) and not self._planner.is_read_again(report, parse_utc(facts["end"])):
                del entry.done[key]


def _bad(bad: int, since: datetime | None) -> Facts:
    return {"bad": bad, "bad_since": utc_text(since)} if bad and since is not None else {}


def _failed(facts: Facts, at: datetime | None = None) -> Facts:
    """What an open entry says about runs that came to nothing, with one more at an instant."""
    if at is not None:
        return {"failed": facts.get("failed", 0) + 1, "failed_at": utc_text(at.replace(microsecond=0))}
    return {name: facts[name] for name in ("failed", "failed_at") if name in facts}


def _is_newer(note: Note, job: ReportJob) -> bool:
    return job.ordered_at is None or note.at >= job.ordered_at


def _rows_out(facts: Facts, previous_rows: int | None) -> Facts:
    """What an open entry says about rows that may be out, which outlives its run."""
    kept: Facts = {name: facts[name] for name in ("out", "out_rows") if name in facts}
    rows = max(previous_rows or 0, facts.get("rows", 0))
    return kept | {"rows": rows} if rows else kept


def _mark(file: LocalFile) -> str:
    return file.sha256[:16]
