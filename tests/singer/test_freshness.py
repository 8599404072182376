"""`freshness`: how far a report's data lag, held against what the vendor promises."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from tap_billing_reports.declare import Account, Interval, Report
from tap_billing_reports.reports.state.entry import Entry
from tap_billing_reports.singer.checks.windows import coverage_checks

NOW = datetime(2026, 3, 4, 6, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("promised", "ok", "said"),
    [(30, True, "30 hours at most are usual"), (29, False, "29 hours at most are usual"), (None, None, "is not known")],
)
def test_data_thirty_hours_old(promised, ok, said):
    available = Interval(NOW - timedelta(days=9), NOW - timedelta(hours=30))
    planner: Any = SimpleNamespace(
        now=NOW, start_date=date(2026, 3, 1), available=lambda *_: available, until=lambda *_: available.end
    )
    api = SimpleNamespace(availability=lambda *_: available, stale_after_hours=promised)
    client: Any = SimpleNamespace(name="acme", api=api)
    report, account = Report("acme", "t", "t", "UTC"), Account("acme", "1", "merchant")
    (check,) = [
        one
        for one in coverage_checks(client, report, account, Entry(account="1", identity={}), planner)
        if one.check == "freshness"
    ]
    expected = None if promised is None else Decimal(promised)
    assert (check.expected, check.actual, check.ok) == (expected, Decimal(30), ok)
    assert said in str(check.reason)
