"""What is loaded for the models: the reports that they read, with the columns that they need."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from scripts.demo.settings import MODEL_REPORTS, demo_settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

# The day of this run, whatever day it is: the rows on docs/models.md are the same ones each time. As in the demo the
# vendors' clock starts a day before.
TODAY = datetime(2026, 11, 28, 12, tzinfo=timezone.utc)
VENDORS_NOW = TODAY - timedelta(days=1)

ACTIVITY = "balance_change_from_activity.itemized.3"
PAYOUTS = "payouts.itemized.3"
SETTLED = "payout_reconciliation.itemized.5"


def stream_of(report_type: str) -> str:
    """The stream of a report type under the tap's own name for it."""
    return f"stripe_{report_type.replace('.', '_')}"


def model_settings(sandbox: Mapping[str, Any], *, today: date) -> dict[str, Any]:
    """As the demo's, with no other reports than those that the models read."""
    return demo_settings(sandbox, today=today, reports=MODEL_REPORTS)
