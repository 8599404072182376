"""The bulk lane: the rows of a report file as typed Parquet, each of them checked as the target's are.

Targets take some thousand rows a second, whatever the tap sends. A warehouse reads Parquet where it lies. A
period's file holds the columns of the row stream, in the order of its schema, and replaces the one of an
earlier reading. Amounts are decimal128(38, 12): one that does not fit refuses the file, none is rounded.

A file that is plainly written comes as arrays, in the one pass that checks it. Any other comes through our
reader's rows, slowly; so both accept the same files, and a refusal names its row. pyarrow takes some time and
60 MB to import: only a sync that keeps files, where the extra `parquet` is installed, does so.
"""

# ruff: noqa: PLC0415 - pyarrow is not in every installation, and takes time and 60 MB: whoever has arrays imports it

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import IO, TYPE_CHECKING, Any, Final

from tap_billing_reports.core.errors import FileError
from tap_billing_reports.reports.files.readers import NotPlain
from tap_billing_reports.reports.files.readers.arrow import arrow_type, decimals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tap_billing_reports.core.columns import ColumnType
    from tap_billing_reports.reports.files.readers import Part, Reader, RowChunk
    from tap_billing_reports.storage.files import Storage

ROW_NUMBER: Final = "row_number"
GROUP_BYTES: Final = 64 << 20  # of a row group in memory


def is_available() -> bool:
    """Whether the extra `parquet` is installed; imports nothing."""
    return find_spec("pyarrow") is not None


@dataclass(frozen=True)
class Layout:
    """What a Parquet file holds.

    Attributes:
        columns: name -> type, in order. What neither the file nor the constants have is null.
        constants: the columns that all rows share, as text; no column of the file has such a name.
    """

    columns: Mapping[str, ColumnType]
    constants: Mapping[str, Any]


class BulkLane:
    """Writes Parquet into the storage, whole or not at all."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def path(self, stream: str, account: str, period: str) -> str:
        """Where a period's rows lie, as engines that know Hive's partitions like it."""
        window = period.lower().replace(":", "").replace("-", "") if period[-1:] == "Z" else period
        return self._storage.path("parquet", stream, f"account={account}", f"window={window}", "rows.parquet")

    def keep_arrays(
        self,
        path: str,
        reader: Reader,
        layout: Layout,
        *,
        rows: int | None = None,
        pulse: Callable[[], None] = lambda: None,
    ) -> str | None:
        """The rows of a file, kept at `path`; the URI of that, None where the reader has no arrays of this file.

        Args:
            path: as `path` gives it.
            reader: knows of the file what `Reader.arrays` tells, once this has ended well.
            layout: what of the rows.
            rows: how many another reader has found, None where none has read the file.
            pulse: called between pieces.

        Raises:
            FileError: the count of rows is another.
            SyncError: the storage refuses.
        """
        try:
            return self._keep(path, reader.arrays(), layout, rows, pulse)
        except NotPlain:
            return None

    def keep_rows(
        self, path: str, reader: Reader, layout: Layout, *, rows: int, pulse: Callable[[], None] = lambda: None
    ) -> str:
        """The same from the reader's rows, whatever the file; `reader` gives decimals as text.

        Raises:
            FileError: also for a value that does not fit its column's type.
            SyncError: the storage refuses.
        """
        return self._keep(path, _chunk_parts(reader.chunks(layout.columns), layout), layout, rows, pulse)

    def _keep(
        self, path: str, parts: Iterator[Part], layout: Layout, rows: int | None, pulse: Callable[[], None]
    ) -> str:
        with self._storage.writing(path) as file:
            done = _write(file, parts, layout, pulse)
            if rows is not None and done != rows:
                raise FileError(f"{done} rows for Parquet where {rows} were read")
        return self._storage.uri(path)


# -- writing -------------------------------------------------------------------------------------------


def _write(file: IO[bytes], parts: Iterator[Part], layout: Layout, pulse: Callable[[], None]) -> int:
    """All parts, in row groups of about the same size in memory; how many rows they were."""
    import pyarrow.parquet as pq

    columns = _Columns(layout)
    done, count, size = 0, 0, 0
    held: list[Part] = []
    # The file's own types say it all; what else pyarrow would add keeps its readers from agreeing with others'.
    # A row's number occurs once: a dictionary of them is of no use.
    repeating = [name for name in layout.columns if name != ROW_NUMBER]
    with pq.ParquetWriter(file, columns.schema, store_schema=False, use_dictionary=repeating) as writer:
        for rows, arrays in parts:
            if rows:
                held.append((rows, arrays))
                count, size = count + rows, size + columns.size(rows, arrays)
            if size >= GROUP_BYTES:
                writer.write_table(columns.table(done, held), row_group_size=count)
                done, count, size, held = done + count, 0, 0, []
            pulse()
        if held:
            writer.write_table(columns.table(done, held), row_group_size=count)
    return done + count


class _Columns:
    """The columns of a Parquet file, whole: the report's, the row's number, and what all rows share."""

    def __init__(self, layout: Layout) -> None:
        import pyarrow as pa

        self._types = {name: arrow_type(kind) for name, kind in layout.columns.items()}
        # One value each. Constants come as text; where neither they nor the file have a column, it is null.
        self._shared = {
            name: pa.array([layout.constants.get(name)], pa.string()).cast(kind) for name, kind in self._types.items()
        }
        for name in set(self._types).intersection(layout.constants):
            if pa.types.is_string(self._types[name]):
                # Written as such, a dictionary of one text costs next to nothing.
                self._shared[name] = self._shared[name].dictionary_encode()
        self.schema = pa.schema(
            [
                (name, self._shared[name].type if name in layout.constants else kind)
                for name, kind in self._types.items()
            ]
        )

    def size(self, rows: int, arrays: Mapping[str, Any]) -> int:
        """About how many bytes a part becomes in memory."""
        own: list[int] = [array.nbytes for name, array in arrays.items() if name in self._types]
        return sum(own) + 8 * rows * (len(self._types) - len(own))

    def table(self, before: int, parts: Sequence[Part]) -> Any:
        """The parts' rows, which follow `before` others."""
        import pyarrow as pa

        count = sum(rows for rows, _ in parts)
        columns = []
        for name in self._types:
            if name == ROW_NUMBER:
                columns.append(row_numbers(before + 1, count))
            elif any(name in arrays for _, arrays in parts):
                columns.append(pa.chunked_array([self._of(part, name) for part in parts]))
            else:
                columns.append(_repeated(self._shared[name], count))
        return pa.Table.from_arrays(columns, schema=self.schema)

    def _of(self, part: Part, name: str) -> Any:
        """A part's column; XML may have it in some parts alone."""
        rows, arrays = part
        return arrays[name] if name in arrays else _repeated(self._shared[name], rows)


