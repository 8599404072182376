"""Drafts that are deleted while Stripe's invoices are listed page by page."""

from __future__ import annotations

from collections import Counter

import pytest

DAY = 86400


def recorder(stripe):
    return stripe.control.vendor("stripe").books["acct_sandbox"]


def sent(ended):
    """How often each invoice was sent."""
    return Counter(m["record"]["invoice_id"] for m in ended.messages if m.get("stream") == "invoices" and "record" in m)


@pytest.mark.parametrize("vanish", ["last", "page"])
@pytest.mark.parametrize("drafts", [100, 150, 350])
def test_what_is_deleted_in_mid_paging_neither_ends_nor_repeats_the_list(stripe, vanish, drafts):
    """The newest invoices are drafts: the cursor of the first pages is one, and with `page` all that stands before."""
    books = recorder(stripe)
    books.add("paid", 120, days_ago=20)
    books.add("draft", drafts, days_ago=1)
    whole = {invoice.id for invoice in books.newest_first()}
    stripe.control.options["stripe_drafts_vanish"] = vanish
    ended = stripe.sync(start_date="2026-05-01")
    assert ended.code == 0, ended.log
    assert set(sent(ended)) == whole
    assert set(sent(ended).values()) == {1}
    assert len(books.newest_first()) < len(whole), "some were deleted"
    check = next(r for r in ended.of("reconciliations") if r["check"] == "unique_ids")
    assert check["ok"] is True, check


def test_the_cursor_survives_paid_invoices_before_a_run_of_deleted_drafts(stripe):
    """Paging goes on from the last invoice that is there, not from the start of the list."""
    books = recorder(stripe)
    books.add("draft", 150, days_ago=3)
    books.add("paid", 230, days_ago=1)
    whole = {invoice.id for invoice in books.newest_first()}
    stripe.control.options["stripe_drafts_vanish"] = "page"
    ended = stripe.sync(start_date="2026-05-01")
    assert ended.code == 0, ended.log
    assert sent(ended) == Counter(whole)
    lost = [r for r in stripe.asked("/v1/invoices") if r["status"] == 400]
    assert lost, "a cursor was lost"
    assert len(stripe.asked("/v1/invoices")) < 30


def test_a_list_that_is_deleted_faster_than_it_is_read_is_given_up_in_words(stripe):
    books = recorder(stripe)
    books.add("paid", 300, days_ago=1)
    gone = {"error": {"type": "invalid_request_error", "code": "resource_missing", "param": "starting_after"}}
    gone["error"]["message"] = "No such invoice: 'in_1'"
    stripe.control.fault({"status": 400, "body": gone}, {"path": "^/v1/invoices$", "query": "starting_after"})
    ended = stripe.sync(start_date="2026-05-01")
    assert ended.code == 1
    assert "deleted while it is read: sync again" in ended.log
    assert "Traceback" not in ended.log
    assert len(stripe.asked("/v1/invoices")) < 250


def test_other_refusals_of_a_page_end_the_account(stripe):
    recorder(stripe).add("paid", 300, days_ago=1)
    other = {"error": {"type": "invalid_request_error", "code": "parameter_invalid_integer", "param": "limit"}}
    stripe.control.fault({"status": 400, "body": other}, {"path": "^/v1/invoices$", "query": "starting_after"})
    ended = stripe.sync(start_date="2026-05-01")
    assert ended.code == 1
    assert len([r for r in stripe.asked("/v1/invoices") if r["status"] == 400]) == 1
