"""CSV reports: RFC 4180, UTF-8 with or without byte-order marks, the header in the first record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tap_billing_reports.core.errors import FileError
from tap_billing_reports.core.redaction import clipped
from tap_billing_reports.declare.csv_form import amounts
from tap_billing_reports.reports.files.readers import NotPlain
from tap_billing_reports.reports.files.readers.csv_blocks import PLAIN, Rows, blocks
from tap_billing_reports.reports.files.readers.table import CellFault, Source, Table, TableReader, check_size, opened

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from tap_billing_reports.core.columns import DecimalsAs
    from tap_billing_reports.declare.csv_form import CsvForm
    from tap_billing_reports.reports.files.readers import Part, Resolve, RowChunk
    from tap_billing_reports.reports.files.readers.tallies import Tally

# What else separates cells; a header of one column that holds such a sign is none.
OTHER_DELIMITERS: Final = (";", "\t", "|")
BLOCK: Final = 64 << 10  # bytes; twice as much, and its cells no longer fit the caches


class CsvReader(TableReader):
    """Reads one CSV file; see `Reader` for the contract.

    Args:
        source: a path, or a seekable binary file.
        size: the bytes that the vendor declared; a file of any other size is refused at once.
        resolve: called once, here, with the header.
        zone: IANA name of the zone of `timestamp` columns.
        sum_of: names of the columns to add up.
        decimals_as: `number` gives decimals as Decimal instead of text.
        tallies: are told the rows of each pass.
        block: about how many bytes of the file become one chunk.
        form: how the file is declared to be written; None: nothing is declared.

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
        tallies: Sequence[Tally] = (),
        block: int = BLOCK,
        form: CsvForm | None = None,
    ) -> None:
        check_size(source, size)
        self._source = source
        self._size = size
        self._block = block
        self._form = form or PLAIN
        cells = self._form.cells
        table = Table(
            resolve=resolve,
            zone=zone,
            decimals_as=decimals_as,
            sum_of=sum_of,
            tallies=tallies,
            forms=cells,
            decimals=amounts(decimal_comma=True) if self._form.decimal_comma else None,
        )
        super().__init__(table)
        self.header = self._read_header(is_declared=form is not None)
        self._table.resolve(self.header)
        self._ended_at: int | None = None

    def chunks(
        self, selected: Collection[str] | None = None, constants: Mapping[str, Any] | None = None
    ) -> Iterator[RowChunk]:
        self._table.start(constants)
        self._table.select(selected)
        self._ended_at = None
        self.blank_lines = 0
        with opened(self._source) as stream:
            header_is_next = True
            for line, rows, columns in blocks(
                stream, size=self._size, block=self._block, width=len(self.header), form=self._form
            ):
                first_line = line
                if rows:
                    if header_is_next:
                        header_is_next = False
                        first_line += _lines_of(rows[0])
                        del rows[0]
                    columns = self._columns_of(rows, first_line)  # noqa: PLW2901 - the same, the other way
                elif self._ended_at is not None:
                    raise FileError("a blank line within the file", line=self._ended_at)
                if columns:
                    try:
                        yield self._table.convert(columns, len(columns[0]))
                    except CellFault as fault:
                        line_of_row = _line_of(rows, fault.row, first_line) if rows else line + fault.row
                        raise FileError(str(fault), line=line_of_row) from None

    def arrays(self, *, amounts_as_text: bool = False) -> Iterator[Part]:
        from tap_billing_reports.reports.files.readers.csv_arrow import PlainCsv  # noqa: PLC0415 - for the bulk lane alone

        if not self._form.is_plain:
            raise NotPlain
        table = self._table
        plain = PlainCsv(
            header=self.header,
            places=table.places,
            zone=table.zone,
            sum_of=table.to_sum,
            amounts_as_text=amounts_as_text,
            delimiter=self._form.delimiter,
        )
        table.start_tallies()
        with opened(self._source) as stream:
            for part in plain.parts(stream, self._size):
                for tally in table.told_of:
                    tally.take_arrays([part[1][name] for name in tally.columns])
                yield part
        table.told(plain.rows, plain.sums, plain.ambiguous_times)

    def _read_header(self, *, is_declared: bool) -> tuple[str, ...]:
        with opened(self._source) as stream:
            block = next(blocks(stream, size=self._size, block=self._block, form=self._form), None)
        first = 1 + self._form.skipped_lines
        header = tuple(block.rows[0]) if block else ()
        if not any(header):
            raise FileError("the file has no header", line=first)
        if not all(header):
            raise FileError("the header has a column without a name", line=first)
        if (
            not is_declared
            and len(header) == 1
            and (sign := next((sign for sign in OTHER_DELIMITERS if sign in header[0]), ""))
        ):
            said = f"the header is one column with {sign!r} in it: the file's cells are separated by that sign"
            raise FileError(
                said, line=1, remedy="update the tap: the declaration of the report must name its delimiter"
            )
        repeated = sorted({name for name in header if header.count(name) > 1})
        if repeated:
            raise FileError(f"the header names {clipped(repeated[0], 80)} more than once", line=first)
        return header

    def _columns_of(self, rows: Rows, first_line: int) -> Sequence[Sequence[str]]:
        """The cells by column, none for a block without rows; FileError for a row of another width."""
        width = len(self.header)
        try:
            columns = list(zip(*rows, strict=True))
        except ValueError:
            columns = []
        if len(columns) != width or self._ended_at is not None:
            # Either a bad row, or the blank line that some writers end a file with.
            for place, row in enumerate(rows):
                if not row and width > 1:
                    self._ended_at = self._ended_at or _line_of(rows, place, first_line)
                    self.blank_lines += 1
                elif self._ended_at is not None:
                    raise FileError("a blank line within the file", line=self._ended_at)
                elif len(row) != width:
                    raise FileError(
                        f"{len(row)} cells where the header has {width}", line=_line_of(rows, place, first_line)
                    )
            rows[:] = filter(None, rows)
            columns = list(zip(*rows, strict=True))
        return columns


def _lines_of(row: list[str]) -> int:
    return 1 + sum(cell.count("\n") for cell in row)


def _line_of(rows: Rows, place: int, first_line: int) -> int:
    return first_line + sum(map(_lines_of, rows[:place]))