def _repeated(one: Any, count: int) -> Any:
    """An array of one value, `count` times."""
    import pyarrow as pa

    if pa.types.is_dictionary(one.type):
        return pa.DictionaryArray.from_arrays(_repeated(one.indices, count), one.dictionary)
    return pa.repeat(one[0], count)


def row_numbers(first: int, count: int) -> Any:
    """The numbers of so many rows, from the `first` on."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.cumulative_sum(pa.repeat(pa.scalar(1, pa.int64()), count), start=first - 1)


# -- chunks of our reader ------------------------------------------------------------------------------


def _chunk_parts(chunks: Iterator[RowChunk], layout: Layout) -> Iterator[Part]:
    for rows, columns in chunks:
        arrays = {
            column.name: _array([getattr(row, column.name) for row in rows], column.name, layout, rows[0].row_number)
            for column in (columns if rows else ())
            if column.name in layout.columns
        }
        yield len(rows), arrays


def _array(values: Sequence[Any], name: str, layout: Layout, first: int) -> Any:
    """A column of the rows from `first` on; FileError names the row whose value its type cannot hold."""
    import pyarrow as pa

    kind = layout.columns[name]
    try:
        if kind == "decimal":
            array = decimals(values)
        else:
            # Numbers and booleans come as such, everything else as text.
            array = pa.array(values, arrow_type(kind) if kind in {"integer", "boolean"} else pa.string())
            array = array.cast(arrow_type(kind))
        array.validate(full=True)
    except (ValueError, OverflowError):
        if len(values) > 1:
            half = len(values) // 2
            _array(values[:half], name, layout, first)
            _array(values[half:], name, layout, first + half)
        raise FileError(
            f"row {first}: the value of column {name!r} does not fit the Parquet type {arrow_type(kind)}, "
            f"and would have to be rounded or cut"
        ) from None
    return array
