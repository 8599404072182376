"""The generated parts of the pages: what is drawn from the code, so that no page can lag behind it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from scripts import schema_snapshot
from scripts.docs import examples, hub, personal, settings_table, staged
from scripts.docs.tables import code, codes, table
from tap_billing_reports.core.columns import column_name
from tap_billing_reports.declare.catalogue import catalogue
from tap_billing_reports.singer.schemas import stream_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

CORE = ("accounts", "report_types", "invoices", "invoice_documents", "report_runs", "report_files", "reconciliations")
# Types and formats of JSON Schema, and those of Stripe's catalogue, in plain words.
WORDS = {
    "string": "text",
    "date": "date",
    "date-time": "timestamp (UTC)",
    "x-singer.decimal": "decimal, as text",
}
STRIPE_WORDS = {
    "timestamp": "timestamp (UTC), read in the run's zone",
    "timestamp_utc": "timestamp (UTC)",
    "decimal": "decimal, as text",
    "currency": "currency code, in capitals",
}


def settings() -> str:
    """One table for each group of settings, as the tap tells of them."""
    return settings_table.table(settings_table.about())


# -- columns -------------------------------------------------------------------------------------------


def columns_table(columns: Iterable[tuple[str, str, str]]) -> str:
    return table(("column", "type", "what it holds"), ((code(name), *rest) for name, *rest in columns))


def schema_table(properties: Mapping[str, Mapping[str, Any]], keys: Iterable[str] = ()) -> str:
    """The columns of a stream's schema."""

    def kind(column: Mapping[str, Any]) -> str:
        types = [column["type"]] if isinstance(column["type"], str) else column["type"]
        (plain,) = (word for word in types if word != "null")
        return WORDS.get(column.get("format", plain), WORDS.get(plain, plain))

    return columns_table(
        (name, kind(column) + (", key" if name in keys else ""), column.get("description", ""))
        for name, column in properties.items()
    )


def streams() -> str:
    """The streams that are there whatever is configured, and what every row stream has."""
    found = schema_snapshot.everything().streams
    parts = []
    for name in CORE:
        stream = found[name]
        replication = f" Replication key: {code(stream.replication_key)}." if stream.replication_key else ""
        parts.append(
            f"## {code(name)}\n\nPrimary key: {codes(stream.primary_keys)}.{replication}\n\n"
            + schema_table(stream.schema["properties"], stream.primary_keys)
        )
    rows = found["bring_invoice_lines"]
    parts.append(
        "## Row streams\n\nOne for each configured report, such as `bring_invoice_lines`. "
        f"Primary key: {codes(rows.primary_keys)}. Replication key: {code(str(rows.replication_key))}.\n\n"
        "Every one of them has these columns:\n\n"
        + schema_table(stream_schema("report_rows")["properties"], rows.primary_keys)
    )
    return "\n".join(parts)


def invoice_lines() -> str:
    common = stream_schema("report_rows")["properties"]
    columns = schema_snapshot.everything().streams["bring_invoice_lines"].schema["properties"]
    return schema_table({name: column for name, column in columns.items() if name not in common})


def stripe_columns() -> str:
    """Every column of Stripe's catalogued reports, once."""
    types, texts = catalogue("stripe")["types"], catalogue("stripe")["descriptions"]
    return columns_table((column_name(h), STRIPE_WORDS.get(types[h], types[h]), texts[h]) for h in sorted(types))


def stripe_differing() -> str:
    """What a column holds in some types and not in others."""
    return table(
        ("in types with", "column", "what it holds"),
        (
            (code(part), code(column_name(header)), text)
            for part, texts in catalogue("stripe")["descriptions_of"].items()
            for header, text in texts.items()
        ),
    )


def stripe_types() -> str:
    """Stripe's catalogued report types: what a run takes, and its columns."""
    parts = []
    for name, facts in catalogue("stripe")["report_types"].items():
        takes = [code(parameter) for parameter in facts["required"]]
        takes += [f"{code(parameter)} (optional)" for parameter in facts.get("optional", ())]
        if "optional" not in facts:
            takes.append("optional ones that no page of Stripe's tells")
        columns = codes(map(column_name, facts["columns"])) or "not known beforehand; as the file has them, as text"
        parts.append(f"### {name}\n\nParameters: {', '.join(takes)}.\n\nColumns: {columns}.\n")
    return "\n".join(parts)


# -- privacy ------------------------------------------------------------------------------------------


def personal_core() -> str:
    names = {"report_rows": "<source>_<name>"}  # as docs/streams.md calls the rows of a configured report
    return table(
        ("stream", "column", "what it holds"),
        ((code(names.get(s, s)), code(c), why) for s, columns in personal.CORE.items() for c, why in columns.items()),
    )


def personal_of(source: str) -> str:
    found = personal.columns(source).items()
    return table(("what they hold", "columns"), ((why, codes(columns)) for why, columns in found))


PARTS: dict[str, dict[str, Callable[[], str]]] = {
    "README.md": {"query": examples.query, "rows": examples.rows},
    "docs/settings.md": {"settings": settings},
    "docs/streams.md": {"streams": streams, "invoice lines": invoice_lines},
    "docs/report-columns.md": {
        "stripe columns": stripe_columns,
        "stripe columns of some types": stripe_differing,
        "stripe types": stripe_types,
    },
    "docs/privacy.md": {
        "personal columns": personal_core,
        "personal columns of Stripe": partial(personal_of, "stripe"),
        "personal columns of Bring": partial(personal_of, "bring"),
        "personal columns of Vipps MobilePay": partial(personal_of, "vipps"),
        "personal columns of Klarna": partial(personal_of, "klarna"),
    },
}
"""Page -> name of the part -> what writes it."""

FILES: dict[str, Callable[[], str]] = {
    "dbt/models/staging/_staging.yml": staged.staging,
    hub.FILE: hub.definition,
}
"""File -> what writes it."""
