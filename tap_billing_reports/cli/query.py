"""`billing-reports query`: the rows of an SQL query as a table of text."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from tap_billing_reports.cli.aligned import aligned

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# An amount is shown with as many digits as it has, and with two where it has fewer: 12.5 is 12.50.
LEAST_FRACTION: Final = 2


def cell(value: Any) -> str:
    """A value on one line; an amount with all its digits, without the zeros that fill up its column."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        whole, point, fraction = f"{value:f}".partition(".")
        return whole + point + fraction.rstrip("0").ljust(min(LEAST_FRACTION, len(fraction)), "0")
    # A line end or a terminal's control sequence in a vendor's text must not reach the screen.
    return "".join(letter if letter.isprintable() else " " for letter in str(value))


def table(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    """The lines: names, rows, each column as wide as its widest cell, numbers to the right."""
    cells = [list(names), *([cell(value) for value in row] for row in rows)]
    numbers = [
        any(isinstance(value, (int, Decimal)) for value in column)
        and not any(isinstance(value, str) for value in column)
        for column in zip(*rows, strict=True)
    ] or [False] * len(names)
    yield from aligned(cells, numbers)
