"""Some rows of one stream on their way into its table, and the proof that each of their values fits exactly."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Context, Decimal, InvalidOperation
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from tap_billing_reports.warehouse.columns import Column, Form, Kind, Table
from tap_billing_reports.warehouse.errors import LoadError, Misfit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

INTEGERS: Final = range(-(1 << 63), 1 << 63)
# More digits than any amount has: a number such as 1e999999999 would fill the memory when it is written out.
LONGEST_NUMBER: Final = 10_000
_DATE: Final = r"(?!0000)\d{4}-\d\d-\d\d"  # there was no year 0, whatever a database makes of it
_TIMESTAMP: Final = rf"{_DATE}[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[Zz]|[+-]\d\d:?\d\d)?"


@dataclass(frozen=True)
class Digits:
    """How many digits an amount may have in this database; None for as many as it likes."""

    before: int | None
    after: int | None

    @property
    def are_unlimited(self) -> bool:
        return self.before is None and self.after is None

    @property
    def pattern(self) -> str:
        """Matches the text of an amount that fits as it stands."""
        before = "+" if self.before is None else f"{{1,{self.before}}}"
        after = "+" if self.after is None else f"{{1,{self.after}}}"
        return rf"[+-]?[0-9]{before}(?:\.[0-9]{after})?"

    def holds(self, number: Decimal) -> bool:
        """Whether the number fits without a change of its value."""
        if not number:
            return True
        digits, exponent = number.normalize(_EXACT).as_tuple().digits, _exponent(number)
        return (self.after is None or -exponent <= self.after) and (
            self.before is None or len(digits) + exponent <= self.before
        )

    def __str__(self) -> str:
        return f"{self.before} digits before and {self.after} behind the point"


class Room(Protocol):
    """What a database tells of the columns that hold amounts."""

    def digits_of(self, stream: str, column: str) -> Digits:
        """How many digits an amount may have in this column."""
        ...

    def make_room(self, stream: str, column: str, decimals: int) -> bool:
        """Let the column hold so many digits behind the point, if it can; whether it does now."""
        ...


_EXACT: Final = Context(prec=LONGEST_NUMBER)


@dataclass(frozen=True)
class Batch:
    """Rows of one stream.

    Attributes:
        table: their stream's columns. One that is in neither of the two mappings is null in all rows.
        rows: objects with the attributes; a later row of a key counts more than an earlier one.
        attributes: column name -> the attribute of a row that holds its value.
        shared: column name -> the value that all rows have.
    """

    table: Table
    rows: Sequence[Any]
    attributes: Mapping[str, str]
    shared: Mapping[str, Any]

    def values(self, column: str) -> list[Any]:
        """A column of all rows."""
        attribute = self.attributes.get(column)
        if attribute is None:
            return [self.shared.get(column)] * len(self.rows)
        return [getattr(row, attribute) for row in self.rows]

    def key_of(self, place: int) -> str:
        """The key of a row, for a person."""
        row = self.rows[place]
        found = {
            name: getattr(row, self.attributes[name]) if name in self.attributes else self.shared.get(name)
            for name in self.table.keys
        }
        return ", ".join(f"{name}={value}" for name, value in found.items())


class Proof:
    """Holds the values of batches against what a database takes exactly.

    Args:
        room: that columns have for amounts.
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self._patterns = {Kind.DATE: _all_match(_DATE), Kind.TIMESTAMP: _all_match(_TIMESTAMP)}

    def check(self, batch: Batch) -> None:
        """Make the rows' values what the database takes: amounts, days and instants as plain text.

        Raises:
            Misfit: names the row and the column. Nothing of the batch may be loaded.
            LoadError: a row has no key.
        """
        for column in batch.table.columns:
            attribute = batch.attributes.get(column.name)
            if column.name in batch.table.keys:
                self._check_key(batch, column.name)
            if attribute is None:
                continue
            if column.kind is Kind.INTEGER:
                self._each(batch, column.name, attribute, _integer, unless=_are_bigints)
            elif column.kind is Kind.DECIMAL:
                self._check_amounts(batch, column, attribute)
            elif column.kind in self._patterns:
                self._each(batch, column.name, attribute, _MOMENTS[column.kind], unless=self._patterns[column.kind])
            elif column.form is Form.ANY:
                self._each(batch, column.name, attribute, _json if column.kind is Kind.JSON else _any_text)

    def _check_amounts(self, batch: Batch, column: Column, attribute: str) -> None:
        """JSON numbers are often binary fractions, such as 0.30000000000000004: their column is made to hold them."""
        stream = batch.table.stream
        digits = self._room.digits_of(stream, column.name)
        try:
            # Numbers come as Decimals, which the pattern does not match: each is written out.
            self._each(batch, column.name, attribute, partial(_amount, digits), unless=_fitting(digits))
        except Misfit:
            decimals = _most_decimals(batch.values(column.name)) if column.form is Form.NUMBER else None
            if decimals is None or digits.after is None or decimals <= digits.after:
                raise
            if not self._room.make_room(stream, column.name, decimals):
                raise
            self._check_amounts(batch, column, attribute)

    @staticmethod
    def _check_key(batch: Batch, name: str) -> None:
        values = batch.values(name)
        if None in values:
            raise LoadError(
                f"stream {batch.table.stream}: a row has no value for {name!r}, which is part of its key "
                f"({batch.key_of(values.index(None))}); the tap is at fault"
            )

    @staticmethod
    def _each(
        batch: Batch,
        name: str,
        attribute: str,
        convert: Callable[[Any], Any],
        unless: Callable[[list[Any]], bool] = lambda _values: False,
    ) -> None:
        """Convert a column value by value, unless all of it is fit as it stands."""
        values = batch.values(name)
        if unless(values):
            return
        for place, value in enumerate(values):
            if value is None:
                continue
            try:
                converted = convert(value)
            except (ValueError, InvalidOperation) as error:
                raise Misfit(batch.table.stream, name, batch.key_of(place), str(error)) from None
            if converted is not value:
                setattr(batch.rows[place], attribute, converted)


