"""What a warehouse holds of Klarna after a full sync, counted from the books."""

from __future__ import annotations

from datetime import date, datetime, time, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .books import Books, Payout

PAYOUTS, TRANSACTIONS = "payouts", "transactions"
BOTH = ({"report_type": PAYOUTS}, {"report_type": TRANSACTIONS})


def totals(settings: Mapping[str, Any], books: Books) -> dict[str, dict[str, Any]]:
    """The merchant, the payouts of the months from the start date's on, and the transactions since the start date.

    Every currency has two decimals. Runs and files are not counted: each sync reads the newest months again.
    """
    start = date.fromisoformat(str(settings["start_date"])[:10])
    found: dict[str, dict[str, Any]] = {"accounts": _total(1)}
    for report in settings.get("klarna_reports") or BOTH:
        kind = report["report_type"]
        first = start.replace(day=1) if kind == PAYOUTS else start
        begin = datetime.combine(first, time(), timezone.utc)
        payouts = [payout for payout in books.payouts() if payout.at >= begin]
        total = _of_payouts(payouts) if kind == PAYOUTS else _of_transactions(payouts)
        found[f"klarna_{report.get('name') or kind}"] = total
    return found


def _of_payouts(payouts: Sequence[Payout]) -> dict[str, Any]:
    columns = sorted({name for payout in payouts for name in payout.totals})
    return _total(len(payouts), {f"totals_{name}": sum(payout.totals[name] for payout in payouts) for name in columns})


def _of_transactions(payouts: Iterable[Payout]) -> dict[str, Any]:
    rows = [row for payout in payouts for row in payout.rows]
    return _total(len(rows), {"amount": sum(row.amount for row in rows), "vat_amount": sum(row.vat for row in rows)})


def _total(rows: int, minor: Mapping[str, int] | None = None) -> dict[str, Any]:
    sums = {name: str(Decimal(amount).scaleb(-2)) for name, amount in (minor or {}).items()}
    return {"rows": rows, "sums": sums}
