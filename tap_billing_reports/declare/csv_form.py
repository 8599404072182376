"""How a vendor's CSV reports are written, where that is not RFC 4180 in UTF-8 with plain cells."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from tap_billing_reports.core import dates, money

OtherColumn = Callable[[str], Sequence[str]]
"""Header -> the cells of that column in the same rows; ValueError where the file has none."""

Cells = Callable[[Sequence[str], OtherColumn], Sequence[str]]
"""Some cells of a column as they are written -> as its type takes them. ValueError refuses them. Empty cells stay so.

Amounts become digits with a point, days `YYYY-MM-DD`, instants RFC 3339 text in UTC.
"""


@dataclass(frozen=True)
class CsvForm:
    """How a CSV file is written."""

    delimiter: Literal[",", ";", "\t", "|"] = ","
    encoding: Literal["utf-8", "iso-8859-1", "windows-1252"] = "utf-8"
    skipped_lines: int = 0
    """Lines before the header."""
    decimal_comma: bool = False
    """Columns of the type decimal are written `10,00`."""
    cells: Mapping[str, Cells] = field(default_factory=dict)
    """Header -> how the cells of that column are written."""

    @property
    def is_plain(self) -> bool:
        """Whether nothing but the delimiter is special."""
        return self.encoding == "utf-8" and not (self.skipped_lines or self.decimal_comma or self.cells)


_comma_amount: Final = re.compile(r"([+-]?)([0-9]*)(?:,([0-9]+))?").fullmatch
_point_amount: Final = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]+))?").fullmatch
_DAYS: Final = {
    "dd/mm/yyyy": re.compile(r"(?P<d>[0-9]{2})/(?P<m>[0-9]{2})/(?P<y>[0-9]{4})").fullmatch,
    "mm/dd/yyyy": re.compile(r"(?P<m>[0-9]{2})/(?P<d>[0-9]{2})/(?P<y>[0-9]{4})").fullmatch,
    "dd-mm-yyyy": re.compile(r"(?P<d>[0-9]{2})-(?P<m>[0-9]{2})-(?P<y>[0-9]{4})").fullmatch,
    "yyyymmdd": re.compile(r"(?P<y>[0-9]{4})(?P<m>[0-9]{2})(?P<d>[0-9]{2})").fullmatch,
}
DayForm = Literal["dd/mm/yyyy", "mm/dd/yyyy", "dd-mm-yyyy", "yyyymmdd"]


def _each(convert: Callable[[str], str]) -> Cells:
    def cells(written: Sequence[str], _other: OtherColumn) -> Sequence[str]:
        return [convert(text) if (text := cell.strip()) else "" for cell in written]

    return cells


def _amount(found: re.Match[str] | None) -> str:
    if found is None or not (found[2] or found[3]):
        raise ValueError("no amount of this form")
    return f"{found[1]}{found[2] or '0'}{f'.{found[3]}' if found[3] else ''}"


def amounts(*, decimal_comma: bool = False) -> Cells:
    """Amounts with a point or a comma, whose zero before it may be left out: `.5`, `10,00`."""
    form = _comma_amount if decimal_comma else _point_amount
    return _each(lambda text: _amount(form(text)))


def days(form: DayForm) -> Cells:
    """Days written in another order than `YYYY-MM-DD` and `dd.mm.yyyy`, which need no form."""
    match = _DAYS[form]

    def day(text: str) -> str:
        found = match(text)
        if found is None:
            raise ValueError(f"no day {form}")
        return dates.date_text(dates.parse_date(f"{found['y']}-{found['m']}-{found['d']}"))

    return _each(day)


def instants() -> Cells:
    """RFC 3339 with `Z` or an offset, with or without its colon, for columns of the type `timestamp_utc`."""
    return _each(dates.iso_to_utc_text)


def minor_units_of(currency: str, *, exponents: Mapping[str, int] = money.ISO_4217) -> Cells:
    """Whole minor units of one currency, for columns of the type `decimal`."""
    return _each(lambda text: money.minor_to_major(text, currency, exponents))


def minor_units(currency_header: str, *, exponents: Mapping[str, int] = money.ISO_4217) -> Cells:
    """Whole minor units of the currency that the same row names under a header."""

    def cells(written: Sequence[str], other: OtherColumn) -> Sequence[str]:
        currencies = other(currency_header)
        return [
            money.minor_to_major(cell, currency.strip(), exponents) if cell.strip() else ""
            for cell, currency in zip(written, currencies, strict=True)
        ]

    return cells
