"""Exact money: decimal text, major units from minor ones, sums that never round.

An amount is text as the vendor wrote it, or `decimal.Decimal`; nothing here knows `float`.
"""

from __future__ import annotations

import re
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from tap_billing_reports.core.redaction import clipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DECIMAL_PATTERN: Final = r"[+-]?[0-9]+(?:\.[0-9]+)?"
_is_decimal: Final = re.compile(DECIMAL_PATTERN).fullmatch
_is_integer: Final = re.compile(r"[+-]?[0-9]+").fullmatch
_is_currency: Final = re.compile(r"[A-Za-z]{3}").fullmatch

# Precision far beyond any sum of money; what does not fit is an error, never a rounded value.
EXACT: Final = Context(
    prec=400, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[Inexact, InvalidOperation, Overflow, DivisionByZero]
)

# Minor-unit digits of every currency of ISO 4217 that has not two.
_NO_MINOR_UNIT: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THOUSANDTHS: Final = "BHD IQD JOD KWD LYD OMR TND"
_FOUR_DIGITS: Final = "CLF UYW"
ISO_4217: Final[Mapping[str, int]] = MappingProxyType(
    dict.fromkeys(_NO_MINOR_UNIT.split(), 0)
    | dict.fromkeys(_THOUSANDTHS.split(), 3)
    | dict.fromkeys(_FOUR_DIGITS.split(), 4)
)


def decimal_text(value: str | int | Decimal) -> str:
    """The amount as plain decimal text: optional sign, digits, optional point and digits.

    Text keeps its digits as written (`10.00` stays `10.00`) but for surrounding blanks; a Decimal never
    shows an exponent. Anything else, floats and booleans included, is a ValueError.
    """
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"not a finite decimal: {value}")
        return format(value, "f")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        text = value.strip()
        if _is_decimal(text):
            return text
    raise ValueError(f"not a decimal amount: {clipped(value, 60)}")


def parse_decimal(text: str | int | Decimal) -> Decimal:
    """The amount as an exact Decimal; refuses what `decimal_text` refuses, with ValueError."""
    return Decimal(decimal_text(text))


def minor_digits(currency: str, exponents: Mapping[str, int] = ISO_4217) -> int:
    """How many digits of an amount in minor units are the fraction; ValueError unless a three-letter code."""
    if not _is_currency(currency):
        raise ValueError(f"not a currency code: {clipped(currency, 20)}")
    return exponents.get(currency.upper(), 2)


def minor_to_major(amount: int | str, currency: str, exponents: Mapping[str, int] = ISO_4217) -> str:
    """An integer amount in minor units as exact decimal text in major units.

    `exponents` is the vendor's table, where it has one of its own; a currency not in it has two digits.
    Exact for any number of digits. An amount that is not an integer is a ValueError.
    """
    digits = minor_digits(currency, exponents)
    text = amount.strip() if isinstance(amount, str) else str(amount)
    if isinstance(amount, bool) or not _is_integer(text):
        raise ValueError(f"not an amount in minor units: {clipped(amount, 60)}")
    sign = "-" if text[0] == "-" else ""
    number = text.lstrip("+-").lstrip("0").rjust(digits + 1, "0")
    return f"{sign}{number[:-digits]}.{number[-digits:]}" if digits else f"{sign}{number}"


def exact_sum(amounts: Iterable[str | int | Decimal]) -> Decimal:
    """The sum, exact: decimal.Inexact if it needs more than 400 digits, ValueError for what is no amount."""
    total = Decimal(0)
    for amount in amounts:
        total = EXACT.add(total, parse_decimal(amount))
    return total
