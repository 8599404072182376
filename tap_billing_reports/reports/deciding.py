"""What is done about a due period: decided here alone, for the sync that does it and for the plan that shows it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from tap_billing_reports.declarations import Run, RunStatus

if TYPE_CHECKING:
    from tap_billing_reports.reports.book import Book
    from tap_billing_reports.reports.due import Due
    from tap_billing_reports.reports.journal import KeptFile, Note
    from tap_billing_reports.reports.ordering import Orders

NOT_YET = "the vendor does not have its data yet"


class Verb(str, Enum):
    """What is done: read the kept file, go on with a run, take a listed one, order one, or leave it for now."""

    KEEP = "kept"
    RESUME = "resumed"
    ADOPT = "adopted"
    ORDER = "ordered"
    DEFER = "deferred"


@dataclass(frozen=True, eq=False)
class Decision:
    """What is done about a period.

    Attributes:
        due: the period with what the journal adds to it.
        attempt: the number of its run, or of the order that is to go out.
        run: the run to keep to, resume or adopt.
        kept: the run's files in the storage.
        unknown: the journal's note of a run that the ledger does not know.
        reason: why it is deferred.
    """

    verb: Verb
    due: Due
    attempt: int
    run: Run | None = None
    kept: tuple[KeptFile, ...] = ()
    unknown: Note | None = None
    reason: str = ""


class Decider:
    """Decides, and changes nothing; asks the vendor for listed runs and availability at most.

    Args:
        orders: finds listed runs. book: knows what the journal says.
        max_new_runs: new orders for each report and sync, counted by `count`.
    """

    def __init__(self, orders: Orders, book: Book, max_new_runs: int) -> None:
        self._orders = orders
        self._book = book
        self._max_new = max_new_runs
        self._new: Counter[str] = Counter()

    def count(self, due: Due) -> None:
        """A run was ordered for the period."""
        self._new[due.report.stream] += 1

    def decide(self, due: Due) -> Decision:
        """What is to be done now.

        Raises:
            As `Orders.find` and `Shop.availability`.
        """
        due, note = self._book.recall(due)
        attempt, unknown = due.attempt, None
        if note is not None:
            attempt = max(attempt, note.attempt)
            if note.run is not None:
                unknown = note if note.run.run_id != due.run_id else None
                due = replace(due, run_id=note.run.run_id, attempt=attempt, ordered_at=note.at, adopted=note.adopted)
                if note.files:
                    return Decision(Verb.KEEP, due, attempt, note.run, note.files, unknown)
        if due.run_id is not None:
            return Decision(Verb.RESUME, due, attempt, _pending(due, due.run_id), unknown=unknown)
        found, attempt = self._orders.find(due, attempt=attempt)
        if found is not None:
            return Decision(Verb.ADOPT, due, attempt, found)
        reason = self._hindrance(due)
        return Decision(Verb.DEFER if reason else Verb.ORDER, due, attempt, reason=reason)

    def _hindrance(self, due: Due) -> str:
        """Why no run is ordered now; empty if nothing is in the way."""
        if self._new[due.report.stream] >= self._max_new:
            return f"more than max_new_runs={self._max_new} are due"
        available = due.shop.availability(due.account, due.report.report_type)
        if available is not None and due.period.end is not None and due.period.end > available.end:
            return NOT_YET
        return ""


def _pending(due: Due, run_id: str) -> Run:
    return Run(
        run_id,
        RunStatus.PENDING,
        RunStatus.PENDING.value,
        report_type=due.report.report_type,
        parameters=due.parameters,
        created_at=due.ordered_at,
    )
