"""What becomes of a charge: refunds, disputes, disputes that are won, payments that the bank takes back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from .charges import available_from
from .fees import DISPUTE_FEE
from .ids import make_id
from .movement import FeePart, Movement

if TYPE_CHECKING:
    import random

    from .movement import Charge

REFUND_REASONS = ("duplicate", "requested, by phone")
_REFUNDED = 0.16
_DISPUTED = 0.05
_WON = 0.6
_TAKEN_BACK = 0.15
_SMALLEST_UNIT = {"kwd": 10}


def aftermath(rng: random.Random, charge: Charge) -> tuple[Movement, ...]:
    """All that follows a charge, oldest first. Never more goes back than was paid."""
    fate = rng.random()
    if charge.card is None:
        # Debits and the like: no chargebacks, but a bank may give the money back to its customer.
        if fate < _TAKEN_BACK * _REFUNDED:
            return (_back(rng, charge, _later(rng, charge.created, 48, 200), charge.amount, "charge_failure"),)
    elif fate < _DISPUTED:
        return _dispute(rng, charge)
    if fate > 1 - _REFUNDED:
        return _refunds(rng, charge)
    return ()


def _refunds(rng: random.Random, charge: Charge) -> tuple[Movement, ...]:
    """The whole amount at once, or a part and later perhaps the rest."""
    first = _later(rng, charge.created, 1, 400)
    unit = _SMALLEST_UNIT.get(charge.currency, 1)
    part = charge.amount * rng.randint(20, 80) // 100 // unit * unit
    if rng.random() < 0.5 or not part:
        return (_back(rng, charge, first, charge.amount, "refund"),)
    refunds = [_back(rng, charge, first, part, "refund")]
    if rng.random() < 0.3:
        refunds.append(_back(rng, charge, _later(rng, first, 1, 200), charge.amount - part, "refund"))
    return tuple(refunds)


def _dispute(rng: random.Random, charge: Charge) -> tuple[Movement, ...]:
    at = _later(rng, charge.created, 5 * 24, 40 * 24)
    source = make_id(rng, "du")
    disputed = _moved(rng, charge, at, -charge.amount, "dispute", source, "Chargeback", DISPUTE_FEE)
    if rng.random() >= _WON:
        return (disputed,)
    won = _later(rng, at, 7 * 24, 30 * 24)
    return disputed, _moved(rng, charge, won, charge.amount, "dispute_reversal", source, "Chargeback reversal")


def _back(rng: random.Random, charge: Charge, at: datetime, amount: int, category: str) -> Movement:
    text = "REFUND FOR CHARGE" if category == "refund" else "REFUND FOR FAILED PAYMENT"
    reason = {"reason": rng.choice(REFUND_REASONS)}
    return _moved(rng, charge, at, -amount, category, make_id(rng, "re"), text, metadata=reason)


def _moved(
    rng: random.Random,
    charge: Charge,
    at: datetime,
    gross: int,
    category: str,
    source: str,
    description: str,
    fees: tuple[FeePart, ...] = (),
    metadata: dict[str, str] | None = None,
) -> Movement:
    return Movement(
        id=make_id(rng, "txn"),
        created=at,
        available_on=available_from(at),
        currency=charge.currency,
        gross=gross,
        fee=sum(part.amount for part in fees),
        category=category,
        source=source,
        description=description,
        charge=charge,
        fees=fees,
        metadata=metadata or {},
    )


def _later(rng: random.Random, moment: datetime, least_hours: int, most_hours: int) -> datetime:
    return moment + timedelta(seconds=rng.randrange(least_hours * 3600, most_hours * 3600))
