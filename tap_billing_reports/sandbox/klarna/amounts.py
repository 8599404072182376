"""What the rows of a payout add up to.

Facts: docs.klarna.com, "Settlement reports": "Calculation of settlement amount" has the signs, "Summary section
fields" the debt. Amounts of rows and totals alike are without sign, but for corrections, which go either way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

TOTAL_OF = {
    "SALE": "sale_amount",
    "RETURN": "return_amount",
    "REVERSAL": "reversal_amount",
    "FEE": "fee_amount",
    "CORRECTION": "fee_correction_amount",
    "COMMISSION": "commission_amount",
    "CHARGE": "charge_amount",
    "CREDIT": "credit_amount",
    "HOLDBACK": "holdback_amount",
    "RELEASE": "release_amount",
    "FEE_REFUND": "fee_refund_amount",
}
"""Type of a row -> the total that it counts in; REVERSAL_MERCHANT_PROTECTION makes `reversal_amount` smaller."""

TAX_OF = {"FEE": "tax_amount", "FEE_REFUND": "tax_refund_amount"}
"""Type of a row -> the total that its `vat_amount` counts in."""

SIGNS = {
    "sale_amount": 1,
    "return_amount": -1,
    "reversal_amount": -1,
    "fee_amount": -1,
    "tax_amount": -1,
    "fee_correction_amount": 1,
    "commission_amount": 1,
    "charge_amount": -1,
    "credit_amount": 1,
    "holdback_amount": -1,
    "release_amount": 1,
    "fee_refund_amount": 1,
    "tax_refund_amount": 1,
    "repay_amount": -1,
    "deposit_amount": 1,
}
"""Total -> whether the settlement has it added or taken off."""

OPTIONAL = ("tax_amount", "fee_correction_amount")
"""Totals that an answer need not have, by the description; an emulated one leaves them out where they are zero."""


def totals_of(rows: Iterable[tuple[str, int, int]], opening: int, *, invoiced: bool) -> dict[str, int]:
    """The totals of a payout.

    Args:
        rows: type, amount and VAT of each.
        opening: what the merchant owes from earlier payouts.
        invoiced: what is below zero is an invoice, and no debt.
    """
    totals = dict.fromkeys(SIGNS, 0)
    for kind, amount, vat in rows:
        if kind == "REVERSAL_MERCHANT_PROTECTION":
            totals["reversal_amount"] -= amount
        else:
            totals[TOTAL_OF[kind]] += amount
        if kind in TAX_OF:
            totals[TAX_OF[kind]] += vat
    balance = sum(sign * totals[name] for name, sign in SIGNS.items())
    if balance < 0 and not invoiced:
        totals["deposit_amount"] = -balance
    totals["repay_amount"] = max(0, min(opening, balance))
    return {
        **totals,
        "opening_debt_balance_amount": opening,
        "closing_debt_balance_amount": opening - totals["repay_amount"] + totals["deposit_amount"],
        "settlement_amount": sum(sign * totals[name] for name, sign in SIGNS.items()),
    }
