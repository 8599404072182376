"""DuckDB: rows go through a staging table and replace those of the same key; new ones go straight in, as Arrow.

A DuckDB table with a PRIMARY KEY loads at a third of the speed, and the file's own lock keeps a second writer out:
so the loader keeps keys unique by itself, and tables have no such constraint.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

import duckdb
import pyarrow as pa

from tap_billing_reports.warehouse.address import Engine
from tap_billing_reports.warehouse.batch import Digits
from tap_billing_reports.warehouse.columns import FIRST_LOADED_AT, ORDER, STATE_TABLE, Kind, Table
from tap_billing_reports.warehouse.database import is_same, listed, quoted, refused
from tap_billing_reports.warehouse.errors import LoadError
from tap_billing_reports.warehouse.sql import SqlDatabase

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_billing_reports.warehouse.address import Address
    from tap_billing_reports.warehouse.batch import Batch

_TYPES: Final = {
    Kind.TEXT: "VARCHAR",
    Kind.INTEGER: "BIGINT",
    Kind.DECIMAL: "DECIMAL(38,12)",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.DATE: "DATE",
    Kind.TIMESTAMP: "TIMESTAMP WITH TIME ZONE",
    Kind.JSON: "JSON",
}
# How many of its 38 digits stand behind the point, in a column of JSON numbers that needs more than the usual 12.
WIDER: Final = (18, 24, 30)
# Of its buffers; what is more goes to files beside the database. With Python and Arrow the process stays under 300 MiB.
MEMORY_MIB: Final = 88
# Each of DuckDB's threads has buffers of its own: with sixteen of them no 96 MiB were enough for two million rows.
THREADS: Final = 2
# What a row that replaces another takes until the transaction's end, and goes to no file.
REPLACED_ROW_BYTES: Final = 24
# Rows that are replaced by one statement: what it joins has to find room beside that.
SLICE_ROWS: Final = 1_000_000
REPLACED: Final = "loader_replaced"  # a temporary table


class DuckDatabase(SqlDatabase):
    """See `ArrayDatabase`."""

    engine = Engine.DUCKDB
    parameter = "?"
    types = _TYPES
    errors = (duckdb.Error, pa.ArrowException, OverflowError)
    wider_types: ClassVar[Mapping[str, Kind]] = {f"DECIMAL(38,{scale})": Kind.DECIMAL for scale in WIDER}
    digits = Digits(26, 12)
    amounts_as_text = False
    # Each statement begins every column anew: 66 of them took up to a tenth more of the processor with 4 MiB at a time.
    array_bytes = 8 << 20

    def __init__(self, address: Address, schema: str) -> None:
        """Open the file, which is made if it is not there, and begin the first transaction.

        Raises:
            LoadError: the file is no database, or another process has it open.
        """
        super().__init__(schema)
        self._staged_rows: dict[str, int] = {}  # how many there are of each staged stream
        self._replaced = 0  # how many staged rows this transaction has moved into their tables
        self._limit = _mib(0)
        try:
            _make(Path(address.target))
            self._con = duckdb.connect(address.target, config={"memory_limit": f"{self._limit}MiB", "threads": THREADS})
        except duckdb.IOException as error:
            if "set lock on file" in str(error):  # its path may be in the text, too
                raise LoadError(
                    f"warehouse {address.shown}: another process has the file open; wait until it has ended: "
                    f"{' '.join(str(error).split())[:300]}"
                ) from None
            raise refused(f"warehouse {address.shown}", error) from None
        except duckdb.Error as error:
            raise refused(f"warehouse {address.shown}", error) from None
        with self._told(f"warehouse {address.shown}"):
            self._run("set timezone = 'UTC'")
            self._run("set enable_progress_bar = false")
            # Rows are found by the name of a variable, whatever stands between its function and the connection.
            self._run("set python_scan_all_frames = true")
            # A file of the schema's own name makes a name of two parts ambiguous.
            self._catalog: str = self._one("select current_database()")
            self._run("begin")
            self._run(f"create schema if not exists {quoted(self._catalog)}.{quoted(schema)}")
            self._run(
                f"create table if not exists {self._of(STATE_TABLE)} "
                f"(job VARCHAR PRIMARY KEY, value VARCHAR NOT NULL, stored_at TIMESTAMPTZ NOT NULL DEFAULT now())"
            )
            self._commit()

    def _of(self, name: str) -> str:
        return f"{quoted(self._catalog)}.{quoted(self._schema)}.{quoted(name)}"

    def _one(self, sql: str, values: Sequence[Any] = ()) -> Any:
        found = self._con.execute(sql, values).fetchall()
        return found[0][0] if found else None

    def _run(self, sql: str, values: Sequence[Any] = ()) -> None:
        # A result that is not fetched to its end keeps the connection busy.
        self._con.execute(sql, values).fetchall()

    def _commit(self) -> None:
        self._run("commit")
        self._replaced = 0
        self._run("begin")

    def _rollback(self) -> None:
        self._run("rollback")
        self._run("begin")

    # -- STATE -----------------------------------------------------------------------------------------

    def states(self) -> list[tuple[str, str]]:
        with self._told("STATE"):
            return self._con.execute(
                f"select job, strftime(stored_at, '%Y-%m-%dT%H:%M:%SZ') from {self._of(STATE_TABLE)} order by job"
            ).fetchall()

    def close(self) -> None:
        self._con.close()

    # -- tables ----------------------------------------------------------------------------------------

    def _check(self, table: Table, *, is_there: bool) -> None:
        _check_capitals(table)
        if is_there:  # no key is kept in a table
            return
        other = self._one(
            "select table_name from duckdb_tables() "
            "where database_name = current_database() and schema_name = ? and lower(table_name) = lower(?)",
            [self._schema, table.stream],
        )
        if other is not None:
            raise LoadError(
                f"stream {table.stream}: DuckDB takes its table for {other!r}, which is there: names differ in "
                f"capitals alone; rename one with the tap's stream_maps, or load into another schema"
            )

    def _columns_of_tables(self) -> list[tuple[str, str, str]]:
        return self._con.execute(
            "select c.table_name, c.column_name, c.data_type from duckdb_columns() c "
            "join duckdb_tables() t using (database_name, schema_name, table_name) "
            "where c.database_name = current_database() and c.schema_name = ? order by c.table_name, c.column_index",
            [self._schema],
        ).fetchall()

    def select(self, sql: str) -> list[tuple[Any, ...]]:
        with self._told("a query"):
            return self._con.execute(sql).fetchall()

    def _types_of(self, stream: str) -> list[tuple[str, str]]:
        return self._con.execute(
            "select column_name, data_type from duckdb_columns() "
            "where database_name = current_database() and schema_name = ? and table_name = ? order by column_index",
            [self._schema, stream],
        ).fetchall()

    def digits_of(self, stream: str, column: str) -> Digits:
        if self._kinds[stream][column] is not Kind.DECIMAL:  # the column holds text by now
            return self.digits
        scale = int(self._sql_types[stream][column].partition(",")[2].rstrip(")"))
        return Digits(38 - scale, scale)

    def make_room(self, stream: str, column: str, decimals: int) -> bool:
        scale = next((one for one in WIDER if one >= decimals), None)
        if scale is None or self._kinds[stream][column] is not Kind.DECIMAL:
            return False
        self._settle_if_staged(stream)
        into, name = self._of(stream), quoted(column)
        with self._told(f"stream {stream}"):
            largest = self._one(f"select max(abs({name})) from {into}")
            if largest is not None and largest >= 10 ** (38 - scale):
                return False
            self._run(f"alter table {into} alter column {name} type DECIMAL(38,{scale})")
            self._sql_types[stream] = dict(self._types_of(stream))
        return True

    # -- rows ------------------------------------------------------------------------------------------

    def stage(self, batch: Batch) -> None:
        self.stage_arrow(batch.table, self._arrow(batch), batch.shared, batch)

    def append(self, batch: Batch) -> None:
        self.append_arrow(batch.table, self._arrow(batch), batch.shared, batch)

    def stage_arrow(self, table: Table, rows: pa.Table, shared: Mapping[str, Any], batch: Batch | None = None) -> None:
        """As `stage`, of an Arrow table that has some of the columns; amounts in it fit their type."""
        if not table.keys:
            self.append_arrow(table, rows, shared, batch)
            return
        stream = table.stream
        stage = self._stage_of(stream)
        with self._told(f"stream {stream}", batch):
            if stream not in self._staged:
                self._run(
                    f"create or replace temp table {stage} as "
                    f"select {listed(table.names)}, 0::BIGINT as {quoted(ORDER)} from {self._of(stream)} limit 0"
                )
                self._staged[stream], self._staged_rows[stream] = table, 0
            before = self._staged_rows[stream]
            self._insert(stage, table, rows, shared, f", {before} + row_number() over () as {quoted(ORDER)}")
            self._staged_rows[stream] = before + rows.num_rows

    def append_arrow(self, table: Table, rows: pa.Table, shared: Mapping[str, Any], batch: Batch | None = None) -> None:
        """As `append`, of an Arrow table that has some of the columns; amounts in it fit their type."""
        with self._told(f"stream {table.stream}", batch):
            self._insert(self._of(table.stream), table, rows, shared, "")

    def _insert(self, into: str, table: Table, rows: pa.Table, shared: Mapping[str, Any], more: str) -> None:
        types = self._sql_types[table.stream]
        own = [*rows.column_names]
        same = [name for name in table.names if name in shared and name not in own]
        # Amounts as text are proven to fit, so that no cast rounds.
        cells = [f"cast({quoted(name)} as {types[name]}) as {quoted(name)}" for name in own]
        cells += [f"cast(? as {types[name]}) as {quoted(name)}" for name in same]
        # By the name of a variable: what is registered is kept until the transaction ends.
        loader_batch = rows  # noqa: F841 - DuckDB finds it by its name
        self._run(
            f"insert into {into} by name select {', '.join(cells)}{more} from loader_batch",
            [shared[name] for name in same],
        )

    def _arrow(self, batch: Batch) -> pa.Table:
        arrays = {}
        with self._told(f"stream {batch.table.stream}", batch):
            for column in batch.table.columns:
                kind = {Kind.INTEGER: pa.int64(), Kind.BOOLEAN: pa.bool_()}.get(column.kind, pa.string())
                if column.name in batch.attributes:
                    arrays[column.name] = pa.array(batch.values(column.name), kind)
        return pa.table(arrays)

    def _settle(self, stream: str) -> None:
        """Move the staged rows into their table, in the place of those with the same keys."""
        table, count = self._staged.pop(stream), self._staged_rows.pop(stream)
        staged, into, keys = self._stage_of(stream), self._of(stream), listed(table.keys)
        names = [name for name in self._kinds[stream] if name in table.names]
        with self._told(f"stream {stream}"):
            self._make_room_for(count)
            # The last column of the key often tells all rows apart, and takes a quarter of the time.
            if all(
                self._one(f"select count(*) from (select distinct {some} from {staged})") < count
                for some in dict.fromkeys((quoted(table.keys[-1]), keys))  # once where that is the whole key
            ):
                # A key twice: the row that came last counts.
                self._run(
                    f"create or replace temp table {staged} as select * from {staged} "
                    f"qualify row_number() over (partition by {keys} order by {quoted(ORDER)} desc) = 1"
                )
            if not self._one(f"select exists (from {into})"):
                self._run(f"insert into {into} by name select {listed(names)} from {staged}")
            elif len(names) < len(self._kinds[stream]):
                self._update(table, names)
            else:
                for first in range(1, count + 1, SLICE_ROWS):
                    self._replace(table, names, f"s.{quoted(ORDER)} between {first} and {first + SLICE_ROWS - 1}")
            self._run(f"drop table {staged}")

    def _make_room_for(self, count: int) -> None:
        self._replaced += count
        # What is in use already cannot be forbidden again, so the limit never falls.
        if (needed := _mib(self._replaced)) > self._limit:
            self._run(f"set memory_limit = '{needed}MiB'")
            self._limit = needed

    def _update(self, table: Table, names: Sequence[str]) -> None:
        """As `_settle`, of a stream that has lost columns: what is in them stays as it is."""
        staged, into, same = self._stage_of(table.stream), self._of(table.stream), is_same(table.keys, "t", "s")
        rest = [name for name in names if name not in table.keys]
        if rest:
            update = ", ".join(f"{quoted(name)} = s.{quoted(name)}" for name in rest)
            self._run(f"update {into} t set {update} from {staged} s where {same}")
        new = f"select {listed(names)} from {staged} s where not exists (select 1 from {into} t where {same})"
        self._run(f"insert into {into} by name {new}")

    def _replace(self, table: Table, names: Sequence[str], chosen: str) -> None:
        """As `_settle`, of the chosen staged rows; each keeps the instant at which its key was first loaded.

        Keys are compared once: from then on a row that is replaced is known by its place.
        """
        staged, into, order = self._stage_of(table.stream), self._of(table.stream), quoted(ORDER)
        first = quoted(FIRST_LOADED_AT)
        seen = f", t.{first}" if table.is_dated else ""
        self._run(
            f"create temp table {REPLACED} as select s.{order}, t.rowid as place{seen} "
            f"from {staged} s join {into} t on {is_same(table.keys, 't', 's')} where {chosen}"
        )
        self._run(f"delete from {into} where rowid in (select place from {REPLACED})")
        dated, joined = self._first_loaded(staged, chosen) if table.is_dated else ("", "")
        source = f"select {listed(names)}{dated} from {staged} s {joined} where {chosen}"
        self._run(f"insert into {into} by name {source}")
        self._run(f"drop table {REPLACED}")

    def _first_loaded(self, staged: str, chosen: str) -> tuple[str, str]:
        """When the chosen staged rows were first loaded: the column, and what has to be joined to them for it."""
        first, order = quoted(FIRST_LOADED_AT), quoted(ORDER)
        is_one_period_again = self._one(
            f"select count(distinct {order}) = (select count(*) from {staged} s where {chosen}) "
            f"and min({first}) = max({first}) from {REPLACED}"
        )
        if is_one_period_again:  # all of it was there, and came at once: no join, which takes a tenth more
            return f", (select min({first}) from {REPLACED}) as {first}", ""
        seen = f"select {order}, min({first}) as {first} from {REPLACED} group by {order}"
        return f", coalesce(r.{first}, now()) as {first}", f"left join ({seen}) r using ({order})"


def _mib(replaced: int) -> int:
    """How much memory a transaction may take that replaces so many rows."""
    return MEMORY_MIB + (replaced * REPLACED_ROW_BYTES >> 20)


def _make(path: Path) -> None:
    """Make a new database, which appears whole: one that a crash has left half made could never be opened again."""
    if path.exists() and path.stat().st_size:
        return
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        duckdb.connect(str(fresh)).close()
        path.unlink(missing_ok=True)
        try:
            os.link(fresh, path)
        except FileExistsError:  # another loader was faster
            return
        except OSError:  # not every file system has links
            fresh.rename(path)
    finally:
        fresh.unlink(missing_ok=True)


def _check_capitals(table: Table) -> None:
    seen: dict[str, str] = {}
    for name in table.names:
        other = seen.setdefault(name.lower(), name)
        if other != name:
            raise LoadError(
                f"stream {table.stream}: the columns {other!r} and {name!r} are one and the same to DuckDB; rename one "
                f"with the tap's stream_maps"
            )
