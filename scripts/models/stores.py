"""The warehouses that the models are built in, and what is read of them."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from scripts.targets.postgres import Server

ANSWERS = "answers"
ORDERS = "shop.orders"
ORDER_COLUMN = "order_number"


@dataclass(frozen=True)
class Store:
    """One filled warehouse.

    Attributes:
        name: for people, and dbt's target.
        schema: of the tap's tables.
        has_views: whether `billing-reports sync` has filled it.
        place: a DuckDB file, or the name of a database of the server.
    """

    name: str
    schema: str
    has_views: bool
    place: Path | str
    server: Server | None = None

    def profile(self) -> dict[str, Any]:
        """The output of dbt's profile."""
        if self.server is None:
            return {"type": "duckdb", "path": str(self.place), "schema": ANSWERS, "threads": 1}
        return {
            "type": "postgres", "host": "127.0.0.1", "port": self.server.port, "user": "billing", "password": "unused",
            "dbname": self.place, "schema": ANSWERS, "threads": 1,
        }  # fmt: skip

    def url(self) -> str:
        if self.server is None:
            return f"duckdb:{self.place}"
        return f"postgresql://billing@127.0.0.1:{self.server.port}/{self.place}"

    @contextmanager
    def _open(self) -> Iterator[Any]:
        connect: Any = duckdb.connect if self.server is None else psycopg.connect
        with connect(self.url().removeprefix("duckdb:")) as connection:
            connection.execute("set timezone = 'UTC'")
            yield connection

    def change(self, sql: str) -> None:
        with self._open() as connection:
            connection.execute(sql)

    def load_orders(self, orders: Sequence[Mapping[str, str]]) -> None:
        """Make the shop's own table `shop.orders`."""
        columns = list(orders[0])
        place = "?" if self.server is None else "%s"
        with self._open() as connection:
            cursor = connection.cursor()
            cursor.execute("create schema if not exists shop")
            cursor.execute(f"create table {ORDERS} ({', '.join(f'{name} text' for name in columns)})")
            cursor.executemany(
                f"insert into {ORDERS} values ({', '.join([place] * len(columns))})",
                [[order[name] for name in columns] for order in orders],
            )

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows whose cells are spelt alike in each database."""
        with self._open() as connection:
            return [tuple(map(plain, row)) for row in connection.execute(sql).fetchall()]

    def head(self, sql: str, today: date) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Names of the columns, and the rows as they are on that day; of a DuckDB file."""
        with self._open() as connection:
            # Stands in for DuckDB's own, in views as well, as long as the connection is open.
            connection.execute(f"create temp macro current_date() as date '{today}'")
            cursor = connection.execute(sql)
            return [column[0] for column in cursor.description], [tuple(map(plain, row)) for row in cursor.fetchall()]

    def mart(self, name: str, schema: str = ANSWERS) -> list[tuple[Any, ...]]:
        """All rows of a mart, or of the view of that name, in the order of their cells."""
        return sorted(self.rows(f'select * from "{schema}"."{name}"'), key=str)


def plain(cell: Any) -> Any:
    """A cell without what only its type says: zeros behind an amount, the zone of an instant."""
    if isinstance(cell, Decimal):
        # Not by arithmetic: a context of decimal's would round what has more digits than it.
        text = f"{cell:f}"
        return Decimal(text.rstrip("0").rstrip(".") if "." in text else text) if cell else Decimal(0)
    if isinstance(cell, datetime):
        return cell.astimezone(timezone.utc).isoformat()
    return cell
