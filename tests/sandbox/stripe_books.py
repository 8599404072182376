"""Reports of an emulated Stripe without HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from tap_billing_reports.sandbox.clock import Clock
from tap_billing_reports.sandbox.stripe import StripeVendor
from tap_billing_reports.sandbox.stripe.catalogue import available
from tap_billing_reports.sandbox.stripe.files import Files
from tap_billing_reports.sandbox.stripe.money import Money
from tap_billing_reports.sandbox.stripe.windows import periods
from tap_billing_reports.sandbox.world import World

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=timezone.utc)
ACTIVITY = "balance_change_from_activity.itemized.3"
PAYOUTS = "payouts.itemized.3"
SETTLED = "payout_reconciliation.itemized.5"
UNSETTLED = "ending_balance_reconciliation.itemized.4"

Amounts = Mapping[str, int]
Window = tuple[int, int]


class Books:
    """Reports of an emulated Stripe, asked for without HTTP; amounts are whole minor units."""

    def __init__(self, seed: int, **options: Any) -> None:
        clock = self.clock = Clock(NOW)
        clock.freeze()
        self.vendor = StripeVendor(World(clock, seed, options))
        self.files = Files(self.vendor.ledgers)
        self.first, self.end, _ = available(clock.start, clock.now())

    def rows(self, account: str, kind: str, window: Window | None = None, **given: Any) -> list[dict[str, Any]]:
        asked = {} if window is None else {"interval_start": window[0], "interval_end": window[1]}
        rows = self.files.rows(account, kind, {**asked, **given})
        return [{name: _minor(cell) for name, cell in row.items()} for row in rows]

    def windows(self, unit: str, zone: str) -> list[Window]:
        """All windows that there are data for; of days those of a month."""
        tz = timezone.utc if zone == "UTC" else ZoneInfo(zone)
        first = self.end - timedelta(days=30) if unit == "day" else self.first
        return periods(unit, first.date(), None, tz, (self.first, self.end), partial=True)

    @property
    def whole(self) -> Window:
        return int(self.first.timestamp()), int(self.end.timestamp())

    def balances(self, account: str, window: Window) -> tuple[Amounts, Amounts]:
        """The starting and the ending balance of each currency, as the balance summary has them."""
        lines = self.rows(account, "balance.summary.1", window)
        starting, ending = (
            {row["currency"]: row["net_amount"] for row in lines if row["category"] == f"{which}_balance"}
            for which in ("starting", "ending")
        )
        for currency in starting:
            every = [row["net_amount"] for row in lines if row["currency"] == currency]
            assert sum(every[:-1]) == every[-1]
        return starting, ending


def summary(kind: str) -> str:
    """The summary of what an itemized type lists."""
    return f"{kind.partition('.')[0]}.summary.1"


def _minor(cell: Any) -> Any:
    return cell.minor if isinstance(cell, Money) else cell
