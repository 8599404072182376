"""Test data are never taken for live ones: state, storage and keys of orders know where data come from."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from tap_billing_reports.declare import Account, Period, Report
from tap_billing_reports.reports.jobs import ReportJob
from tap_billing_reports.reports.runs.ordering import Orders
from tap_billing_reports.vendors.stripe_asked import realm
from tests.fakes import FakeClock
from tests.vendors.stripe.emulated import SUMMARY

ROWS = "stripe_balance_change_from_activity_summary_1"
MONTH = {"report_type": SUMMARY, "window": "month"}
LIVE = {"stripe_api_key": "sk_live_sandbox_platform"}
TEST_MODE = {"host": "127.0.0.1", "mode": "test"}


@pytest.mark.parametrize(
    ("key", "mode"),
    [
        ("sk_test_1", "test"),
        ("rk_live_1", "live"),
        ("sk_org_live_1", "live"),
        ("sk_1_test_1", None),
        ("mk_1OpaqueKey", None),
    ],
)
def test_the_mode_is_a_part_of_the_key(key, mode):
    assert realm({"stripe_api_key": key}).get("mode") == mode


def realms_in(state):
    found = [
        part.get("realm")
        for bookmark in state["bookmarks"].values()
        for name in ("partitions", "ledger", "listed", "documents")
        for part in bookmark.get(name, ())
    ]
    return {json.dumps(one, sort_keys=True) for one in found}


def without_realms(value):
    if isinstance(value, dict):
        return {name: without_realms(inner) for name, inner in value.items() if name != "realm"}
    return [without_realms(item) for item in value] if isinstance(value, list) else value


def forget_realms(folder):
    """As in a storage that was written before realms were noted."""
    for note in (folder / "journal").rglob("*.json"):
        note.write_text(json.dumps(without_realms(json.loads(note.read_text()))))
    forget_whose(folder)


def forget_whose(folder):
    for note in (folder / "realms").iterdir():
        note.unlink()


def test_a_state_of_the_other_mode_is_refused_before_anything_is_asked_or_sent(stripe):
    first = stripe.sync(MONTH)
    assert first.code == 0
    assert realms_in(first.state) == {json.dumps(TEST_MODE)}
    stripe.control.forget()
    ended = stripe.sync(MONTH, state=first.state, **LIVE)
    assert (ended.code, ended.messages, stripe.control.requests()) == (1, [], [])
    assert "is of mode test, and the settings are of mode live: run with a state and a storage_url" in ended.log


@pytest.mark.parametrize("stream", ["invoices", "report_runs", ROWS])
def test_each_part_of_a_state_is_looked_at(stripe, stream):
    state = stripe.sync(MONTH).state
    ended = stripe.sync(MONTH, state={"bookmarks": {stream: state["bookmarks"][stream]}}, **LIVE)
    assert (ended.code, ended.messages) == (1, [])
    assert f"or run a full refresh of {stream}" in ended.log


def test_a_state_without_realms_is_taken_as_of_the_present_one_and_then_is(stripe):
    old = without_realms(stripe.sync(MONTH).state)
    ended = stripe.sync(MONTH, state=old)
    assert ended.code == 0, ended.log
    assert not ended.of(ROWS)
    assert realms_in(ended.state) == {json.dumps(TEST_MODE)}


def test_a_storage_of_the_other_mode_is_refused_before_anything_is_asked_or_sent(stripe, tmp_path):
    kept = {"storage_url": str(tmp_path / "kept")}
    assert stripe.sync(MONTH, **kept).code == 0
    stripe.control.forget()
    ended = stripe.sync(MONTH, **LIVE, **kept)
    assert (ended.code, ended.messages, stripe.control.requests()) == (1, [], [])
    assert "what setting storage_url names for stripe acct_sandbox is of mode test" in ended.log


def test_a_kept_file_of_the_other_mode_is_never_read_and_never_replaced(stripe, tmp_path):
    """As where two credentials read one connected account: the note of whose the storage is is another one's."""
    kept = {"storage_url": str(tmp_path / "kept")}
    assert stripe.sync(MONTH, **kept).code == 0
    forget_whose(tmp_path / "kept")
    ended = stripe.sync(MONTH, **LIVE, **kept)
    assert ended.code == 1
    assert re.search(r"what storage_url holds of its period \S+ is of mode test", ended.log)
    assert not ended.of(ROWS)
    assert stripe.ordered() == 1


def test_a_storage_of_before_is_taken_as_of_the_present_realm(stripe, tmp_path):
    kept = {"storage_url": str(tmp_path / "kept")}
    first = stripe.sync(MONTH, **kept)
    forget_realms(tmp_path / "kept")
    again = stripe.sync(MONTH, **kept)
    assert again.code == 0, again.log
    assert again.records[ROWS] == first.records[ROWS]
    assert stripe.ordered() == 1
    (whose,) = (tmp_path / "kept" / "realms").iterdir()
    assert json.loads(whose.read_text()) == TEST_MODE


def due_in(**realm):
    client: Any = SimpleNamespace(name="stripe", realm=realm)
    report = Report("stripe", SUMMARY, "summary", "UTC")
    return ReportJob(client, report, Account("stripe", "acct_1", "kind"), Period("all"), {"currency": "nok"})


def test_each_realm_has_keys_of_its_own_and_an_older_order_keeps_its_key():
    orders = Orders(FakeClock(datetime(2026, 11, 20, tzinfo=timezone.utc)), None)
    test, live, older = due_in(mode="test"), due_in(mode="live"), due_in()
    keys = {orders._key(job, 1) for job in (test, live, older)}
    assert len(keys) == 3
    kept = replace(live, old_key=1)
    assert orders._key(kept, 1) == orders._key(older, 1)
    assert orders._key(kept, 2) == orders._key(live, 2)
