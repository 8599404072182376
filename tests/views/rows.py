"""Rows of the tap's tables for the tests of the views, small enough to add up by hand."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from tests.views.tables import D

ME = {"source": "stripe", "account_id": "acct_1"}
MAY = {"period": "2026-05-01T07:00:00Z", "period_start": date(2026, 5, 1), "period_end": date(2026, 5, 31)}
JUNE = {"period": "2026-06-01T07:00:00Z", "period_start": date(2026, 6, 1), "period_end": date(2026, 6, 30)}
ZONE = {"period_zone": "America/Los_Angeles"}
ACTIVITY = "stripe_balance_change_from_activity_itemized_3"


def moved(number, category, gross, fee="0", period=MAY, **others):
    row = {
        **ME, **period, **ZONE, "balance_transaction_id": f"txn_{number}", "currency": "nok",
        "reporting_category": category, "gross": D(gross), "fee": D(fee), "net": D(gross) - D(fee),
        # 23:30 in the zone of the report: the next day in UTC.
        "created": f"{period['period_start']} 23:30:00-07", "automatic_payout_id": None, "invoice_id": None,
        "charge_id": None, "card_brand": None, "card_country": None,
    }  # fmt: skip
    return {**row, **others}


def paid_out(number, gross, category="payout", status="paid", fee="0", period=MAY, day="2026-05-20"):
    return {
        **ME, **period, **ZONE, "payout_id": f"po_{number}", "currency": "nok", "reporting_category": category,
        "gross": D(gross), "fee": D(fee), "net": D(gross) - D(fee), "payout_status": status,
        "effective_at": f"{day} 23:30:00-07", "balance_transaction_id": f"txn_{category}_{number}",
        "payout_expected_arrival_date": date(2026, 5, 22), "payout_type": "bank_account",
    }  # fmt: skip


def named(number, payout, category, net):
    return {
        **ME, "automatic_payout_id": f"po_{payout}", "balance_transaction_id": f"txn_{number}", "currency": "nok",
        "gross": D(net), "fee": D("0"), "net": D(net), "reporting_category": category,
    }  # fmt: skip


def invoice(number, status, total, *, day=date(2026, 5, 5), **others):
    row = {
        **ME, "invoice_id": f"in_{number}", "invoice_number": f"N-{number}", "type": "invoice", "status": status,
        "source_status": status, "invoice_date": day, "due_date": day + timedelta(days=14), "currency": "NOK",
        "net_amount": D(total) / D("1.25"), "tax_amount": D(total) - D(total) / D("1.25"), "total_amount": D(total),
        "amount_remaining": D("0") if status == "paid" else D(total), "is_settled": status == "paid",
    }  # fmt: skip
    return {**row, **others}


PARCEL = {
    "invoice_id": "9", "invoice_number": "9", "line_date": date(2026, 5, 5), "handed_in_date": date(2026, 5, 2),
    "currency": "NOK", "weight_kg": D("2.5"), "sent_to_postal_code": "0150", "product_name": "Pakke levert hjem",
}  # fmt: skip
CARGO = {
    "invoice_id": "10", "trx_number": "10", "line_date": date(2026, 5, 6), "currency": "NOK",
    "description": "Frakt of furniture",
    "freight_calc_weight": D("80"), "delivery_postal_code": "5003", "tax_amount": D("1.5"),
}  # fmt: skip


def line(number, **columns):
    return {"source": "bring", "account_id": "2000", "row_number": number, "period": "9", **columns}


def parcel(number, shipment, text, price):
    described = f"{text} til Tollerud"
    return line(number, **PARCEL, shipment_id=shipment, description=described, net_amount=D(price))


def cargo(number, item, text, amount):
    item_of = {"item_number": item, "item_description": text}
    return line(number, **{**CARGO, "period": "10", "shipment_id": "S3", "net_amount": D(amount), **item_of})


def run(number, **others):
    """A run of a report of May's that went well."""
    return {
        **ME, "run_id": f"r{number}", "report_type": "payouts.itemized.3", "report_name": f"report_{number}",
        "period": MAY["period"], "window_end": JUNE["period"], "status": "succeeded", "origin": "ordered", **others,
    }  # fmt: skip


def check(number, *, ok: bool | None = True, name="file_bytes", **others) -> dict[str, Any]:
    """A check of that run; `check` is a word of SQL's."""
    return {**ME, "run_id": f"r{number}", '"check"': name, "subject": f"report {number}", "ok": ok, **others}
