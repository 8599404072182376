"""PostgreSQL: COPY straight into the table; where a key is there already, by way of a staging table."""

# ruff: noqa: PLC0415 - pyarrow is not in every installation, and takes time and 60 MB: whoever has arrays imports it

from __future__ import annotations

from contextlib import suppress
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

import psycopg

from tap_billing_reports.warehouse.address import Engine
from tap_billing_reports.warehouse.batch import Digits
from tap_billing_reports.warehouse.columns import STATE_TABLE, Kind, Table
from tap_billing_reports.warehouse.database import listed, quoted
from tap_billing_reports.warehouse.errors import LoadError
from tap_billing_reports.warehouse.sql import SqlDatabase

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

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
# Before this many seconds without an answer the server is not held to be gone.
CONNECT_SECONDS: Final = 30
# Rows of Arrow that are written out at a time: their text is some megabytes.
COPY_ROWS: Final = 20_000


# All views that read a table, by whatever way, each behind those that it reads itself.
_VIEWS_ON: Final = """
with recursive readers (view, depth) as (
    select r.ev_class, 1 from pg_depend d join pg_rewrite r on r.oid = d.objid
    where d.classid = 'pg_rewrite'::regclass and d.refobjid = to_regclass(%s) and r.ev_class <> d.refobjid
    union
    select r.ev_class, depth + 1 from readers join pg_depend d on d.refobjid = readers.view
    join pg_rewrite r on r.oid = d.objid
    where d.classid = 'pg_rewrite'::regclass and r.ev_class <> d.refobjid
)
select readers.view::regclass::text, pg_get_viewdef(readers.view) from readers
join pg_class c on c.oid = readers.view and c.relkind = 'v'
group by readers.view order by max(depth)
"""


class PostgresDatabase(SqlDatabase):
    """See `ArrayDatabase`."""

    engine = Engine.POSTGRES
    parameter = "%s"
    types = _TYPES
    errors = (psycopg.Error,)
    digits = Digits(None, None)
    amounts_as_text = True
    # Enough for a round trip not to count, and few enough to stay in the processor's cache: 16 MiB took a fifth more of
    # its time.
    array_bytes = 4 << 20

    def __init__(self, address: Address, schema: str) -> None:
        """Connect, make the schema, and take the lock that keeps a second loader out.

        Raises:
            LoadError: the server refuses, or another loader is at work.
        """
        super().__init__(schema)
        self._shown = address.shown
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

    def _run(self, sql: str, values: Sequence[Any] = ()) -> None:
        self._con.execute(sql, values or None)

    def _one(self, sql: str, values: Sequence[Any] = ()) -> Any:
        found = self._con.execute(sql, values or None).fetchone()
        return None if found is None else found[0]

    def _commit(self) -> None:
        # The server answers COMMIT of a transaction that has failed without an error, and takes it back.
        self._run("select 1")
        self._con.commit()

    def _rollback(self) -> None:
        self._con.rollback()

    # -- STATE -----------------------------------------------------------------------------------------

    def states(self) -> list[tuple[str, str]]:
        with self._told("STATE"):
            return self._con.execute(
                f"select job, to_char(stored_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') "
                f"from {self._of(STATE_TABLE)} order by job"
            ).fetchall()

    def close(self) -> None:
        # The server ends a session some time after its connection: whoever comes next must not meet its lock.
        with suppress(psycopg.Error):
            self._con.rollback()
            self._con.execute("select pg_advisory_unlock_all()")
        self._con.close()

    # -- tables ----------------------------------------------------------------------------------------

    def _types_of(self, stream: str) -> list[tuple[str, str]]:
        return self._con.execute(
            "select attname, format_type(atttypid, atttypmod) from pg_attribute "
            "where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped",
            [self._of(stream)],
        ).fetchall()

    def _columns_of_tables(self) -> list[tuple[str, str, str]]:
        return self._con.execute(
            "select c.relname, a.attname, format_type(a.atttypid, a.atttypmod) from pg_class c "
            "join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped "
            "where c.relnamespace = to_regnamespace(%s) and c.relkind in ('r', 'p') order by c.relname, a.attnum",
            [quoted(self._schema)],
        ).fetchall()

    def select(self, sql: str) -> list[tuple[Any, ...]]:
        with self._told("a query"):
            return self._con.execute(sql).fetchall()

    def _make_views(self, views: Mapping[str, str]) -> None:
        try:
            with self._con.transaction():
                super()._make_views(views)
        except psycopg.errors.InvalidTableDefinition:  # a view has other columns than before, and is made anew
            for name in reversed(list(views)):
                self._con.execute(f"drop view if exists {self._of(name)}")
            super()._make_views(views)

    def _widen(self, stream: str, column: str, kind: Kind) -> None:
        """PostgreSQL changes no column that a view reads: those views go, and come again in the same transaction."""
        views = self._con.execute(_VIEWS_ON, [self._of(stream)]).fetchall()
        for name, _definition in reversed(views):
            self._con.execute(f"drop view {name}")
        super()._widen(stream, column, kind)
        for name, definition in views:
            self._con.execute(f"create view {name} as {definition}")

    def _key_clause(self, table: Table) -> str:
        return f", primary key ({listed(table.keys)})" if table.keys else ""

    def _check(self, table: Table, *, is_there: bool) -> None:
        if not is_there:
            return
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
        import pyarrow as pa
        from pyarrow import csv

        same = [name for name in table.names if name in shared and name not in rows.column_names]
        for name in same:
            value = None if shared[name] is None else str(shared[name])
            rows = rows.append_column(name, pa.repeat(pa.scalar(value, pa.string()), rows.num_rows))
        rows = pa.table({name: _worded_instants(rows[name]) for name in rows.column_names})
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
        action = _replacing(rest) if rest else "do nothing"

        def insert(distinct: str, order: str) -> str:
            return (
                f"insert into {into} as t ({listed(names)}) select {distinct} {listed(names)} from {staged} {order} "
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


def _replacing(names: Sequence[str]) -> str:
    """What comes of a row whose key is there: it is replaced, unless all of these columns are the same already.

    `record_image_ne` compares what is stored: 1.5 and 1.50 are not the same, although they are equal.
    """
    update = ", ".join(f"{quoted(name)} = excluded.{quoted(name)}" for name in names)
    there, fresh = (", ".join(f"{table}.{quoted(name)}" for name in names) for table in ("t", "excluded"))
    return f"do update set {update} where record_image_ne(row({there}), row({fresh}))"


def _worded_instants(column: Any) -> Any:
    """Instants as text, others as they are: pyarrow's CSV takes ten times as long for instants with a zone."""
    import pyarrow as pa
    from pyarrow import compute

    if not pa.types.is_timestamp(column.type):
        return column
    text = column.cast(pa.timestamp("us")).cast(pa.string())
    return compute.binary_join_element_wise(text, pa.scalar("Z"), pa.scalar(""))


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
