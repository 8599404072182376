"""What both readers share: columns of text cells in, chunks of typed rows out, counts and exact sums."""

from __future__ import annotations

import os
from contextlib import contextmanager
from decimal import Decimal, Inexact, localcontext
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import msgspec

from tap_billing_reports.core.columns import EXAMPLES
from tap_billing_reports.core.errors import FileError
from tap_billing_reports.core.money import EXACT
from tap_billing_reports.declare.guarded import mistake
from tap_billing_reports.reports.files.readers import NotPlain, RowChunk
from tap_billing_reports.reports.files.readers.cells import Cells, Convert

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from tap_billing_reports.core.columns import Column, DecimalsAs
    from tap_billing_reports.declare.csv_form import Cells as Written
    from tap_billing_reports.reports.files.readers import Part, Resolve
    from tap_billing_reports.reports.files.readers.tallies import Tally

Source = str | os.PathLike[str] | BinaryIO
ROW_NUMBER: Final = "row_number"
_BOM: Final = b"\xef\xbb\xbf"


@contextmanager
def opened(source: Source) -> Iterator[BinaryIO]:
    """The source from its first byte; a path is closed again, a seekable binary file stays open."""
    if isinstance(source, (str, os.PathLike)):
        with open(source, "rb") as stream:  # noqa: PTH123 - reads str and os.PathLike alike
            yield stream
    else:
        source.seek(0)
        yield source


def after_marks(stream: BinaryIO) -> int:
    """Place a stream that is at its first byte behind its byte-order marks, and say how many bytes those are.

    Some tools write a second one before the first; left in place it would belong to the first column's name.
    """
    found = 0
    while stream.read(len(_BOM)) == _BOM:
        found += len(_BOM)
    stream.seek(found)
    return found


def check_size(source: Source, size: int) -> None:
    """FileError unless the source has exactly the declared number of bytes."""
    with opened(source) as stream:
        found = stream.seek(0, os.SEEK_END)
    if found != size:
        raise FileError(f"the file has {found} bytes where {size} were declared")


def _row_type(names: Iterable[str], constants: Mapping[str, Any]) -> Any:
    """A row's type. Constants are defaults: no row needs to be told them, and all are encoded with it."""
    given = [(ROW_NUMBER, int), *((name, Any) for name in names)]
    same = [(name, Any, value) for name, value in constants.items()]
    return msgspec.defstruct("Row", [*given, *same], gc=False)


class CellFault(Exception):  # noqa: N818 - not an error yet: the reader adds the line and raises FileError
    """A cell that its column's type refuses.

    Attributes:
        row: its place in the block, from 0.
        column: what refused it.
        is_formed: a form of cells is declared for it.
    """

    def __init__(self, row: int, column: Column, *, is_formed: bool = False) -> None:
        form = "in the form that is declared for its cells" if is_formed else f"such as {EXAMPLES.get(column.type, '')}"
        super().__init__(f"column {column.name!r} does not hold a value of type {column.type}, {form}")
        self.row = row
        self.column = column


