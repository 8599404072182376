"""What is loaded for the models: the reports that they read, with the columns that they need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scripts.demo.settings import ZONE, demo_settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

ACTIVITY = "balance_change_from_activity.itemized.3"
PAYOUTS = "payouts.itemized.3"
SETTLED = "payout_reconciliation.itemized.5"
BALANCE = "balance.summary.1"
UNSETTLED = "ending_balance_reconciliation.itemized.4"


def stream_of(report_type: str) -> str:
    """The stream of a report type under the tap's own name for it."""
    return f"stripe_{report_type.replace('.', '_')}"


def model_settings(sandbox: Mapping[str, Any], *, today: date) -> dict[str, Any]:
    """As the demo's, with one period a month for all reports that the models read."""
    by_month = {"window": "month", "timezone": ZONE}
    return {
        **demo_settings(sandbox, today=today),
        "stripe_reports": [
            {"report_type": ACTIVITY, "columns": ["*"], **by_month},
            {"report_type": PAYOUTS, "columns": ["*"], **by_month},
            {"report_type": SETTLED, "columns": ["*"], **by_month},
            {"report_type": BALANCE, **by_month},
            {"report_type": UNSETTLED, **by_month},
        ],
    }
