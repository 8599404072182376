"""Makes the views in a warehouse that is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_billing_reports.views.sql import OwnOrders, Warehouse, views_for
from tap_billing_reports.warehouse.database import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_billing_reports.warehouse.database import Database

RUNS = "report_runs"


def create_views(
    database: Database,
    schema: str,
    *,
    named: Mapping[str, str] | None = None,
    orders: OwnOrders | None = None,
) -> list[str]:
    """Make every view of the package, and say which there are.

    Args:
        database: with no rows that are not committed.
        schema: of the tables; the views are made beside them.
        named: tables with other names than those that are looked for; see `Warehouse`.
        orders: the user's own.

    Raises:
        LoadError: the warehouse refuses; no view has changed then.
    """
    tables = database.tables()
    found = Warehouse(
        database.engine, quoted(schema), tables, _report_names(database, schema, tables), named or {}, orders
    )
    views = views_for(found)
    database.replace_views(views)
    return list(views)


def _report_names(database: Database, schema: str, tables: Mapping[str, Mapping[str, str]]) -> dict[str, list[str]]:
    if not {"report_type", "report_name"} <= set(tables.get(RUNS, ())):
        return {}
    names: dict[str, list[str]] = {}
    for report_type, name in database.select(
        f"select distinct report_type, report_name from {quoted(schema)}.{quoted(RUNS)} where report_name is not null"
    ):
        names.setdefault(report_type, []).append(name)
    return names
