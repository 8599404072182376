"""What a warehouse holds of Klarna after a full sync, counted from the books."""

from __future__ import annotations

from datetime import date, datetime, time, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .books import Books


def totals(settings: Mapping[str, Any], books: Books) -> dict[str, dict[str, Any]]:
    """The merchant, the payouts since the start date, and their transactions; every currency has two decimals."""
    begin = datetime.combine(date.fromisoformat(str(settings["start_date"])[:10]), time(), timezone.utc)
    payouts = [payout for payout in books.payouts() if payout.at >= begin]
    rows = [row for payout in payouts for row in payout.rows]
    columns = sorted({name for payout in payouts for name in payout.totals})
    return {
        "accounts": {"rows": 1, "sums": {}},
        "klarna_payouts": {
            "rows": len(payouts),
            "sums": {f"totals_{name}": _major(sum(payout.totals[name] for payout in payouts)) for name in columns},
        },
        "klarna_transactions": {
            "rows": len(rows),
            "sums": {"amount": _major(sum(r.amount for r in rows)), "vat_amount": _major(sum(r.vat for r in rows))},
        },
    }


def _major(minor: int) -> str:
    return str(Decimal(minor).scaleb(-2))
