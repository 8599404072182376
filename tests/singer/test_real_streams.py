"""Whole syncs of all three vendors: every stream's messages are the same by the fast path and by the SDK's own."""

from __future__ import annotations

import random
from datetime import datetime, timezone

import pytest

from tap_billing_reports.sandbox.core import Sandbox
from tap_billing_reports.singer import fast_rows
from tap_billing_reports.singer.tap import TapBillingReports
from tests.fakes import SandboxClock
from tests.running import run_tap

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=timezone.utc)
REPORTS = [
    {"report_type": "balance_change_from_activity.itemized.3", "window": "week", "timezone": "America/Los_Angeles"},
    {"report_type": "balance_change_from_activity.summary.1", "window": "week", "timezone": "America/Los_Angeles"},
]
ROWS = {
    "bring_invoice_lines",
    "stripe_balance_change_from_activity_itemized_3",
    "stripe_balance_change_from_activity_summary_1",
}


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(NOW, stripe_run_seconds=1, bring_run_seconds=1) as box:
        yield box


def without_every_other_column(config, first):
    """A catalogue that leaves out each second column of every stream, from the `first` on; keys stay."""
    catalog = TapBillingReports(config=dict(config)).catalog_dict
    for entry in catalog["streams"]:
        columns = sorted(
            (part for part in entry["metadata"] if part["breadcrumb"]), key=lambda part: part["breadcrumb"]
        )
        for part in columns[first::2]:
            part["metadata"]["selected"] = False
    return catalog


def two_syncs(sandbox, config, catalog):
    """The messages of a sync, and of one a day later from its STATE with a column that is new."""
    sandbox.control.reset(at=NOW)
    messages = []
    state = None
    for _ in range(2):
        random.seed(1)  # polls come at the same times
        result = run_tap(config, state=state, catalog=catalog, clock=SandboxClock(sandbox.control))
        assert result.status == 0, result.log
        messages += result.messages
        state = result.state
        sandbox.control.next_day()
        sandbox.control.advance(6 * 86_400)
        sandbox.control.options["stripe_extra_columns"] = {"Loyalty tier": "gold, \u00e5"}
    return messages


@pytest.mark.parametrize("left_out", [None, 0, 1], ids=["all columns", "even columns", "odd columns"])
def test_every_stream_is_the_same_by_either_path(sandbox, monkeypatch, left_out):
    config = sandbox.settings(start_date="2026-11-01") | {
        "stripe_connected_accounts": [],
        "stripe_reports": REPORTS,
        "bring_customers": ["20000770011", "20000770044"],
    }
    catalog = None if left_out is None else without_every_other_column(config, left_out)
    written = []
    lines = fast_rows._lines

    def counted(plan, rows, shared):
        written.append(len(rows))
        return lines(plan, rows, shared)

    monkeypatch.setattr(fast_rows, "_lines", counted)
    fast = two_syncs(sandbox, config, catalog)
    rows = [record for kind, stream, record in fast if kind == "RECORD" and stream in ROWS]
    assert {stream for kind, stream, _ in fast if kind == "RECORD"} >= {"accounts", "invoices", "report_files", *ROWS}
    assert sum(written) == len(rows) > 100
    if left_out is None:
        assert any("loyalty_tier" in row for row in rows)
    written.clear()
    monkeypatch.setattr(fast_rows.FastRows, "_plan", lambda _self: None)
    by_the_sdk = two_syncs(sandbox, config, catalog)
    assert written == []
    assert fast == by_the_sdk
