"""Reading back what a target has stored. Every cell comes as text, so that no amount passes through a float."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from scripts.demo.warehouse import DuckDb, identifier
from scripts.targets.findings import Row, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from scripts.targets.postgres import Server

SCHEMA = "billing"
PLAIN = "text"


def jsonl_files(folder: Path) -> dict[str, Table]:
    """`<stream>.jsonl`, a record a line. A type is that of JSON."""
    tables = {}
    for path in sorted(folder.glob("*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            records = [json.loads(line, parse_float=Decimal) for line in lines]
        columns: dict[str, set[str]] = {}
        for record in records:
            for name, value in record.items():
                columns.setdefault(name, set()).add(_json_type(value))
        types = {name: " or ".join(sorted(found - {"null"})) for name, found in columns.items()}
        rows = [{name: _cell(value) for name, value in record.items()} for record in records]
        tables[path.stem] = Table(types, rows)
    return tables


def _json_type(value: Any) -> str:
    names = {bool: "boolean", int: "number", Decimal: "number", str: "string", type(None): "null"}
    return names.get(type(value), "object")


def _cell(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value) if isinstance(value, (bool, list, dict)) else str(value)


def csv_files(folder: Path) -> dict[str, Table]:
    """`<stream>-<time>.csv` or `<stream>.csv`, the older files first, each with a header of its own."""
    tables: dict[str, Table] = {}
    for path in sorted(folder.glob("*.csv")):
        stream = path.stem.partition("-")[0]
        with path.open(encoding="utf-8", newline="") as lines:
            reader = csv.DictReader(lines)
            # Cells beyond the header have no name: they are not data of any column.
            rows: list[Row] = [{name: cell for name, cell in row.items() if name} for row in reader]
            names = reader.fieldnames or []
        table = tables.setdefault(stream, Table({}, []))
        table.rows.extend(rows)
        tables[stream] = Table({**table.columns, **dict.fromkeys(names, PLAIN)}, table.rows)
    return tables


def duckdb_file(database: Path, python: Path) -> dict[str, Table]:
    """Tables of a DuckDB file, read through the interpreter that has duckdb."""
    store = DuckDb(database, python, SCHEMA)
    return _tables(store.query, "VARCHAR") if database.exists() else {}


def postgres_database(server: Server, database: str) -> dict[str, Table]:
    """Tables of a PostgreSQL database."""
    return _tables(lambda sql: server.query(database, sql), "TEXT")


def _tables(query: Callable[[str], list[list[str | None]]], text: str) -> dict[str, Table]:
    columns: dict[str, dict[str, str]] = {}
    for table, column, kind in query(
        "SELECT table_name, column_name, data_type FROM information_schema.columns "
        f"WHERE table_schema = '{SCHEMA}' ORDER BY table_name, ordinal_position"
    ):
        columns.setdefault(str(table), {})[str(column)] = str(kind)
    return {table: Table(found, _rows(query, table, found, text)) for table, found in columns.items()}


def _rows(query: Callable[[str], list[list[str | None]]], table: str, columns: Iterable[str], text: str) -> list[Row]:
    names = list(columns)
    cells = ", ".join(f"CAST({identifier(name)} AS {text})" for name in names)
    found = query(f"SELECT {cells} FROM {identifier(SCHEMA)}.{identifier(table)}")
    return [dict(zip(names, row, strict=True)) for row in found]
