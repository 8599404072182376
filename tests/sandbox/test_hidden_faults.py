"""The three faults that a switch hides for people to find, and that nothing of the kind is there without it."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timezone
from typing import Any

import pytest

from tap_billing_reports.sandbox.bring.vendor import BringVendor
from tap_billing_reports.sandbox.clock import Clock
from tap_billing_reports.sandbox.stripe.accounts import CONNECTED, PLATFORM
from tap_billing_reports.sandbox.world import World
from tests.sandbox.stripe_books import ACTIVITY, NOW, PAYOUTS, SETTLED, Books

ACCOUNTS = [account.id for account in (PLATFORM, *CONNECTED)]
OCTOBER = (datetime(2026, 10, 1, tzinfo=timezone.utc), datetime(2026, 11, 1, tzinfo=timezone.utc))


@pytest.fixture(params=[False, True], ids=["as it is", "hidden faults"])
def hidden(request) -> bool:
    return bool(request.param)


@pytest.fixture
def books(hidden) -> Books:
    return Books(1, hidden_faults=hidden)


@pytest.fixture
def bring(hidden) -> BringVendor:
    return BringVendor(World(Clock(NOW), 1, {"hidden_faults": hidden}))


def test_a_payout_that_does_not_tie(books, hidden):
    wrong = []
    for account in ACCOUNTS:
        settled: dict[str, int] = defaultdict(int)
        for row in books.rows(account, SETTLED, books.whole):
            settled[row["automatic_payout_id"]] += row["net"]
        for row in books.rows(account, PAYOUTS, books.whole):
            if row["reporting_category"] == "payout" and -row["net"] != settled[row["payout_id"]]:
                wrong.append((account, row["currency"]))
                assert OCTOBER[0] <= row["effective_at"] < OCTOBER[1]
    assert wrong == ([(PLATFORM.id, "nok")] if hidden else [])


def test_a_paid_invoice_without_cash(books, hidden):
    missing = []
    for account in ACCOUNTS:
        rows = books.rows(account, ACTIVITY, (0, books.whole[1]))
        charged = {row.get("invoice_id") for row in rows if row["reporting_category"] == "charge"}
        missing += [
            (account, datetime.fromtimestamp(invoice.paid_at, timezone.utc))
            for invoice in books.vendor.books[account].newest_first()
            if invoice.status == "paid" and invoice.amount_due and invoice.paid_at and invoice.id not in charged
        ]
    assert [account for account, _ in missing] == ([PLATFORM.id] if hidden else [])
    assert all(OCTOBER[0] <= at < OCTOBER[1] for _, at in missing)


def test_shipments_without_an_order(bring, hidden):
    orders = bring.orders()
    numbers: dict[str, list[Any]] = defaultdict(list)
    for order in orders:
        numbers[order["tracking_number"]].append(order)
    collected = numbers.pop("", [])
    assert 0 < len(collected) < len(orders) / 10
    assert all(len(found) == 1 for found in numbers.values())
    assert all(len(found[0]["order_number"]) == 6 for found in numbers.values())
    sent = {
        shipment.waybill: invoice.day
        for invoice in bring.ledger.invoices
        if invoice.parent is None and invoice.customer in {one.number for one in bring.ledger.customers}
        for shipment in invoice.shipments
    }
    assert numbers.keys() <= sent.keys()
    unmatched = [sent[waybill] for waybill in sent.keys() - numbers.keys()]
    assert len(unmatched) == (3 if hidden else 0)
    assert all(date(2026, 10, 1) <= day < date(2026, 11, 1) for day in unmatched)


def test_orders_are_the_same_every_time_and_go_on_with_the_days(bring):
    before = bring.orders()
    assert before == bring.orders()
    bring.next_day()
    after = bring.orders()
    assert [order for order in after if order in before] == before
    assert len(after) > len(before)
    assert {len(order) for order in after} == {5}
