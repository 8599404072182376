"""How the page writes amounts, counts, months and names."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tap_billing_reports.core.money import ISO_4217

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, timedelta

    from tap_billing_reports.page.values import Money

THIN_SPACE = "\u202f"
"""Between thousands; a line does not break at it."""
_LONGEST_SHORT_NAME = 3
_HUNDREDTH = Decimal("0.01")
_DAYS_FROM = 2
"""So many days are told in days, fewer in hours."""
_TWO_DIGITS = 2
"""Of every currency that ISO 4217 does not single out."""


def shown(money: Money) -> str:
    """An amount as people write it: at least the decimals that its currency has, none lost, with the currency."""
    # No arithmetic: a context of decimal's would round what has more digits than it.
    whole, _, fraction = f"{money.amount:,f}".replace(",", THIN_SPACE).partition(".")
    digits = fraction.rstrip("0").ljust(ISO_4217.get(money.currency, _TWO_DIGITS), "0")
    return f"{whole}{'.' if digits else ''}{digits} {money.currency}"


def counted(number: int, one: str, many: str | None = None) -> str:
    """A count with its noun: `1 payout`, `2 payouts`; `many` where the plural is more than an s."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}".replace(",", THIN_SPACE)


def agreed(number: int, one: str, many: str) -> str:
    """The verb that goes with a count: `1 payout does`, `2 payouts do`."""
    return one if number == 1 else many


def listed(parts: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last


def amounts(money: Sequence[Money]) -> str:
    """Amounts of several currencies, which are never added up."""
    return listed(map(shown, money))


def percent(part: Decimal, whole: Decimal) -> str | None:
    """A part in percent of a whole, to two decimals; None of a whole that is none."""
    return f"{(100 * part / whole).quantize(_HUNDREDTH)} %" if whole > 0 else None


def rate(number: Decimal | None) -> str | None:
    """A rate of tax in percent."""
    return None if number is None else f"{number.normalize():f} %"


def vendor(source: str) -> str:
    """A vendor's name as people write it; short ones are initials."""
    return source.upper() if len(source) <= _LONGEST_SHORT_NAME else source.capitalize()


def ago(age: timedelta) -> str:
    """How long ago, in whole hours or days: `5 hours ago`."""
    hours = int(age.total_seconds() // 3600)
    if hours < 1:
        return "less than an hour ago"
    days = hours // 24
    return f"{counted(days, 'day') if days >= _DAYS_FROM else counted(hours, 'hour')} ago"


def month_of(first: date) -> str:
    """`October 2026`."""
    return f"{first:%B %Y}"
