"""What DuckDB and PostgreSQL do alike: tables, STATE, and what is asked or deleted of rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from tap_billing_reports.warehouse.batch import why_refused
from tap_billing_reports.warehouse.columns import (
    DELETED_AT,
    FIRST_LOADED_AT,
    STATE_TABLE,
    SYNCS_TABLE,
    VERSION,
    Kind,
    Table,
)
from tap_billing_reports.warehouse.database import changes, kind_of_type, quoted, refused
from tap_billing_reports.warehouse.errors import LoadError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tap_billing_reports.warehouse.batch import Batch, Digits
    from tap_billing_reports.warehouse.database import SyncEnd


class SqlDatabase(ABC):
    """The part of a `Database` that is the same statement in both systems.

    Attributes:
        parameter: how one stands in a statement.
        types: of each kind of column, as the system itself names it.
        wider_types: others that columns may get later, with the kind that they hold.
        digits: see `Database`.
        errors: what its package raises where it refuses.
    """

    parameter: ClassVar[str]
    types: ClassVar[Mapping[Kind, str]]
    wider_types: ClassVar[Mapping[str, Kind]] = {}
    digits: Digits
    errors: ClassVar[tuple[type[Exception], ...]]

    def __init__(self, schema: str) -> None:
        self._schema = schema
        # Streams with rows in a table of their own since the last commit, and the columns that those have.
        self._staged: dict[str, Table] = {}
        self._kinds: dict[str, dict[str, Kind]] = {}
        self._sql_types: dict[str, dict[str, str]] = {}  # of each stream's columns, as the system names them

    # -- what each system does in its way ------------------------------------------------------------------

    @abstractmethod
    def _of(self, name: str) -> str:
        """A table of the schema, in SQL."""

    @abstractmethod
    def _run(self, sql: str, values: Sequence[Any] = ()) -> None:
        """A statement without an answer."""

    @abstractmethod
    def _one(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """The first cell of an answer; None where there is no row."""

    @abstractmethod
    def _commit(self) -> None:
        """End the transaction, so that the next statement is in another one."""

    @abstractmethod
    def _rollback(self) -> None:
        """Take the transaction back, so that the next statement is in another one."""

    @abstractmethod
    def _types_of(self, stream: str) -> Iterable[tuple[str, str]]:
        """Name and type of each column of a table; none where it is not there."""

    @abstractmethod
    def _settle(self, stream: str) -> None:
        """Move the staged rows of a stream into their table."""

    @abstractmethod
    def _check(self, table: Table, *, is_there: bool) -> None:
        """Refuse a stream that the system cannot hold, or whose table is there and is another one's."""

    @abstractmethod
    def _columns_of_tables(self) -> Iterable[tuple[str, str, str]]:
        """Table, column and type of all tables in the schema that are no views."""

    @abstractmethod
    def select(self, sql: str) -> list[tuple[Any, ...]]:
        """See `Database`."""

    def _make_views(self, views: Mapping[str, str]) -> None:
        """Make or replace each of them."""
        for name, query in views.items():
            self._run(f"create or replace view {self._of(name)} as {query}")

    def _widen(self, stream: str, column: str, kind: Kind) -> None:
        self._run(
            f"alter table {self._of(stream)} alter column {quoted(column)} type {self.types[kind]} "
            f"using {quoted(column)}::{self.types[kind]}"
        )

    def _key_clause(self, table: Table) -> str:  # noqa: ARG002 - see PostgreSQL's
        """What a new table is told of its key."""
        return ""

    # -- what is the same ----------------------------------------------------------------------------------

    def _stage_of(self, stream: str) -> str:
        # A number of its own: a stream's name may fill the length of a name already.
        return quoted(f"loader_stage_{list(self._kinds).index(stream)}")

    def _settle_if_staged(self, stream: str) -> None:
        if stream in self._staged:
            self._settle(stream)

    @contextmanager
    def _told(self, what: str, batch: Batch | None = None, *, is_loading: bool = True) -> Iterator[None]:
        """Its errors are ours, in one line; of a batch, with the row whose value is at fault."""
        try:
            yield
        except self.errors as error:
            misfit = None if batch is None else why_refused(batch)
            raise misfit or refused(what, error, is_loading=is_loading) from None

    def state(self, job: str) -> str | None:
        with self._told("STATE"):
            found: str | None = self._one(
                f"select value from {self._of(STATE_TABLE)} where job = {self.parameter}", [job]
            )
            return found

    def commit(self, job: str, state: str | None) -> None:
        for stream in list(self._staged):
            self._settle(stream)
        with self._told("the end of a transaction"):
            if state is not None:
                self._run(
                    f"insert into {self._of(STATE_TABLE)} (job, value) values ({self.parameter}, {self.parameter}) "
                    f"on conflict (job) do update set value = excluded.value, stored_at = now()",
                    [job, state],
                )
            self._commit()

    def reset(self, job: str) -> None:
        with self._told("STATE"):
            self._make_syncs_table()
            for table in (STATE_TABLE, SYNCS_TABLE):
                self._run(f"delete from {self._of(table)} where job = {self.parameter}", [job])
            self._commit()

    def note_sync(self, job: str, ends: Mapping[str, SyncEnd]) -> None:
        table, here = self._of(SYNCS_TABLE), self.parameter
        with self._told("how the sync has ended", is_loading=False):
            self._rollback()
            self._staged.clear()
            self._make_syncs_table()
            for source, end in ends.items():
                key = [job, source]
                if not self._one(f"select exists (select 1 from {table} where job = {here} and source = {here})", key):
                    self._run(f"insert into {table} (job, source) values ({here}, {here})", key)
                ended = "whole_at" if end.is_whole else "failed_at"
                self._run(
                    f"update {table} set {ended} = now(), is_emulated = {here} where job = {here} and source = {here}",
                    [end.is_emulated, *key],
                )
            self._commit()

    def _make_syncs_table(self) -> None:
        text, instant = self.types[Kind.TEXT], self.types[Kind.TIMESTAMP]
        self._run(
            f"create table if not exists {self._of(SYNCS_TABLE)} (job {text} not null, source {text} not null, "
            f"whole_at {instant}, failed_at {instant}, is_emulated boolean, primary key (job, source))"
        )

    def prepare(self, table: Table) -> None:
        stream = table.stream
        self._settle_if_staged(stream)  # these rows have the columns from before
        with self._told(f"stream {stream}"):
            there = self._columns(table)
            is_there = bool(self._sql_types[stream])
            self._check(table, is_there=is_there)
            columns = [f"{quoted(one.name)} {self.types[one.kind]}" for one in table.columns]
            if table.is_dated:
                dated = f"{quoted(FIRST_LOADED_AT)} {self.types[Kind.TIMESTAMP]} default now()"
                columns.append(dated)
                if is_there and FIRST_LOADED_AT not in self._sql_types[stream]:
                    # Rows that are there have been loaded by now: nothing tells when.
                    self._run(f"alter table {self._of(stream)} add column {dated}")
            if not is_there:
                self._run(f"create table {self._of(stream)} ({', '.join(columns)}{self._key_clause(table)})")
            else:
                added, widened = changes(table, there)
                for name, kind in added:
                    self._run(f"alter table {self._of(stream)} add column {quoted(name)} {self.types[kind]}")
                for name, kind in widened:
                    self._widen(stream, name, kind)
            self._kinds[stream] = self._columns(table)

    def tables(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        with self._told("the list of tables"):
            for table, column, sql_type in self._columns_of_tables():
                found.setdefault(table, {})[column] = sql_type
        return found

    def replace_views(self, views: Mapping[str, str]) -> None:
        taken = sorted(set(views) & set(self.tables()))
        if taken:
            raise LoadError(
                f"views: the schema has tables with the names of views: {', '.join(taken)}; rename them, use another "
                f"schema, or give --no-views"
            )
        # Whatever was loaded is there already.
        with self._told("views", is_loading=False):
            self._make_views(views)
            self._commit()

    def _columns(self, table: Table) -> dict[str, Kind]:
        """Those of the stream's table that rows fill."""
        stream, kinds = table.stream, {**{name: kind for kind, name in self.types.items()}, **self.wider_types}
        found = self._sql_types[stream] = dict(self._types_of(stream))
        own = {FIRST_LOADED_AT} if table.is_dated else set()
        return {name: kind_of_type(stream, name, kind, kinds) for name, kind in found.items() if name not in own}

    def digits_of(self, stream: str, column: str) -> Digits:  # noqa: ARG002 - see DuckDB's
        return self.digits

    def make_room(self, stream: str, column: str, decimals: int) -> bool:  # noqa: ARG002 - see DuckDB's
        return False

    def holds(self, table: Table, shared: Mapping[str, Any]) -> bool:
        where = " and ".join(f"{quoted(name)} = {self.parameter}" for name in shared)
        sources = [self._of(table.stream)]
        if table.stream in self._staged:
            sources.append(self._stage_of(table.stream))
        with self._told(f"stream {table.stream}"):
            values = list(shared.values())
            return any(self._one(f"select exists (select 1 from {one} where {where})", values) for one in sources)

    def expire(self, table: Table, version: int, *, hard: bool) -> None:
        stream = table.stream
        self._settle_if_staged(stream)
        older = f"({quoted(VERSION)} < {self.parameter} or {quoted(VERSION)} is null)"
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
        self._settle_if_staged(table.stream)
        with self._told(f"stream {table.stream}"):
            self._run(f"delete from {self._of(table.stream)} where {quoted(DELETED_AT)} is not null")
