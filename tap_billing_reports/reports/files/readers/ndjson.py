"""NDJSON: one JSON object a line; names within each other are joined by a dot, numbers keep their digits."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import msgspec

from tap_billing_reports.core.errors import FileError
from tap_billing_reports.core.json_text import to_json
from tap_billing_reports.core.redaction import clipped
from tap_billing_reports.reports.files.readers.table import (
    CellFault,
    Source,
    Table,
    TableReader,
    after_marks,
    check_size,
    opened,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from tap_billing_reports.core.columns import DecimalsAs
    from tap_billing_reports.declare.csv_form import Cells
    from tap_billing_reports.reports.files.readers import Resolve, RowChunk
    from tap_billing_reports.reports.files.readers.tallies import Tally

BLOCK: Final = 64 << 10  # bytes of lines that become one chunk
MAX_LINE: Final = 16 << 20  # bytes
# Digits of a number that is written with an exponent: far more than any amount has.
LONGEST_NUMBER: Final = 100
TOO_DEEP: Final = "it is nested too deep"
# Only where such an escape stands can a text hold half a character, or a NUL.
_UNFIT: Final = re.compile(rb"\\u(?:[dD][89a-fA-F]|0000)")


class NdjsonReader(TableReader):
    """Reads one NDJSON file; see `Reader` for the contract.

    The file is looked through once for its names, so that the header is known before the first row. `header` are
    these names, in the order in which they were first met; an empty object has none. A list is JSON text.

    Args:
        source: a path, or a seekable binary file.
        size: its bytes; a file of any other size is refused at once.
        resolve: called once, here, with the header.
        zone: IANA name of the zone of `timestamp` columns.
        sum_of: names of the columns to add up.
        decimals_as: `number` gives decimals as Decimal instead of text.
        tallies: are told the rows of each pass.
        cells: header -> how the values of that name are written.
        block: about how many bytes of the file become one chunk.

    Raises:
        FileError: the size is wrong, or a line is no JSON object.
    """

    def __init__(
        self,
        source: Source,
        *,
        size: int,
        resolve: Resolve,
        zone: str = "UTC",
        sum_of: Collection[str] = (),
        decimals_as: DecimalsAs = "string",
        tallies: Sequence[Tally] = (),
        cells: Mapping[str, Cells] | None = None,
        block: int = BLOCK,
    ) -> None:
        check_size(source, size)
        self._source = source
        self._block = block
        super().__init__(
            Table(
                resolve=resolve,
                zone=zone,
                decimals_as=decimals_as,
                sum_of=sum_of,
                tallies=tallies,
                forms=cells or {},
            )
        )
        self.header = self._names()
        self._table.resolve(self.header)

    def chunks(
        self, selected: Collection[str] | None = None, constants: Mapping[str, Any] | None = None
    ) -> Iterator[RowChunk]:
        self._table.start(constants)
        self._table.select(selected)
        self.blank_lines = 0
        with opened(self._source) as stream:
            for numbered in self._blocks(stream):
                rows = [_cells_of(line, number) for number, line in numbered]
                columns = [[row.get(name, "") for row in rows] for name in self.header]
                try:
                    yield self._table.convert(columns, len(rows))
                except CellFault as fault:
                    raise FileError(str(fault), line=numbered[fault.row][0]) from None

    def _names(self) -> tuple[str, ...]:
        """Every name of the file."""
        names: dict[str, None] = {}
        with opened(self._source) as stream:
            for numbered in self._blocks(stream):
                for number, line in numbered:
                    try:
                        _meet(_decode(line), "", names)
                    except RecursionError:
                        raise FileError(TOO_DEEP, line=number) from None
                    except (msgspec.DecodeError, ValueError):
                        raise FileError("it is no JSON object", line=number) from None
        return tuple(names)

    def _blocks(self, stream: BinaryIO) -> Iterator[list[tuple[int, bytes]]]:
        """The lines with content, some at a time, each with its number."""
        after_marks(stream)
        found: list[tuple[int, bytes]] = []
        length = number = 0
        while line := stream.readline(MAX_LINE + 1):
            number += 1
            if len(line) > MAX_LINE:
                raise FileError(f"more than {MAX_LINE >> 20} MiB", line=number)
            if not line.strip():
                self.blank_lines += 1
                continue
            found.append((number, line))
            length += len(line)
            if length >= self._block:
                yield found
                found, length = [], 0
        if found:
            yield found


_decode = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode
_has_spaced_name = re.compile(rb'"\s+:').search


def _meet(record: Mapping[str, Any], before: str, names: dict[str, None]) -> None:
    for key, value in record.items():
        if isinstance(value, dict):
            _meet(value, f"{before}{key}.", names)
        else:
            names[before + key] = None


def _cells_of(line: bytes, number: int) -> dict[str, str]:
    """A line as text by name.

    Raises:
        FileError: a name or a value that means two things, or that no target takes.
    """
    cells: dict[str, str] = {}
    try:
        if _fill(_decode(line), "", cells) != line.count(b'":') or _has_spaced_name(line):
            # Of a name that stands twice the decoder takes the last one. Each name ends so, and there are more such
            # ends than names: it is read again, slowly, and refused if that is the reason.
            cells = {}
            record = json.loads(line, parse_float=Decimal, parse_constant=_no_number, object_pairs_hook=_object)
            _fill(record, "", cells)
    except RecursionError:
        raise FileError(TOO_DEEP, line=number) from None
    except ValueError as error:
        raise FileError(str(error), line=number) from None
    if _UNFIT.search(line) and not _is_fit("".join([*cells, *cells.values()])):
        raise FileError("a text holds a NUL or half a character", line=number)
    return cells


def _is_fit(text: str) -> bool:
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(_twice(next(key for key in keys if keys.count(key) > 1)))
    return found


def _twice(name: str) -> str:
    return f"the name {clipped(name, 80)} stands there twice"


def _no_number(_text: str) -> Any:
    raise ValueError("it holds a number that is none")


def _fill(record: Mapping[str, Any], before: str, cells: dict[str, str]) -> int:
    """Fill in the values by name; how many names the objects have, but for those in lists."""
    count = len(record)
    for key, value in record.items():
        name = before + key
        if isinstance(value, dict):
            count += _fill(value, f"{name}.", cells)
        elif name in cells:
            raise ValueError(_twice(name))
        else:
            cells[name] = value if isinstance(value, str) else _text(value)
    return count


def _text(value: Any) -> str:
    """A value that is no text, as its column's type takes it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        text = str(value)
        if "E" not in text:
            return text
        if abs(value.adjusted()) > LONGEST_NUMBER:
            raise ValueError("it holds a number that is too long")
        return format(value, "f")
    return str(value) if isinstance(value, int) else to_json(value)
