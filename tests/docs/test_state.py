"""docs/state.md is true: its examples are states that the tap takes, and what a sync writes is explained."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone

import pytest

from scripts import schema_snapshot
from tap_billing_reports.reports.state.entry import Entry
from tap_billing_reports.sandbox.core import Sandbox
from tests.docs.pages import ROOT, blocks
from tests.fakes import SandboxClock
from tests.running import run_tap

PAGE = (ROOT / "docs" / "state.md").read_text()
EXAMPLES = [*blocks(PAGE, "json"), *blocks((ROOT / "docs" / "architecture.md").read_text(), "json")]


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_a_state_that_the_tap_takes_and_would_write(example):
    state = json.loads(example)
    tap = schema_snapshot.everything()
    tap.load_state(json.loads(example))
    for stream, bookmark in state["bookmarks"].items():
        assert tap.state["bookmarks"][stream] == bookmark
        assert bookmark.get("ledger", []) == [Entry.from_state(part).as_state() for part in bookmark.get("ledger", [])]


def names_in(value):
    """Every key of every object in a state but for the streams' names."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from names_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from names_in(inner)


def test_every_part_of_the_states_of_a_sync_is_explained(tmp_path):
    with Sandbox(datetime(2026, 11, 20, 9, 30, tzinfo=timezone.utc)) as sandbox:
        config = {
            **sandbox.settings(start_date="2026-09-20"),
            "storage_url": str(tmp_path / "kept"),
            "stripe_connected_accounts": [],
            "stripe_reports": [
                {"report_type": "payouts.itemized.3", "window": "month", "name": "payouts"},
                {"report_type": "balance_change_from_activity.summary.1", "window": "all", "name": "to_date"},
            ],
            "bring_customers": ["20000770011"],
            "bring_invoice_documents": True,
        }
        result = run_tap(config, clock=SandboxClock(sandbox.control))
    assert result.status == 0, result.log
    written = {
        name for state in result.states for bookmark in state["bookmarks"].values() for name in names_in(bookmark)
    }
    explained = {name for example in EXAMPLES for name in names_in(json.loads(example))}
    explained.update(re.findall(r"`(\w+)`", PAGE))
    assert {"ledger", "through", "open", "done", "subjects_done", "unsettled", "documents", "listed"} <= written
    assert written <= explained
