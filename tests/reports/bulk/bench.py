"""Bring and Stripe with a storage, and what lies there as Parquet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from tests.fakes import SandboxClock
from tests.running import Result, run_tap

if TYPE_CHECKING:
    from pathlib import Path

    from tap_billing_reports.sandbox.core import Sandbox

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=timezone.utc)
ITEMIZED = "balance_change_from_activity.itemized.3"
ROWS = "stripe_balance_change_from_activity_itemized_3"


@dataclass
class Bulk:
    """Emulated vendors, a tap that reads them, and the folder where it keeps files."""

    box: Sandbox
    store: Path

    @property
    def control(self) -> Any:
        return self.box.control

    def config(self, **settings: Any) -> dict[str, Any]:
        monthly = {"report_type": ITEMIZED, "window": "month", "timezone": "America/Los_Angeles"}
        given = {
            **self.box.settings(start_date="2026-09-15"),
            "stripe_connected_accounts": [],
            "stripe_reports": [monthly],
            "bring_customers": ["20000770044", "20000770011"],
        }
        return {**given, "storage_url": str(self.store), **settings}

    def run(self, config: dict[str, Any], **more: Any) -> Result:
        return run_tap(config, clock=SandboxClock(self.control), **more)

    def kept(self, stream: str) -> list[Path]:
        return sorted((self.store / "parquet" / stream).rglob("*.parquet"))