class Table:
    """Turns blocks of cells into chunks; the layout may grow between blocks."""

    def __init__(
        self,
        *,
        resolve: Resolve,
        zone: str,
        decimals_as: DecimalsAs,
        sum_of: Collection[str],
        tallies: Sequence[Tally] = (),
        forms: Mapping[str, Written] = MappingProxyType({}),
        decimals: Written | None = None,
    ) -> None:
        """`forms`, by header, and `decimals`, for other columns of that type, say how cells are written."""
        self._forms, self._decimals = forms, decimals
        self._place_of: dict[str, int] = {}
        self.cells = Cells(zone=zone, decimals_as=decimals_as)
        self.columns: tuple[Column, ...] = ()
        self.sums: dict[str, Decimal] = {}
        self.rows = 0
        self.zone = zone
        self.places: Sequence[Column | None] = ()
        self._resolve = resolve
        self._sum_of = frozenset(sum_of)
        self._tallies = tallies
        self.told_of: tuple[Tally, ...] = ()
        self._places: list[tuple[int, Column]] = []
        self._emitted: tuple[Column, ...] = ()
        self._work: list[tuple[int, Column, Convert, bool]] = []
        self._constants: Mapping[str, Any] = {}
        self._row: Any = None

    def resolve(self, header: tuple[str, ...]) -> None:
        """Ask what the header's columns are; ValueError for an impossible answer (the caller erred)."""
        answer = self._resolve(header)
        if len(answer) != len(header):
            raise ValueError(f"{len(answer)} columns were resolved for {len(header)} header cells")
        self._places = [(place, column) for place, column in enumerate(answer) if column is not None]
        names = [column.name for _, column in self._places]
        if len({ROW_NUMBER, *names}) <= len(names):
            raise ValueError(f"columns share a name: {sorted(names)}")
        self.places = answer
        self._place_of = {cell: place for place, cell in enumerate(header)}
        self.columns = tuple(column for _, column in self._places)

    def start(self, constants: Mapping[str, Any] | None) -> None:
        """Forget the rows of an earlier pass; the rows of this one carry the constants too."""
        self.rows = 0
        self.sums = {}
        self._constants = constants or {}
        self.start_tallies()

    def start_tallies(self) -> None:
        """Those that the file has the columns for will be told of the rows of a new pass."""
        here = {column.name for column in self.columns}
        for tally in self._tallies:
            tally.start(tuple(name for name in tally.columns if name not in here))
        self.told_of = tuple(tally for tally in self._tallies if not tally.missing)

    @property
    def to_sum(self) -> frozenset[str]:
        """The columns to add up, of those that are here and can be."""
        numbers = {column.name for column in self.columns if column.type in {"decimal", "integer"}}
        return self._sum_of & numbers

    def told(self, rows: int, sums: Mapping[str, Decimal], ambiguous_times: int) -> None:
        """Take over what another way of reading has found."""
        self.rows = rows
        self.sums = dict(sums)
        self.cells.ambiguous_times = ambiguous_times

    def select(self, selected: Collection[str] | None) -> None:
        """Which columns the chunks carry from now on; None for all."""
        emitted = [(place, column) for place, column in self._places if selected is None or column.name in selected]
        to_sum = self.to_sum
        summed = [(place, column) for place, column in self._places if column.name in to_sum]
        for name in to_sum:
            self.sums.setdefault(name, Decimal(0))
        tallied = {name for tally in self.told_of for name in tally.columns}
        also = [(place, column) for place, column in self._places if column.name in to_sum | tallied]
        self._work = [
            (place, column, self.cells.converter(column.type), (place, column) in summed)
            for place, column in [*emitted, *(item for item in also if item not in emitted)]
        ]
        self._emitted = tuple(column for _, column in emitted)
        names = [column.name for column in self._emitted]
        constants = {
            name: value
            for name, value in self._constants.items()
            if name not in {ROW_NUMBER, *names} and (selected is None or name in selected)
        }
        self._row = _row_type(names, constants)

    def convert(self, cells: Sequence[Sequence[str]], count: int) -> RowChunk:
        """A chunk of `count` rows from the block's columns of cells, by place in the header; or CellFault."""
        values = []
        for place, column, convert, summed in self._work:
            form = self._form_of(column)
            try:
                converted = convert(cells[place]) if form is None else self._formed(form, convert, column, place, cells)
            except ValueError:
                if form is not None:
                    raise self._fault_of_form(form, convert, column, place, cells) from None
                raise self._fault(column, convert, cells[place]) from None
            values.append(converted)
            if summed:
                self._add(column, converted)
        first = self.rows + 1
        if self.told_of:
            by_name = {column.name: cells for (_, column, _, _), cells in zip(self._work, values, strict=True)}
            for tally in self.told_of:
                tally.take([by_name[name] for name in tally.columns])
        rows = list(map(self._row, range(first, first + count), *values[: len(self._emitted)]))
        self.rows += count
        return RowChunk(rows, self._emitted)

    def _form_of(self, column: Column) -> Written | None:
        form = self._forms.get(column.header)
        return self._decimals if form is None and column.type == "decimal" else form

    def _formed(
        self, form: Written, convert: Convert, column: Column, place: int, cells: Sequence[Sequence[str]]
    ) -> Sequence[Any]:
        """The values of a column that is written in a form of its own."""

        def other(header: str) -> Sequence[str]:
            if header not in self._place_of:
                raise ValueError(f"the file has no column {header}")
            return cells[self._place_of[header]]

        try:
            plain = form(cells[place], other)
        except ValueError:
            raise
        except Exception as error:
            raise mistake(f"cells of {column.header}", error) from error
        if column.type.startswith("timestamp"):
            # Instants are what the column holds already.
            return [cell or None for cell in plain]
        return convert(plain)

    def _fault_of_form(
        self, form: Written, convert: Convert, column: Column, place: int, cells: Sequence[Sequence[str]]
    ) -> CellFault:
        for row in range(len(cells[place])):
            try:
                self._formed(form, convert, column, place, [each[row : row + 1] for each in cells])
            except ValueError:
                return CellFault(row, column, is_formed=True)
        return CellFault(0, column, is_formed=True)

    @staticmethod
    def _fault(column: Column, convert: Convert, cells: Sequence[str]) -> CellFault:
        for row, cell in enumerate(cells):
            try:
                convert((cell,))
            except ValueError:
                return CellFault(row, column)
        return CellFault(0, column)

    def _add(self, column: Column, values: Sequence[Any]) -> None:
        amounts = [value for value in values if value is not None]
        try:
            with localcontext(EXACT):
                self.sums[column.name] = sum(map(Decimal, amounts), self.sums[column.name])
        except Inexact:
            raise FileError(f"column {column.name!r} cannot be added up exactly") from None


class TableReader:
    """What a reader tells of its table, the same for every format; see `Reader` for the contract."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self.header: tuple[str, ...] = ()
        self.blank_lines = 0
        self.declared_rows: int | None = None
        self.metadata: Mapping[str, str] = {}

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

    def arrays(self, *, amounts_as_text: bool = False) -> Iterator[Part]:  # noqa: ARG002 - see `Reader`
        """See `Reader`: no format has arrays of its own accord."""
        raise NotPlain
