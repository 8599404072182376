"""The same through the whole tap: the lock, kept files, rows that may be out."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest

from tap_billing_reports.core.clock import Clock
from tap_billing_reports.sandbox.core import Sandbox
from tap_billing_reports.storage.files import Storage
from tap_billing_reports.storage.lock import Lock
from tests.fakes import SandboxClock
from tests.running import Result, run_tap

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=timezone.utc)
REPORT = "balance_change_from_activity.itemized.3"
ROWS = "stripe_balance_change_from_activity_itemized_3"


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(NOW, vendors=("stripe",), stripe_run_seconds=0) as box:
        yield box


@pytest.fixture
def config(box, tmp_path) -> dict[str, Any]:
    box.control.reset()
    return {
        **box.settings(start_date="2026-08-01"),
        "stripe_connected_accounts": [],
        "stripe_reports": [{"report_type": REPORT, "window": "month"}],
        "storage_url": str(tmp_path / "kept"),
    }


def run(box: Sandbox, config: dict[str, Any], state: Any = None) -> Result:
    return run_tap(config, state=state, clock=SandboxClock(box.control))


def orders(box: Sandbox) -> int:
    return int(box.control.counters()["orders"].get("stripe", {"total": 0})["total"])


def ledger(state: dict[str, Any]) -> dict[str, Any]:
    entries: list[dict[str, Any]] = state["bookmarks"].get(ROWS, {}).get("ledger", [{}])
    return entries[0]


def test_a_second_sync_of_the_same_storage_is_refused_before_it_asks_anything(box, config):
    lock = Lock(Storage(config["storage_url"]), Clock(), [f"stripe {config['stripe_account_id']}"])
    lock.acquire()
    refused = run(box, config)
    assert refused.status == 1
    assert refused.log.count("another sync with this storage_url is running") == 1
    assert (box.control.requests(), refused.states, refused.records) == ([], [], {})
    lock.release()
    assert run(box, config).status == 0
    # And the lock of a sync that has ended is free.
    assert run(box, config).status == 0


def test_a_sync_without_state_sends_the_kept_files_and_orders_nothing(box, config):
    first = run(box, config)
    assert first.status == 0
    assert orders(box) == 3
    asked = len(box.control.requests())
    again = run(box, config)
    assert again.status == 0
    assert orders(box) == 3
    assert not [r for r in box.control.requests()[asked:] if "/contents" in r["path"] or r["method"] == "POST"]
    assert again.table(ROWS) == first.table(ROWS)
    assert again.table("report_files") == first.table("report_files")
    assert again.table("report_runs") == first.table("report_runs")


def test_state_tells_what_rows_may_be_out_before_they_are(box, config):
    """Many chunks: the first is noted exactly, then ever longer stretches, and nothing is left when all is done."""
    box.control.options["stripe_rows_multiplier"] = 8
    config["stripe_reports"][0]["window"] = "all"
    del config["storage_url"]
    whole = run(box, config)
    assert whole.status == 0
    rows = len(whole.table(ROWS))
    noted = [
        period["out_rows"] for state in whole.states for period in ledger(state).get("open", ()) if "out" in period
    ]
    assert noted == sorted(set(noted))
    assert 1 < len(noted) < 15
    assert noted[0] < rows <= noted[-1] < 2 * rows
    assert "open" not in ledger(whole.state)


@pytest.mark.parametrize("optional", [True, False])
def test_a_report_that_an_account_does_not_have_is_a_failure_unless_it_is_optional(box, config, optional):
    config["stripe_reports"] = [{"report_type": "no_such.report.1", "window": "month", "optional": optional}]
    ended = run(box, config)
    assert ended.status == (0 if optional else 1)
    assert "no_such.report.1" in ended.log
    assert ("refused, and optional" in ended.log) is optional
    assert orders(box) == 0
