"""The tap's settings in the demo, on top of those with which the sandbox says how it is reached."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from tap_billing_reports.vendors import stripe_suggested

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

DAYS = 200
ZONE = "America/Los_Angeles"

# The reports that `billing-reports init` proposes, which are those that the models read: in one zone, and of the first
# three all columns. Beside them the summary that must agree with the first, and as one period a report that is read
# again whenever the vendor has another day, so that the second sync brings new rows every day.
WHOLE = ("balance_change_from_activity.itemized.3", "payouts.itemized.3", "payout_reconciliation.itemized.5")
MODEL_REPORTS: tuple[dict[str, Any], ...] = tuple(
    {**entry, "timezone": ZONE, **({"columns": ["*"]} if entry["report_type"] in WHOLE else {})}
    for entry in stripe_suggested.REPORTS
)
STRIPE_REPORTS: tuple[dict[str, Any], ...] = (
    *MODEL_REPORTS,
    {"report_type": "balance_change_from_activity.summary.1", "window": "month", "timezone": ZONE},
    {"report_type": "balance_change_from_activity.itemized.3", "name": "activity_to_date", "window": "all"},
)

# For those that read many accounts, or count messages: no report that the models alone need.
FEWER_REPORTS: tuple[dict[str, Any], ...] = (
    MODEL_REPORTS[0],
    {"report_type": "payouts.itemized.3", "window": "month"},
    *STRIPE_REPORTS[len(MODEL_REPORTS) :],
)


def demo_settings(
    sandbox: Mapping[str, Any],
    *,
    today: date,
    days: int = DAYS,
    storage: Path | None = None,
    reports: Sequence[Mapping[str, Any]] = STRIPE_REPORTS,
) -> dict[str, Any]:
    """Flat settings of the tap: the last `days` days, one connected account, few enough runs to be quick.

    With `storage`, files are kept there, and the invoices' PDFs with them.
    """
    kept = {} if storage is None else {"storage_url": str(storage), "bring_invoice_documents": True}
    return {
        **sandbox,
        "start_date": (today - timedelta(days=days)).isoformat(),
        "stripe_connected_accounts": list(sandbox.get("stripe_connected_accounts", ()))[:1],
        "stripe_reports": list(reports),
        "stripe_max_concurrent_runs": 4,
        "bring_unspecified_invoices": True,
        "run_deadline_minutes": 5,
        **kept,
    }
