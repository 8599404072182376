"""What the warehouse holds, by SQL alone. Values come back as text: no amount passes through a float."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

DELETED_AT = "_sdc_deleted_at"
FRACTION_DIGITS = 12

# Runs in the loader's environment, the only one with duckdb: SQL in, rows of text out.
_QUERY = """
import duckdb, json, sys
asked = json.load(sys.stdin)
with duckdb.connect(asked["database"], read_only=True) as connection:
    connection.execute("SET timezone = 'UTC'").fetchall()
    rows = connection.execute(asked["sql"]).fetchall()
json.dump([[None if cell is None else str(cell) for cell in row] for row in rows], sys.stdout)
"""


@dataclass(frozen=True)
class Held:
    """Rows and exact sums of one source in one stream; rows marked as deleted are not counted."""

    rows: int
    sums: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True)
class Invoice:
    """An invoice's key and the two spellings of its status; `deleted` when the vendor no longer has it."""

    source: str
    account_id: str
    invoice_id: str
    number: str | None
    status: str | None
    source_status: str | None
    deleted: bool

    @property
    def key(self) -> tuple[str, str, str]:
        return self.source, self.account_id, self.invoice_id


class Warehouse(Protocol):
    """What the comparison asks of a warehouse."""

    def columns(self) -> Mapping[str, Collection[str]]:
        """The loaded streams, each with its columns."""

    def held(self, stream: str, sums: Sequence[str]) -> dict[str, Held]:
        """Source -> what it holds in that stream, with the sums of these columns."""


def identifier(name: str) -> str:
    """A name quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'


def sum_sql(column: str) -> str:
    """The exact sum of a column of decimal text, as text; 0 for none.

    A cast rounds what does not fit, so a longer fraction than `FRACTION_DIGITS` is an error, not a sum.
    """
    name = identifier(column)
    total = f"CAST(COALESCE(SUM(CAST({name} AS DECIMAL(38, {FRACTION_DIGITS}))), 0) AS VARCHAR)"
    longest = f"MAX(LENGTH(SPLIT_PART(CAST({name} AS VARCHAR), '.', 2)))"
    return f"CASE WHEN {longest} > {FRACTION_DIGITS} THEN error('{column}: too many digits') ELSE {total} END"


@dataclass(frozen=True)
class DuckDb:
    """A DuckDB file, read through the interpreter that has duckdb."""

    database: Path
    python: Path
    schema: str

    def query(self, sql: str) -> list[list[str | None]]:
        """Rows of text.

        Raises:
            RuntimeError: the query failed; the message holds duckdb's.
        """
        asked = json.dumps({"database": str(self.database), "sql": sql})
        answer = subprocess.run(
            [str(self.python), "-c", _QUERY], input=asked, capture_output=True, text=True, check=False
        )
        if answer.returncode:
            said = next((line for line in answer.stderr.splitlines() if "Error: " in line), answer.stderr[-200:])
            raise RuntimeError(f"the warehouse refused a query: {said}\n{sql}")
        rows: list[list[str | None]] = json.loads(answer.stdout)
        return rows

    def columns(self) -> dict[str, list[str]]:
        """The loaded streams, each with its columns; none when nothing was loaded."""
        found: dict[str, list[str]] = {}
        if not self.database.exists():
            return found
        for table, column in self.query(
            "SELECT table_name, column_name FROM information_schema.columns "
            "JOIN information_schema.tables USING (table_catalog, table_schema, table_name) "
            f"WHERE table_schema = '{self.schema}' AND table_name <> '_state' AND table_type = 'BASE TABLE' "
            "ORDER BY table_name, ordinal_position"
        ):
            found.setdefault(str(table), []).append(str(column))
        return found

    def held(self, stream: str, sums: Sequence[str]) -> dict[str, Held]:
        asked = ", ".join(["source", "COUNT(*)", *map(sum_sql, sums)])
        living = self._living(self.columns()[stream])
        rows = self.query(f"SELECT {asked} FROM {self._table(stream)}{living} GROUP BY source ORDER BY source")
        held = {}
        for source, count, *cells in rows:
            totals = {name: Decimal(str(text)) for name, text in zip(sums, cells, strict=True)}
            held[str(source)] = Held(int(str(count)), totals)
        return held

    def row_counts(self) -> dict[str, int]:
        """Stream -> rows that are not marked as deleted."""
        counts = [
            f"SELECT '{stream}', COUNT(*) FROM {self._table(stream)}{self._living(columns)}"
            for stream, columns in self.columns().items()
        ]
        rows = self.query(" UNION ALL ".join(counts)) if counts else []
        return {str(stream): int(str(count)) for stream, count in rows}

    def living_rows(self, stream: str, columns: Sequence[str]) -> list[list[str | None]]:
        """All rows that are not marked as deleted, in the order of their cells."""
        asked = ", ".join(map(identifier, columns))
        living = self._living(self.columns()[stream])
        return self.query(f"SELECT {asked} FROM {self._table(stream)}{living} ORDER BY ALL")

    def distinct(self, stream: str, column: str) -> int:
        """How many values a column has in the rows that are not marked as deleted."""
        columns = self.columns().get(stream)
        if columns is None:
            return 0
        asked = f"SELECT COUNT(DISTINCT {identifier(column)}) FROM {self._table(stream)}{self._living(columns)}"
        return int(str(self.query(asked)[0][0]))

    def invoices(self) -> list[Invoice]:
        if "invoices" not in self.columns():
            return []
        asked = f"source, account_id, invoice_id, invoice_number, status, source_status, {DELETED_AT} IS NOT NULL"
        rows = self.query(f"SELECT {asked} FROM {self._table('invoices')} ORDER BY 1, 2, 3")
        return [
            Invoice(str(source), str(account), str(invoice), number, status, source_status, deleted == "True")
            for source, account, invoice, number, status, source_status, deleted in rows
        ]

    @staticmethod
    def _living(columns: Collection[str]) -> str:
        return f" WHERE {DELETED_AT} IS NULL" if DELETED_AT in columns else ""

    def _table(self, stream: str) -> str:
        return f"{identifier(self.schema)}.{identifier(stream)}"
