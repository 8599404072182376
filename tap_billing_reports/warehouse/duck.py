"""DuckDB: rows go through a staging table and replace those of the same key; new ones go straight in, as Arrow.

A DuckDB table with a PRIMARY KEY loads at a third of the speed, and the file's own lock keeps a second writer out:
so the loader keeps keys unique by itself, and tables have no such constraint.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb
import pyarrow as pa

from tap_billing_reports.warehouse.batch import Digits, why_refused
from tap_billing_reports.warehouse.columns import DELETED_AT, ORDER, STATE_TABLE, VERSION, Kind, Table
from tap_billing_reports.warehouse.database import changes, is_same, kind_of_type, listed, quoted, refused
from tap_billing_reports.warehouse.errors import LoadError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
_KINDS: Final = {name: kind for kind, name in _TYPES.items()}
# Of its buffers; what is more goes to files beside the database. With Python and Arrow the process stays under 300 MiB.
MEMORY_LIMIT: Final = "96MiB"


class DuckDatabase:
    """See `Database`."""

    digits = Digits(26, 12)
    amounts_as_text = False

    def __init__(self, address: Address, schema: str) -> None:
        """Open the file, which is made if it is not there, and begin the first transaction.

        Raises:
            LoadError: the file is no database, or another process has it open.
        """
        self._schema = schema
        self._staged: dict[str, tuple[Table, int]] = {}  # the columns, and how many rows so far
        self._kinds: dict[str, dict[str, Kind]] = {}
        try:
            _make(Path(address.target))
            self._con = duckdb.connect(address.target, config={"memory_limit": MEMORY_LIMIT})
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
            self._run("commit")
            self._run("begin")

    def _of(self, name: str) -> str:
        return f"{quoted(self._catalog)}.{quoted(self._schema)}.{quoted(name)}"

    def _stage_of(self, stream: str) -> str:
        return quoted(f"loader_stage_{list(self._kinds).index(stream)}")

    @contextmanager
    def _told(self, what: str, batch: Batch | None = None) -> Iterator[None]:
        """Its errors are ours, in one line; of a batch, with the row whose value is at fault."""
        try:
            yield
        except (duckdb.Error, pa.ArrowException, OverflowError) as error:
            misfit = None if batch is None else why_refused(batch)
            raise misfit or refused(what, error) from None

    def _one(self, sql: str, values: Any = ()) -> Any:
        found = self._con.execute(sql, values).fetchall()
        return found[0][0] if found else None

    def _run(self, sql: str, values: Any = ()) -> None:
        # A result that is not fetched to its end keeps the connection busy.
        self._con.execute(sql, values).fetchall()

    # -- STATE -----------------------------------------------------------------------------------------

    def state(self, job: str) -> str | None:
        with self._told("STATE"):
            found: str | None = self._one(f"select value from {self._of(STATE_TABLE)} where job = ?", [job])
            return found

    def states(self) -> list[tuple[str, str]]:
        with self._told("STATE"):
            return self._con.execute(
                f"select job, strftime(stored_at, '%Y-%m-%dT%H:%M:%SZ') from {self._of(STATE_TABLE)} order by job"
            ).fetchall()

    def commit(self, job: str, state: str | None) -> None:
        for stream in list(self._staged):
            self._settle(stream)
        with self._told("the end of a transaction"):
            if state is not None:
                self._run(
                    f"insert or replace into {self._of(STATE_TABLE)} (job, value, stored_at) values (?, ?, now())",
                    [job, state],
                )
            self._run("commit")
            self._run("begin")

    def reset(self, job: str) -> None:
        with self._told("STATE"):
            self._run(f"delete from {self._of(STATE_TABLE)} where job = ?", [job])
            self._run("commit")
            self._run("begin")

    def close(self) -> None:
        self._con.close()

    # -- tables ----------------------------------------------------------------------------------------

    def prepare(self, table: Table) -> None:
        stream = table.stream
        _check_capitals(table)
        if stream in self._staged:  # these rows have the columns from before
            self._settle(stream)
        with self._told(f"stream {stream}"):
            there = self._columns(stream)
            if not there:
                columns = ", ".join(f"{quoted(one.name)} {_TYPES[one.kind]}" for one in table.columns)
                self._run(f"create table {self._of(stream)} ({columns})")
            else:
                added, widened = changes(table, there)
                for name, kind in added:
                    self._run(f"alter table {self._of(stream)} add column {quoted(name)} {_TYPES[kind]}")
                for name, kind in widened:
                    self._run(f"alter table {self._of(stream)} alter column {quoted(name)} type {_TYPES[kind]}")
            self._kinds[stream] = self._columns(stream)

    def _columns(self, stream: str) -> dict[str, Kind]:
        found = self._con.execute(
            "select column_name, data_type from duckdb_columns() "
            "where database_name = current_database() and schema_name = ? and table_name = ? order by column_index",
            [self._schema, stream],
        ).fetchall()
        return {name: kind_of_type(stream, name, sql_type, _KINDS) for name, sql_type in found}

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
                self._staged[stream] = table, 0
            before = self._staged[stream][1]
            self._insert(stage, table, rows, shared, f", {before} + row_number() over () as {quoted(ORDER)}")
            self._staged[stream] = table, before + rows.num_rows

    def append_arrow(self, table: Table, rows: pa.Table, shared: Mapping[str, Any], batch: Batch | None = None) -> None:
        """As `append`, of an Arrow table that has some of the columns; amounts in it fit their type."""
        with self._told(f"stream {table.stream}", batch):
            self._insert(self._of(table.stream), table, rows, shared, "")

    def _insert(self, into: str, table: Table, rows: pa.Table, shared: Mapping[str, Any], more: str) -> None:
        kinds = self._kinds[table.stream]
        own = [*rows.column_names]
        same = [name for name in table.names if name in shared and name not in own]
        # Amounts as text are proven to fit, so that no cast rounds.
        cells = [f"cast({quoted(name)} as {_TYPES[kinds[name]]}) as {quoted(name)}" for name in own]
        cells += [f"cast(? as {_TYPES[kinds[name]]}) as {quoted(name)}" for name in same]
        # By the name of a variable: what is registered is kept until the transaction ends.
        loader_batch = rows  # noqa: F841 - DuckDB finds it by its name
        self._con.execute(
            f"insert into {into} by name select {', '.join(cells)}{more} from loader_batch",
            [shared[name] for name in same],
        ).fetchall()

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
        table, count = self._staged.pop(stream)
        staged, into, keys = self._stage_of(stream), self._of(stream), listed(table.keys)
        names = [name for name in self._kinds[stream] if name in table.names]
        with self._told(f"stream {stream}"):
            if self._one(f"select count(*) from (select distinct {keys} from {staged})") < count:
                # A key twice: the row that came last counts.
                self._run(
                    f"create or replace temp table {staged} as select * from {staged} "
                    f"qualify row_number() over (partition by {keys} order by {quoted(ORDER)} desc) = 1"
                )
            same = is_same(table.keys, "t", "s")
            source = f"select {listed(names)} from {staged} s"
            if self._one(f"select exists (from {into})"):
                if len(names) < len(self._kinds[stream]):
                    # What the stream does not have any more stays as it is.
                    rest = [name for name in names if name not in table.keys]
                    if rest:
                        update = ", ".join(f"{quoted(name)} = s.{quoted(name)}" for name in rest)
                        self._run(f"update {into} t set {update} from {staged} s where {same}")
                    source += f" where not exists (select 1 from {into} t where {same})"
                else:
                    self._run(f"delete from {into} t using {staged} s where {same}")
            self._run(f"insert into {into} by name {source}")
            self._run(f"drop table {staged}")

    def holds(self, table: Table, shared: Mapping[str, Any]) -> bool:
        where = " and ".join(f"{quoted(name)} = ?" for name in shared)
        values = list(shared.values())
        sources = [self._of(table.stream)]
        if table.stream in self._staged:
            sources.append(self._stage_of(table.stream))
        with self._told(f"stream {table.stream}"):
            return any(self._one(f"select exists (from {source} where {where})", values) for source in sources)

    def expire(self, table: Table, version: int, *, hard: bool) -> None:
        stream = table.stream
        if stream in self._staged:
            self._settle(stream)
        older = f"({quoted(VERSION)} < ? or {quoted(VERSION)} is null)"
        with self._told(f"stream {stream}"):
            if hard or not table.keys:
                self._run(f"delete from {self._of(stream)} where {older}", [version])
            else:
                self._run(
                    f"update {self._of(stream)} set {quoted(DELETED_AT)} = now() "
                    f"where {older} and {quoted(DELETED_AT)} is null",
                    [version],
                )

    def purge(self, table: Table) -> None:
        if table.stream in self._staged:
            self._settle(table.stream)
        with self._told(f"stream {table.stream}"):
            self._run(f"delete from {self._of(table.stream)} where {quoted(DELETED_AT)} is not null")


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
