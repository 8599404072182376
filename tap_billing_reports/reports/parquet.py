"""The bulk lane: the rows of a report file that has been read and checked, once more as typed Parquet.

Targets take some thousand rows a second, whatever the tap sends. A warehouse reads Parquet where it lies. A
period's file holds the columns of the row stream, in the order of its schema, and replaces the one of an
earlier reading. Amounts are decimal128(38, 12): one that does not fit refuses the file, none is rounded.

CSV goes through pyarrow's own reader. What that refuses (`TRUE`, `01.02.2026`, a local time that the clock
skipped) goes through ours, slowly, as XML always does; so both accept the same files, and a refusal names its
row. pyarrow takes some time and 60 MB to import: only a sync that keeps files, where the extra `parquet` is
installed, does so.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from tap_billing_reports.errors import FileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tap_billing_reports.columns import ColumnType
    from tap_billing_reports.reports.due import LocalFile
    from tap_billing_reports.reports.readers import Reader, RowChunk
    from tap_billing_reports.storage import Storage

ROW_NUMBER: Final = "row_number"
DIGITS, DECIMAL_PLACES = 38, 12
BLOCK: Final = 1 << 20  # bytes of CSV at a time; a longer record goes through our reader
LAST_KNOWN_YEAR: Final = 2036  # pyarrow reads no rules for later years
GROUP_BYTES: Final = 32 << 20  # of a row group in memory

_Part = tuple[int, dict[str, Any]]
"""How many rows, and the arrays of the columns that the file has."""


def is_available() -> bool:
    """Whether the extra `parquet` is installed; imports nothing."""
    return find_spec("pyarrow") is not None


@dataclass(frozen=True)
class Layout:
    """What a Parquet file holds.

    Attributes:
        columns: name -> type, in order. What neither the file nor the constants have is null.
        constants: the columns that all rows share.
        zone: IANA name of the zone of `timestamp` columns in the file.
    """

    columns: Mapping[str, ColumnType]
    constants: Mapping[str, Any]
    zone: str


class BulkLane:
    """Writes Parquet beside the report file on disk, then moves it into the storage, whole or not at all."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def path(self, stream: str, account: str, period: str) -> str:
        """Where a period's rows lie, as engines that know Hive's partitions like it."""
        window = period.lower().replace(":", "").replace("-", "") if period[-1:] == "Z" else period
        return self._storage.path("parquet", stream, f"account={account}", f"window={window}", "rows.parquet")

    def keep(
        self,
        path: str,
        file: LocalFile,
        reader: Reader,
        layout: Layout,
        *,
        read_again: Callable[[], Reader],
        pulse: Callable[[], None] = lambda: None,
    ) -> str:
        """The rows of a file, kept at `path`; the URI of that.

        Args:
            path: as `path` gives it.
            file: CSV or XML, on disk.
            reader: has read it to its end.
            layout: what of them.
            read_again: opens another reader of it that gives decimals as text.
            pulse: called between pieces.

        Raises:
            FileError: a value does not fit its column's type, or pyarrow finds other rows than our reader did.
            SyncError: the storage refuses.
        """
        written = file.path.with_name(file.path.name + ".parquet")
        try:
            if file.remote.format != "csv" or not _write_csv(written, file.path, reader, layout, pulse):
                again = read_again()
                _write(written, _chunk_parts(again.chunks(layout.columns), layout), layout, reader.rows, pulse)
            self._storage.keep(written, path)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise FileError(f"its rows cannot be written as Parquet: {reason}") from None
        finally:
            written.unlink(missing_ok=True)
        return self._storage.uri(path)


def _write_csv(written: Path, local: Path, reader: Reader, layout: Layout, pulse: Callable[[], None]) -> bool:
    """Through pyarrow's own reader; False where that refuses what ours has accepted."""
    import pyarrow as pa  # noqa: PLC0415 - see the top

    wanted = [column for column in reader.columns if column.name in layout.columns]
    if not wanted:
        return False  # it would take no columns to mean all
    try:
        _write(written, _csv_parts(local, reader, layout), layout, reader.rows, pulse)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowKeyError):
        return False
    return True


