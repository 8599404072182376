"""CSV reports: RFC 4180, UTF-8 with or without a byte-order mark, the header in the first record.

Bytes are read in blocks that end with a line; each block goes through `csv.reader` at once, and a record that
goes on in the next block is read again with it. So memory stays flat, and no Python code runs per row.
"""

from __future__ import annotations

import csv
import io
import threading
from collections import deque
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Final

from tap_billing_reports.errors import FileError
from tap_billing_reports.reports.readers.table import (
    CellFault,
    Source,
    Table,
    check_size,
    no_metadata,
    opened,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from decimal import Decimal
    from typing import BinaryIO

    from tap_billing_reports.columns import Column, DecimalsAs
    from tap_billing_reports.reports.readers import Resolve, RowChunk

BLOCK: Final = 48 << 10  # bytes; bigger ones make the allocator return memory and fault it in for each chunk
MAX_CELL: Final = 4 << 20  # characters
MAX_RECORD: Final = 16 << 20  # characters
_BOM: Final = b"\xef\xbb\xbf"

Rows = list[list[str]]
_limit_lock: Final = threading.Lock()


@contextmanager
def _cell_limit() -> Iterator[None]:
    """`csv` has one limit for the whole process: ours holds while a block is parsed, then the old one."""
    with _limit_lock:
        before = csv.field_size_limit(MAX_CELL)
        try:
            yield
        finally:
            csv.field_size_limit(before)


class CsvReader:
    """Reads one CSV file; see `Reader` for the contract.

    Args:
        source: a path, or a seekable binary file.
        size: the bytes that the vendor declared; a file of any other size is refused at once.
        resolve: called once, here, with the header.
        zone: IANA name of the zone of `timestamp` columns.
        sum_of: names of the columns to add up.
        decimals_as: `number` gives decimals as Decimal instead of text.
        block: about how many bytes of the file become one chunk.

    Raises:
        FileError: the size is wrong, or the header is missing, empty, repeated or unreadable.
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
        block: int = BLOCK,
    ) -> None:
        check_size(source, size)
        self._source = source
        self._size = size
        self._block = block
        self._table = Table(resolve=resolve, zone=zone, decimals_as=decimals_as, sum_of=sum_of)
        self.blank_lines = 0
        self.declared_rows: int | None = None
        self.metadata: Mapping[str, str] = no_metadata()
        self.header = self._read_header()
        self._table.resolve(self.header)
        self._ended_at: int | None = None

    @property
    def columns(self) -> tuple[Column, ...]:
        return self._table.columns

    @property
    def rows(self) -> int:
        return self._table.rows

    @property
    def sums(self) -> Mapping[str, Decimal]:
        return self._table.sums

    @property
    def ambiguous_times(self) -> int:
        return self._table.cells.ambiguous_times

    @property
    def nonexistent_times(self) -> int:
        return self._table.cells.nonexistent_times

    def chunks(self, selected: Collection[str] | None = None) -> Iterator[RowChunk]:
        self._table.start()
        self._table.select(selected)
        self._ended_at = None
        self.blank_lines = 0
        width = len(self.header)
        with opened(self._source) as stream:
            header_is_next = True
            for line, block in self._records(stream):
                first_line, rows = line, block
                if header_is_next:
                    header_is_next = False
                    first_line += _lines_of(rows[0])
                    rows = rows[1:]
                cells = self._columns_of(rows, width, first_line)
                if cells:
                    try:
                        yield self._table.convert(cells, len(cells[0]))
                    except CellFault as fault:
                        raise FileError(str(fault), line=_line_of(rows, fault.row, first_line)) from None

    def _read_header(self) -> tuple[str, ...]:
        with opened(self._source) as stream:
            _, rows = next(self._records(stream), (1, []))
        header = tuple(rows[0]) if rows else ()
        if not any(header):
            raise FileError("the file has no header", line=1)
        if not all(header):
            raise FileError("the header has a column without a name", line=1)
        repeated = sorted({name for name in header if header.count(name) > 1})
        if repeated:
            raise FileError(f"the header names {repeated[0]!r:.80} more than once", line=1)
        return header

    def _columns_of(self, rows: Rows, width: int, first_line: int) -> list[tuple[str, ...]]:
        """The cells by column, none for a block without rows; FileError for a row of another width."""
        try:
            cells = list(zip(*rows, strict=True))
        except ValueError:
            cells = []
        if len(cells) != width or self._ended_at is not None:
            # Either a bad row, or the blank line that some writers end a file with.
            for place, row in enumerate(rows):
                line = _line_of(rows, place, first_line)
                if not row and width > 1:
                    self._ended_at = self._ended_at or line
                    self.blank_lines += 1
                elif self._ended_at is not None:
                    raise FileError("a blank line within the file", line=self._ended_at)
                elif len(row) != width:
                    raise FileError(f"{len(row)} cells where the header has {width}", line=line)
            cells = list(zip(*filter(None, rows), strict=True))
        return cells

    def _records(self, stream: BinaryIO) -> Iterator[tuple[int, Rows]]:
        """The file's records, some at a time, each time with the number of their first line."""
        line, total, rest, carried = 1, 0, b"", ""
        while True:
            # What is read again with the next block is at least doubled, so that reading stays linear.
            data = stream.read(max(self._block, len(rest) + len(carried)))
            if not total and data.startswith(_BOM):
                total, data = len(_BOM), data[len(_BOM) :]
            total += len(data)
            final = total >= self._size or not data
            cut = len(data) if final else data.rfind(b"\n") + 1
            if not cut and data:
                rest += data
            else:
                text = carried + _decoded(rest + data[:cut], line + carried.count("\n"))
                rest = data[cut:]
                rows, used = _parsed(text, line, final=final)
                carried = text[used:]
                if rows:
                    yield line, rows
                line += text.count("\n", 0, used)
            if final:
                break
            if len(rest) + len(carried) > MAX_RECORD:
                raise FileError("a record that does not end", line=line)
        if total != self._size or stream.read(1):
            raise FileError(
                f"the file changed while it was read: {total} bytes where {self._size} were declared"
            )


def _decoded(data: bytes, line: int) -> str:
    if (nul := data.find(b"\0")) >= 0:
        raise FileError("a NUL byte", line=line + data.count(b"\n", 0, nul))
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise FileError("not UTF-8", line=line + data.count(b"\n", 0, error.start)) from None


def _parsed(text: str, line: int, *, final: bool) -> tuple[Rows, int]:
    """The records that end in the text, and how many characters they are."""
    source = io.StringIO(text)  # splits at \n only, and translates nothing
    reader = csv.reader(source, strict=True)
    rows: Rows = []
    try:
        with _cell_limit():
            rows.extend(reader)  # when it raises, the records before the fault have been appended
    except csv.Error as error:
        unfinished = source.tell() == len(text)
        end, lines = _end_of(text, len(rows))
        if unfinished and not final:
            return rows, end
        # A quote that is never closed is at fault where its record begins.
        at = lines + 1 if unfinished else reader.line_num
        raise FileError(f"not CSV: {error}", line=line + at - 1) from None
    return rows, len(text)


def _end_of(text: str, records: int) -> tuple[int, int]:
    """Where the text's first `records` records end: in characters and in lines."""
    source = io.StringIO(text)
    reader = csv.reader(source, strict=True)
    with _cell_limit():
        deque(islice(reader, records), maxlen=0)
    return source.tell(), reader.line_num


def _lines_of(row: list[str]) -> int:
    return 1 + sum(cell.count("\n") for cell in row)


def _line_of(rows: Rows, place: int, first_line: int) -> int:
    return first_line + sum(map(_lines_of, rows[:place]))
