"""CSV into Arrow arrays in one pass, for files that are written plainly; any other is for the reader of `csv.py`.

Each block of records is first proven by one regular expression, which RE2 runs at about the speed of memory: the
width of every row, quotes only around cells and all closed, no NUL byte, and every cell in a form that has one
meaning (no leading zeros, no exponent, no blanks around numbers, `true` and `false`, dates that sort). Only then
pyarrow parses it, in which such cells become the values that our reader gives; pyarrow itself refuses what is not
UTF-8, no day of the calendar, or too big. Nothing is accepted here that `csv.py` would refuse or read otherwise.
"""

from __future__ import annotations

import csv
import io
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from tap_billing_reports.core.money import EXACT
from tap_billing_reports.reports.files.readers import NotPlain
from tap_billing_reports.reports.files.readers.arrow import DECIMAL_PLACES, DIGITS, PLAIN_DECIMAL, arrow_type, instants
from tap_billing_reports.reports.files.readers.table import after_marks

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from typing import BinaryIO

    from tap_billing_reports.core.columns import Column
    from tap_billing_reports.reports.files.readers import Part

BLOCK: Final = 2 << 20  # bytes to prove and parse at a time; a longer record is not plain
MAX_COLUMNS: Final = 500  # with many more, the automaton of the expression would not fit RE2's memory

_DATE: Final = "[12][0-9]{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_TIME: Final = f"{_DATE}(?: (?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9])?"
_FORMS: Final[Mapping[str, str]] = {
    "currency": "[A-Za-z]+",
    "integer": "-?(?:0|[1-9][0-9]{0,18})",
    "decimal": PLAIN_DECIMAL,
    "boolean": "true|false",
    "date": f"{_DATE}(?: 00:00:00)?",
    "timestamp": _TIME,
    "timestamp_utc": _TIME,
}


def _text(delimiter: str) -> str:
    return rf'(?:[^"{re.escape(delimiter)}\r\n\x00]*|"(?:[^"\x00]|"")*")'


def _pattern(places: Sequence[Column | None], delimiter: str) -> str:
    """Matches a block of records, with cells in the forms of their columns, and nothing else."""
    cells = [
        _text(delimiter) if column is None or column.type == "text" else f'(?:(?:{form})?|"(?:{form})?")'
        for column in places
        for form in [_FORMS.get(column.type if column else "text", "")]
    ]
    return rf"\A(?:{re.escape(delimiter).join(cells)}\r?\n)*\z"


