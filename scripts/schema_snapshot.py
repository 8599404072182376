"""Writes `tests/packaging/schemas.snapshot.json`: every stream's keys and columns, the tap's public contract.

    python scripts/schema_snapshot.py

A test compares the code with it. Look at its difference before committing: a column that is gone, renamed or of
another type breaks the users' tables.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tap_billing_reports.singer.tap import TapBillingReports

ROOT = Path(__file__).resolve().parent.parent
SNAPSHOT = ROOT / "tests" / "packaging" / "schemas.snapshot.json"
# Bring's invoice lines have a stream of their own without being configured.
BUILT_IN = "MASTER-SPECIFIED_INVOICE"


def settings() -> dict[str, Any]:
    """Every source, and every report type of the catalogues. Nothing is asked of anybody."""
    from tap_billing_reports.declare.catalogue import catalogue  # noqa: PLC0415 - the path is set up in `main`

    stripe = [
        {"report_type": name, "window": "month", **({"payouts": ["po_1"]} if "payout" in facts["required"] else {})}
        for name, facts in catalogue("stripe")["report_types"].items()
    ]
    return {
        "start_date": "2026-01-01",
        "stripe_api_key": "sk_test_none",
        "stripe_account_id": "acct_none",
        "stripe_reports": stripe,
        "bring_api_uid": "nobody@shop.example",
        "bring_api_key": "none-of-yours",
        "bring_client_url": "https://shop.example",
        "bring_reports": [
            {"report_type": name, "window": "month"} for name in catalogue("bring")["report_types"] if name != BUILT_IN
        ],
        "brp_api_url": "https://gym.example/api/ver2",
        "brp_api_key": "none-of-yours",
        "brp_currency": "SEK",
        "klarna_username": "K1_nobody",
        "klarna_password": "none-of-yours",
        "vipps_client_id": "nobody",
        "vipps_client_secret": "none-of-yours",
        "vipps_subscription_key": "none-of-yours",
    }


def everything() -> TapBillingReports:
    """The tap with all of that configured."""
    from tap_billing_reports.singer.tap import TapBillingReports  # noqa: PLC0415

    return TapBillingReports(config=settings())


def contract() -> dict[str, Any]:
    """Stream -> its keys and columns, without what only explains."""
    return {
        name: {
            "primary_keys": list(stream.primary_keys),
            "replication_key": stream.replication_key,
            "columns": {
                column: " ".join([*kind["type"], kind.get("format", "")]).strip()
                if isinstance(kind["type"], list)
                else f"{kind['type']} {kind.get('format', '')}".strip()
                for column, kind in sorted(stream.schema["properties"].items())
            },
        }
        for name, stream in sorted(everything().streams.items())
    }


def main() -> None:
    """Rewrites the file in place."""
    sys.path.insert(0, str(ROOT))
    SNAPSHOT.write_text(json.dumps(contract(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
