"""Text cells into values, a whole column of a block at a time.

One call for many cells is what makes the readers fast: a joined column is checked by one regular expression,
and everything else is a lookup. An empty cell is null. A cell that its type refuses is a ValueError for the
whole column; `table.py` then finds the row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from tap_billing_reports.core.dates import LocalTimes, date_text, parse_day
from tap_billing_reports.core.money import DECIMAL_PATTERN

if TYPE_CHECKING:
    from tap_billing_reports.core.columns import ColumnType, DecimalsAs

Convert = Callable[[Sequence[str]], Sequence[Any]]

_all_decimals: Final = re.compile(rf"(?:{DECIMAL_PATTERN}\n|\n)*").fullmatch
# No leading zeros: "007" is an identifier, and its zeros would be lost.
_all_integers: Final = re.compile(r"(?:-?(?:0|[1-9][0-9]*)\n|\n)*").fullmatch
_BOOLEANS: Final = {"true": True, "false": False, "": None}
_REMEMBERED: Final = 50_000


def texts(cells: Sequence[str]) -> Sequence[str | None]:
    return [cell or None for cell in cells]


def _checked(cells: Sequence[str], all_good: Callable[[str], object]) -> Sequence[str]:
    """The cells if each is empty or good, else without surrounding blanks if that helps, else ValueError."""
    joined = "\n".join(cells) + "\n"
    # A line break inside a cell would pass for two good cells.
    if joined.count("\n") == len(cells) and all_good(joined):
        return cells
    stripped = [cell.strip() for cell in cells]
    joined = "\n".join(stripped) + "\n"
    if joined.count("\n") == len(cells) and all_good(joined):
        return stripped
    raise ValueError


def integers(cells: Sequence[str]) -> Sequence[int | None]:
    cells = _checked(cells, _all_integers)
    return [int(cell) if cell else None for cell in cells] if "" in cells else list(map(int, cells))


def decimal_texts(cells: Sequence[str]) -> Sequence[str | None]:
    """Digits as written; never through a number."""
    return texts(_checked(cells, _all_decimals))


def decimal_numbers(cells: Sequence[str]) -> Sequence[Decimal | None]:
    """Decimals, which the encoder writes as JSON numbers digit by digit."""
    return [Decimal(cell) if cell else None for cell in _checked(cells, _all_decimals)]


def booleans(cells: Sequence[str]) -> Sequence[bool | None]:
    try:
        return [_BOOLEANS[cell] for cell in cells]
    except KeyError:
        pass
    try:
        return [_BOOLEANS[cell.strip().lower()] for cell in cells]
    except KeyError:
        raise ValueError from None


class _Remembered(dict[str, "str | None"]):
    """Text as written to its value; a file has few different ones in such a column, so each is converted once."""

    def __init__(self, convert: Callable[[str], str | None]) -> None:
        super().__init__()
        self._convert = convert

    def __missing__(self, written: str) -> str | None:
        value = self._convert(written)
        if len(self) >= _REMEMBERED:
            self.clear()
        self[written] = value
        return value


def _day(written: str) -> str | None:
    """Date text as written to `YYYY-MM-DD`."""
    text = written.strip()
    return date_text(parse_day(text)) if text else None


def _capitals(written: str) -> str | None:
    return written.upper() or None


class _Times:
    """A column of wall-clock times of one zone to UTC text."""

    def __init__(self, zone: str) -> None:
        self.local = LocalTimes(zone)

    def __call__(self, cells: Sequence[str]) -> Sequence[str | None]:
        counted = self.local.ambiguous, self.local.nonexistent
        try:
            return self.local.all(cells)
        except ValueError:
            self.local.ambiguous, self.local.nonexistent = counted
            return [self.local(cell) if cell else None for cell in map(str.strip, cells)]


class Cells:
    """The converters of one file.

    Args:
        zone: IANA name of the zone of `timestamp` columns.
        decimals_as: `string` gives decimal columns as text, `number` as Decimal.
    """

    def __init__(self, *, zone: str = "UTC", decimals_as: DecimalsAs = "string") -> None:
        self._times, self._utc_times = _Times(zone), _Times("UTC")
        dates, capitals = _Remembered(_day), _Remembered(_capitals)
        self._converters: dict[ColumnType, Convert] = {
            "text": texts,
            "currency": lambda cells: list(map(capitals.__getitem__, cells)),
            "integer": integers,
            "decimal": decimal_texts if decimals_as == "string" else decimal_numbers,
            "boolean": booleans,
            "date": lambda cells: list(map(dates.__getitem__, cells)),
            "timestamp": self._times,
            "timestamp_utc": self._utc_times,
        }

    def converter(self, type_: ColumnType) -> Convert:
        """What turns a column's cells into values; it raises ValueError if any of them is not of the type."""
        return self._converters[type_]

    @property
    def ambiguous_times(self) -> int:
        return self._times.local.ambiguous

    @ambiguous_times.setter
    def ambiguous_times(self, count: int) -> None:
        self._times.local.ambiguous = count

    @property
    def nonexistent_times(self) -> int:
        return self._times.local.nonexistent
