"""PostgreSQL: COPY straight into the table; where a key is there already, by way of a staging table."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

import psycopg

from tap_billing_reports.warehouse.batch import Digits, why_refused
from tap_billing_reports.warehouse.columns import DELETED_AT, STATE_TABLE, VERSION, Kind, Table
from tap_billing_reports.warehouse.database import changes, kind_of_type, listed, quoted, refused
from tap_billing_reports.warehouse.errors import LoadError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tap_billing_reports.warehouse.address import Address
    from tap_billing_reports.warehouse.batch import Batch

_TYPES: Final = {
    Kind.TEXT: "text",
    Kind.INTEGER: "bigint",
    Kind.DECIMAL: "numeric",
    Kind.BOOLEAN: "boolean",
    Kind.DATE: "date",
    Kind.TIMESTAMP: "timestamp with time zone",
    Kind.JSON: "jsonb",
}
_KINDS: Final = {name: kind for kind, name in _TYPES.items()}
# Before this many seconds without an answer the server is not held to be gone.
CONNECT_SECONDS: Final = 30
# Rows of Arrow that are written out at a time: their text is some megabytes.
COPY_ROWS: Final = 20_000


class PostgresDatabase:
    """See `Database`."""

    digits = Digits(None, None)
    amounts_as_text = True

    def __init__(self, address: Address, schema: str) -> None:
        """Connect, make the schema, and take the lock that keeps a second loader out.

        Raises:
            LoadError: the server refuses, or another loader is at work.
        """
        self._schema, self._shown = schema, address.shown
        # Tables whose keys were met again since the last commit: their rows wait in a table of their own.
        self._staged: dict[str, Table] = {}
        self._kinds: dict[str, dict[str, Kind]] = {}
        with self._told(f"warehouse {address.shown}"):
            self._con = psycopg.connect(
                address.target,
                connect_timeout=CONNECT_SECONDS,
                application_name="billing-reports",
                options="-c timezone=UTC -c client_encoding=UTF8",
            )
            self._lock()
            self._con.execute(f"create schema if not exists {quoted(schema)}")
            self._con.execute(
                f"create table if not exists {self._of(STATE_TABLE)} "
                f"(job text primary key, value text not null, stored_at timestamptz not null default now())"
            )
            self._con.commit()

    def _lock(self) -> None:
        """The lock goes with the connection, however that ends."""
        name = f"billing-reports.{self._schema}"
        free = self._con.execute("select pg_try_advisory_lock(hashtextextended(%s, 0))", [name]).fetchone()
        if free and free[0]:
            return
        holder = self._con.execute(
            "select a.pid, coalesce(a.client_addr::text, 'a local socket'), a.backend_start::timestamptz(0)::text "
            "from pg_locks l join pg_stat_activity a using (pid) "
            "where l.locktype = 'advisory' and l.granted "
            "and (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended(%s, 0)",
            [name],
        ).fetchone()
        who = "" if holder is None else f" (server process {holder[0]}, from {holder[1]}, since {holder[2]})"
        self._con.close()
        raise LoadError(
            f"warehouse {self._shown}: another loader is at work in the schema {self._schema!r}{who}; wait until it "
            f"has ended"
        )

    def _of(self, name: str) -> str:
        return f"{quoted(self._schema)}.{quoted(name)}"

    def _stage_of(self, stream: str) -> str:
        # A number of its own: a stream's name may fill the length of a name already.
        return quoted(f"loader_stage_{list(self._kinds).index(stream)}")

    @contextmanager
    def _told(self, what: str, batch: Batch | None = None) -> Iterator[None]:
        """Its errors are ours, in one line; of a batch, with the row whose value is at fault."""
        try:
            yield
        except psycopg.Error as error:
            misfit = None if batch is None else why_refused(batch)
            raise misfit or refused(what, error) from None

    # -- STATE -----------------------------------------------------------------------------------------

    def state(self, job: str) -> str | None:
        with self._told("STATE"):
            found = self._con.execute(f"select value from {self._of(STATE_TABLE)} where job = %s", [job]).fetchone()
            return None if found is None else found[0]

    def states(self) -> list[tuple[str, str]]:
        with self._told("STATE"):
            return self._con.execute(
                f"select job, to_char(stored_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') "
                f"from {self._of(STATE_TABLE)} order by job"
            ).fetchall()

    def commit(self, job: str, state: str | None) -> None:
        for stream in list(self._staged):
            self._settle(stream)
        with self._told("the end of a transaction"):
            if state is not None:
                self._con.execute(
                    f"insert into {self._of(STATE_TABLE)} (job, value) values (%s, %s) "
                    f"on conflict (job) do update set value = excluded.value, stored_at = now()",
                    [job, state],
                )
            # The server answers COMMIT of a transaction that has failed without an error, and takes it back.
            self._con.execute("select 1")
            self._con.commit()

    def reset(self, job: str) -> None:
        with self._told("STATE"):
            self._con.execute(f"delete from {self._of(STATE_TABLE)} where job = %s", [job])
            self._con.commit()

    def close(self) -> None:
        # The server ends a session some time after its connection: whoever comes next must not meet its lock.
        with suppress(psycopg.Error):
            self._con.rollback()
            self._con.execute("select pg_advisory_unlock_all()")
        self._con.close()

    # -- tables ----------------------------------------------------------------------------------------

    def prepare(self, table: Table) -> None:
        stream = table.stream
        if stream in self._staged:  # these rows have the columns from before
            self._settle(stream)
        with self._told(f"stream {stream}"):
            there = self._columns(stream)
            if not there:
                columns = ", ".join(f"{quoted(one.name)} {_TYPES[one.kind]}" for one in table.columns)
                key = f", primary key ({listed(table.keys)})" if table.keys else ""
                self._con.execute(f"create table {self._of(stream)} ({columns}{key})")
            else:
                self._check_key(table)
                added, widened = changes(table, there)
                for name, kind in added:
                    self._con.execute(f"alter table {self._of(stream)} add column {quoted(name)} {_TYPES[kind]}")
                for name, kind in widened:
                    self._con.execute(
                        f"alter table {self._of(stream)} alter column {quoted(name)} type {_TYPES[kind]} "
                        f"using {quoted(name)}::{_TYPES[kind]}"
                    )
            self._kinds[stream] = self._columns(stream)

    def _columns(self, stream: str) -> dict[str, Kind]:
        found = self._con.execute(
            "select attname, format_type(atttypid, atttypmod) from pg_attribute "
            "where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped",
            [self._of(stream)],
        )
        return {name: kind_of_type(stream, name, sql_type, _KINDS) for name, sql_type in found}

    def _check_key(self, table: Table) -> None:
        found = self._con.execute(
            "select attname from pg_index join pg_attribute on attrelid = indrelid and attnum = any(indkey) "
            "where indrelid = to_regclass(%s) and indisprimary",
            [self._of(table.stream)],
        )
        held = {name for (name,) in found}
        if held != {*table.keys}:
            raise LoadError(
                f"stream {table.stream}: the table that is there has the key ({', '.join(sorted(held)) or 'none'}), "
                f"the stream has ({', '.join(table.keys) or 'none'}); load into another schema, or rename that table"
            )

    # -- rows ------------------------------------------------------------------------------------------

    def stage(self, batch: Batch) -> None:
        table = batch.table
        if not table.keys:
            self._copy(batch, self._of(table.stream))
            return
        if table.stream not in self._staged:
            try:  # most rows are new: the table itself tells whether they are
                with self._told(f"stream {table.stream}", batch), self._con.transaction():
                    self._copy_rows(batch, self._of(table.stream))
            except _KeyIsThere:
                self._open_stage(table)
            else:
                return
        self._copy(batch, self._stage_of(table.stream))

    def append(self, batch: Batch) -> None:
        self._copy(batch, self._of(batch.table.stream))

    def stage_arrow(self, table: Table, rows: Any, shared: Mapping[str, Any]) -> None:
        """See `ArrayDatabase`."""
        if table.keys and table.stream not in self._staged:
            self._open_stage(table)
        self._copy_arrow(table, rows, shared, self._stage_of(table.stream) if table.keys else self._of(table.stream))

    def append_arrow(self, table: Table, rows: Any, shared: Mapping[str, Any]) -> None:
        """See `ArrayDatabase`."""
        self._copy_arrow(table, rows, shared, self._of(table.stream))

    def _copy_arrow(self, table: Table, rows: Any, shared: Mapping[str, Any], into: str) -> None:
        import pyarrow as pa  # noqa: PLC0415 - not in every installation
        from pyarrow import csv  # noqa: PLC0415

        same = [name for name in table.names if name in shared and name not in rows.column_names]
        for name in same:
            value = None if shared[name] is None else str(shared[name])
            rows = rows.append_column(name, pa.repeat(pa.scalar(value, pa.string()), rows.num_rows))
        # Texts are quoted, nulls are not: so an empty text stays one.
        options = csv.WriteOptions(include_header=False, quoting_style="needed")
        with (
            self._told(f"stream {table.stream}"),
            self._con.cursor().copy(f"copy {into} ({listed(rows.column_names)}) from stdin (format csv)") as copy,
        ):
            for batch in rows.to_batches(COPY_ROWS):
                buffer = pa.BufferOutputStream()
                csv.write_csv(batch, buffer, options)
                copy.write(memoryview(buffer.getvalue()))

    def _open_stage(self, table: Table) -> None:
        with self._told(f"stream {table.stream}"):
            self._con.execute(
                f"create temp table {self._stage_of(table.stream)} (like {self._of(table.stream)}) on commit drop"
            )
        self._staged[table.stream] = table

    def _copy(self, batch: Batch, into: str) -> None:
        with self._told(f"stream {batch.table.stream}", batch):
            try:
                self._copy_rows(batch, into)
            except _KeyIsThere:
                raise LoadError(
                    f"stream {batch.table.stream}: the table has a row already that may be there only once; drop the "
                    f"unique index that is not the loader's, or load into another schema"
                ) from None

    def _copy_rows(self, batch: Batch, into: str) -> None:
        own = [column.name for column in batch.table.columns if column.name in batch.attributes]
        same = [name for name in batch.table.names if name in batch.shared and name not in batch.attributes]
        kinds = self._kinds[batch.table.stream]
        row = _row_of([batch.attributes[name] for name in own])
        shared = tuple(batch.shared[name] for name in same)
        written = [place for place, name in enumerate(own) if kinds[name] is Kind.TEXT and _is_boolean(batch, name)]
        if written:
            row = _with_words(row, written)
        try:
            with self._con.cursor().copy(f"copy {into} ({listed([*own, *same])}) from stdin") as copy:
                write = copy.write_row
                for one in batch.rows:
                    write(row(one) + shared)
        except psycopg.errors.UniqueViolation:
            raise _KeyIsThere from None

    def _settle(self, stream: str) -> None:
        """Move the staged rows into their table."""
        table = self._staged.pop(stream)
        staged, into = self._stage_of(stream), self._of(stream)
        names = [name for name in self._kinds[stream] if name in table.names]
        rest = [name for name in names if name not in table.keys]
        update = ", ".join(f"{quoted(name)} = excluded.{quoted(name)}" for name in rest)
        action = f"do update set {update}" if rest else "do nothing"

        def insert(distinct: str, order: str) -> str:
            return (
                f"insert into {into} ({listed(names)}) select {distinct} {listed(names)} from {staged} {order} "
                f"on conflict ({listed(table.keys)}) {action}"
            )

        with self._told(f"stream {stream}"):
            try:
                with self._con.transaction():
                    self._con.execute(insert("", ""))
            except psycopg.errors.CardinalityViolation:  # a key twice: the row that came last counts
                keys = listed(table.keys)
                self._con.execute(insert(f"distinct on ({keys})", f"order by {keys}, ctid desc"))
            self._con.execute(f"drop table {staged}")

    def holds(self, table: Table, shared: Mapping[str, Any]) -> bool:
        where = " and ".join(f"{quoted(name)} = %s" for name in shared)
        values = list(shared.values())
        sources = [self._of(table.stream)]
        if table.stream in self._staged:
            sources.append(self._stage_of(table.stream))
        with self._told(f"stream {table.stream}"):
            for source in sources:
                found = self._con.execute(f"select exists (select from {source} where {where})", values).fetchone()
                if found and found[0]:
                    return True
        return False

    def expire(self, table: Table, version: int, *, hard: bool) -> None:
        stream = table.stream
        if stream in self._staged:
            self._settle(stream)
        older = f"({quoted(VERSION)} < %s or {quoted(VERSION)} is null)"
        with self._told(f"stream {stream}"):
            if hard or not table.keys:
                self._con.execute(f"delete from {self._of(stream)} where {older}", [version])
            else:
                self._con.execute(
                    f"update {self._of(stream)} set {quoted(DELETED_AT)} = now() "
                    f"where {older} and {quoted(DELETED_AT)} is null",
                    [version],
                )

    def purge(self, table: Table) -> None:
        if table.stream in self._staged:
            self._settle(table.stream)
        with self._told(f"stream {table.stream}"):
            self._con.execute(f"delete from {self._of(table.stream)} where {quoted(DELETED_AT)} is not null")


class _KeyIsThere(Exception):  # noqa: N818 - no error: the rows go another way
    """A key of the batch is in the table already, or twice in the batch."""


def _row_of(attributes: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    if not attributes:
        return lambda _row: ()
    get = attrgetter(*attributes)
    return get if len(attributes) > 1 else lambda row: (get(row),)


def _is_boolean(batch: Batch, name: str) -> bool:
    return any(column.name == name and column.kind is Kind.BOOLEAN for column in batch.table.columns)


def _with_words(row: Callable[[Any], tuple[Any, ...]], places: list[int]) -> Callable[[Any], tuple[Any, ...]]:
    """The same rows with `true` and `false` at these places: COPY would write `t` and `f`."""
    words = {True: "true", False: "false", None: None}

    def worded(one: Any) -> tuple[Any, ...]:
        values = list(row(one))
        for place in places:
            values[place] = words[values[place]]
        return tuple(values)

    return worded
