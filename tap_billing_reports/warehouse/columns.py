"""A stream's columns: from JSON Schema to the kind of value that the warehouse holds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from tap_billing_reports.core.errors import ConfigError
from tap_billing_reports.warehouse.errors import LoadError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

VERSION: Final = "_sdc_table_version"
DELETED_AT: Final = "_sdc_deleted_at"
ORDER: Final = "_loader_order"  # of staged rows: the later one of a key counts
FIRST_LOADED_AT: Final = "_first_loaded_at"  # when the loader first met a row's key; the database fills it in
STATE_TABLE: Final = "_state"
SYNCS_TABLE: Final = "_syncs"
OWN_TABLES: Final = {STATE_TABLE: "STATE", SYNCS_TABLE: "how syncs ended"}
# PostgreSQL cuts longer identifiers, so that two names could become one.
NAME_BYTES: Final = 63


class Kind(Enum):
    """What a column of the warehouse holds."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"
    JSON = "json"


class Form(Enum):
    """How a value of the column stands in a RECORD."""

    TEXT = "a JSON string"
    NUMBER = "a JSON number, or a number in a string"
    INTEGER = "a JSON integer"
    BOOLEAN = "true or false"
    ANY = "any JSON value"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a stream, as its SCHEMA declares it."""

    name: str
    kind: Kind
    form: Form


@dataclass(frozen=True)
class Table:
    """One stream: the table that it becomes.

    Attributes:
        stream: the stream's name, which is the table's.
        columns: in the SCHEMA's order.
        keys: names of the columns that tell a row; empty for a stream whose rows are appended.
    """

    stream: str
    columns: tuple[Column, ...]
    keys: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def is_dated(self) -> bool:
        """Whether the database notes when a row was first loaded; a stream with such a property fills it by itself."""
        return FIRST_LOADED_AT not in self.names

    def with_version(self) -> Table:
        """The same with the version of each row, for streams that send ACTIVATE_VERSION."""
        if VERSION in self.names:
            return self
        return Table(self.stream, (*self.columns, Column(VERSION, Kind.INTEGER, Form.INTEGER)), self.keys)

    @classmethod
    def of(cls, message: Mapping[str, Any]) -> Table:
        """The table of a SCHEMA message.

        Raises:
            LoadError: the message is no SCHEMA that a table can be made of.
        """
        stream, schema = message.get("stream"), message.get("schema")
        if not isinstance(stream, str) or not stream:
            raise LoadError("a SCHEMA message names no stream: the tap is at fault")
        properties = schema.get("properties") if isinstance(schema, dict) else None
        if not isinstance(properties, dict) or not properties:
            raise LoadError(
                f"stream {stream}: its SCHEMA has no properties; give the tap a catalogue that selects some"
            )
        columns = tuple(column_of(name, found) for name, found in properties.items())
        keys = tuple(message.get("key_properties") or ())
        missing = [key for key in keys if key not in properties]
        if missing:
            raise LoadError(
                f"stream {stream}: its SCHEMA has no property for the key {missing[0]!r}; select it in the catalogue"
            )
        _check_names(stream, [column.name for column in columns])
        return cls(stream, columns, keys)


def check_schema(name: str) -> None:
    """Refuse the name of a schema that a database would cut, or could not hold.

    Raises:
        ConfigError: it is none.
    """
    if _is_too_long(name):
        raise ConfigError(
            f"schema {name!r}: the name has more than {NAME_BYTES} bytes, which PostgreSQL cannot hold; take a shorter "
            f"one"
        )
    if _is_no_name(name):
        raise ConfigError(f"schema {name!r}: this is no name of a schema; take one of letters, digits and _")


def _is_too_long(name: str) -> bool:
    """Whether PostgreSQL would cut it."""
    return len(name.encode("utf-8", "surrogatepass")) > NAME_BYTES


def _is_no_name(name: str) -> bool:
    return not name or not name.isprintable() or bool({'"', "\\"} & {*name})


def _check_names(stream: str, names: Sequence[str]) -> None:
    for name in (stream, *names):
        if _is_too_long(name):
            raise LoadError(
                f"stream {stream}: the name {name!r} has more than {NAME_BYTES} bytes, which PostgreSQL cannot hold; "
                f"rename it with the tap's stream_maps"
            )
        if _is_no_name(name):
            raise LoadError(f"stream {stream}: {name!r} is no name of a table or column; rename it with stream_maps")
    if stream in OWN_TABLES:
        raise LoadError(
            f"stream {stream}: the loader keeps {OWN_TABLES[stream]} in a table of this name; rename the stream"
        )
    if ORDER in names:
        raise LoadError(f"stream {stream}: the loader has a column {ORDER!r} of its own; rename the property")


def column_of(name: str, declared: Any) -> Column:
    """The column of one property; what no kind fits is text."""
    types: set[str] = set()
    formats: set[Any] = set()
    for schema in _alternatives(declared):
        found = schema.get("type", [])
        own = {found} if isinstance(found, str) else set(found)
        types |= own
        # A string without a format may be any text.
        if "string" in own or "format" in schema:
            formats.add(schema.get("format"))
    types.discard("null")
    kind, form = _kind(types, formats)
    return Column(name, kind, form)


def _alternatives(declared: Any) -> Iterator[Mapping[str, Any]]:
    if not isinstance(declared, dict):
        return
    yield declared
    for word in ("anyOf", "oneOf", "allOf"):
        for one in declared.get(word) or ():
            yield from _alternatives(one)


_BY_FORMAT: Final = {
    "date": Kind.DATE,
    "date-time": Kind.TIMESTAMP,
    "singer.decimal": Kind.DECIMAL,
    "x-singer.decimal": Kind.DECIMAL,
}


def _kind(types: set[str], formats: set[Any]) -> tuple[Kind, Form]:
    is_decimal = bool(formats & {"singer.decimal", "x-singer.decimal"})
    if types == {"string"}:
        by_format = {_BY_FORMAT.get(name, Kind.TEXT) for name in formats}
        return (by_format.pop() if len(by_format) == 1 else Kind.TEXT), Form.TEXT
    if types == {"integer"}:
        return Kind.INTEGER, Form.INTEGER
    if (types and types <= {"number", "integer"}) or (is_decimal and types <= {"number", "integer", "string"}):
        return Kind.DECIMAL, Form.NUMBER
    if types == {"boolean"}:
        return Kind.BOOLEAN, Form.BOOLEAN
    if types and types <= {"object", "array"}:
        return Kind.JSON, Form.ANY
    return Kind.TEXT, Form.ANY


def held_as(stream: str, column: Column, held: Kind) -> Kind:
    """The kind that a column which is there has from now on: its own, or a wider one.

    Raises:
        LoadError: neither kind can hold the values of both.
    """
    if held is column.kind or held is Kind.TEXT:
        return held
    if column.kind is Kind.TEXT:
        return Kind.TEXT
    if {held, column.kind} == {Kind.INTEGER, Kind.DECIMAL}:
        return Kind.DECIMAL
    raise LoadError(
        f"stream {stream}: column {column.name!r} holds values of kind {held.value} and is now declared as "
        f"{column.kind.value}; rename the column in the warehouse, or load into another schema; then run a full "
        f"refresh of the stream"
    )
