"""Warehouses of `part_warehouse`: a new one for each cell, what it holds, and how far that differs."""

from __future__ import annotations

import itertools
import shutil
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import duckdb
import psycopg

from tests.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from scripts.targets.postgres import Server

PASSWORD = "canary-warehouse-Secret"  # a server that trusts everybody takes any
STATE_TABLE, SYNCS_TABLE = "_state", "_syncs"
# What differs between two loads of the same thing.
VOLATILE = frozenset(
    {
        "run_id", "file_id", "checked_at", "fetched_at", "created_at", "expires_at", "finished_at", "_first_loaded_at",
    }
)  # fmt: skip


@dataclass
class Held:
    """What a warehouse holds.

    Attributes:
        rows: table -> each row as pairs of column and value, and how often it is there.
        types: table -> its columns and their types.
        states: job -> STATE.
    """

    rows: dict[str, Counter[Any]] = field(default_factory=dict)
    types: dict[str, dict[str, str]] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)

    def differs(self, found: Held) -> tuple[int, int]:
        """How many rows `found` lacks, and how many it has that should not be there."""
        lost = doubled = 0
        for table in {*self.rows, *found.rows}:
            wanted, got = self.rows.get(table, Counter()), found.rows.get(table, Counter())
            lost += (wanted - got).total()
            doubled += (got - wanted).total()
        return lost, doubled

    def differing(self, found: Held) -> list[str]:
        """The tables in which the two differ."""
        tables = sorted({*self.rows, *found.rows})
        return [name for name in tables if self.rows.get(name, Counter()) != found.rows.get(name, Counter())]

    def money(self) -> Held:
        """Only the tables that stand for money, without rows that are marked as deleted."""
        tables = [name for name, columns in self.types.items() if name == "invoices" or "row_number" in columns]
        gone = ("_sdc_deleted_at", "gone")
        kept = {
            name: Counter({row: number for row, number in self.rows[name].items() if gone not in row})
            for name in tables
        }
        return Held(kept, {}, self.states)


class House(Protocol):
    """A database system, with one warehouse after the other."""

    engine: str

    def fresh(self) -> tuple[str, str]:
        """The URL and the schema of a new, empty warehouse; the one before is gone."""
        ...

    def held(self) -> Held:
        """What the warehouse holds, once no loader is at work."""
        ...


class FileHouse:
    """DuckDB; it is looked at in a copy, so that the next load finds the file as a crash has left it."""

    engine = "duckdb"

    def __init__(self, folder: Path) -> None:
        self._folder, self._numbers = folder / "files", itertools.count()
        self._file = self._folder / "none"

    def fresh(self) -> tuple[str, str]:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir()
        self._file = self._folder / f"{next(self._numbers)}.duckdb"
        return f"duckdb:{self._file}", "billing"

    def held(self) -> Held:
        if not self._file.exists():
            return Held()
        copy = self._folder / "copy.duckdb"
        log = copy.with_name("copy.duckdb.wal")
        for path in (copy, log):
            path.unlink(missing_ok=True)
        shutil.copyfile(self._file, copy)
        if (own := self._file.with_name(f"{self._file.name}.wal")).exists():
            shutil.copyfile(own, log)
        with duckdb.connect(str(copy)) as connection:
            connection.execute("set timezone = 'UTC'")
            return _held(lambda sql: connection.execute(sql).fetchall(), "billing")


class ServerHouse:
    """PostgreSQL: each warehouse is a schema of its own."""

    engine = "postgres"
    _numbers = itertools.count()  # of all schemas: several houses may be one server's

    def __init__(self, server: Server) -> None:
        self._schema = "none"
        self.dsn = f"postgresql://billing:{PASSWORD}@127.0.0.1:{server.port}/postgres"

    def fresh(self) -> tuple[str, str]:
        self._run(f'drop schema if exists "{self._schema}" cascade')
        self._schema = f"w{next(self._numbers)}"
        return self.dsn, self._schema

    def held(self) -> Held:
        until(self._is_idle)
        with psycopg.connect(self.dsn, options="-c timezone=UTC") as connection:
            return _held(lambda sql: connection.execute(sql).fetchall(), self._schema)

    def _run(self, sql: str) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(sql)

    def _is_idle(self) -> bool:
        """It answers, and no loader's session is left: one whose client was killed ends when it looks for more."""
        try:
            with psycopg.connect(self.dsn) as connection:
                sessions = "select count(*) from pg_stat_activity where application_name = 'billing-reports'"
                found = connection.execute(sessions).fetchone()
        except psycopg.OperationalError:
            return False
        return found == (0,)


def _held(query: Any, schema: str) -> Held:
    held = Held()
    columns = query(
        f"select table_name, column_name, data_type from information_schema.columns "
        f"join information_schema.tables using (table_catalog, table_schema, table_name) "
        f"where table_schema = '{schema}' and table_type = 'BASE TABLE' order by table_name, ordinal_position"
    )
    for table, column, kind in columns:
        held.types.setdefault(table, {})[column] = kind
    for own in (STATE_TABLE, SYNCS_TABLE):
        held.types.pop(own, None)
    for table, kinds in held.types.items():
        rows = query(f'select * from "{schema}"."{table}"')
        held.rows[table] = Counter(tuple(_cells(kinds, row)) for row in rows)
    if any(table == STATE_TABLE for table, _, _ in columns):
        held.states = dict(query(f'select job, value from "{schema}"."{STATE_TABLE}"'))
    return held


def _cells(kinds: dict[str, str], row: tuple[Any, ...]) -> list[tuple[str, str]]:
    cells = zip(kinds, row, strict=True)
    # When a row went does not matter.
    return [
        (name, "gone" if name == "_sdc_deleted_at" else repr(value))
        for name, value in cells
        if value is not None and name not in VOLATILE
    ]
