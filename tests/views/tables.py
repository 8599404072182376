"""Tables as the loader leaves them, with the rows that a test needs, and the views over them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from scripts.models.stores import plain
from tap_billing_reports.views.create import create_views

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.warehouse.places import Place

_AMOUNT = {"duckdb": "decimal(38, 12)", "postgres": "numeric"}


def D(text: str) -> Decimal:  # noqa: N802 - as the constructor
    return Decimal(text)


def make(place: Place, table: str, rows: Sequence[dict[str, Any]], *, add: bool = False, **types: str) -> None:
    """A table with these rows; `types` names those of columns that no value tells. With `add` it is there already."""
    columns: dict[str, str] = {}
    for row in rows:
        for name, value in row.items():
            if value is not None:
                columns.setdefault(name, _type_of(value, place.engine))
    columns.update(types)
    database = place.open()
    if not add:
        database._run(  # type: ignore[attr-defined]
            f"create table billing.{table} ({', '.join(f'{name} {kind}' for name, kind in columns.items())})"
        )
    for row in rows:
        values = ", ".join(_literal(row.get(name)) for name in columns)
        database._run(  # type: ignore[attr-defined]
            f"insert into billing.{table} ({', '.join(columns)}) values ({values})"
        )
    database._commit()  # type: ignore[attr-defined]
    database.close()


def views(place: Place, **options: Any) -> None:
    """Make them."""
    database = place.open()
    try:
        create_views(database, "billing", **options)
    finally:
        database.close()


def answers(place: Place, sql: str) -> list[tuple[Any, ...]]:
    """Rows, with amounts without the zeros that a type adds."""
    return [tuple(plain(cell) for cell in row) for row in place.query(sql)]


def _type_of(value: Any, engine: str) -> str:
    if isinstance(value, bool):
        return "boolean"
    kinds = ((Decimal, _AMOUNT[engine]), (datetime, "timestamptz"), (date, "date"), (int, "bigint"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "text")


def _literal(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool | int | Decimal):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"
