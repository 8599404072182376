"""Numbers, days and names as people read them. Amounts keep every digit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_billing_reports.core.money import exact_sum, minor_digits

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from decimal import Decimal

    from scripts.pictures.facts import Money

VENDORS: Final = {"bring": "Bring", "brp": "BRP Systems", "stripe": "Stripe"}
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
UNDATED: Final = "no date"
NONE: Final = "\N{EN DASH}"
MINUS: Final = "\N{MINUS SIGN}"


def vendor(source: str) -> str:
    return VENDORS.get(source, source)


def words(name: str) -> str:
    """`connect_collection_transfer` as `connect collection transfer`."""
    return name.replace("_", " ")


def count(number: int) -> str:
    return f"{number:,}".replace("-", MINUS)


def counted(number: int, one: str, many: str) -> str:
    """`1 invoice`, `1,204 invoices`."""
    return f"{count(number)} {one if number == 1 else many}"


def amount(value: Decimal, currency: str) -> str:
    """`1234.5` euros as `1,234.50`: the digits that the currency has, or more where the value has more."""
    _, _, fraction = f"{value:f}".partition(".")
    digits = len(fraction.rstrip("0"))
    known = len(currency) == 3 and currency.isascii() and currency.isalpha()
    return f"{value:,.{max(digits, minor_digits(currency) if known else 2)}f}".replace("-", MINUS)


def undrawn(sums: Sequence[Money], currency: str) -> list[str]:
    """Says what a chart leaves out; nothing when it leaves out nothing."""
    amounts = sum(money.undrawn for money in sums)
    if not amounts:
        return []
    left = exact_sum(part for money in sums for part in (money.total, money.drawn.copy_negate()))
    what = counted(amounts, "amount", "amounts")
    note = (
        f"Left out of the chart: {what} of a million million or more, together {amount(left, currency)} {currency}. "
        "Beside it nothing else could be seen. The table has it, to the last digit."
    )
    return [note]


def months(first: str, last: str) -> list[str]:
    """Every month from `YYYY-MM` to `YYYY-MM`, both included."""
    begin, end = (int(text[:4]) * 12 + int(text[5:7]) - 1 for text in (first, last))
    return [f"{place // 12:04d}-{place % 12 + 1:02d}" for place in range(begin, end + 1)]


def month(text: str, *, year: bool = True) -> str:
    """`2026-05` as `May 2026`, or as `May`; what is no month stays as it is."""
    if text == UNDATED:
        return text
    name = MONTHS[int(text[5:7]) - 1]
    return f"{name} {text[:4]}" if year else name


def moment(when: datetime | None) -> str:
    """To the second, in UTC, as the warehouse holds it; a dash for none."""
    return NONE if when is None else f"{when:%Y-%m-%d %H:%M:%S}"
