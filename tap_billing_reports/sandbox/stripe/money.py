"""Amounts as Stripe has them: whole minor units in the API, decimal major units in report files."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

CURRENCIES = ("usd", "eur", "sek", "nok", "jpy", "kwd")
TWENTY_DIGITS = 12345678901234567890
"""An amount in minor units that no float holds."""
_EXPONENTS = {"jpy": 0, "kwd": 3}


def exponent(currency: str) -> int:
    """Decimal places of a currency."""
    return _EXPONENTS.get(currency, 2)


class Money(NamedTuple):
    """An exact amount in minor units of its currency."""

    minor: int
    currency: str

    @property
    def major(self) -> Decimal:
        # From text: scaling a Decimal would round to the context's 28 digits.
        return Decimal(self.text)

    @property
    def text(self) -> str:
        """The decimal in major units with all places of the currency, never with an exponent."""
        places = exponent(self.currency)
        digits = str(abs(self.minor)).rjust(places + 1, "0")
        sign = "-" if self.minor < 0 else ""
        if not places:
            return sign + digits
        return f"{sign}{digits[:-places]}.{digits[-places:]}"
