"""The warehouses that the models are built in, and what is read of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from scripts.warehouse import FILE, connected, query

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

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
    """

    name: str
    url: str
    schema: str
    has_views: bool

    def profile(self) -> dict[str, Any]:
        """The output of dbt's profile."""
        if self.url.startswith(FILE):
            return {"type": "duckdb", "path": self.url.removeprefix(FILE), "schema": ANSWERS, "threads": 1}
        place = urlsplit(self.url)
        return {
            "type": "postgres", "host": place.hostname, "port": place.port, "user": place.username,
            "password": "unused", "dbname": place.path.strip("/"), "schema": ANSWERS, "threads": 1,
        }  # fmt: skip

    def change(self, sql: str) -> None:
        with connected(self.url) as connection:
            connection.execute(sql)

    def load_orders(self, orders: Sequence[Mapping[str, str]]) -> None:
        """Make the shop's own table `shop.orders`."""
        columns = list(orders[0])
        values = ", ".join(["?" if self.url.startswith(FILE) else "%s"] * len(columns))
        with connected(self.url) as connection:
            cursor = connection.cursor()
            cursor.execute("create schema if not exists shop")
            cursor.execute(f"create table {ORDERS} ({', '.join(f'{name} text' for name in columns)})")
            cursor.executemany(f"insert into {ORDERS} values ({values})", [list(order.values()) for order in orders])

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows whose cells are spelt alike in each database."""
        return [tuple(map(plain, row)) for row in query(self.url, sql)]

    def head(self, sql: str, today: date) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Names of the columns, and the rows as they are on that day; of a DuckDB file."""
        with connected(self.url) as connection:
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
