"""Report rows into their tables, as they come from their reader: no message is made of them."""

# ruff: noqa: PLC0415 - pyarrow is not in every installation, and takes time and 60 MB: whoever has arrays imports it

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tap_billing_reports.warehouse.batch import Batch

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from tap_billing_reports.reports.files.readers import ArrayChunk
    from tap_billing_reports.warehouse.columns import Table
    from tap_billing_reports.warehouse.database import ArrayDatabase, Database
    from tap_billing_reports.warehouse.loader import Loader

# About the bytes of a value in a message: a transaction's size is counted in bytes of messages.
VALUE_BYTES: Final = 16
# Values in rows that are held before they go to the database: each way there costs a round trip.
HELD_VALUES: Final = 200_000


@dataclass
class _Rows:
    """Rows of one run that wait for others."""

    table: Table
    shared: dict[str, Any]
    attributes: dict[str, str]
    rows: list[Any] = field(default_factory=list)


class LoadedRows:
    """Takes rows one by one; see `RowSink`.

    The rows of a run are numbered and share the rest of their key. Where the warehouse has no row of that period yet,
    they go straight into the table.
    """

    def __init__(self, loader: Loader, database: Database) -> None:
        self._loader, self._database = loader, database
        self._period: tuple[str, tuple[Any, ...]] | None = None
        self._next = 0  # the number of the row that comes next, where all so far were new
        self._waiting: _Rows | None = None

    def rows(self, stream: str, rows: Sequence[Any], names: Collection[str], constants: Mapping[str, Any]) -> None:
        """Load some rows, now or with those that follow.

        Raises:
            LoadError: the warehouse refuses.
        """
        table = self._loader.table(stream)
        fields, defaults = rows[0].__struct_fields__, rows[0].__struct_defaults__
        # Constants may be in the rows' type already, as defaults.
        own = fields[: len(fields) - len(defaults)]
        attributes = {name: name for name in own if name in names and name in table.names}
        shared = _shared(table, constants, names, attributes)
        waiting = self._waiting
        if waiting is None or (waiting.table, waiting.shared, waiting.attributes) != (table, shared, attributes):
            self.flush()
            waiting = self._waiting = _Rows(table, shared, attributes)
        waiting.rows += rows
        if len(waiting.rows) * len(table.columns) >= HELD_VALUES:
            self.flush()

    def flush(self) -> None:
        """What is held goes to the database."""
        waiting, self._waiting = self._waiting, None
        if waiting is None:
            return
        table = waiting.table
        with self._loader.guarded():  # what is held is lost by any error
            batch = Batch(table, waiting.rows, waiting.attributes, waiting.shared)
            numbering = _numbering(table, waiting.attributes)
            is_new = numbering is not None and self._are_new(table, waiting.shared, batch.values(numbering))
            size = VALUE_BYTES * len(batch.rows) * len(table.columns)
            self._loader.rows(batch, size, new=is_new, proven=True)

    def _are_new(self, table: Table, shared: Mapping[str, Any], numbers: Sequence[int]) -> bool:
        """Whether no row of these keys is in the warehouse, for sure.

        Args:
            table: whose key is what all rows share, and a number.
            shared: what all rows share.
            numbers: of the rows.
        """
        rest = {key: shared[key] for key in table.keys if key in shared}
        period = (table.stream, tuple(rest.values()))
        if numbers[0] == 1:
            self._period = None if self._database.holds(table, rest) else period
            self._next = 1
        if self._period != period or list(numbers) != list(range(self._next, self._next + len(numbers))):
            self._period = None
            return False
        self._next += len(numbers)
        return True


@dataclass
class _Held:
    """Arrays of one run that wait for others."""

    table: Table
    shared: dict[str, Any]
    parts: list[Any] = field(default_factory=list)
    first: int = 1
    count: int = 0
    bytes: int = 0


class LoadedArrays(LoadedRows):
    """Takes arrays as well; see `ArraySink`."""

    def __init__(self, loader: Loader, database: ArrayDatabase) -> None:
        super().__init__(loader, database)
        self._arrays = database
        self.amounts_as_text = database.amounts_as_text
        self._held: _Held | None = None

    def rows(self, stream: str, rows: Sequence[Any], names: Collection[str], constants: Mapping[str, Any]) -> None:
        if self._held is not None:
            self.flush()
        super().rows(stream, rows, names, constants)

    def arrays(self, stream: str, chunk: ArrayChunk, names: Collection[str], constants: Mapping[str, Any]) -> None:
        """Load some rows, now or with those that follow.

        Raises:
            LoadError: the warehouse refuses.
        """
        import pyarrow as pa

        if self._waiting is not None:
            self.flush()
        table = self._loader.table(stream)
        own = {name: array for name, array in chunk.arrays.items() if name in names and name in table.names}
        shared = _shared(table, constants, names, own)
        part = pa.table(own)
        first = own["row_number"][0].as_py() if "row_number" in own else 0
        held = self._held
        if held is not None and (
            held.table is not table
            or held.shared != shared
            or held.parts[0].schema != part.schema
            or first != held.first + held.count
        ):
            self.flush()
            held = None
        if held is None:
            held = self._held = _Held(table, shared, first=first)
        held.parts.append(part)
        held.count += chunk.row_count
        held.bytes += part.nbytes
        if held.bytes >= self._arrays.array_bytes:
            self.flush()

    def flush(self) -> None:
        """What is held goes to the database."""
        super().flush()
        held, self._held = self._held, None
        if held is None:
            return
        import pyarrow as pa

        with self._loader.guarded():
            table, rows = held.table, pa.concat_tables(held.parts)
            numbering = _numbering(table, rows.column_names)
            is_new = numbering == "row_number" and self._are_new(
                table, held.shared, range(held.first, held.first + held.count)
            )
            load = self._arrays.append_arrow if is_new else self._arrays.stage_arrow
            size = VALUE_BYTES * held.count * len(table.columns)
            self._loader.put(table, held.count, size, lambda: load(table, rows, held.shared))


def _shared(table: Table, constants: Mapping[str, Any], names: Collection[str], own: Collection[str]) -> dict[str, Any]:
    """What all rows share, of the columns that may go out."""
    return {
        name: value for name, value in constants.items() if name in names and name not in own and name in table.names
    }


def _numbering(table: Table, own: Collection[str]) -> str | None:
    """The only column of the key in which rows of one run differ; None where that is not so."""
    found = [key for key in table.keys if key in own]
    return found[0] if len(found) == 1 else None
