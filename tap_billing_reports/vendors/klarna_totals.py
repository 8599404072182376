"""What the rows of a Klarna payout add up to: docs.klarna.com, "Settlement reports".

"Calculation of settlement amount" says what is added and what is taken off; "Transaction fields", which rows are in it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tap_billing_reports import declare as d
from tap_billing_reports.core.money import minor_to_major

# Row type -> the total it counts in, and how.
COUNTS_IN = {
    "SALE": ("sale", 1),
    "RETURN": ("return", 1),
    "REVERSAL": ("reversal", 1),
    "REVERSAL_MERCHANT_PROTECTION": ("reversal", -1),
    "FEE": ("fee", 1),
    "FEE_REFUND": ("fee_refund", 1),
    "CORRECTION": ("fee_correction", 1),
    "COMMISSION": ("commission", 1),
    "CHARGE": ("charge", 1),
    "CREDIT": ("credit", 1),
    "HOLDBACK": ("holdback", 1),
    "RELEASE": ("release", 1),
}
VAT_OF = {"tax": "FEE", "tax_refund": "FEE_REFUND"}
ADDED = ("sale", "fee_correction", "commission", "credit", "release", "fee_refund", "tax_refund", "deposit")
TAKEN_OFF = ("return", "reversal", "fee", "tax", "charge", "holdback", "repay")


def stated(report: d.Report, period: d.Period) -> list[d.StatedTotal]:
    """The totals of a payout, each held against its rows, and the settlement against the sum of its parts."""
    if not isinstance(report.cadence, d.Listed):
        return []
    listed: Any = period.listed or {}
    totals = {
        name.removesuffix("_amount"): Decimal(minor_to_major(str(minor), listed["currency_code"]))
        for name, minor in (listed.get("totals") or {}).items()
    }
    signs: dict[str, dict[str, int]] = {}
    for kind, (name, sign) in COUNTS_IN.items():
        signs.setdefault(name, {})[kind] = sign
    found = [d.StatedTotal(name, totals.get(name), "amount", "type", signs[name]) for name in signs]
    found += [d.StatedTotal(name, totals.get(name), "vat_amount", "type", {kind: 1}) for name, kind in VAT_OF.items()]
    zero = Decimal(0)
    parts = sum((totals.get(n, zero) for n in ADDED), zero) - sum((totals.get(n, zero) for n in TAKEN_OFF), zero)
    return [*found, d.StatedTotal("settlement", totals.get("settlement"), others=parts)]
