"""CSV bytes into blocks of records, without any Python code per row.

A block ends with a line. Where it holds no quote, and every line the same number of commas, splitting it gives
the same cells as `csv.reader` would, by column and in half the time; any other block goes through `csv.reader`,
and a record that goes on in the next block is read again with it.
"""

from __future__ import annotations

import csv
import io
import threading
from collections import deque
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from tap_billing_reports.core.errors import FileError
from tap_billing_reports.declare.csv_form import CsvForm
from tap_billing_reports.reports.files.readers.table import after_marks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

MAX_CELL: Final = 4 << 20  # characters
MAX_RECORD: Final = 16 << 20  # characters

Rows = list[list[str]]
PLAIN: Final = CsvForm()
_limit_lock: Final = threading.Lock()


class Block(NamedTuple):
    """Some records of the file.

    Attributes:
        line: where the first of them begins.
        rows: the records as `csv.reader` gives them, whatever their width; empty if `columns` has them.
        columns: each column's cells, of records that are one line each and have the right width.
    """

    line: int
    rows: Rows
    columns: Sequence[Sequence[str]]


def blocks(
    stream: BinaryIO, *, size: int, block: int, width: int | None = None, form: CsvForm = PLAIN
) -> Iterator[Block]:
    """The file's records; the first block comes as rows, later ones as columns if they are plain.

    Args:
        stream: the file, from its first byte.
        size: its bytes.
        block: about how many bytes to read at a time.
        width: the number of cells that records should have; None gives rows always.
        form: how the file is written.
    """
    line, total, rest, carried = 1, after_marks(stream), b"", ""
    for _ in range(form.skipped_lines):
        skipped = stream.readline(MAX_RECORD)
        total, line = total + len(skipped), line + 1
    first = True
    while True:
        # What is read again with the next block is at least doubled, so that reading stays linear.
        data = stream.read(max(block, len(rest) + len(carried)))
        final = total + len(data) >= size or not data
        total += len(data)
        cut = len(data) if final else data.rfind(b"\n") + 1
        if cut or final:
            text = carried + _decoded(rest + data[:cut], line + carried.count("\n"), form.encoding)
            rest = data[cut:]
            columns = None if first or not width else _plain(text, width, form.delimiter)
            if columns is None:
                rows, used = _parsed(text, line, form.delimiter, final=final)
                if rows:
                    yield Block(line, rows, ())
                first = first and not rows
            else:
                used = len(text)
                yield Block(line, [], columns)
            carried = text[used:]
            line += text.count("\n", 0, used)
        else:
            rest += data
        if final:
            break
        if len(rest) + len(carried) > MAX_RECORD:
            raise FileError("a record that does not end", line=line)
    if total != size or stream.read(1):
        raise FileError(f"the file changed while it was read: {total} bytes where {size} were declared")


def _decoded(data: bytes, line: int, encoding: str) -> str:
    if (nul := data.find(b"\0")) >= 0:
        raise FileError("a NUL byte", line=line + data.count(b"\n", 0, nul))
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise FileError(f"not {encoding.upper()}", line=line + data.count(b"\n", 0, error.start)) from None


def _plain(text: str, width: int, delimiter: str) -> list[list[str]] | None:
    """The columns of a text without quotes whose lines all have the width, None for any other text."""
    if width < 2 or '"' in text or len(text) > MAX_CELL or not text:
        return None
    end = "\r\n" if "\r" in text else "\n"
    if not text.endswith(end):
        text += end
    # Each line break becomes a cell of its own. All of them in the last place of a row mean: every row is as
    # wide as it should be.
    marked = text.replace(end, f"{delimiter}\n{delimiter}")
    if "\r" in marked:
        return None
    cells = marked.split(delimiter)
    cells.pop()
    stride = width + 1
    count = text.count("\n")
    if len(cells) != count * stride or cells[width::stride].count("\n") != count:
        return None
    return [cells[place::stride] for place in range(width)]


@contextmanager
def _cell_limit() -> Iterator[None]:
    """`csv` has one limit for the whole process: ours holds while a block is parsed, then the old one."""
    with _limit_lock:
        before = csv.field_size_limit(MAX_CELL)
        try:
            yield
        finally:
            csv.field_size_limit(before)


def _parsed(text: str, line: int, delimiter: str, *, final: bool) -> tuple[Rows, int]:
    """The records that end in the text, and how many characters they are."""
    source = io.StringIO(text)  # splits at \n only, and translates nothing
    reader = csv.reader(source, strict=True, delimiter=delimiter)
    rows: Rows = []
    try:
        with _cell_limit():
            rows.extend(reader)  # when it raises, the records before the fault have been appended
    except csv.Error as error:
        unfinished = source.tell() == len(text)
        end, lines = _end_of(text, len(rows), delimiter)
        if unfinished and not final:
            return rows, end
        # A quote that is never closed is at fault where its record begins.
        at = lines + 1 if unfinished else reader.line_num
        raise FileError(f"not CSV: {error}", line=line + at - 1) from None
    return rows, len(text)


def _end_of(text: str, records: int, delimiter: str) -> tuple[int, int]:
    """Where the text's first `records` records end: in characters and in lines."""
    source = io.StringIO(text)
    reader = csv.reader(source, strict=True, delimiter=delimiter)
    with _cell_limit():
        deque(islice(reader, records), maxlen=0)
    return source.tell(), reader.line_num
