"""What the world's hidden faults do to the books of the platform: things for people to find."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from .movement import Movement
    from .payouts import Settlement

_CURRENCY = "nok"


def without_a_payment(payments: Iterable[Movement], month: datetime) -> list[Movement]:
    """The payments without the last one of an invoice before `month`: the invoice counts as paid, no cash came."""
    kept = list(payments)
    paid = [one for one in kept if one.category == "charge" and one.created < month]
    if not paid:
        return kept
    lost = max(paid, key=lambda one: one.created).charge
    return [one for one in kept if one.charge != lost]


def untie_a_payout(settlement: Settlement, movements: Iterable[Movement], month: datetime) -> None:
    """Take one transaction away from the last payout before `month`: the payout is more, or less, than its parts."""
    paid = [one for one in settlement.payouts if one.currency == _CURRENCY and one.effective_at < month]
    if not paid:
        return
    payout = max(paid, key=lambda one: one.effective_at)
    parts = [one for one in movements if settlement.settled_by.get(one.id) is payout and one.category == "charge"]
    if parts:
        del settlement.settled_by[min(parts, key=lambda one: one.id).id]
