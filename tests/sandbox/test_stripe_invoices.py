"""Invoices: shape, filters, and what a day does to them."""

from __future__ import annotations

from collections import Counter

from tap_billing_reports.sandbox.stripe.accounts import CONNECTED, LARGE_AMOUNTS
from tests.sandbox.stripe_calls import at

INVOICES = "/v1/invoices"


def everything(calls, **more):
    return calls.get(INVOICES, params={"limit": 100, **more}).json()["data"]


def test_amounts_are_whole_minor_units(calls):
    found = everything(calls)
    assert {invoice["currency"] for invoice in found} == {"usd", "eur", "jpy", "kwd", "nok", "sek"}
    assert all(type(invoice[name]) is int for invoice in found for name in ("total", "amount_due", "subtotal"))
    assert any(invoice["total"] < 0 and invoice["amount_due"] == 0 for invoice in found)
    assert max(len(str(invoice["total"])) for invoice in found) < 8
    headers = {"Stripe-Account": LARGE_AMOUNTS.id}
    large = calls.get(INVOICES, params={"limit": 100}, headers=headers).json()["data"]
    assert max(len(str(invoice["total"])) for invoice in large) == 20
    for invoice in found:
        assert invoice["total"] == invoice["total_excluding_tax"] + sum(tax["amount"] for tax in invoice["total_taxes"])


def test_tax_adds_up_line_by_line_and_rate_by_rate(calls):
    rates: set[str] = set()
    for invoice in everything(calls):
        lines = calls.get(invoice["lines"]["url"], params={"limit": 100}).json()["data"]
        assert sum(line["amount"] for line in lines) == invoice["subtotal"] == invoice["total_excluding_tax"]
        of_lines = [tax for line in lines for tax in line["taxes"]]
        for part in ("amount", "taxable_amount"):
            sums: Counter[str] = Counter()
            for tax in of_lines:
                sums[tax["tax_rate_details"]["tax_rate"]] += tax[part]
            assert sums == {tax["tax_rate_details"]["tax_rate"]: tax[part] for tax in invoice["total_taxes"]}
            rates |= sums.keys()
        assert invoice["total"] == invoice["subtotal"] + sum(tax["amount"] for tax in of_lines)
    assert {"txr_sandbox_nok_25", "txr_sandbox_sek_6"} <= rates


def test_times_belong_to_the_status(calls):
    names = {"paid": "paid_at", "void": "voided_at", "uncollectible": "marked_uncollectible_at"}
    for invoice in everything(calls):
        times = invoice["status_transitions"]
        assert (times["finalized_at"] is None) == (invoice["status"] == "draft") == (invoice["number"] is None)
        assert {name for name in names.values() if times[name]} == {names.get(invoice["status"])} - {None}
        assert (invoice["confirmation_secret"] is None) == (invoice["status"] == "draft")


def test_long_invoices_have_more_lines_behind_a_link(calls):
    long = next(invoice for invoice in everything(calls) if invoice["lines"]["has_more"])
    assert len(long["lines"]["data"]) == 10
    rest = calls.get(long["lines"]["url"], params={"starting_after": long["lines"]["data"][-1]["id"]}).json()
    assert len(rest["data"]) == 2
    assert rest["has_more"] is False
    amounts = [line["amount"] for line in long["lines"]["data"] + rest["data"]]
    assert sum(amounts) == long["subtotal"]


def test_filters(calls):
    found = everything(calls)
    assert [invoice["created"] for invoice in found] == sorted((i["created"] for i in found), reverse=True)
    bounds = {"created[gte]": at(2026, 10, 1), "created[lt]": at(2026, 11, 1)}
    october = everything(calls, **bounds)
    assert october == [i for i in found if at(2026, 10, 1) <= i["created"] < at(2026, 11, 1)]
    assert october
    assert everything(calls, status="open") == [i for i in found if i["status"] == "open"]
    customer = found[0]["customer"]
    assert everything(calls, customer=customer) == [i for i in found if i["customer"] == customer]
    assert calls.get(INVOICES, params={"status": "lost"}).status_code == 400


def test_a_day_pays_one_deletes_one_brings_two(calls, sandbox):
    before = {invoice["id"]: invoice for invoice in everything(calls)}
    sandbox.control.next_day()
    after = {invoice["id"]: invoice for invoice in everything(calls)}
    deleted = before.keys() - after.keys()
    assert [before[identifier]["status"] for identifier in deleted] == ["draft"]
    assert calls.get(f"{INVOICES}/{deleted.pop()}").status_code == 404
    assert len(after.keys() - before.keys()) == 2
    changed = [(before[i]["status"], after[i]["status"]) for i in before.keys() & after.keys() if before[i] != after[i]]
    assert changed == [("open", "paid")]


def test_connected_accounts_have_invoices_of_their_own(calls):
    headers = {"Stripe-Account": CONNECTED[0].id}
    own = calls.get(INVOICES, params={"limit": 100}, headers=headers).json()["data"]
    assert len(own) == 8
    assert not {invoice["id"] for invoice in own} & {invoice["id"] for invoice in everything(calls)}
    assert calls.get(f"{INVOICES}/{own[0]['id']}").status_code == 404
