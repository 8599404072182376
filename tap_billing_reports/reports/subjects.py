"""Reports of one run an invoice: which invoices are due, by what the invoice list says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_billing_reports.reports.ledger import Entry, Ledger


@dataclass(frozen=True)
class Bounds:
    """From which day on an account's invoices are listed. All dates in the source's zone."""

    start_date: date
    today: date
    lookback_days: int
    horizon_days: int | None

    def since(self, seen: str | None) -> date:
        """The first day to list after invoices up to `seen` are known."""
        earliest = self.start_date
        if seen is not None:
            earliest = max(earliest, date.fromisoformat(seen) - timedelta(days=self.lookback_days))
        if self.horizon_days is not None:
            earliest = max(earliest, self.today - timedelta(days=self.horizon_days))
        return earliest


def subject_key(number: str, billed: str, account: str) -> str:
    """How a subject stands in the ledger: its number, and who is billed where that is not the account asked."""
    return number if billed == account else f"{number}@{billed}"


def split_key(key: str, account: str) -> tuple[str, str]:
    """A ledger subject's number and billed account."""
    number, _, billed = key.partition("@")
    return number, billed or account


def list_from(entry: Entry, bounds: Bounds) -> date:
    """The first day to list: the look-back, and back to the oldest subject that still waits for its run."""
    waiting = [date.fromisoformat(day) for day, subjects in entry.subjects_due.items() if subjects]
    since = bounds.since(entry.seen)
    if waiting:
        oldest = min(waiting)
        floor = bounds.today - timedelta(days=bounds.horizon_days) if bounds.horizon_days is not None else oldest
        since = min(since, max(oldest, floor))
    return since


def note_invoices(
    ledger: Ledger, account: str, invoices: Iterable[Mapping[str, Any]], bounds: Bounds, *, before: date | None
) -> None:
    """Enter what is newly due, move the date that was seen, forget done subjects that can not come again.

    An invoice that the vendor lists under two accounts (an old and a new customer number) is due once.
    """
    entry = ledger.entry(account)
    known = ledger.subjects
    newest = entry.seen
    for invoice in invoices:
        day = invoice["invoice_date"]
        if day is None:
            # It was listed, so its lines are wanted; it stands with what is newest.
            day = bounds.today.isoformat()
        elif before is not None and day >= before.isoformat():
            continue
        else:
            newest = day if newest is None or day > newest else newest
        pair = (invoice["invoice_id"], invoice["account_id"])
        if invoice.get("specification_available") is not True or pair in known:
            continue
        known.add(pair)
        entry.subjects_due.setdefault(day, []).append(subject_key(*pair, account))
    if newest is not None:
        entry.seen = min(newest, bounds.today.isoformat())
    # What may be listed once more must not be taken for new: from the oldest that still waits on.
    keep = list_from(entry, bounds).isoformat()
    for day in [day for day in entry.subjects_done if day < keep]:
        known.difference_update(split_key(key, account) for key in entry.subjects_done.pop(day))


def subject_done(entry: Entry, key: str) -> None:
    """Move a subject from due to done."""
    for day, subjects in entry.subjects_due.items():
        if key in subjects:
            entry.subjects_due[day] = [other for other in subjects if other != key]
            if not entry.subjects_due[day]:
                del entry.subjects_due[day]
            entry.subjects_done.setdefault(day, []).append(key)
            return
