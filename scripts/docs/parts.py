"""The generated parts of the pages: what is drawn from the code, so that no page can lag behind it."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from scripts import schema_snapshot
from scripts.docs import examples, numbers, personal, settings_table, staged
from scripts.docs.tables import code, codes, table
from tap_billing_reports.core.columns import column_name
from tap_billing_reports.declare.catalogue import catalogue
from tap_billing_reports.reports.state import journal, layout
from tap_billing_reports.singer.schemas import stream_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ENVIRONMENT = "TAP_BILLING_REPORTS_"
CORE = ("accounts", "report_types", "invoices", "invoice_documents", "report_runs", "report_files", "reconciliations")
_WORDS = {"date": "date", "date-time": "timestamp (UTC)", "x-singer.decimal": "decimal, as text"}


def kind(schema: Mapping[str, Any]) -> str:
    """A column's type in plain words."""
    types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    (plain,) = (word for word in types if word != "null")
    return _WORDS.get(schema.get("format", ""), {"string": "text"}.get(plain, plain))


# -- settings ------------------------------------------------------------------------------------------


def settings() -> str:
    """One table for each group of settings, as the tap tells of them."""
    return settings_table.table(settings_table.about())


# -- streams -------------------------------------------------------------------------------------------


def _columns(schema: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    return table(
        ("column", "type", "what it holds"),
        (
            (code(name), kind(column) + (", key" if name in keys else ""), column.get("description", ""))
            for name, column in schema["properties"].items()
        ),
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
            + _columns(stream.schema, tuple(stream.primary_keys))
        )
    rows = found["bring_invoice_lines"]
    parts.append(
        "## Row streams\n\nOne for each configured report, such as `bring_invoice_lines`. "
        f"Primary key: {codes(rows.primary_keys)}. Replication key: {code(str(rows.replication_key))}.\n\n"
        "Every one of them has these columns:\n\n" + _columns(stream_schema("report_rows"), tuple(rows.primary_keys))
    )
    return "\n".join(parts)


def invoice_lines() -> str:
    common = stream_schema("report_rows")["properties"]
    columns = schema_snapshot.everything().streams["bring_invoice_lines"].schema["properties"]
    return table(
        ("column", "type", "what it holds"),
        ((code(n), kind(column), column["description"]) for n, column in columns.items() if n not in common),
    )


def stripe_columns() -> str:
    """Every column of Stripe's catalogued reports, once."""
    types = catalogue("stripe")["types"]
    words = {
        "timestamp": "timestamp (UTC), read in the run's zone",
        "timestamp_utc": "timestamp (UTC)",
        "decimal": "decimal, as text",
        "currency": "currency code, in capitals",
    }
    texts = catalogue("stripe")["descriptions"]
    return table(
        ("column", "type", "what it holds"),
        ((code(column_name(h)), words.get(types[h], types[h]), texts[h]) for h in sorted(types)),
    )


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


# -- privacy -------------------------------------------------------------------------------------------


def personal_core() -> str:
    names = {"report_rows": "<source>_<name>"}  # as docs/streams.md calls the rows of a configured report
    return table(
        ("stream", "column", "what it holds"),
        ((code(names.get(s, s)), code(c), why) for s, columns in personal.CORE.items() for c, why in columns.items()),
    )


def _grouped(columns: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for why in dict.fromkeys(columns.values()):
        yield why, codes(name for name, other in columns.items() if other == why)


def personal_of(source: str) -> str:
    return table(("what they hold", "columns"), _grouped(personal.headers(source)))


# -- the contract --------------------------------------------------------------------------------------


def contract() -> str:
    """How many names a major version keeps."""
    promised = json.loads(schema_snapshot.SNAPSHOT.read_text(encoding="utf-8"))
    columns = sum(len(stream["columns"]) for stream in promised.values())
    return (
        f"The snapshot holds {len(promised)} streams with {columns:,} columns. "
        f"A ledger in the STATE has version {layout.VERSION}, a file of the journal version {journal.VERSION}.\n"
    )


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
    "docs/compatibility.md": {"contract": contract},
    "docs/numbers.md": {"numbers": numbers.numbers},
}
"""Page -> name of the part -> what writes it."""

FILES: dict[str, Callable[[], str]] = {"dbt/models/staging/_staging.yml": staged.staging}
"""File -> what writes it."""
