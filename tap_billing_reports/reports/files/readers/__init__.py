"""File readers: a downloaded report becomes typed rows in chunks, exactly, or is refused with its line.

The contract that every reader keeps stands here; `csv.py` and `xml.py` read, `table.py` and `cells.py` are
what they share, `plain_csv.py` is CSV for the bulk lane. Readers know no vendor: the caller's `resolve` says which
header is which column.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from decimal import Decimal

    from tap_billing_reports.core.columns import Column

Part = tuple[int, dict[str, Any]]
"""Some rows by column: how many, and the Arrow array of each column's name."""

Resolve = Callable[[tuple[str, ...]], "Sequence[Column | None]"]
"""Called with the header as written, again whenever it has grown: the column of each header cell, None to
leave it out. Headers seen before must resolve as they did before."""


class NotPlain(Exception):  # noqa: N818 - no error: the same rows are to be had from `chunks`
    """The file cannot be read as arrays; `Reader.chunks` says what it holds, or why it is refused."""


class RowChunk(NamedTuple):
    """Some rows, in file order.

    Attributes:
        rows: `msgspec.Struct`s with the fields `row_number` (from 1), the names of `columns`, and constants.
        columns: the columns in these rows. The same tuple object as long as nothing has changed.
    """

    rows: Sequence[Any]
    columns: tuple[Column, ...]


class ArrayChunk(NamedTuple):
    """Some rows by column, in file order.

    Attributes:
        row_count: how many rows.
        arrays: the Arrow array of each column's name, `row_number` with them.
        columns: the file's columns in these rows.
    """

    row_count: int
    arrays: dict[str, Any]
    columns: tuple[Column, ...]


class Reader(Protocol):
    """What is read from a report file, and what is known about the file once it has been read to the end.

    Attributes:
        header: as written, in file order; XML: as far as it has been seen.
        columns: the columns that `resolve` gave, without those left out.
        rows: how many rows have been read.
        sums: column name to exact total, for those of `sum_of` that are decimal or integer columns here.
        ambiguous_times: cells with a local time that occurred twice (the first occurrence is taken).
        nonexistent_times: cells with a local time that the clock skipped.
        blank_lines: lines without any content, which are no rows.
        declared_rows: the number of rows that the file itself claims, None when it claims none.
        metadata: name to text, what the file says about itself.
    """

    @property
    def header(self) -> tuple[str, ...]: ...
    @property
    def blank_lines(self) -> int: ...
    @property
    def declared_rows(self) -> int | None: ...
    @property
    def metadata(self) -> Mapping[str, str]: ...
    @property
    def columns(self) -> tuple[Column, ...]: ...
    @property
    def rows(self) -> int: ...
    @property
    def sums(self) -> Mapping[str, Decimal]: ...
    @property
    def ambiguous_times(self) -> int: ...
    @property
    def nonexistent_times(self) -> int: ...

    def chunks(
        self, selected: Collection[str] | None = None, constants: Mapping[str, Any] | None = None
    ) -> Iterator[RowChunk]:
        """Read from the start; FileError for whatever is not exactly right.

        Args:
            selected: names of the columns that rows shall carry, None for all. It is asked again when the
                header grows, so a caller may add to its own set in `resolve`. Of the other columns only
                those to be summed are converted.
            constants: fields to add to every row, those of them that are selected; a column of the same name
                wins. Here they cost the emitter less than when it adds them itself.
        """
        ...

    def arrays(self, *, amounts_as_text: bool = False) -> Iterator[Part]:
        """The same rows, all columns of them, as Arrow arrays at the speed of pyarrow (the extra `parquet`).

        With `amounts_as_text`, decimal columns are text, with the digits as the file has them.

        Exhausted, it has told of the file what reading all its `chunks` would have told.

        Raises:
            NotPlain: at once or in the middle, for whatever is not surely the same; nothing has been told then.
        """
        ...
