"""What a warehouse holds of Vipps MobilePay after a full sync, counted from the books."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from .books import TOPICS, Books
from .ledgers import LEDGERS

if TYPE_CHECKING:
    from collections.abc import Mapping

ALL_TOPICS = tuple({"report_type": topic} for topic in TOPICS)


def totals(settings: Mapping[str, Any], books: Books) -> dict[str, dict[str, Any]]:
    """Ledgers, and of each configured topic the entries of all closed days from the start date on.

    Every currency here has two decimals; amounts are summed over currencies, as a column's total is. A closed day is
    read once, however many syncs there are: one run and one file for each topic of it.
    """
    begin = date.fromisoformat(str(settings["start_date"])[:10])
    closed = [(ledger, day) for ledger in LEDGERS for day in _days(begin, books.closed_through(ledger))]
    reports = settings.get("vipps_reports") or ALL_TOPICS
    read = {"rows": len(closed) * len(reports), "sums": {}}
    found: dict[str, dict[str, Any]] = {
        "accounts": {"rows": len(LEDGERS), "sums": {}},
        "report_runs": read,
        "report_files": read,
    }
    for report in reports:
        topic = report["report_type"]
        entries = [entry for ledger, day in closed for entry in books.entries(ledger, topic, day)]
        sums = {
            "amount": sum(entry.amount for entry in entries),
            "balance_before": sum(entry.before for entry in entries),
            "balance_after": sum(entry.after for entry in entries),
        }
        found[f"vipps_{report.get('name') or topic}"] = {
            "rows": len(entries),
            "sums": {column: str(Decimal(minor).scaleb(-2)) for column, minor in sums.items()},
        }
    return found


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
