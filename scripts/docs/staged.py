"""What dbt's docs say of the staging models: the descriptions that the streams' schemas have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scripts import schema_snapshot
from scripts.docs.tables import as_yaml
from tap_billing_reports.declare.catalogue import catalogue
from tap_billing_reports.views.models import Orders, Staged, models
from tap_billing_reports.views.sql import NEWEST_VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from singer_sdk import Stream

_AS_READ = (
    "Amounts are numbers, currencies in capitals, days and instants typed; rows that were taken back are left out. "
    "A column that is not loaded is null; without the table there is no row."
)
_OWN_ORDERS = "Your own orders, as `orders_relation` names them; no row where it is not set."
_ORDERS = {
    "order_id": "Number of the order: the column that `order_column` names.",
    "tracking_number": "Number of its shipment: the column that `tracking_column` names. Null or empty for an order "
    "without one.",
}
# Columns that no schema has before a file brings them.
_UNPUBLISHED = {
    "consignment_note": "The shipment, where a file of international cargo calls it so: those columns are published "
    "nowhere.",
    "charge_text": "What is charged for, where a file of international cargo calls it so.",
}


def staging() -> str:
    """`dbt/models/staging/_staging.yml`.

    Raises:
        KeyError: no schema describes a column that a model reads.
    """
    streams, found = schema_snapshot.everything().streams, []
    for name, source in models().sources.items():
        if isinstance(source, Staged):
            columns = {column: _described(source, column, streams) for column in source.columns}
            found.append(_model(name, f"{_what(source)} {_AS_READ}", columns))
        elif isinstance(source, Orders):
            found.append(_model(name, _OWN_ORDERS, _ORDERS))
    return as_yaml({"models": found}, "the streams' schemas")


def _model(name: str, description: str, columns: Mapping[str, str]) -> dict[str, Any]:
    described = [{"name": column, "description": text} for column, text in columns.items()]
    return {"name": name, "description": description, "columns": described}


def _what(source: Staged) -> str:
    if source.report is None:
        return f"The stream `{source.table}`, as the models read it."
    return f"The rows of the report `{source.report}`, the newest version that is loaded, as the models read them."


def _described(source: Staged, column: str, streams: Mapping[str, Stream]) -> str:
    """By the newest version of a report that has the column; what a type may have is in the catalogue too."""
    vendor = source.table.partition("_")[0]
    names = [source.table]
    if source.report is not None:
        family = source.report.replace(".", "_")
        names = [f"{vendor}_{family}_{version}" for version in range(NEWEST_VERSION, 0, -1)]
    for name in names:
        found = streams[name].schema["properties"].get(column) if name in streams else None
        if found is not None:
            return str(found["description"])
    return _UNPUBLISHED.get(column) or str(catalogue(vendor)["descriptions"][column])
