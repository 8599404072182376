"""What the README shows of a sync: of the emulated vendors, at an instant that stands still."""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from datetime import datetime, timezone
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from tap_billing_reports.cli.query import table as text_table
from tap_billing_reports.sandbox.core import Sandbox
from tests.fakes import SandboxClock
from tests.running import run_tap

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=timezone.utc)
SHOWN = 2  # rows of each report
# Stream -> some of its columns.
REPORTS = {
    "stripe_balance_change_from_activity_itemized_3": (
        "created", "currency", "gross", "fee", "net", "reporting_category",
    ),
    "stripe_payouts_itemized_3": ("effective_at", "currency", "net", "payout_status"),
    "bring_invoice_lines": ("invoice_number", "product", "weight_kg", "currency_code", "agreement_price"),
}  # fmt: skip
INVOICE = (
    "source", "account_id", "invoice_id", "status", "invoice_date", "currency", "net_amount", "tax_amount",
    "total_amount",
)  # fmt: skip


@cache
def synced() -> Mapping[str, list[dict[str, Any]]]:
    """The records of a sync, by stream."""
    with Sandbox(NOW) as sandbox:
        config = sandbox.settings(start_date="2026-10-01") | {
            "stripe_connected_accounts": [],
            "bring_customers": ["20000770011"],
            "stripe_reports": [
                {"report_type": "balance_change_from_activity.itemized.3", "window": "month"},
                {"report_type": "payouts.itemized.3", "window": "month"},
            ],
        }
        level = logging.root.level
        result = run_tap(config, clock=SandboxClock(sandbox.control))
        logging.root.setLevel(level)
    if result.status:
        raise RuntimeError(f"the sync for the examples failed:\n{result.log}")
    return result.records


def query() -> str:
    """What the README's query finds."""
    totals: defaultdict[str, list[Decimal]] = defaultdict(list)
    for invoice in synced()["invoices"]:
        if invoice["currency"] == "NOK" and not invoice.get("_sdc_deleted_at"):
            totals[invoice["source"]].append(Decimal(invoice["total_amount"]))
    rows = [(source, len(amounts), sum(amounts)) for source, amounts in sorted(totals.items())]
    found = text_table(("source", "invoices", "total"), rows)
    return "```text\n" + "".join(f"{line}\n" for line in found) + "```\n"


def rows() -> str:
    """A RECORD, and the first rows of three reports."""
    records = synced()
    invoice = next(one for one in records["invoices"] if one["currency"] == "NOK" and Decimal(one["tax_amount"]) > 0)
    record = {"type": "RECORD", "stream": "invoices", "record": {name: invoice[name] for name in INVOICE}}
    lines = []
    for stream, columns in REPORTS.items():
        # Which run is ready first is chance.
        ordered = sorted(records[stream], key=lambda row: (row["period"], row["row_number"]))
        lines += [f"-- {stream}", *text_table(columns, [[row[name] for name in columns] for row in ordered[:SHOWN]])]
    return f"```json\n{json.dumps(record)}\n```\n\n```text\n" + "".join(f"{line}\n" for line in lines) + "```\n"
