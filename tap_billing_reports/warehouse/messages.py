"""Singer messages as bytes -> rows, each value in the form that SCHEMA declares."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec
import simplejson

from tap_billing_reports.warehouse.batch import Batch
from tap_billing_reports.warehouse.columns import VERSION, Form, Table
from tap_billing_reports.warehouse.errors import LoadError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Longer ones would not fit into the memory that the loader promises to stay in.
LONGEST_LINE: Final = 16 << 20  # bytes
_TYPES: Final[dict[Form, Any]] = {
    Form.TEXT: str | None,
    Form.NUMBER: Decimal | None,
    Form.INTEGER: int | None,
    Form.BOOLEAN: bool | None,
    Form.ANY: msgspec.Raw,
}


# NUL, and halves of characters that stand alone: simplejson has joined those that belong together.
_ODD_LETTERS: Final = re.compile("[\\0\ud800-\udfff]")


class Head(msgspec.Struct):
    """What tells where a message goes."""

    type: str
    stream: str | None = None


_head: Final = msgspec.json.Decoder(Head)


def head_of(line: bytes) -> Head:
    """The head of a message.

    Raises:
        LoadError: the line is no message.
    """
    try:
        return _head.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    found = whole(line)
    kind, stream = found.get("type"), found.get("stream")
    if not isinstance(kind, str):
        raise LoadError("a line of the input is no Singer message: it has no type; is it a tap's output?")
    return Head(kind, stream if isinstance(stream, str) else None)


def whole(line: bytes) -> dict[str, Any]:
    """A message with all that is in it; numbers with a fraction are Decimals.

    Raises:
        LoadError: the line is no JSON object.
    """
    try:
        found = simplejson.loads(line.decode("utf-8"), use_decimal=True)
    except (ValueError, RecursionError):
        raise LoadError(
            f"a line of {len(line)} bytes of the input is no JSON: the tap printed something else than messages, or "
            f"was cut off; nothing behind the last STATE before it was loaded"
        ) from None
    if not isinstance(found, dict):
        raise LoadError("a line of the input is JSON, but no Singer message; is it a tap's output?")
    return found


class Decoder:
    """RECORD lines of one stream -> rows.

    Attributes:
        table: what the rows have.
        altered: how many texts held what no database takes (NUL, half of a character); the sign U+FFFD stands for it.
        unknown: a property that records have and the SCHEMA lacks; None while there was none. It is left out.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self.altered = 0
        self.unknown: str | None = None
        # Properties may have any name, attributes may not.
        own = [column for column in table.columns if column.name != VERSION]
        self._attributes = {column.name: f"c{place}" for place, column in enumerate(own)}
        fields = [
            (self._attributes[column.name], _TYPES[column.form], msgspec.field(default=None, name=column.name))
            for column in own
        ]
        self._strict = _line_decoder(fields, forbid=True)
        self._lenient = _line_decoder(fields, forbid=False)

    def batch(self, lines: bytes) -> Batch:
        """The rows of some RECORD lines.

        Raises:
            LoadError: names the first record that is not what its SCHEMA says.
        """
        found = self._decoded(lines)
        rows = [message.record for message in found]
        shared: dict[str, Any] = {}
        if any(message.version is not None for message in found):
            self.table = self.table.with_version()
            versions = {message.version for message in found}
            if len(versions) > 1:
                raise LoadError(
                    f"stream {self.table.stream}: records of several versions come without ACTIVATE_VERSION between "
                    f"them; the tap is at fault"
                )
            shared[VERSION] = versions.pop()
        return Batch(self.table, rows, self._attributes, shared)

    def _decoded(self, lines: bytes) -> list[Any]:
        if b"\\u0000" in lines:
            lines = self._cleaned(lines)
        decoder = self._strict if self.unknown is None else self._lenient
        try:
            found: list[Any] = decoder.decode_lines(lines)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return list(self._one_by_one(lines))
        return found

    def _one_by_one(self, lines: bytes) -> Iterator[Any]:
        """The same, slowly: some line is no plain one."""
        for line in lines.split(b"\n"):
            if not line.strip():
                continue
            try:
                yield self._strict.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError):
                yield self._one(line)

    def _one(self, line: bytes) -> Any:
        found = whole(line)
        record = found.get("record")
        if not isinstance(record, dict):
            raise LoadError(f"stream {self.table.stream}: a RECORD message has no record; the tap is at fault")
        extra = next((name for name in record if name not in self._attributes), None)
        self.unknown = self.unknown or extra
        line = self._cleaned(line)
        try:
            return self._lenient.decode(line)
        except msgspec.ValidationError as error:
            key = ", ".join(f"{name}={record.get(name)}" for name in self.table.keys)
            place = f" of the row {key}" if key else ""
            raise LoadError(
                f"stream {self.table.stream}: a record{place} is not what its SCHEMA says: {self._said(error)}; "
                f"the tap is at fault"
            ) from None

    def _said(self, error: msgspec.ValidationError) -> str:
        text = str(error)
        for name, attribute in self._attributes.items():
            text = text.replace(f"$.record.{attribute}`", f"{name}`")
        return text.replace("$.record.", "")

    def _cleaned(self, lines: bytes) -> bytes:
        """The lines with the sign U+FFFD in place of what no database takes."""
        cleaned = []
        for line in lines.split(b"\n"):
            if not line.strip():
                continue
            found = whole(line)
            before = self.altered
            found = _without_odd_letters(found, self._count)
            cleaned.append(
                line
                if self.altered == before
                else simplejson.dumps(found, use_decimal=True, ensure_ascii=False).encode()
            )
        return b"\n".join(cleaned)

    def _count(self) -> None:
        self.altered += 1


def _line_decoder(fields: list[tuple[str, Any, Any]], *, forbid: bool) -> Any:
    record = msgspec.defstruct("Record", fields, gc=False, forbid_unknown_fields=forbid)
    message = msgspec.defstruct("Message", [("record", record), ("version", int | None, None)], gc=False)
    return msgspec.json.Decoder(message)


def _without_odd_letters(value: Any, count: Callable[[], None]) -> Any:
    """A JSON value; in its texts U+FFFD stands for NUL and for halves of characters."""
    if isinstance(value, str):
        clean = _ODD_LETTERS.sub("\ufffd", value)
        if clean != value:
            count()
        return clean
    if isinstance(value, dict):
        return {_without_odd_letters(name, count): _without_odd_letters(one, count) for name, one in value.items()}
    if isinstance(value, list):
        return [_without_odd_letters(one, count) for one in value]
    return value
