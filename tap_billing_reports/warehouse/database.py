"""What the loader asks of a database, and the SQL that both systems have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from tap_billing_reports.core.redaction import sentence
from tap_billing_reports.warehouse.columns import Kind, Table, held_as
from tap_billing_reports.warehouse.errors import LoadError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_billing_reports.warehouse.address import Engine
    from tap_billing_reports.warehouse.batch import Batch, Digits


@dataclass(frozen=True)
class SyncEnd:
    """How a sync has ended for one source.

    Attributes:
        is_whole: nothing of the source failed.
        is_emulated: an emulator has answered for it: its data are invented.
    """

    is_whole: bool
    is_emulated: bool = False


class Database(Protocol):
    """One connection, whose open transaction holds all that was loaded since the last commit.

    Every method raises LoadError when the database refuses; the transaction is lost then, and nothing of it stays.

    Attributes:
        engine: which database system it is.
        digits: that an amount has room for in every column.
    """

    engine: Engine
    digits: Digits

    def digits_of(self, stream: str, column: str) -> Digits:
        """See `Room`: of a column of a stream that is prepared."""
        ...

    def make_room(self, stream: str, column: str, decimals: int) -> bool:
        """See `Room`."""
        ...

    def state(self, job: str) -> str | None:
        """The STATE of the last commit as JSON text; None if there was none."""
        ...

    def states(self) -> list[tuple[str, str]]:
        """Each job that has a STATE, and when that was stored (ISO 8601, UTC)."""
        ...

    def prepare(self, table: Table) -> None:
        """Make the stream's table, or make it fit: columns are added and widened, none is dropped."""
        ...

    def stage(self, batch: Batch) -> None:
        """Load rows that may be there already: of one key, the last one counts."""
        ...

    def append(self, batch: Batch) -> None:
        """Load rows whose keys are not in the table, nor twice in the batch: see `holds`."""
        ...

    def holds(self, table: Table, shared: Mapping[str, Any]) -> bool:
        """Whether there is any row with these values, in the open transaction included."""
        ...

    def expire(self, table: Table, version: int, *, hard: bool) -> None:
        """Mark or delete the rows of older versions of a stream."""
        ...

    def purge(self, table: Table) -> None:
        """Delete the rows that are marked as deleted."""
        ...

    def commit(self, job: str, state: str | None) -> None:
        """End the transaction: all rows since the last commit are there for good, and the STATE with them."""
        ...

    def reset(self, job: str) -> None:
        """Forget a job's STATE, and how its syncs ended, and commit."""
        ...

    def note_sync(self, job: str, ends: Mapping[str, SyncEnd]) -> None:
        """Note how a sync of the job has ended just now, by source. What was not committed before is taken back."""
        ...

    def tables(self) -> dict[str, dict[str, str]]:
        """Each table of the schema: its columns with their types, as the database names them. Views are none."""
        ...

    def select(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a query with few of them."""
        ...

    def replace_views(self, views: Mapping[str, str]) -> None:
        """Make these views in the schema, each of a SELECT, in this order, and commit: all of them or none."""
        ...

    def close(self) -> None:
        """Give the connection back; what was not committed leaves no trace. Never raises."""
        ...


@runtime_checkable
class ArrayDatabase(Database, Protocol):
    """One that takes rows as Arrow tables, whose amounts are proven to fit their type.

    Attributes:
        amounts_as_text: it wants amounts with the digits as they were written; otherwise as decimal128(38, 12).
        array_bytes: of Arrow tables that are best loaded at once.
    """

    amounts_as_text: bool
    array_bytes: int

    def stage_arrow(self, table: Table, rows: Any, shared: Mapping[str, Any]) -> None:
        """As `stage`; `rows` is a `pyarrow.Table` with some of the columns, `shared` what all rows have."""
        ...

    def append_arrow(self, table: Table, rows: Any, shared: Mapping[str, Any]) -> None:
        """As `append`, likewise."""
        ...


def quoted(name: str) -> str:
    """An identifier in SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text in SQL."""
    return "'" + text.replace("'", "''") + "'"


def listed(names: Iterable[str]) -> str:
    """Identifiers in SQL, with commas."""
    return ", ".join(map(quoted, names))


def is_same(keys: Iterable[str], one: str, other: str) -> str:
    """The condition that two rows have one key."""
    return " and ".join(f"{one}.{quoted(key)} = {other}.{quoted(key)}" for key in keys)


def changes(table: Table, there: Mapping[str, Kind]) -> tuple[list[tuple[str, Kind]], list[tuple[str, Kind]]]:
    """What makes a table that is there fit its stream.

    Args:
        table: as the stream declares it.
        there: the columns of the table in the warehouse.

    Returns:
        The columns to add, and those that get a wider kind.

    Raises:
        LoadError: a column cannot hold both.
    """
    added, widened = [], []
    for column in table.columns:
        held = there.get(column.name)
        if held is None:
            added.append((column.name, column.kind))
        elif (wider := held_as(table.stream, column, held)) is not held:
            widened.append((column.name, wider))
    return added, widened


def kind_of_type(table: str, column: str, sql_type: str, kinds: Mapping[str, Kind]) -> Kind:
    """The kind of a column that is there.

    Raises:
        LoadError: no loader of ours makes columns of this type.
    """
    found = kinds.get(sql_type)
    if found is None:
        raise LoadError(
            f"stream {table}: the table that is there has a column {column!r} of type {sql_type}, which this loader "
            f"does not make; load into another schema, or rename that table"
        )
    return found


def refused(what: str, error: Exception, *, is_loading: bool = True) -> LoadError:
    """The database's own words, in one line; and what a loader must know."""
    said = sentence(" ".join(str(error).split()), 300)
    loaded = "; nothing behind the last STATE was loaded" if is_loading else ""
    return LoadError(f"{what}: the warehouse refused: {said}{loaded}")
