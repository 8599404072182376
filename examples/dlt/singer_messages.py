"""Singer messages as typed rows: amounts are Decimal, never float, and a value that its column cannot hold is refused.

Needs neither dlt nor the tap.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Context, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

PRECISION, SCALE = 38, 12
"""Of each amount's column: 26 digits before the point, 12 behind it."""
SEQUENCE = "_sdc_sequence"
"""Which message of its sync brought a row: of one key, the last one counts."""
ROWS_AT_ONCE = 1000
_ROOM = Context(prec=PRECISION)
_UNIT = Decimal(1).scaleb(-SCALE)


class MessageError(ValueError):
    """A message that cannot be loaded as it is; nothing of it was."""


def exact(value: str | int | Decimal) -> Decimal:
    """An amount with all of its digits.

    Raises:
        ValueError: its column would round or cut it.
    """
    amount = Decimal(value)
    try:
        fits = amount.quantize(_UNIT, context=_ROOM) == amount
    except InvalidOperation:
        fits = False
    if not fits:
        raise ValueError(f"has more digits than {PRECISION - SCALE} before the point and {SCALE} behind it")
    return amount


def _instant(value: str) -> datetime:
    found = datetime.fromisoformat(value)
    if found.tzinfo is None:
        raise ValueError("has no time zone")
    return found


def _as_it_is(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Kind:
    """What a column holds.

    Attributes:
        hints: its type as dlt is told it.
        read: of a value that is not null; raises ValueError.
    """

    hints: Mapping[str, Any]
    read: Callable[[Any], Any] = _as_it_is


AMOUNT = Kind({"data_type": "decimal", "precision": PRECISION, "scale": SCALE}, exact)
_OF_FORMATS = {
    "x-singer.decimal": AMOUNT,
    "singer.decimal": AMOUNT,
    "date": Kind({"data_type": "date"}, date.fromisoformat),
    "date-time": Kind({"data_type": "timestamp", "precision": 6, "timezone": True}, _instant),
}
_OF_TYPES = {
    "number": AMOUNT,
    "integer": Kind({"data_type": "bigint"}),
    "boolean": Kind({"data_type": "bool"}),
    "object": Kind({"data_type": "json"}),
    "array": Kind({"data_type": "json"}),
}
TEXT = Kind({"data_type": "text"}, lambda value: value if isinstance(value, str) else json.dumps(value, default=str))


def kind_of(declared: Mapping[str, Any]) -> Kind:
    """The kind of a property, by its JSON Schema; what may hold several is text."""
    said = declared.get("type", [])
    types = {said} if isinstance(said, str) else set(said)
    types.discard("null")
    if types == {"string"}:
        return _OF_FORMATS.get(str(declared.get("format")), TEXT)
    if types == {"number", "integer"}:
        return AMOUNT
    return _OF_TYPES.get(types.pop(), TEXT) if len(types) == 1 else TEXT


@dataclass(frozen=True)
class Table:
    """A stream, as its SCHEMA declares it."""

    name: str
    keys: tuple[str, ...]
    kinds: Mapping[str, Kind]

    @classmethod
    def of(cls, message: Mapping[str, Any]) -> Table:
        """Of a SCHEMA message."""
        declared = message["schema"]["properties"]
        keys = tuple(message["key_properties"])
        return cls(message["stream"], keys, {name: kind_of(schema) for name, schema in declared.items()})

    @property
    def columns(self) -> dict[str, dict[str, Any]]:
        """The hints of each column."""
        found = {name: {**kind.hints, "nullable": name not in self.keys} for name, kind in self.kinds.items()}
        return found | {SEQUENCE: {"data_type": "bigint", "dedup_sort": "desc"}}

    def row(self, record: Mapping[str, Any], sequence: int) -> dict[str, Any]:
        """A record's values as their columns take them.

        Raises:
            MessageError: a value is none of its column's; it is not shown, as it may be anything.
        """
        row: dict[str, Any] = {SEQUENCE: sequence}
        for name, value in record.items():
            kind = self.kinds.get(name)
            if kind is None:
                raise MessageError(f"stream {self.name}: the record has {name!r}, which its SCHEMA does not declare")
            try:
                row[name] = None if value is None else kind.read(value)
            except (ValueError, TypeError, ArithmeticError) as error:
                key = ", ".join(f"{one}={record.get(one)}" for one in self.keys)
                raise MessageError(f"stream {self.name}: {name!r} of the row {key} {error}") from None
        return row


@dataclass(frozen=True)
class Batch:
    """Rows of one table, in the order in which they came."""

    table: Table
    rows: list[dict[str, Any]]


@dataclass
class Reader:
    """Messages as rows of tables.

    Attributes:
        state: the value of the last STATE as JSON; None before the first one.
    """

    state: str | None = None
    _tables: dict[str, Table] = field(default_factory=dict)

    def read(self, lines: Iterable[bytes | str]) -> Iterator[Batch]:
        """Rows of one table at a time, in the order of their messages; `state` is never ahead of them.

        Raises:
            MessageError: a message is none that can be loaded.
        """
        batch: Batch | None = None
        for sequence, line in enumerate(lines):
            # A JSON number keeps its digits.
            message = json.loads(line, parse_float=Decimal)
            kind, stream = message.get("type"), message.get("stream")
            if batch and (kind != "RECORD" or stream != batch.table.name or len(batch.rows) >= ROWS_AT_ONCE):
                yield batch
                batch = None
            if kind == "RECORD":
                table = self._tables.get(stream)
                if table is None:
                    raise MessageError(f"stream {stream}: a RECORD came before its SCHEMA")
                batch = batch or Batch(table, [])
                batch.rows.append(table.row(message["record"], sequence))
            elif kind == "SCHEMA":
                self._tables[stream] = Table.of(message)
            elif kind == "STATE":
                self.state = json.dumps(json.loads(line)["value"])
            else:
                raise MessageError(f"a message of the type {kind} cannot be loaded")
        if batch:
            yield batch
