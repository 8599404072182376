"""Writes `tests/packaging/schemas.snapshot.json`: every stream's keys and columns, the tap's public contract.

    python scripts/schema_snapshot.py

A test compares the code with it. Look at its difference before committing: a column that is gone, renamed or of
another type breaks the users' tables.
"""

from __future__ import annotations

import json
from typing import Any

from scripts.venvs import ROOT
from tap_billing_reports.declare.catalogue import catalogue
from tap_billing_reports.singer.tap import TapBillingReports
from tap_billing_reports.vendors import all_sources

SNAPSHOT = ROOT / "tests" / "packaging" / "schemas.snapshot.json"
# Bring's invoice lines have a stream of their own without being configured.
BUILT_IN = "MASTER-SPECIFIED_INVOICE"


def settings() -> dict[str, Any]:
    """Every source, and every report type of the catalogues. Nothing is asked of anybody."""
    stripe = [
        {"report_type": name, **({"payouts": ["po_1"]} if "payout" in facts["required"] else {"window": "month"})}
        for name, facts in catalogue("stripe")["report_types"].items()
    ]
    bring = [
        {"report_type": name, "window": "month"} for name in catalogue("bring")["report_types"] if name != BUILT_IN
    ]
    required = [name for source in all_sources() for name in source.required]
    return {
        **dict.fromkeys(required, "https://nobody.example"),
        "start_date": "2026-01-01",
        "stripe_reports": stripe,
        "bring_reports": bring,
        "brp_currency": "SEK",
    }


def everything() -> TapBillingReports:
    """The tap with all of that configured."""
    return TapBillingReports(config=settings())


def contract() -> dict[str, Any]:
    """Stream -> its keys and columns, without what only explains."""

    def kind(column: dict[str, Any]) -> str:
        types = column["type"] if isinstance(column["type"], list) else [column["type"]]
        return " ".join([*types, column.get("format", "")]).strip()

    return {
        name: {
            "primary_keys": list(stream.primary_keys),
            "replication_key": stream.replication_key,
            "columns": {column: kind(schema) for column, schema in sorted(stream.schema["properties"].items())},
        }
        for name, stream in sorted(everything().streams.items())
    }


def counts() -> tuple[int, int]:
    """How many streams and columns are promised."""
    promised = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    return len(promised), sum(len(stream["columns"]) for stream in promised.values())


if __name__ == "__main__":
    SNAPSHOT.write_text(json.dumps(contract(), indent=1) + "\n", encoding="utf-8")
