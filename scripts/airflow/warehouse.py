"""What the shards have loaded into PostgreSQL, by SQL alone. Values come back as text."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from scripts.demo.warehouse import DELETED_AT, Held, identifier

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from scripts.targets.postgres import Server


@dataclass(frozen=True)
class Postgres:
    """One schema of one database; a `Warehouse` for the comparison."""

    server: Server
    database: str
    schema: str

    def columns(self) -> dict[str, list[str]]:
        """The loaded streams, each with its columns."""
        found: dict[str, list[str]] = {}
        for table, column in self._query(
            "SELECT table_name, column_name FROM information_schema.columns "
            f"WHERE table_schema = '{self.schema}' ORDER BY table_name, ordinal_position"
        ):
            found.setdefault(str(table), []).append(str(column))
        return found

    def held(self, stream: str, sums: Sequence[str]) -> dict[str, Held]:
        """Source -> rows that are not marked as deleted, with exact sums: amounts are stored as text."""
        totals = [f"COALESCE(SUM({identifier(c)}::NUMERIC), 0)::TEXT AS s{n}" for n, c in enumerate(sums)]
        asked = ", ".join(["source", "COUNT(*)::TEXT AS n", *totals])
        living = _living(self.columns()[stream])
        rows = self._query(f"SELECT {asked} FROM {self._table(stream)}{living} GROUP BY source ORDER BY source")
        return {
            str(source): Held(int(str(count)), {c: Decimal(str(s)) for c, s in zip(sums, cells, strict=True)})
            for source, count, *cells in rows
        }

    def accounts(self) -> int:
        """How many accounts have sent anything: an invoice or a report's row."""
        parts = [
            f"SELECT source, account_id FROM {self._table(stream)}"
            for stream, columns in self.columns().items()
            if "account_id" in columns and stream not in {"accounts", "report_types"}
        ]
        ((count,),) = self._query(f"SELECT COUNT(*)::TEXT AS n FROM ({' UNION '.join(parts)}) AS found")
        return int(str(count))

    def rows(self) -> int:
        """All rows of all streams."""
        parts = [f"SELECT COUNT(*) AS n FROM {self._table(stream)}" for stream in self.columns()]
        if not parts:
            return 0
        ((count,),) = self._query(f"SELECT SUM(n)::TEXT AS n FROM ({' UNION ALL '.join(parts)}) AS found")
        return int(str(count))

    def _query(self, sql: str) -> list[list[str | None]]:
        return self.server.query(self.database, sql)

    def _table(self, stream: str) -> str:
        return f"{identifier(self.schema)}.{identifier(stream)}"


def _living(columns: Collection[str]) -> str:
    return f" WHERE {DELETED_AT} IS NULL" if DELETED_AT in columns else ""
