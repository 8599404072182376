"""Stripe's emulator at a fixed day, and syncs against it."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from tests.killing import Ended, sync

if TYPE_CHECKING:
    from tap_billing_reports.sandbox.core import Sandbox

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=timezone.utc)
SUMMARY = "balance_change_from_activity.summary.1"
ITEMIZED = "balance_change_from_activity.itemized.3"


class Stripe:
    """One emulated Stripe account and the tap that reads it."""

    def __init__(self, box: Sandbox, folder: Any) -> None:
        self.box = box
        self.control = box.control
        self._folder = folder

    def settings(self, *reports: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {
            **self.box.settings(start_date="2026-10-01"),
            "stripe_connected_accounts": [],
            "stripe_reports": list(reports),
            **more,
        }

    def sync(self, *reports: dict[str, Any], state: Any = None, catalog: Any = None, **more: Any) -> Ended:
        config = self.settings(*reports, **more)
        return sync(config, self._folder, state=state, catalog=catalog, now=self.control.now())

    def orders(self) -> dict[str, int]:
        """The vendor's count: type and parameters -> runs ordered."""
        return dict(self.control.counters()["orders"].get("stripe", {}).get("by_key", {}))

    def ordered(self) -> int:
        return sum(self.orders().values())

    def asked(self, path: str, method: str = "GET") -> list[dict[str, Any]]:
        return [r for r in self.control.requests() if r["method"] == method and r["path"] == path]
