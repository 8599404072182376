"""The tap's settings in the demo, on top of those with which the sandbox says how it is reached."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DAYS = 200
ZONE = "America/Los_Angeles"

# By month a report with many rows and all its columns, the summary that must agree with it, and payouts; as one period
# a report that is read again whenever the vendor has another day, so that the second sync brings new rows every day.
STRIPE_REPORTS: tuple[dict[str, Any], ...] = (
    {
        "report_type": "balance_change_from_activity.itemized.3",
        "window": "month",
        "timezone": ZONE,
        "columns": ["*"],
    },
    {"report_type": "balance_change_from_activity.summary.1", "window": "month", "timezone": ZONE},
    {"report_type": "payouts.itemized.3", "window": "month"},
    {"report_type": "balance_change_from_activity.itemized.3", "name": "activity_to_date", "window": "all"},
)


def demo_settings(
    sandbox: Mapping[str, Any], *, today: date, days: int = DAYS, storage: Path | None = None
) -> dict[str, Any]:
    """Flat settings of the tap: the last `days` days, one connected account, few enough runs to be quick.

    With `storage`, files are kept there, and the invoices' PDFs with them.
    """
    kept = {} if storage is None else {"storage_url": str(storage), "bring_invoice_documents": True}
    return {
        **sandbox,
        "start_date": (today - timedelta(days=days)).isoformat(),
        "stripe_connected_accounts": list(sandbox.get("stripe_connected_accounts", ()))[:1],
        "stripe_reports": list(STRIPE_REPORTS),
        "stripe_max_concurrent_runs": 4,
        "run_deadline_minutes": 5,
        **kept,
    }