def _write(written: Path, parts: Iterator[_Part], layout: Layout, rows: int, pulse: Callable[[], None]) -> None:
    """All parts, in row groups of about the same size in memory."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    schema = pa.schema([pa.field(name, arrow_type(kind)) for name, kind in layout.columns.items()])
    shared = _constants(layout, schema)
    done, size, held = 0, 0, []
    # The file's own types say it all; what else pyarrow would add keeps its readers from agreeing with others'.
    with pq.ParquetWriter(written, schema, store_schema=False) as writer:
        for count, arrays in parts:
            arrays[ROW_NUMBER] = pa.array(range(done + 1, done + count + 1), pa.int64())
            whole = [arrays[name] if name in arrays else pa.repeat(shared[name], count) for name in schema.names]
            batch = pa.RecordBatch.from_arrays(whole, schema=schema)
            held.append(batch)
            done, size = done + count, size + batch.nbytes
            if size >= GROUP_BYTES:
                writer.write_table(pa.Table.from_batches(held), row_group_size=done)
                size, held = 0, []
            pulse()
        if held:
            writer.write_table(pa.Table.from_batches(held), row_group_size=done)
    if done != rows:
        raise FileError(f"{done} rows for Parquet where {rows} were read")


def arrow_type(kind: ColumnType) -> Any:
    """The type of a column in the file; all instants are UTC."""
    import pyarrow as pa  # noqa: PLC0415

    return {
        "text": pa.string(),
        "integer": pa.int64(),
        "decimal": pa.decimal128(DIGITS, DECIMAL_PLACES),
        "boolean": pa.bool_(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us", "UTC"),
        "timestamp_utc": pa.timestamp("us", "UTC"),
    }[kind]


def _constants(layout: Layout, schema: Any) -> dict[str, Any]:
    """What each column holds where the file has none: the constant, which comes as text, or null."""
    import pyarrow as pa  # noqa: PLC0415

    values = {name: layout.constants.get(name) for name in schema.names}
    return {
        name: pa.scalar(None, schema.field(name).type)
        if value is None
        else pa.scalar(value).cast(schema.field(name).type)
        for name, value in values.items()
    }


# -- CSV -----------------------------------------------------------------------------------------------


def _csv_parts(local: Path, reader: Reader, layout: Layout) -> Iterator[_Part]:
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import csv  # noqa: PLC0415

    # Its handler would take the signals away from ours, which sends a last STATE.
    pa.enable_signal_handlers(False)
    columns = [column for column in reader.columns if column.name in layout.columns]
    # Wall-clock times have no zone yet.
    wall = pa.timestamp("us")
    types = {
        column.header: wall if column.type.startswith("timestamp") else arrow_type(column.type) for column in columns
    }
    stream = csv.open_csv(
        local,
        read_options=csv.ReadOptions(block_size=BLOCK),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=types,
            include_columns=list(types),
            null_values=[""],
            strings_can_be_null=True,
            true_values=["true"],
            false_values=["false"],
        ),
    )
    for batch in stream:
        arrays = {}
        for column in columns:
            array = batch.column(column.header)
            if column.type.startswith("timestamp"):
                array = _instants(array, layout.zone if column.type == "timestamp" else "UTC")
            elif column.type == "decimal":
                # A whole number of 27 digits slips through, into a value that no other reader takes.
                array.validate(full=True)
            arrays[column.name] = array
        yield batch.num_rows, arrays


def _instants(wall: Any, zone: str) -> Any:
    """Wall-clock times as instants, the same as our reader's; ArrowInvalid where that is in doubt."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.compute as pc  # noqa: PLC0415

    latest = pc.max(wall)
    if zone != "UTC" and latest.is_valid and latest.as_py().year > LAST_KNOWN_YEAR:
        raise pa.ArrowInvalid("beyond the time zones that pyarrow knows")
    # Of an hour that occurs twice the first. A time that the clock skipped raises.
    instants = pc.assume_timezone(wall, zone, ambiguous="earliest", nonexistent="raise")
    return instants.cast(arrow_type("timestamp"))


# -- chunks of our reader ------------------------------------------------------------------------------


def _chunk_parts(chunks: Iterator[RowChunk], layout: Layout) -> Iterator[_Part]:
    for rows, columns in chunks:
        arrays = {
            column.name: _array([getattr(row, column.name) for row in rows], column.name, layout, rows[0].row_number)
            for column in (columns if rows else ())
            if column.name in layout.columns
        }
        yield len(rows), arrays


def _array(values: Sequence[Any], name: str, layout: Layout, first: int) -> Any:
    """A column of the rows from `first` on; FileError names the row whose value its type cannot hold."""
    import pyarrow as pa  # noqa: PLC0415

    kind = layout.columns[name]
    try:
        # Numbers and booleans come as such, everything else as text.
        array = pa.array(values, arrow_type(kind) if kind in {"integer", "boolean"} else pa.string())
        array = array.cast(arrow_type(kind))
        array.validate(full=True)
    except (pa.ArrowInvalid, OverflowError, UnicodeEncodeError):
        if len(values) > 1:
            half = len(values) // 2
            _array(values[:half], name, layout, first)
            _array(values[half:], name, layout, first + half)
        raise FileError(
            f"row {first}: the value of column {name!r} does not fit the Parquet type {arrow_type(kind)}, "
            f"and would have to be rounded or cut"
        ) from None
    return array
