"""Stripe's invoices: by creation, with those that are not settled remembered."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from tap_billing_reports.declare.client import map_fields
from tap_billing_reports.vendors.stripe import INVOICE_FIELDS
from tests.vendors.stripe.emulated import NOW
from tests.vendors.test_required_fields import INVOICE

DAY = 86400


def test_amounts_by_currency_and_no_links(stripe):
    ended = stripe.sync(start_date="2026-05-01")
    assert ended.code == 0, ended.log
    invoices = ended.of("invoices")
    digits = {r["currency"]: len(r["total_amount"].partition(".")[2]) for r in invoices}
    assert (digits["JPY"], digits["USD"], digits["KWD"]) == (0, 2, 3)
    for record in invoices:
        raw = json.loads(record["source_record"], parse_float=Decimal)
        scale = {"JPY": 0, "KWD": 3}.get(record["currency"], 2)
        assert Decimal(record["total_amount"]) == Decimal(raw["total"]).scaleb(-scale)
        assert raw["lines"]["object"] == "list"
        assert not {"confirmation_secret", "hosted_invoice_url", "invoice_pdf"} & set(raw)
    assert {"draft", "open", "paid", "void", "uncollectible"} <= {r["status"] for r in invoices}
    totals = stripe.control.totals(stripe.settings(start_date="2026-05-01"))["invoices"]["stripe"]
    assert totals["rows"] == len(invoices)
    for column, total in totals["sums"].items():
        assert sum(Decimal(r[column]) for r in invoices if r[column]) == Decimal(total)


def test_the_second_run_asks_from_the_look_back_and_for_the_unsettled_by_id(stripe):
    first = stripe.sync(start_date="2026-05-01", stripe_lookback_days=5)
    stripe.control.advance(DAY)
    stripe.control.next_day()
    asked = len(stripe.control.requests())
    second = stripe.sync(start_date="2026-05-01", stripe_lookback_days=5, state=first.state)
    assert second.code == 0, second.log
    bookmark = first.state["bookmarks"]["invoices"]["partitions"][0]
    lists = [r["query"] for r in stripe.control.requests()[asked:] if r["path"] == "/v1/invoices"]
    since = int(lists[0].partition("created[gte]=")[2].partition("&")[0])
    assert NOW.timestamp() - since < 12 * DAY
    assert all("status=" in query for query in lists[1:]), "further back only the unsettled are listed"
    assert bookmark["replication_key_value"] >= "2026-11-10"
    by_id = [r for r in stripe.control.requests()[asked:] if r["path"].startswith("/v1/invoices/in_")]
    listed = {item[0] for item in bookmark["unsettled"]}
    assert {r["path"].rpartition("/")[2] for r in by_id} <= listed
    assert by_id
    deleted = [r for r in second.of("invoices") if r["status"] == "deleted"]
    assert len(deleted) == 1, "a draft was deleted"
    assert deleted[0]["_sdc_deleted_at"]
    sent = {r["invoice_id"]: r for r in first.of("invoices")}[deleted[0]["invoice_id"]]
    kept = ("type", "currency", "net_amount", "tax_amount", "total_amount", "amount_due", "invoice_date")
    assert {name: deleted[0][name] for name in kept} == {name: sent[name] for name in kept}
    before = {r["invoice_id"]: r["status"] for r in first.of("invoices")}
    after = {r["invoice_id"]: r["status"] for r in second.of("invoices")}
    changed = [i for i in after if i in before and (before[i], after[i]) == ("open", "paid")]
    assert len(changed) == 1, "an open invoice was paid"
    assert len(set(after) - set(before)) >= 2, "new ones came"
    still = {item[0] for item in second.state["bookmarks"]["invoices"]["partitions"][0]["unsettled"]}
    assert deleted[0]["invoice_id"] not in still
    assert changed[0] not in still


def test_an_earlier_start_date_reads_what_lies_before_once(stripe):
    late = stripe.sync(start_date="2026-10-01", stripe_lookback_days=5)
    assert late.state["bookmarks"]["invoices"]["partitions"][0]["listed_from"] == "2026-10-01"
    early = stripe.sync(start_date="2026-05-01", stripe_lookback_days=5, state=late.state)
    assert early.code == 0, early.log
    totals = stripe.control.totals(stripe.settings(start_date="2026-05-01"))["invoices"]["stripe"]
    assert totals["rows"] == len(early.of("invoices")) > len(late.of("invoices"))
    assert early.state["bookmarks"]["invoices"]["partitions"][0]["listed_from"] == "2026-05-01"
    again = stripe.sync(start_date="2026-05-01", stripe_lookback_days=5, state=early.state)
    asked = [r["query"] for r in stripe.asked("/v1/invoices") if "status=" not in r["query"]][-1]
    since = int(asked.partition("created[gte]=")[2].partition("&")[0])
    assert NOW.timestamp() - since < 12 * DAY
    assert again.code == 0, again.log


def test_connected_accounts_are_accounts_of_their_own(stripe):
    accounts = stripe.box.settings(start_date="2026-10-01")["stripe_connected_accounts"]
    ended = stripe.sync(stripe_connected_accounts=accounts)
    assert ended.code == 0, ended.log
    assert {r["account_id"] for r in ended.of("invoices")} == {"acct_sandbox", *accounts}
    types = {a: {r["report_type"] for r in ended.of("report_types") if r["account_id"] == a} for a in accounts}
    platform = {r["report_type"] for r in ended.of("report_types") if r["account_id"] == "acct_sandbox"}
    assert all(types[a] < platform for a in accounts), "each account has a list of its own"
    assert not any(r["query"] for r in stripe.asked("/v1/reporting/report_types")), "no paging parameters"


def test_a_connected_account_is_read_without_its_platform(stripe):
    one = {"stripe_connected_accounts": ["acct_sandbox_north"], "stripe_read_platform": False}
    ended = stripe.sync(start_date="2026-05-01", **one)
    assert ended.code == 0, ended.log
    assert {r["account_id"] for r in ended.of("invoices")} == {"acct_sandbox_north"}
    totals = stripe.control.totals(stripe.settings(start_date="2026-05-01", **one))
    for stream in ("accounts", "invoices"):
        assert totals[stream]["stripe"]["rows"] == len(ended.of(stream)), stream
    refused = stripe.sync(stripe_connected_accounts=[], stripe_read_platform=False)
    assert (refused.code, refused.records) == (1, {})
    assert "stripe_read_platform" in refused.log


DUE = {"draft": "125.00", "open": "75.00", "uncollectible": "75.00", "paid": "0.00", "void": "0.00", "new": "75.00"}
SETTLED = {"paid": True, "draft": False, "open": False, "uncollectible": False, "void": None, "new": None}


@pytest.mark.parametrize("status", DUE)
def test_what_is_due_is_still_to_be_paid_whatever_the_status(status):
    remaining = 12500 if status == "draft" else 7500
    invoice = {**INVOICE, "status": status, "amount_due": 12500, "amount_remaining": remaining}
    columns = map_fields(INVOICE_FIELDS, invoice)
    assert columns["amount_due"] == DUE[status]
    assert columns["amount_remaining"] == ("125.00" if status == "draft" else "75.00"), "as Stripe states it"
    assert columns["is_settled"] is SETTLED[status]
