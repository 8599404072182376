"""What Stripe keeps of a charge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .movement import Card, FeePart

if TYPE_CHECKING:
    import random

DISPUTE_FEE = (FeePart("dispute_fee", 1500),)
_PER_MILLE = 29
_FIXED = 30
_WITHHOLDING_COUNTRY = "US"
_WITHHELD_PERCENT = 15


def charge_fees(rng: random.Random, amount: int) -> tuple[FeePart, ...]:
    """Parts of a charge's fee; one in six charges has two parts that are alike in everything."""
    share = amount * _PER_MILLE // 1000
    if rng.random() < 1 / 6:
        return FeePart("stripe_processing", share // 2), FeePart("stripe_processing", share // 2)
    return FeePart("stripe_processing", share), FeePart("fixed", _FIXED)


def withheld_tax(card: Card | None, fee: int) -> int:
    """The part of a fee that is withheld as tax: with cards of one country."""
    return fee * _WITHHELD_PERCENT // 100 if card is not None and card.country == _WITHHOLDING_COUNTRY else 0
