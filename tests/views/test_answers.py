"""What each view answers, on rows small enough to add up by hand."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tap_billing_reports.views.sql import OwnOrders
from tests.views.rows import ACTIVITY, JUNE, MAY, ME, cargo, invoice, moved, named, paid_out, parcel
from tests.views.tables import D, answers, make, views


def test_a_payout_is_held_against_its_transactions(place):
    make(
        place, "stripe_payouts_itemized_3",
        [
            paid_out(1, "-97.50"), paid_out(2, "-50"), paid_out(3, "-20", status="failed"),
            paid_out(3, "20", "payout_reversal", "failed", day="2026-05-23"), paid_out(4, "-7"),
        ],
    )  # fmt: skip
    make(
        place, "stripe_payout_reconciliation_itemized_5",
        [
            named(1, 1, "charge", "100"), named(2, 1, "refund", "-2.50"), named(3, 2, "charge", "49.99"),
            named(4, 3, "charge", "20"),
        ],
    )  # fmt: skip
    views(place)
    found = answers(
        place,
        "select payout_id, paid_amount, transactions, charges, refunds, difference, ties, is_returned, effective_date, "
        "returned_date from billing.payout_reconciliation order by payout_id",
    )
    day = date(2026, 5, 20)  # of the report's zone, not of UTC
    assert found == [
        ("po_1", D("97.5"), 2, D("100"), D("-2.5"), D("0"), True, False, day, None),
        ("po_2", D("50"), 1, D("49.99"), D("0"), D("-0.01"), False, False, day, None),
        ("po_3", D("20"), 1, D("20"), D("0"), D("0"), True, True, day, date(2026, 5, 23)),
        ("po_4", D("7"), None, None, None, None, None, False, day, None),
    ]
    verdicts = answers(place, "select verdict from billing.payout_reconciliation order by payout_id")
    starts = ["ties", "does not tie", "ties, but", "cannot be checked"]
    assert [one[0].startswith(start) for one, start in zip(verdicts, starts, strict=True)] == [True] * 4


@pytest.mark.parametrize(
    ("charged", "refunded", "paid"),
    # The names that the vendor's page has, and those of the itemised reports.
    [("activity", "activity", "payouts"), ("charge", "refund", "payout")],
)
def test_a_balance_is_followed_from_month_to_month(place, charged, refunded, paid):
    def stated(period, *rows):
        return [
            {**ME, **period, "category": category, "net_amount": D(amount), "currency": "nok"}
            for category, amount in rows
        ]

    make(
        place, "stripe_balance_summary_1",
        [
            *stated(MAY, ("starting_balance", "10"), (charged, "97"), (paid, "-50"), ("ending_balance", "57")),
            *stated(JUNE, ("starting_balance", "57"), (refunded, "-7"), ("ending_balance", "49")),
        ],
    )  # fmt: skip
    make(place, ACTIVITY, [moved(1, "charge", "100", "3"), moved(2, "refund", "-7", period=JUNE)])
    make(place, "stripe_payouts_itemized_3", [paid_out(1, "-50")])
    views(place)
    found = answers(
        place,
        "select month, opening_balance, charges, refunds, payouts, ending_balance, difference, ties, follows_previous, "
        "itemized_net, itemized_agrees from billing.balance_rollforward order by month",
    )
    may, june = date(2026, 5, 1), date(2026, 6, 1)
    assert found == [
        (may, D("10"), D("97"), D("0"), D("-50"), D("57"), D("0"), True, None, D("47"), True),
        (june, D("57"), D("0"), D("-7"), D("0"), D("49"), D("1"), False, True, D("-7"), False),
    ]


def test_an_invoice_is_held_against_the_cash(place):
    make(
        place, "invoices",
        [
            invoice(1, "paid", "125"), invoice(2, "paid", "50"), invoice(3, "open", "80"), invoice(4, "open", "60"),
            invoice(5, "void", "10"), invoice(6, "paid", "0"),
            {**invoice(7, "open", "30"), "source": "bring", "account_id": "2000"},
        ],
    )  # fmt: skip
    make(
        place, ACTIVITY,
        [
            moved(1, "charge", "125", "4", invoice_id="in_1", automatic_payout_id="po_1"),
            moved(2, "refund", "-25", invoice_id="in_1", automatic_payout_id="po_2"),
            moved(3, "charge", "60", invoice_id="in_4"),
        ],
    )  # fmt: skip
    views(place)
    found = answers(
        place,
        "select invoice_id, charged_amount, refunded_amount, charge_fee_amount, payout_ids, cash_agrees "
        "from billing.invoice_settlement order by invoice_id",
    )
    assert found == [
        ("in_1", D("125"), D("-25"), D("4"), "po_1, po_2", True),
        ("in_2", None, None, None, None, False),
        ("in_3", None, None, None, None, True),
        ("in_4", D("60"), D("0"), D("0"), None, False),
        ("in_5", None, None, None, None, True),
        ("in_6", None, None, None, None, None),
        ("in_7", None, None, None, None, None),
    ]


def test_fees_by_brand_and_country_with_tax_apart(place):
    card = {"card_brand": "visa", "card_country": "NO"}
    make(
        place, ACTIVITY,
        [
            moved(1, "charge", "100", "3.75", **card, withheld_tax=D("0.75"), fee_net_of_withheld_tax=D("3")),
            moved(2, "charge", "50", "1", **card, withheld_tax=D("0.20"), fee_net_of_withheld_tax=D("0.80")),
            moved(3, "fee", "-2"), moved(4, "other_adjustment", "9"),
        ],
    )  # fmt: skip
    views(place)
    found = answers(
        place,
        "select currency, category, card_brand, card_country, transactions, gross_amount, fee_amount, "
        "withheld_tax_amount, fee_without_tax_amount, cost_amount, fee_percent from billing.processing_fees "
        "order by category",
    )
    assert found == [
        ("NOK", "charge", "visa", "NO", 2, D("150"), D("4.75"), D("0.95"), D("3.8"), D("4.75"), D("3.167")),
        ("NOK", "fee", "", "", 1, D("-2"), D("0"), None, None, D("2"), None),
    ]


def test_what_is_open_by_age(place):
    today = answers(place, "select current_date")[0][0]

    def due(number, days, **others):
        row = invoice(number, "open", "10", day=today - timedelta(days=14 + days))
        return {**row, "due_date": today - timedelta(days=days), **others}

    make(
        place, "invoices",
        [
            due(1, -1), due(2, 0), due(3, 1), due(4, 30), due(5, 31), due(6, 61), due(7, 91, status="collection"),
            due(8, 5, due_date=None, amount_remaining=None), due(9, 5, status="draft"), invoice(10, "paid", "10"),
        ],
    )  # fmt: skip
    views(place)
    found = answers(
        place,
        "select invoice_id, days_overdue, age, is_with_collector, open_amount_is_total from billing.open_items "
        "order by invoice_id",
    )
    assert found == [
        ("in_1", 0, "not due", False, False), ("in_2", 0, "not due", False, False),
        ("in_3", 1, "1 to 30 days", False, False), ("in_4", 30, "1 to 30 days", False, False),
        ("in_5", 31, "31 to 60 days", False, False), ("in_6", 61, "61 to 90 days", False, False),
        ("in_7", 91, "over 90 days", True, False), ("in_8", 0, "no due date", False, True),
    ]  # fmt: skip


def test_tax_by_month_and_rate(place):
    make(
        place, "invoices",
        [
            invoice(1, "paid", "125"), invoice(2, "open", "250"),
            invoice(3, "open", "100", net_amount=D("100"), tax_amount=D("0")),
            invoice(4, "open", "99", net_amount=None, tax_amount=None), invoice(5, "draft", "125"),
            invoice(6, "open", "-125", type="credit_note", day=date(2026, 6, 1)),
        ],
    )  # fmt: skip
    views(place)
    found = answers(
        place,
        "select month, document_type, rate_percent, documents, net_amount, tax_amount, total_amount, "
        "documents_without_tax from billing.vat_by_month order by month, rate_percent nulls last",
    )
    may = date(2026, 5, 1)
    assert found == [
        (may, "invoice", D("0"), 1, D("100"), D("0"), D("100"), 0),
        (may, "invoice", D("25"), 2, D("300"), D("75"), D("375"), 0),
        (may, "invoice", None, 1, None, None, D("99"), 1),
        (date(2026, 6, 1), "credit_note", D("25"), 1, D("-100"), D("-25"), D("-125"), 0),
    ]


def test_freight_by_shipment_and_by_order(place):
    make(
        place, "bring_invoice_lines",
        [
            parcel(1, "S1", "Frakt", "100"), parcel(2, "S1", "Drivstofftillegg", "12.50"),
            parcel(3, "S1", "Bompenger", "4"), parcel(4, "S1", "Varsling", "3"), parcel(5, "S1", "Frakt", "-10"),
            parcel(6, "S2", "Frakt", "80"), parcel(7, None, "Gebyr", "1"),
            cargo(1, "105633", "Hjemlevering", "500"), cargo(2, "3123", "Veiavgift", "20"),
            # What an invoice without specification says for itself: no shipment.
            {**parcel(8, None, "", "80"), "invoice_id": "11", "period": "11", "row_of": "invoice"},
        ],
    )  # fmt: skip
    bring = {"source": "bring", "account_id": "2000"}
    make(
        place,
        "invoices",
        [{**invoice(1, "open", "100"), **bring, "invoice_id": number} for number in ("9", "10", "11")],
    )
    make(
        place,
        "shop_orders",
        [{"order_no": 1, "waybill": "S1"}, {"order_no": 2, "waybill": "S9"}, {"order_no": 3, "waybill": ""}],
    )
    views(place, orders=OwnOrders("billing.shop_orders", "order_no", "waybill"))
    found = answers(
        place,
        "select shipment_id, lines, base_amount, fuel_amount, toll_amount, other_amount, rebate_amount, net_amount, "
        "weight_kg, postal_code from billing.freight_by_shipment order by shipment_id",
    )
    assert found == [
        ("S1", 5, D("100"), D("12.5"), D("4"), D("3"), D("-10"), D("109.5"), D("2.5"), "0150"),
        ("S2", 1, D("80"), D("0"), D("0"), D("0"), D("0"), D("80"), D("2.5"), "0150"),
        ("S3", 2, D("500"), D("0"), D("20"), D("0"), D("0"), D("520"), D("80"), "5003"),
    ]
    found = answers(
        place,
        "select kind, order_id, tracking_number, freight_amount from billing.freight_per_order "
        "order by kind, order_id, tracking_number",
    )
    assert found == [
        ("invoice without specification", None, None, D("80")),
        ("order", "1", "S1", D("109.5")),
        ("order without freight", "2", "S9", None),
        ("order without tracking number", "3", "", None),
        ("shipment without an order", None, "S2", D("80")),
        ("shipment without an order", None, "S3", D("520")),
    ]


def test_without_orders_of_ones_own_there_is_no_freight_per_order(place):
    make(place, "bring_invoice_lines", [parcel(1, "S1", "Frakt", "100")])
    views(place)
    assert answers(place, "select count(*) from billing.freight_per_order") == [(0,)]


def test_bookings_balance(place):
    make(place, ACTIVITY, [moved(1, "charge", "100", "3"), moved(2, "unheard_of", "-4", "1")])
    make(place, "stripe_payouts_itemized_3", [paid_out(1, "-50", fee="0.5")])
    freight = {**invoice(1, "open", "125"), "source": "bring", "account_id": "2000"}
    make(place, "invoices", [freight, invoice(2, "paid", "99")])
    views(place)
    found = answers(
        place,
        "select booking_id, account, debit, credit, booking_date from billing.journal_lines order by booking_id, line",
    )
    first, day = date(2026, 5, 1), date(2026, 5, 20)
    zero = D("0")
    assert found == [
        ("in_1", "6100", D("100"), zero, date(2026, 5, 5)), ("in_1", "2710", D("25"), zero, date(2026, 5, 5)),
        ("in_1", "2400", zero, D("125"), date(2026, 5, 5)),
        ("txn_1", "1550", D("97"), zero, first), ("txn_1", "7770", D("3"), zero, first),
        ("txn_1", "3000", zero, D("100"), first),
        ("txn_2", "1550", zero, D("5"), first), ("txn_2", "7770", D("1"), zero, first),
        ("txn_2", "2999", D("4"), zero, first),
        ("txn_payout_1", "1550", zero, D("50.5"), day), ("txn_payout_1", "7770", D("0.5"), zero, day),
        ("txn_payout_1", "1920", D("50"), zero, day),
    ]  # fmt: skip
    off = answers(place, "select booking_id from billing.journal_lines group by 1 having sum(debit) <> sum(credit)")
    assert off == []
