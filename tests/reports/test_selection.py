"""What is selected decides what is ordered, and nothing that is selected later is taken for read."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from tap_billing_reports.sandbox.core import Sandbox
from tests.fakes import SandboxClock
from tests.running import run_tap, selecting

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=timezone.utc)
STRIPE = "stripe_balance_change_from_activity_itemized_3"
BRING = "bring_invoice_lines"


@pytest.fixture(scope="module")
def box():
    with Sandbox(NOW, vendors=("stripe", "bring"), stripe_run_seconds=0, bring_run_seconds=0) as box:
        yield box


@pytest.fixture
def sync(box):
    box.control.reset()
    config = {
        **box.settings(start_date="2026-10-20"),
        "stripe_connected_accounts": [],
        "stripe_reports": [{"report_type": "balance_change_from_activity.itemized.3", "window": "week"}],
    }

    def run(*streams, state=None, **more):
        given = {**config, **more}
        catalog = selecting(given, *streams) if streams else None
        ended = run_tap(given, state=state, catalog=catalog, clock=SandboxClock(box.control))
        assert ended.status == 0, ended.log
        return ended

    return run


def orders(box):
    return {vendor: found["total"] for vendor, found in box.control.counters()["orders"].items()}


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "not kept"])
def test_rows_that_are_selected_after_their_files_all_come(box, sync, tmp_path, kept):
    more = {"storage_url": str(tmp_path)} if kept else {}
    files = sync("report_files", **more)
    ordered = orders(box)
    assert len(files.of("report_files")) == sum(ordered.values()) > 4
    assert not files.of(STRIPE) + files.of(BRING)
    later = sync("report_files", STRIPE, BRING, state=files.state, **more)
    again = orders(box)
    assert again["stripe"] == ordered["stripe"], "its runs are listed, and used again"
    assert again["bring"] == ordered["bring"] * (1 if kept else 2)
    third = sync("report_files", STRIPE, BRING, state=later.state, **more)
    assert not third.of(STRIPE) + third.of(BRING)
    assert orders(box) == again
    box.control.reset()
    whole = sync()
    for stream in (STRIPE, BRING):
        assert later.table(stream).keys() == whole.table(stream).keys() != set()


def test_rows_that_were_sent_before_are_not_doubled(box, sync):
    """Rows, then files alone, then rows again: what went out the first time goes out under the same keys."""
    first = sync()
    box.control.next_day()
    box.control.advance(7 * 86_400)
    files = sync("report_files", state=first.state)
    assert files.of("report_files")
    later = sync(state=files.state)
    both = first.table(STRIPE) | later.table(STRIPE)
    assert both.keys() == sync().table(STRIPE).keys()
    assert len({key[3] for key in both}) > len({key[3] for key in first.table(STRIPE)})
