"""Reading back what a target has stored in files; every cell is text, so that no amount passes through a float."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from scripts.warehouse import Row, Table

if TYPE_CHECKING:
    from pathlib import Path

JSON_TYPES = {bool: "boolean", int: "number", Decimal: "number", str: "string", dict: "object", list: "object"}


def jsonl_files(folder: Path) -> dict[str, Table]:
    """`<stream>.jsonl`, a record a line. A type is that of JSON."""
    tables = {}
    for path in sorted(folder.glob("*.jsonl")):
        columns: dict[str, set[str]] = {}
        rows: list[Row] = []
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line, parse_float=Decimal)
                for name, value in record.items():
                    columns.setdefault(name, set()).update([] if value is None else [JSON_TYPES[type(value)]])
                rows.append({name: _cell(value) for name, value in record.items()})
        tables[path.stem] = Table({name: " or ".join(sorted(types)) for name, types in columns.items()}, rows)
    return tables


def _cell(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return str(value) if isinstance(value, Decimal) else json.dumps(value)


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
        tables[stream] = Table({**table.columns, **dict.fromkeys(names, "text")}, table.rows)
    return tables
