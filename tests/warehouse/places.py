"""Warehouses for tests: an address to load into, and a look at what is there."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import duckdb
import psycopg

from tap_billing_reports.warehouse.address import address_of
from tap_billing_reports.warehouse.columns import FIRST_LOADED_AT
from tap_billing_reports.warehouse.databases import open_database
from tap_billing_reports.warehouse.loader import Loader, Options

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from scripts.targets.postgres import Server
    from tap_billing_reports.warehouse.database import Database

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Place:
    """An empty warehouse of one test."""

    engine: str
    url: str

    def open(self, schema: str = "billing") -> Database:
        return open_database(address_of(self.url), schema)

    def queries(self, *queries: str) -> list[list[tuple[Any, ...]]]:
        """Rows of each query; nobody else may have the warehouse open."""
        connect: Any = duckdb.connect if self.engine == "duckdb" else psycopg.connect
        with connect(self.url.removeprefix("duckdb:")) as connection:
            cursor = connection.cursor()
            cursor.execute("set timezone = 'UTC'")
            return [[tuple(row) for row in cursor.execute(sql).fetchall()] for sql in queries]

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of one query."""
        (rows,) = self.queries(sql)
        return rows

    def rows(self, table: str, schema: str = "billing") -> list[tuple[Any, ...]]:
        """All rows of a table, in order, without when they were first loaded."""
        (rows,) = self.all_rows({table: self.types(table, schema)}, schema)
        return rows

    def all_rows(self, types: Mapping[str, Iterable[str]], schema: str = "billing") -> list[list[tuple[Any, ...]]]:
        """The rows of each of these tables, which have these columns."""
        selected = {table: ", ".join(f'"{name}"' for name in names) for table, names in types.items()}
        found = self.queries(*(f'select {names} from "{schema}"."{table}"' for table, names in selected.items()))
        return [sorted(rows, key=lambda row: [str(cell) for cell in row]) for rows in found]

    def tables(self, schema: str = "billing", kind: str = "BASE TABLE") -> list[str]:
        found = self.query(
            f"select table_name from information_schema.tables "
            f"where table_schema = '{schema}' and table_type = '{kind}'"
        )
        return sorted(name for (name,) in found)

    def views(self, schema: str = "billing") -> list[str]:
        return self.tables(schema, "VIEW")

    def types(self, table: str, schema: str = "billing") -> dict[str, str]:
        """Column name -> type, as the database names it; of what streams fill."""
        return self.all_types([table], schema)[table]

    def all_types(self, tables: Iterable[str], schema: str = "billing") -> dict[str, dict[str, str]]:
        """The same of each of these tables or views."""
        types: dict[str, dict[str, str]] = {table: {} for table in tables}
        for table, column, kind in self.query(
            f"select table_name, column_name, data_type from information_schema.columns "
            f"where table_schema = '{schema}' and column_name <> '{FIRST_LOADED_AT}' "
            f"order by table_name, ordinal_position"
        ):
            if table in types:
                types[table][str(column)] = str(kind).lower()
        return types


@dataclass
class Loading:
    """A loader on an open database, and the STATEs that it has committed."""

    database: Database
    loader: Loader
    states: list[str] = field(default_factory=list)

    def load(self, lines: Iterable[bytes]) -> None:
        self.loader.block(b"".join(lines))


def loading(place: Place, **options: Any) -> Loading:
    """A loader into the place; it commits at each STATE unless it is told otherwise."""
    database = place.open()
    states: list[str] = []
    loader = Loader(database, Options(**{"commit_seconds": 0.0, **options}), committed=states.append)
    return Loading(database, loader, states)


def load(place: Place, *lines: bytes, **options: Any) -> list[str]:
    """Load messages to their end; the STATEs that were committed."""
    one = loading(place, **options)
    try:
        one.load(lines)
        one.loader.finish()
        return one.states
    finally:
        one.database.close()


def place_in(engine: str, folder: Path, server: Server | None) -> Place:
    """A warehouse that nothing was loaded into yet."""
    if server is None:
        return Place(engine, f"duckdb:{folder / 'warehouse.duckdb'}")
    name = f"w{next(_numbers)}"
    server.create(name)
    return Place(engine, f"postgresql://billing@127.0.0.1:{server.port}/{name}")
