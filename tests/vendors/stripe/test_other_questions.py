"""An answer to another question than the one that was asked is never data."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tap_billing_reports.singer.tap import TapBillingReports
from tests.vendors.stripe.emulated import SUMMARY

ROWS = "stripe_balance_change_from_activity_summary_1"
MONTH = {"report_type": SUMMARY, "window": "month"}
POLL = {"method": "GET", "path": r"^/v1/reporting/report_runs/frr_"}
ORDER = {"method": "POST", "path": r"^/v1/reporting/report_runs$"}
LIST = {"method": "GET", "path": r"^/v1/invoices$"}
TYPE = {"method": "GET", "path": r"^/v1/reporting/report_types/"}


def altered(old, new):
    return {"alter": {"from": old, "to": new}}


@pytest.mark.parametrize(
    ("match", "do", "said"),
    [
        (POLL, altered('"id":"frr_', '"id":"frr_9'), "and frr_"),
        (POLL, altered('"filename":"frr_', '"filename":"frr_9'), "its file is that of frr_9"),
        (POLL, altered('"interval_start":1', '"interval_start":2'), "has interval_start 2"),
        (POLL, altered("activity.summary.1", "activity.summary.2"), f"and a {SUMMARY} was ordered"),
        (ORDER, altered('"interval_end":1', '"interval_end":2'), "has interval_end 2"),
        (ORDER, altered('"livemode":false', '"livemode":true'), "its mode is live, and test was asked"),
        (TYPE, altered('"id":"balance', '"id":"balances'), f"and {SUMMARY} was asked"),
        (LIST, altered('"livemode":false', '"livemode":true'), "its mode is live, and test was asked"),
        (LIST, altered('"created":17', '"created":16'), "was created at 16"),
    ],
)
def test_it_fails_in_words_that_name_both_and_the_next_sync_has_everything(stripe, match, do, said):
    stripe.control.fault(do, match)
    ended = stripe.sync(MONTH)
    assert ended.code == 1
    assert "the answer is to another question: " in ended.log
    assert said in ended.log
    lost = "invoices" if match is LIST else ROWS
    assert not ended.of(lost)
    stripe.control.clear_faults()
    again = stripe.sync(MONTH, state=ended.state)
    assert again.code == 0, again.log
    assert again.of(lost)
    assert stripe.ordered() == 1


def test_it_is_asked_for_again(stripe):
    stripe.control.fault(altered('"livemode":false', '"livemode":true'), {"path": "^/v1/"}, times=3)
    assert stripe.sync(MONTH).code == 0


def test_an_ignored_account_doubles_no_invoice_and_both_accounts_fail(stripe):
    accounts = {"stripe_connected_accounts": ["acct_sandbox_north"]}
    stripe.control.options["stripe_ignore_account"] = True
    ended = stripe.sync(**accounts)
    assert ended.code == 1
    assert "account acct_sandbox_north and account acct_sandbox both list" in ended.log
    assert {record["account_id"] for record in ended.of("invoices")} == {"acct_sandbox"}
    bookmarks = ended.state["bookmarks"]["invoices"]["partitions"]
    assert not any(part.get("replication_key_value") for part in bookmarks)
    stripe.control.options["stripe_ignore_account"] = False
    again = stripe.sync(state=ended.state, **accounts)
    assert again.code == 0, again.log
    assert {record["account_id"] for record in again.of("invoices")} == {"acct_sandbox", "acct_sandbox_north"}


NORTH = {"stripe_connected_accounts": ["acct_sandbox_north"]}
WEEK = {"report_type": SUMMARY, "window": "week"}
STREAMS = ("stripe_rows", "report_runs")


def chosen(stripe, report, *names):
    """A catalogue that takes these streams alone."""
    catalog = TapBillingReports(config=stripe.settings(report, **NORTH)).catalog_dict
    for entry in catalog["streams"]:
        for part in entry["metadata"]:
            if part["breadcrumb"] == []:
                part["metadata"]["selected"] = entry["stream"] in names
    return catalog


def accounts_of(records):
    return {record["account_id"] for record in records}


def mends_itself(stripe, report, state, catalog):
    """The header arrives again: after at most two syncs each account has its own runs and rows."""
    stripe.control.options["stripe_ignore_account"] = False
    first = stripe.sync(report, state=state, catalog=catalog, **NORTH)
    second = stripe.sync(report, state=first.state, catalog=catalog, **NORTH)
    assert second.code == 0, second.log
    runs = [record for ended in (first, second) for record in ended.of("report_runs")]
    owners: dict[str, Any] = {}
    for record in runs:
        # Ordered for the one, made for the other: for the one it has failed, since it is not there.
        if record["status"] == "succeeded":
            assert owners.setdefault(record["run_id"], record["account_id"]) == record["account_id"]
    assert accounts_of([*first.of("stripe_rows"), *second.of("stripe_rows")]) <= {"acct_sandbox", "acct_sandbox_north"}
    done = {entry["account"]: entry for entry in second.state["bookmarks"]["stripe_rows"]["ledger"]}
    assert set(done) == {"acct_sandbox", "acct_sandbox_north"}
    assert not any(entry.get("open") for entry in done.values())


@pytest.mark.parametrize("is_read_before", [False, True], ids=["runs of this sync", "runs that are listed"])
@pytest.mark.parametrize("report", [MONTH, WEEK], ids=["month", "week"])
def test_an_ignored_account_fails_the_reports_of_both_before_a_row_of_the_second(stripe, report, is_read_before):
    report = {**report, "name": "rows"}
    catalog = chosen(stripe, report, *STREAMS)
    if is_read_before:
        # Nothing is known of these runs: they are all adopted.
        assert stripe.sync(report, catalog=catalog).code == 0
    stripe.control.options["stripe_ignore_account"] = True
    ended = stripe.sync(report, catalog=catalog, **NORTH)
    assert ended.code == 1
    assert "both list run frr_" in ended.log
    assert re.search("account acct_sandbox(_north)? and account acct_sandbox", ended.log)
    assert "see that no proxy on the way drops the request header Stripe-Account" in ended.log
    assert len(accounts_of(ended.of("stripe_rows"))) <= 1
    assert not is_read_before or not ended.of("stripe_rows")
    listed = {entry["account_id"]: entry for entry in ended.state["bookmarks"]["report_runs"].get("listed", ())}
    assert not any("created_at" in entry for entry in listed.values())
    mends_itself(stripe, report, ended.state, catalog)


def test_an_ignored_account_fails_the_list_of_runs_of_both_where_no_report_is_due(stripe):
    report = {**MONTH, "name": "rows"}
    before = stripe.sync(report, catalog=chosen(stripe, report, "stripe_rows"))
    stripe.control.options["stripe_ignore_account"] = True
    ended = stripe.sync(report, catalog=chosen(stripe, report, "report_runs"), **NORTH)
    assert before.code == 0
    assert ended.code == 1
    assert "both list run frr_" in ended.log
    assert len(accounts_of(ended.of("report_runs"))) <= 1
    assert not any("created_at" in entry for entry in ended.state["bookmarks"]["report_runs"]["listed"])


def test_an_ignored_account_in_the_middle_of_a_state_is_seen_before_the_rows(stripe):
    report = {**WEEK, "name": "rows"}
    catalog = chosen(stripe, report, *STREAMS)
    first = stripe.sync(report, catalog=catalog, **NORTH)
    assert first.code == 0, first.log
    stripe.control.advance(8 * 86400)
    stripe.control.options["stripe_ignore_account"] = True
    ended = stripe.sync(report, state=first.state, catalog=catalog, **NORTH)
    assert ended.code == 1
    assert "both list run frr_" in ended.log
    assert len(accounts_of(ended.of("stripe_rows"))) <= 1
    mends_itself(stripe, report, ended.state, catalog)
