"""Each figure of the page is what SQL says of the views, written as people write it."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest

from tap_billing_reports.core.errors import ConfigError
from tap_billing_reports.page.facts import Light, Money, facts, shown
from tap_billing_reports.page.html import page
from tap_billing_reports.page.read import opened
from tap_billing_reports.views.sql import OwnOrders
from tap_billing_reports.warehouse.address import address_of
from tests.views.tables import D, answers, make, views

ME = {"source": "stripe", "account_id": "acct_1"}


@pytest.fixture
def months(place):
    """The first days of the last month that is over, of the one before, and of the present one."""
    (today,) = answers(place, "select current_date")[0]
    present = today.replace(day=1)
    last = (present - timedelta(days=1)).replace(day=1)
    return last, (last - timedelta(days=1)).replace(day=1), present


def period(first, following):
    return {"period_start": first, "period_end": following - timedelta(days=1), "period_zone": "UTC"}


def read(place):
    with opened(address_of(place.url), "billing") as reading:
        return facts(reading)


def by_key(found):
    return {answer.key: answer for answer in found.answers}


def table(answer, caption):
    (found,) = [table for name, table in answer.tables if name == caption]
    return found


def fill(place, months, orders=None):
    last, before, present = months

    def moved(number, category, gross, fee, month, **others):
        days = period(month, present if month == last else last)
        return {
            **ME, **days, "balance_transaction_id": f"txn_{number}", "currency": "nok", "reporting_category": category,
            "gross": D(gross), "fee": D(fee), "net": D(gross) - D(fee), "created": f"{month} 10:00:00+00",
            "invoice_id": None, "withheld_tax": D("0.5"), **others,
        }  # fmt: skip

    make(
        place, "stripe_balance_change_from_activity_itemized_3",
        [moved(1, "charge", "1234567.89", "30", last), moved(2, "charge", "200", "10", before)],
    )  # fmt: skip
    paid = {
        **ME, **period(last, present), "currency": "nok", "fee": D("0"), "reporting_category": "payout",
        "payout_status": "paid", "effective_at": f"{last} 09:00:00+00", "payout_type": "bank_account",
    }  # fmt: skip
    make(
        place, "stripe_payouts_itemized_3",
        [
            {**paid, "payout_id": "po_good", "gross": D("-90"), "net": D("-90"), "balance_transaction_id": "a"},
            {**paid, "payout_id": "po_off", "gross": D("-50"), "net": D("-50"), "balance_transaction_id": "b"},
        ],
    )  # fmt: skip
    named = {**ME, "currency": "nok", "fee": D("0")}
    make(
        place, "stripe_payout_reconciliation_itemized_5",
        [
            {**named, "automatic_payout_id": payout, "reporting_category": category, "gross": D(net), "net": D(net)}
            for payout, category, net in [
                ("po_good", "charge", "100"), ("po_good", "refund", "-10"), ("po_off", "charge", "49"),
            ]
        ],
    )  # fmt: skip
    (today,) = answers(place, "select current_date")[0]
    make(
        place, "invoices",
        [
            {
                "source": "bring", "account_id": "2000", "invoice_id": str(n), "invoice_number": f"<{n}>",
                "type": "invoice",
                "status": "open", "source_status": "Open", "invoice_date": last, "due_date": today - timedelta(days=n),
                "currency": "NOK", "net_amount": D("80"), "tax_amount": D("20"), "total_amount": D("100"),
                "amount_remaining": D("100"), "is_settled": False,
            }
            for n in range(30)
        ],
    )  # fmt: skip
    charged = {
        "source": "bring", "account_id": "2000", "period": "1", "invoice_number": "1", "invoice_date": last,
        "shipment_number": "S1", "currency_code": "NOK",
    }  # fmt: skip
    make(
        place, "bring_invoice_lines",
        [
            {**charged, "description": "Frakt", "agreement_price": D("100")},
            {**charged, "description": "Bompenger", "agreement_price": D("7.125")},
            {
                **charged, "period": "0", "invoice_number": "0", "invoice_date": before, "shipment_number": "S0",
                "description": "Frakt", "agreement_price": D("40"),
            },
        ],
    )  # fmt: skip
    views(place, orders=orders)


def test_what_is_asked_at_the_end_of_a_month(place, months):
    fill(place, months)
    found = read(place)
    answered = by_key(found)
    assert found.month == months[0]
    assert list(answered) == ["close", "ties", "overdue", "way", "fees", "freight", "tax"]

    close = answered["close"]
    assert close.light is Light.LOOK
    assert close.said.startswith("Not yet: 2 accounts of 2")
    assert table(close, "By account").rows[0][3].startswith("payouts that do not tie: 1; not checked: ")

    ties = answered["ties"]
    assert ties.said == "1 payout, 0 balances and 0 invoices do not tie."
    (off,) = table(ties, "Payouts that are not the sum of their transactions").rows
    assert off[1:6] == ("po_off", months[0], *(Money(D(text), "NOK") for text in ("50", "49", "-1")))

    overdue = answered["overdue"]
    assert overdue.said == "29 invoices overdue: 2\u202f900.00 NOK."
    late = table(overdue, "Overdue, longest first")
    assert (late.count, len(late.rows), late.rows[0][3]) == (29, 25, 29)

    (flow,) = answered["way"].flows
    assert [(bar.label, bar.money.amount) for bar in flow.bars] == [
        ("Charges", 149), ("Refunds", -10), ("Paid out", 139),
    ]  # fmt: skip
    assert flow.bars[0].share == 1.0

    fees = table(answered["fees"], "By currency").rows
    assert fees[0][1:4] == (Money(D("30"), "NOK"), Money(D("10"), "NOK"), Money(D("20"), "NOK"))
    freight = table(answered["freight"], "By currency and month, without tax").rows
    assert freight[0][1:3] == (1, Money(D("100"), "NOK"))
    assert freight[0][-2] == Money(D("107.125"), "NOK")
    (by_month,) = answered["freight"].flows
    assert [(bar.label, bar.money) for bar in by_month.bars] == [
        (f"{months[1]:%b %Y}", Money(D("40"), "NOK")), (f"{months[0]:%b %Y}", Money(D("107.125"), "NOK")),
    ]  # fmt: skip
    assert table(answered["tax"], "By month").rows[0][3:7] == (
        "25 %", 30, Money(D("2400"), "NOK"), Money(D("600"), "NOK"),
    )  # fmt: skip


def test_the_file_has_every_figure_and_nothing_from_elsewhere(place, months):
    fill(place, months)
    found = read(place)
    written = page(found, note="Invented <data>")
    assert "Invented &lt;data&gt;" in written
    assert "&lt;29&gt;" in written
    for answer in found.answers:
        assert f'id="{answer.key}"' in written
        for _, one in answer.tables:
            for row in one.rows:
                for cell in row:
                    if isinstance(cell, Money):
                        assert f">{shown(cell)}<" in written
    assert "the first 25 of 29" in written
    assert not re.search(r"https?://|<script|@import|url\(", written)


def test_shipments_without_an_order_are_named(place, months):
    make(place, "shop_orders", [{"order_id": "1", "tracking_number": "S0"}])
    fill(place, months, orders=OwnOrders("billing.shop_orders", "order_id", "tracking_number"))
    freight = by_key(read(place))["freight"]
    assert freight.light is Light.LOOK
    assert table(freight, "Shipments without an order").rows == (
        ("2000", "S1", months[0], Money(D("107.125"), "NOK")),
    )  # fmt: skip


def test_payouts_that_nobody_could_check_are_not_in_order(place):
    make(
        place, "stripe_payouts_itemized_3",
        [{
            **ME, "currency": "nok", "fee": D("0"), "reporting_category": "payout", "payout_status": "paid",
            "payout_type": "bank_account", "payout_id": "po_1", "gross": D("-9"), "net": D("-9"),
            "balance_transaction_id": "a", "effective_at": "2026-05-01 09:00:00+00", "period_zone": "UTC",
        }],
    )  # fmt: skip
    views(place)
    ties = by_key(read(place))["ties"]
    assert ties.light is Light.LOOK
    assert " 1 payout cannot be checked: no transaction names this payout" in ties.said


def test_a_vendor_that_is_not_there_leaves_no_box(place):
    views(place)
    found = read(place)
    assert found.answers == ()
    assert "holds nothing yet" in page(found)


def test_a_warehouse_without_views_is_refused_with_the_remedy(place):
    make(place, "invoices", [{"source": "bring"}])
    with (
        pytest.raises(ConfigError, match=r"lacks the views .*billing-reports views"),
        opened(address_of(place.url), "billing"),
    ):
        pass


def test_a_file_that_is_not_there_is_not_made(tmp_path):
    path = tmp_path / "none.duckdb"
    with pytest.raises(ConfigError, match="no such file"), opened(address_of(f"duckdb:{path}"), "billing"):
        pass
    assert not path.exists()


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("1234567.5", "1\u202f234\u202f567.50 NOK"), ("-0.125", "-0.125 NOK"), ("0", "0.00 NOK"),
        ("1E+3", "1\u202f000.00 NOK"),
        (
            "12345678901234567890.123456789012",
            "12\u202f345\u202f678\u202f901\u202f234\u202f567\u202f890.123456789012 NOK"),
        ("12345678901234567890.12", "12\u202f345\u202f678\u202f901\u202f234\u202f567\u202f890.12 NOK"),
        ("100.000000000000", "100.00 NOK"),
    ],
)  # fmt: skip
def test_an_amount_keeps_its_digits(amount, text):
    assert shown(Money(Decimal(amount), "NOK")) == text
