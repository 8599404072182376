"""The tap's settings in the demo, on top of those with which the sandbox says how it is reached."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

DAYS = 100
ZONE = "America/Los_Angeles"

# Months for reports with many rows and for a summary that must agree with its items; one report by day, which
# gives the second sync a new period to fetch.
STRIPE_REPORTS: tuple[dict[str, Any], ...] = (
    {"report_type": "balance_change_from_activity.itemized.3", "window": "month", "timezone": ZONE},
    {"report_type": "balance_change_from_activity.summary.1", "window": "month", "timezone": ZONE},
    {"report_type": "payouts.itemized.3", "window": "month"},
    {"report_type": "balance.summary.1", "window": "day"},
)


def demo_settings(sandbox: Mapping[str, Any], *, today: date, days: int = DAYS) -> dict[str, Any]:
    """Flat settings of the tap: everything of the last `days` days, nothing deferred to another sync."""
    return {
        **sandbox,
        "start_date": (today - timedelta(days=days)).isoformat(),
        "stripe_reports": list(STRIPE_REPORTS),
        "stripe_max_concurrent_runs": 4,
        "max_new_runs": days + 20,
        # An entry that the sandbox's clock or a slow machine delays is still a matter of minutes.
        "run_deadline_minutes": 5,
    }