def _number(value: Any) -> Decimal:
    text = value if isinstance(value, str) else str(value)
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        raise ValueError("is no number") from None
    if not number.is_finite():
        raise ValueError("is no finite number")
    if abs(number.adjusted()) + len(number.as_tuple().digits) > LONGEST_NUMBER:
        raise ValueError(f"has more than {LONGEST_NUMBER} digits")
    return number


def _amount(digits: Digits, value: Any) -> str:
    number = _number(value)
    if not digits.holds(number):
        raise ValueError(
            f"has more digits than the type DECIMAL of this database holds ({digits}); load into PostgreSQL, "
            f"which holds them all, or make the column text with the tap's stream_maps"
        )
    plain = format(number, "f")
    # Zeros that say nothing may be more than the type has room for.
    return plain if _fitting(digits)([plain]) else format(number.normalize(_EXACT), "f")


def _most_decimals(values: list[Any]) -> int | None:
    """How many digits behind the point the values need; None if one of them is no number at all."""
    try:
        return max(-_exponent(_number(value)) for value in values if value is not None)
    except ValueError:
        return None


def _exponent(number: Decimal) -> int:
    exponent = number.normalize(_EXACT).as_tuple().exponent
    assert isinstance(exponent, int)
    return exponent


@cache
def _fitting(digits: Digits) -> Callable[[list[Any]], bool]:
    return _all_match(digits.pattern)


def _all_match(pattern: str) -> Callable[[list[Any]], bool]:
    """Whether each text of a column has this form; null has every form, and what is no text has none.

    One search of all texts, a line each, takes half as long as a search of each.
    """
    matches = re.compile(f"(?:{pattern}\n)*").fullmatch

    def fits(values: list[Any]) -> bool:
        present = [value for value in values if value is not None]
        try:
            lines = "\n".join([*present, ""])
        except TypeError:
            return False
        # A text that holds a line end itself would be taken for two.
        return matches(lines) is not None and lines.count("\n") == len(present)

    return fits


def _are_bigints(values: list[Any]) -> bool:
    numbers = [value for value in values if value is not None]
    return not numbers or (min(numbers) in INTEGERS and max(numbers) in INTEGERS)


def _integer(value: int) -> int:
    if value not in INTEGERS:
        raise ValueError("is beyond 64 bits")
    return value


def _day(value: str) -> str:
    if not re.fullmatch(_DATE, value):
        raise ValueError("is no date in the form 2026-11-28")
    date.fromisoformat(value)
    return value


def _instant(value: str) -> str:
    if not re.fullmatch(_TIMESTAMP, value):
        raise ValueError("is no instant in the form 2026-11-28T10:00:00Z")
    return value


_MOMENTS: Final[dict[Kind, Callable[[Any], Any]]] = {Kind.DATE: _day, Kind.TIMESTAMP: _instant}


def _raw(value: Any) -> str:
    return bytes(value).decode() if isinstance(value, msgspec.Raw) else str(value)


def _json(value: Any) -> str | None:
    """JSON text as the tap wrote it, so that its numbers keep their digits."""
    text = _raw(value)
    return None if text == "null" else text


def _any_text(value: Any) -> str | None:
    """A string as it is, any other JSON value as its text."""
    text = _raw(value)
    if not isinstance(value, msgspec.Raw):
        return text
    if text.startswith('"'):
        decoded: str = msgspec.json.decode(text)
        return decoded
    return None if text == "null" else text


def why_refused(batch: Batch) -> Misfit | None:
    """The first value that a database cannot read as the day or instant that it looks like; None if there is none."""
    for column in batch.table.columns:
        if column.kind not in {Kind.DATE, Kind.TIMESTAMP} or column.name not in batch.attributes:
            continue
        for place, value in enumerate(batch.values(column.name)):
            if value is not None and not _is_in_calendar(value, column.kind):
                reason = "is no day or instant of the calendar"
                return Misfit(batch.table.stream, column.name, batch.key_of(place), reason)
    return None


def _is_in_calendar(text: str, kind: Kind) -> bool:
    try:
        if kind is Kind.DATE:
            date.fromisoformat(text)
        else:
            datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text.upper().replace("Z", "+00:00")))
    except ValueError:
        return False
    return True
