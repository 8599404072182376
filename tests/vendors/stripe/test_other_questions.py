"""An answer to another question than the one that was asked is never data."""

from __future__ import annotations

import pytest

from tests.vendors.stripe.conftest import SUMMARY

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
    assert "stripe account acct_sandbox_north and account acct_sandbox: the answer is to another question" in ended.log
    assert {record["account_id"] for record in ended.of("invoices")} == {"acct_sandbox"}
    bookmarks = ended.state["bookmarks"]["invoices"]["partitions"]
    assert not any(part.get("replication_key_value") for part in bookmarks)
    stripe.control.options["stripe_ignore_account"] = False
    again = stripe.sync(state=ended.state, **accounts)
    assert again.code == 0, again.log
    assert {record["account_id"] for record in again.of("invoices")} == {"acct_sandbox", "acct_sandbox_north"}
