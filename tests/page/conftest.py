"""A warehouse of each kind, empty for each test; and one filled with what the page is asked about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.page.reading import ME, period, read
from tests.views.tables import D, answers, make, views
from tests.warehouse.fixtures import file_place, place, server, server_place
from tests.warehouse.places import place_in

if TYPE_CHECKING:
    from tap_billing_reports.page.values import Facts
    from tests.warehouse.places import Place

__all__ = ["asked", "file_place", "fill", "months", "place", "server", "server_place"]


@pytest.fixture
def months(place):
    """The first days of the last month that is over, of the one before, and of the present one."""
    return _months(place)


def _months(place):
    (today,) = answers(place, "select current_date")[0]
    present = today.replace(day=1)
    last = (present - timedelta(days=1)).replace(day=1)
    return last, (last - timedelta(days=1)).replace(day=1), present


@dataclass(frozen=True)
class Asked:
    """A filled warehouse without orders of the user's own, and what the page says of it."""

    place: Place
    months: tuple[date, date, date]
    found: Facts


@pytest.fixture(scope="module", params=["duckdb", "postgres"])
def asked(request, tmp_path_factory):
    """The same for all tests of a module: they only look at it."""
    server = request.getfixturevalue("server") if request.param == "postgres" else None
    place = place_in(request.param, tmp_path_factory.mktemp("asked"), server)
    months = _months(place)
    _fill(place, months)
    return Asked(place, months, read(place))


@pytest.fixture
def fill(place, months):
    """Fills the warehouse; `orders` are the user's own."""
    return lambda **options: _fill(place, months, **options)


def _fill(place, months, orders=None):
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
        ] + _receivables(last, today),
    )  # fmt: skip
    make(
        place, "stripe_balance_summary_1",
        [
            {**ME, **period(last, present), "currency": "nok", "category": category, "net_amount": D(amount)}
            for category, amount in [
                ("starting_balance", "5"), ("activity", "1234537.89"), ("payouts", "-140"),
                ("ending_balance", "1234402.89"),
            ]
        ],
    )  # fmt: skip
    run = {**ME, "period": f"{last}T00:00:00Z", "report_type": "payouts.itemized.3", "status": "succeeded"}
    make(place, "report_runs", [{**run, "run_id": "r1", "report_name": "payouts"}])
    check = {**ME, "subject": "payouts", "run_id": "r1"}
    make(
        place, "reconciliations",
        [
            {**check, '"check"': "file_bytes", "ok": None, "title": "As many bytes.", "reason": "nobody says it"},
            {
                **check, '"check"': "rows_declared", "ok": False, "title": "As many rows.", "expected": D("3"),
                "actual": D("2"), "reason": "a row is missing",
            },
            {**check, '"check"': "row_identity", "ok": True, "title": "Rows add up."},
        ],
    )  # fmt: skip
    charged = {
        "source": "bring", "account_id": "2000", "period": "1", "invoice_id": "1", "invoice_number": "1",
        "line_date": last, "shipment_id": "S1", "currency": "NOK",
    }  # fmt: skip
    make(
        place, "bring_invoice_lines",
        [
            {**charged, "description": "Frakt", "net_amount": D("100")},
            {**charged, "description": "Bompenger", "net_amount": D("7.125")},
            {
                **charged, "period": "0", "invoice_id": "0", "invoice_number": "0", "line_date": before,
                "shipment_id": "S0", "description": "Frakt", "net_amount": D("40"),
            },
        ],
    )  # fmt: skip
    views(place, orders=orders)


def _receivables(last, today):
    """Invoices of the user's own: one is overdue; a void one, a draft and settled ones count nowhere."""
    mine = {
        "source": "brp", "account_id": "1", "type": "invoice", "source_status": "x", "invoice_date": last,
        "due_date": today - timedelta(days=40), "currency": "NOK", "net_amount": D("8"), "tax_amount": D("2"),
        "total_amount": D("10"), "amount_remaining": D("7.5"), "is_settled": False,
    }  # fmt: skip
    settled = {"amount_remaining": D("0"), "is_settled": True}
    return [
        {**mine, "invoice_id": "late", "invoice_number": "late", "status": "open"},
        {**mine, "invoice_id": "void", "invoice_number": "void", "status": "void", "is_settled": None},
        {**mine, "invoice_id": "draft", "invoice_number": "draft", "status": "draft"},
        {**mine, **settled, "invoice_id": "paid", "invoice_number": "paid", "status": "paid"},
        {**mine, **settled, "invoice_id": "closed", "invoice_number": "closed", "status": "closed"},
    ]
