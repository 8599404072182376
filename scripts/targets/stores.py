"""Reading back what a target has stored in files; every cell is text, so that no amount passes through a float."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from scripts.warehouse import Row, Table

if TYPE_CHECKING:
    from pathlib import Path

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
