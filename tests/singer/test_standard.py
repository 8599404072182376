"""The SDK's standard tests, against all three emulated vendors."""

from __future__ import annotations

import atexit

from singer_sdk.testing import SuiteConfig, get_tap_test_class

from tap_billing_reports.sandbox.core import Sandbox
from tap_billing_reports.singer.tap import TapBillingReports
from tests.killing import HastyClock

# The SDK builds the streams when the test class is made, so the vendors must be there before the first test.
_box = Sandbox(stripe_run_seconds=0, bring_run_seconds=0)
_box.__enter__()
atexit.register(_box.__exit__, None, None, None)

CONFIG = {
    **_box.settings(start_date=f"{_box.control.now().year - 1}-12-01"),
    # The SDK holds records against the catalogue as it was before the sync.
    "on_new_column": "ignore",
    "bring_invoice_documents": True,
    "storage_url": "memory://standard",
    "stripe_connected_accounts": [],
    "stripe_lookback_days": 5,
    "stripe_reports": [
        {"report_type": "balance_change_from_activity.itemized.3", "window": "all"},
        {"report_type": "balance_change_from_activity.summary.1", "window": "all", "timezone": "Europe/Oslo"},
    ],
}


class HastyTap(TapBillingReports):
    """The tap with a clock whose waits pass at once."""

    clock = HastyClock()


TestStandard = get_tap_test_class(
    HastyTap,
    config=CONFIG,
    parse_env_config=False,
    # A limit would look like --test, which orders nothing.
    suite_config=SuiteConfig(max_records_limit=None),
)
