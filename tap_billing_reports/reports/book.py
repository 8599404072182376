"""Enters what happens to due periods into the ledgers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from tap_billing_reports.dates import parse_utc, utc_text
from tap_billing_reports.reports import subjects
from tap_billing_reports.reports.due import Due
from tap_billing_reports.reports.ledger import Facts, Ledger
from tap_billing_reports.reports.planning import Planner, ledger_key


class Book:
    """One place that changes ledgers: ordered, dropped, done. `ledger_of` gives the ledger of a row stream."""

    def __init__(self, ledger_of: Callable[[str], Ledger], planner: Planner) -> None:
        self._ledger_of = ledger_of
        self._planner = planner

    def ordered(self, due: Due, run_id: str, attempt: int, at: datetime) -> None:
        """A run exists for this period: whatever happens, the next sync goes on with it."""
        ledger = self._ledger_of(due.report.stream)
        facts: Facts = {"run": run_id, "attempt": attempt, "at": utc_text(at)}
        if due.period.start is not None and due.period.end is not None:
            facts |= {"start": utc_text(due.period.start), "end": utc_text(due.period.end)}
        if due.previous_rows is not None:
            facts["rows"] = due.previous_rows
        ledger.entry(due.account.account_id).open[ledger_key(due)] = facts
        ledger.save()

    def dropped(self, due: Due) -> None:
        """The run failed or is gone: the period is due again."""
        ledger = self._ledger_of(due.report.stream)
        if ledger.entry(due.account.account_id).open.pop(ledger_key(due), None) is not None:
            ledger.save()

    def done(self, due: Due, rows: int | None) -> None:
        """All that was selected of this period is out and its checks hold."""
        ledger = self._ledger_of(due.report.stream)
        entry, key = ledger.entry(due.account.account_id), ledger_key(due)
        entry.open.pop(key, None)
        if due.report.per_invoice:
            subjects.subject_done(entry, key)
        elif due.report.unit is None:
            entry.done[key] = {}
        else:
            assert due.period.end is not None
            entry.done[key] = {"end": utc_text(due.period.end), **({} if rows is None else {"rows": rows})}
            self._close(due, ledger)
        ledger.save()

    def _close(self, due: Due, ledger: Ledger) -> None:
        """Move whole windows into the closed range; keep the row counts of those that may be read again."""
        report, entry = due.report, ledger.entry(due.account.account_id)
        closing = self._planner.closing(report, due.period)
        if closing is None:
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
