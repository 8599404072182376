"""The SQL of each view, for the tables and columns that a warehouse has."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Final

from tap_billing_reports.core.errors import ConfigError
from tap_billing_reports.views.models import CellKind, Mart, Orders, Seed, Staged, models
from tap_billing_reports.warehouse.address import Engine
from tap_billing_reports.warehouse.database import literal, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_AMOUNT: Final = {Engine.DUCKDB: "decimal(38, 12)", Engine.POSTGRES: "numeric"}
_TYPES: Final = {
    CellKind.TEXT: "text",
    CellKind.CURRENCY: "text",
    CellKind.DATE: "date",
    CellKind.INSTANT: "timestamp with time zone",
    CellKind.WHOLE: "bigint",
    CellKind.TRUTH: "boolean",
}
_TEXTS: Final = ("text", "varchar", "character varying")
_WITH_ZONE: Final = ("timestamp with time zone", "timestamptz")
NEWEST_VERSION: Final = 9
"""Of a report type that is looked for; the vendors' numbers are below it."""


@dataclass(frozen=True)
class OwnOrders:
    """A table or view of the user's with one row an order."""

    relation: str
    order_column: str
    tracking_column: str


@dataclass(frozen=True)
class Warehouse:
    """What the views are made for.

    Attributes:
        engine: whose SQL.
        schema: of the tables and the views, quoted as it stands in SQL.
        tables: each one's columns with their types, as the database names them.
        report_names: of each report type: the reports that have been read, by their names.
        named: tables with other names than those looked for, by what they hold.
        orders: the user's own; None for none.
    """

    engine: Engine
    schema: str
    tables: Mapping[str, Mapping[str, str]]
    report_names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)
    orders: OwnOrders | None = None


def tables_named(given: Iterable[str]) -> dict[str, str]:
    """`WHAT=TABLE` texts as `Warehouse.named`.

    Raises:
        ConfigError: one has another form, or no view reads what it names.
    """
    known = {source.table for source in models().sources.values() if isinstance(source, Staged)}
    found = {}
    for text in given:
        what, _, table = text.partition("=")
        if what not in known or not table:
            raise ConfigError(f"--table {text}: give WHAT=TABLE, where WHAT is one of {', '.join(sorted(known))}")
        found[what] = table
    return found


def views_for(warehouse: Warehouse) -> dict[str, str]:
    """The SELECT of each view, in an order in which each comes behind those that it reads."""
    return {name: _select(one, warehouse) for name, one in models().marts.items()}


def _select(one: Mart, warehouse: Warehouse) -> str:
    parts = (part if place % 2 == 0 else _relation(part, warehouse) for place, part in enumerate(one.parts))
    return "".join(parts).strip()


def _relation(name: str, warehouse: Warehouse) -> str:
    """What stands in a FROM: another view by its name, anything else as a subquery."""
    between = models().between.get(name)
    if between is not None:
        return f"({_select(between, warehouse)})"
    source = models().sources.get(name)
    if source is None:
        return f"{warehouse.schema}.{quoted(name)}"
    if isinstance(source, Seed):
        rows = ", ".join(f"({', '.join(map(literal, row))})" for row in source.rows)
        return f"(select * from (values {rows}) as seed ({', '.join(source.columns)}))"
    if isinstance(source, Orders):
        return f"({_orders(warehouse.orders)})"
    return f"({_staged(source, warehouse)})"


def _orders(orders: OwnOrders | None) -> str:
    if orders is None:
        return "select cast(null as text) as order_id, cast(null as text) as tracking_number where 1 = 0"
    return (
        f"select cast({orders.order_column} as text) as order_id, "
        f"cast({orders.tracking_column} as text) as tracking_number from {orders.relation}"
    )


def _staged(source: Staged, warehouse: Warehouse) -> str:
    table = table_of(source, warehouse)
    held = {} if table is None else warehouse.tables[table]
    cells = ", ".join(
        f"{_cell(name, kind, held.get(name), warehouse.engine)} as {quoted(name)}"
        for name, kind in source.columns.items()
    )
    if table is None:
        return f"select {cells} where 1 = 0"
    kept = ' where "_sdc_deleted_at" is null' if "_sdc_deleted_at" in held else ""
    return f"select {cells} from {warehouse.schema}.{quoted(table)}{kept}"


def table_of(source: Staged, warehouse: Warehouse) -> str | None:
    """The table that holds it; None if the warehouse has none.

    Of a family of reports: the one that `named` says, else the newest version under the tap's own name for it, else
    the first of those under the names that the runs have.
    """
    named = warehouse.named.get(source.table)
    if named is not None:
        return named if named in warehouse.tables else None
    if source.report is None:
        return source.table if source.table in warehouse.tables else None
    vendor = source.table.partition("_")[0]
    versions = range(NEWEST_VERSION, 0, -1)
    by_version = (f"{vendor}_{source.report.replace('.', '_')}_{version}" for version in versions)
    by_name = sorted(
        f"{vendor}_{name}"
        for report_type, names in warehouse.report_names.items()
        if report_type.startswith(f"{source.report}.")
        for name in names
    )
    return next((one for one in chain(by_version, by_name) if one in warehouse.tables), None)


def _cell(name: str, kind: CellKind, held: str | None, engine: Engine) -> str:
    """A cell in its type. Amounts may be text in the table; an instant without a zone is UTC."""
    sql_type = _AMOUNT[engine] if kind is CellKind.AMOUNT else _TYPES[kind]
    if held is None:
        return f"cast(null as {sql_type})"
    column, there = quoted(name), held.lower()
    if kind is CellKind.CURRENCY:
        return f"upper(cast({column} as {sql_type}))"
    if kind is CellKind.INSTANT and there.startswith("timestamp") and there not in _WITH_ZONE:
        return f"{column} at time zone 'UTC'"
    if kind is not CellKind.TEXT and there.startswith(_TEXTS):
        return f"cast(nullif({column}, '') as {sql_type})"
    return f"cast({column} as {sql_type})"
