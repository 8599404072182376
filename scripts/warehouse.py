"""What a warehouse holds, by SQL: one way to read DuckDB and PostgreSQL, by the URL with which `sync` loads.

Cells come as text: no amount passes through a float.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FILE = "duckdb:"
DELETED_AT = "_sdc_deleted_at"
# What our loader has beside what a tap sends: its own tables, and a column that no stream fills.
OWN_TABLES = ("_state", "_syncs")
FIRST_LOADED_AT = "_first_loaded_at"

Row = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """A stream as somebody holds it: column -> type in the holder's own words, rows in stored order."""

    columns: Mapping[str, str]
    rows: list[Row]

    def living(self) -> list[Row]:
        """The rows that are not marked as deleted."""
        return [row for row in self.rows if not row.get(DELETED_AT)]


@contextmanager
def connected(url: str, *, read_only: bool = False) -> Iterator[Any]:
    """A connection whose time zone is UTC; each statement is a transaction of its own.

    Raises:
        RuntimeError: the database refused something; the message holds its words.
    """
    try:
        with (
            duckdb.connect(url.removeprefix(FILE), read_only=read_only)
            if url.startswith(FILE)
            else psycopg.connect(url, autocommit=True)
        ) as connection:
            connection.execute("SET timezone = 'UTC'")
            yield connection
    except (duckdb.Error, psycopg.Error) as error:
        raise RuntimeError(f"the warehouse refused: {error}") from error


def query(url: str, sql: str) -> list[tuple[Any, ...]]:
    """The rows of one query."""
    with connected(url, read_only=True) as connection:
        return [tuple(row) for row in connection.execute(sql).fetchall()]


def tables(url: str, schema: str) -> dict[str, Table]:
    """The loaded streams with all that they hold, as text; none where nothing was loaded."""
    if url.startswith(FILE) and not Path(url.removeprefix(FILE)).exists():
        return {}
    columns: dict[str, dict[str, str]] = {}
    with connected(url, read_only=True) as connection:
        for table, column, kind in connection.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns "
            "JOIN information_schema.tables USING (table_catalog, table_schema, table_name) "
            f"WHERE table_schema = '{schema}' AND table_type = 'BASE TABLE' "
            f"AND table_name NOT IN ({', '.join(map(repr, OWN_TABLES))}) AND column_name <> '{FIRST_LOADED_AT}' "
            "ORDER BY table_name, ordinal_position"
        ).fetchall():
            columns.setdefault(table, {})[column] = kind
        found = {}
        for table, types in columns.items():
            cells = ", ".join(f"CAST({identifier(name)} AS VARCHAR)" for name in types)
            rows = connection.execute(f"SELECT {cells} FROM {identifier(schema)}.{identifier(table)}").fetchall()
            found[table] = Table(types, [dict(zip(types, row, strict=True)) for row in rows])
    return found


def identifier(name: str) -> str:
    """A name quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'
