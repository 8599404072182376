"""Amounts as Bring spells them."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

ZERO = Decimal("0.00")
CENT = Decimal("0.01")


def cents(amount: int) -> Decimal:
    """Whole cents as an amount in major units with two decimals."""
    return Decimal(amount).scaleb(-2)


def share(amount: Decimal, percent: int) -> Decimal:
    """`percent` of an amount, rounded half up to the cent."""
    return (amount * percent / 100).quantize(CENT, ROUND_HALF_UP)


def short(amount: Decimal) -> str:
    """One or two decimals, as the invoice list and the parcel reports write them: `115.0`, `386.25`."""
    return f"{amount:.2f}".removesuffix("0")


def long(amount: Decimal) -> str:
    """Always two decimals, as the cargo reports write them: `271.00`."""
    return f"{amount:.2f}"
