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
    from tap_billing_reports.reports.jobs import Due, LocalFile
    from tap_billing_reports.reports.planning import Planner
    from tap_billing_reports.reports.state.ledger import Entry, Facts, Ledger


# A vendor's clock, which dates runs, may be ahead of ours by so much; a clock that is further ahead is a wrong one.
CLOCKS_APART = timedelta(days=2)
# A run whose file was no good in so many syncs is given up: the vendor may have been ill when it made it.
READINGS = 2
# "Not there" is believed, where a vendor has no words for it, if it is still the answer so long after the first time.
ABSENT_FOR = timedelta(days=1)


class Book:
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

    def _entry(self, due: Due) -> Entry:
        return self._ledger_of(due.report.stream).entry(due.account.account_id)

    def _save(self, due: Due) -> None:
        self._ledger_of(due.report.stream).save()

    # -- what is known ---------------------------------------------------------------------------------

    def recall(self, due: Due) -> tuple[Due, Note | None]:
        """The period with what the journal adds to it, and the note to go on with, if there is one.

        A note says nothing where it was made for other parameters, before `reuse_runs_since`, about the
        reading that the ledger holds already, or before an order that STATE knows.

        Raises:
            ReportError: it is of another realm: test data, as it may be, under live settings.
        """
        note = self._journal.recall(due)
        if note is None:
            return due, None
        if note.realm is not None and (changed := difference(note.realm, due.shop.realm)):
            raise ReportError(f"{due}: what storage_url holds of it {changed}: {REMEDY}")
        if note.rows is not None:
            due = replace(due, previous_rows=max(note.rows, due.previous_rows or 0))
        since = self._planner.reuse_runs_since
        stale = (
            note.asked != asked_of(due)
            or (since is not None and note.at < since)
            # Made by a clock that was ahead: what it asked for was not all there.
            or (due.report.unit is not None and note.at > self._planner.now + CLOCKS_APART)
            or (note.run is not None and note.run.run_id == due.known_run)
            or (due.run_id is not None and (note.run is None or not _is_newer(note, due)))
        )
        if not stale and note.run is None and note.realm is None:
            due = replace(due, old_key=note.attempt)
        return due, None if stale else note

    def earlier_rows(self, due: Due, file: LocalFile) -> int:
        """Rows that may be out from earlier readings than that of this very file."""
        facts = self._entry(due).open.get(due.key, {})
        out: int = facts.get("out_rows", 0) if facts.get("out") != _mark(file) else 0
        return max(due.previous_rows or 0, int(facts.get("rows", 0)), out)

    # -- what happens ----------------------------------------------------------------------------------

    def intended(self, due: Due, attempt: int, at: datetime) -> None:
        """An order is about to go out."""
        realm = None if attempt == due.old_key else dict(due.shop.realm)
        self._journal.write(due, Note(asked_of(due), attempt, at, rows=due.previous_rows, realm=realm))

    def ordered(self, due: Due, run: Run, attempt: int, *, adopted: bool) -> None:
        """A run exists for this period: whatever happens, the next sync goes on with it."""
        assert run.created_at is not None
        rows, realm = due.previous_rows, dict(due.shop.realm)
        note = Note(asked_of(due), attempt, run.created_at, run, adopted, rows=rows, realm=realm)
        self._journal.write(due, note)
        self.resumed(due, note)

    def resumed(self, due: Due, note: Note) -> None:
        """The journal knows a run that the ledger does not."""
        assert note.run is not None
        facts: Facts = {"run": note.run.run_id, "attempt": note.attempt, "at": utc_text(note.at), "asked": note.asked}
        facts |= _bad(note.bad, note.bad_since)
        if note.adopted:
            facts["adopted"] = True
        if due.period.start is not None and due.period.end is not None:
            facts |= {"start": utc_text(due.period.start), "end": utc_text(due.period.end)}
        entry = self._entry(due)
        known = entry.open.get(due.key, {})
        entry.open[due.key] = facts | _rows_out(known, due.previous_rows) | _failed(known)
        self._save(due)

    def collected(self, due: Due, run: Run, files: Sequence[LocalFile]) -> None:
        """The run's files are here; if they are kept, they need not be asked for again."""
        kept = kept_files(files)
        note = self._journal.recall(due)
        if kept and note is not None and note.files != kept:
            # The note may be an older one, of other parameters, where the ledger has been without this storage since.
            self._journal.write(due, replace(note, asked=asked_of(due), run=run, files=kept))

    def emitting(self, due: Due, file: LocalFile, rows: int) -> bool:
        """Up to `rows` rows of the file are about to go out; True when that must reach the target first.

        Asked before every chunk. What is noted is at least doubled, so a long file is noted a few times; the
        surplus of a reading that breaks off and is then shorter can so be taken back.
        """
        entry = self._entry(due)
        facts = entry.open.setdefault(due.key, {})
        mark = _mark(file)
        if facts.get("out") == mark and rows <= facts["out_rows"]:
            return False
        if facts.get("out") == mark:
            rows = max(rows, 2 * facts["out_rows"])
        else:
            # Another file's rows may be out: this one's may not cover them.
            facts["rows"] = self.earlier_rows(due, file)
        facts |= {"out": mark, "out_rows": rows}
        self._save(due)
        return True

    def unkept(self, due: Due) -> None:
        """The kept files are gone or changed: they are not to be looked for again."""
        note = self._journal.recall(due)
        if note is not None:
            self._journal.write(due, without_files(note))

    def broke_off(self, due: Due, file: LocalFile) -> None:
        """The file could not be read or does not hold: the run is asked for it again, not the storage."""
        note = self._journal.recall(due)
        if note is not None and note.files:
            facts = self._entry(due).open.get(due.key, {})
            rows = max(self.earlier_rows(due, file), facts.get("out_rows", 0))
            self._journal.write(due, replace(without_files(note), rows=rows or None))

    def dropped(self, due: Due, next_attempt: int, at: datetime) -> None:
        """The run failed or is gone: the period is due again, under the next number."""
        note = self._journal.recall(due)
        if note is not None and note.run is not None:
            unread = replace(note, run=None, files=(), adopted=False, attempt=next_attempt, bad=0, bad_since=None)
            self._journal.write(due, unread)
        entry = self._entry(due)
        known = entry.open.get(due.key, {})
        entry.open[due.key] = {"attempt": next_attempt, **_rows_out(known, due.previous_rows), **_failed(known, at)}
        self._save(due)

    def was_bad(self, due: Due, run: Run, at: datetime, *, absent: bool = False) -> int:
        """The run was no good in this sync: how often that has been so by now.

        Args:
            due: what it was for.
            run: whose file could not be had, read or held against what is known.
            at: now.
            absent: the vendor answered that it is not there, which alone is no proof: that counts a second time only
                a day after the first.
        """
        entry, note = self._entry(due), self._journal.recall(due)
        facts = entry.open.setdefault(due.key, {})
        before = bad = max(due.bad, int(facts.get("bad", 0)))
        since = due.bad_since or at
        if not absent or bad == 0 or at - since >= ABSENT_FOR:
            bad += 1
        if bad >= READINGS > before and not absent:
            facts |= _failed(facts, at)
        facts |= _bad(bad, since)
        facts |= _bad(bad, since)
        if note is not None and note.run is not None and note.run.run_id == run.run_id:
            self._journal.write(due, replace(note, bad=bad, bad_since=since))
        self._save(due)
        return bad

    def refused(self, due: Due) -> None:
        """The order was refused: what was not comes before it the next time."""
        facts = self._entry(due).open.setdefault(due.key, {})
        facts["refused"] = facts.get("refused", 0) + 1
        self._save(due)

    def done(self, due: Due, rows: int | None, *, sent: bool = True) -> None:
        """All that was selected of this period is out and its checks hold; `sent`: its rows are out, too."""
        if not sent:
            # The target holds what earlier readings have sent, be it more or fewer rows than these.
            rows = due.previous_rows
        note = self._journal.recall(due)
        if note is not None and note.run is not None:
            self._journal.write(due, replace(note, rows=rows))
        entry, key = self._entry(due), due.key
        entry.unsent = entry.unsent or not sent
        facts = entry.open.pop(key, {})
        if due.report.per_invoice:
            per_invoice.subject_done(entry, key)
        elif due.report.unit is None:
            entry.done[key] = {}
        else:
            assert due.period.end is not None
            done: Facts = {
                "start": self._planner.cut_at(due.report, due.period),
                "end": utc_text(due.period.end),
                "run": facts.get("run"),
                "at": facts.get("at"),
                "rows": rows,
            }
            entry.done[key] = {name: value for name, value in done.items() if value is not None}
            self._close(due, entry)
        self._save(due)

    def _close(self, due: Due, entry: Entry) -> None:
        """Move whole windows into the closed range; keep what is known of those that may be read again."""
        report = due.report
        closing = self._planner.closing(report, due.period)
        # What begins late is not whole: it stays apart, in case the vendor gets older data.
        if closing is None or "start" in entry.done[due.period.key]:
            return
        entry.done[due.period.key]["next"] = closing[1]
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


def _is_newer(note: Note, due: Due) -> bool:
    return due.ordered_at is None or note.at >= due.ordered_at


def _rows_out(facts: Facts, previous_rows: int | None) -> Facts:
    """What an open entry says about rows that may be out, which outlives its run."""
    kept: Facts = {name: facts[name] for name in ("out", "out_rows") if name in facts}
    rows = max(previous_rows or 0, facts.get("rows", 0))
    return kept | {"rows": rows} if rows else kept


def _mark(file: LocalFile) -> str:
    return file.sha256[:16]