class PlainCsv:
    """One pass over one file.

    Args:
        header: as our reader has read it.
        places: the column of each header cell, None for one left out, which is checked as text.
        zone: IANA name of the zone of `timestamp` columns.
        sum_of: names of the decimal and integer columns to add up.
        amounts_as_text: see `Reader.arrays`.
        delimiter: one ASCII character between cells.

    Attributes:
        rows, sums, ambiguous_times: as `Reader` says, once `parts` has come to its end.
    """

    def __init__(
        self,
        *,
        header: tuple[str, ...],
        places: Sequence[Column | None],
        zone: str,
        sum_of: Collection[str],
        amounts_as_text: bool = False,
        delimiter: str = ",",
    ) -> None:
        if not 2 <= len(header) <= MAX_COLUMNS:
            # An empty line of a single column may be a row or none.
            raise NotPlain
        self.rows = 0
        self.ambiguous_times = 0
        self.sums = {column.name: Decimal(0) for column in places if column and column.name in sum_of}
        self._decimal_places = dict.fromkeys(self.sums, 0)
        self._header = header
        self._columns = [(place, column) for place, column in enumerate(places) if column is not None]
        self._width = len(places)
        self._zone = zone
        self._delimiter = delimiter
        self._pattern = _pattern(places, delimiter)
        self._amounts_as_text = amounts_as_text

    def parts(self, stream: BinaryIO, size: int) -> Iterator[Part]:
        """The file's columns, a block of rows at a time.

        Raises:
            NotPlain: our reader has to say what the file holds, or why it is refused.
        """
        # Its handler would take the signals away from ours, which sends a last STATE.
        pa.enable_signal_handlers(False)
        self._options = self._convert_options()
        for number, block in enumerate(_blocks(stream, size)):
            records = block if number else self._without_header(block)
            if not records:
                continue
            try:
                for part in self._parts(records):
                    self.rows += part[0]
                    yield part
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowKeyError):
                raise NotPlain from None
        self.sums = {
            name: EXACT.quantize(total, Decimal(1).scaleb(-self._decimal_places[name]))
            for name, total in self.sums.items()
        }

    def _convert_options(self) -> Any:
        types = dict.fromkeys(map(str, range(self._width)), pa.string())
        for place, column in self._columns:
            if column.type.startswith("timestamp"):
                types[str(place)] = pa.timestamp("us")  # wall-clock times have no zone yet
            elif column.type != "date" and (
                column.type != "decimal" or not (self._amounts_as_text or column.name in self.sums)
            ):
                # An amount that is added up comes as text: its sum is written with as many places. So does a day,
                # which may be written with midnight behind it.
                types[str(place)] = arrow_type(column.type)
        return arrow_csv.ConvertOptions(
            column_types=types,
            null_values=[""],
            strings_can_be_null=True,
            true_values=["true"],
            false_values=["false"],
        )

    def _without_header(self, block: bytes) -> bytes:
        """What follows the first record, which must be the header that our reader has seen."""
        end = quotes = 0
        while end == 0 or quotes % 2:
            start, end = end, block.find(b"\n", end) + 1
            if not end:
                raise NotPlain
            quotes += block.count(b'"', start, end)
        try:
            first = io.StringIO(block[:end].decode(), newline="")
            records = list(csv.reader(first, strict=True, delimiter=self._delimiter))
        except (csv.Error, UnicodeDecodeError):
            raise NotPlain from None
        if records != [list(self._header)]:
            raise NotPlain
        return block[end:]

    def _parts(self, records: bytes) -> Iterator[Part]:
        if not pc.match_substring_regex(pa.array([records], pa.binary()), self._pattern)[0].as_py():
            raise NotPlain
        table = arrow_csv.read_csv(
            pa.BufferReader(records),
            read_options=arrow_csv.ReadOptions(
                column_names=list(map(str, range(self._width))), block_size=len(records) + 1, use_threads=False
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=self._delimiter, newlines_in_values=True, ignore_empty_lines=False
            ),
            convert_options=self._options,
        )
        for batch in table.to_batches():
            arrays = {}
            for place, column in self._columns:
                array = batch.column(place)
                if column.type.startswith("timestamp"):
                    array, twice = instants(array, self._zone if column.type == "timestamp" else "UTC")
                    self.ambiguous_times += twice
                elif column.type == "currency":
                    array = pc.ascii_upper(array)
                elif column.type == "date":
                    array = pc.utf8_slice_codeunits(array, 0, len("YYYY-MM-DD")).cast(arrow_type("date"))
                elif column.name in self.sums:
                    array = self._added(column, array)
                arrays[column.name] = array
            yield batch.num_rows, arrays

    def _added(self, column: Column, cells: Any) -> Any:
        """The cells' values, added to the column's sum; 76 digits hold any sum of a block."""
        values, places = cells, 0
        if column.type == "decimal":
            values = cells.cast(arrow_type("decimal"))
            point = pc.find_substring(cells, ".")
            behind = pc.if_else(pc.equal(point, -1), 0, pc.subtract(pc.subtract(pc.binary_length(cells), point), 1))
            places = pc.max(behind).as_py() or 0
        total = pc.sum(values.cast(pa.decimal256(2 * DIGITS, DECIMAL_PLACES))).as_py() or Decimal(0)
        self.sums[column.name] = EXACT.add(self.sums[column.name], total)
        self._decimal_places[column.name] = max(places, self._decimal_places[column.name])
        return cells if self._amounts_as_text else values


def _blocks(stream: BinaryIO, size: int) -> Iterator[bytes]:
    """The file's bytes without byte-order marks, each block whole records; the last one gets its line's end."""
    rest, total = b"", after_marks(stream)
    while data := stream.read(BLOCK):
        total += len(data)
        data = rest + data
        end = _end_of_records(data)
        if end:
            yield data[:end]
        rest = data[end:]
        if len(rest) > BLOCK or total > size:
            raise NotPlain
    if rest:
        yield rest if rest.endswith(b"\n") else rest + b"\n"
    if total != size:
        raise NotPlain


def _end_of_records(data: bytes) -> int:
    """Where the last record ends that is whole: at a line's end with an even number of quotes before it."""
    end = data.rfind(b"\n") + 1
    quotes = data.count(b'"', 0, end)
    while quotes % 2:
        before = data.rfind(b"\n", 0, data.rfind(b'"', 0, end)) + 1
        quotes -= data.count(b'"', before, end)
        end = before
    return end
