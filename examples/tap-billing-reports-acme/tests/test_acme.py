"""Acme Pay's declaration against its emulator, through the installed tap's own command."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tap_billing_reports.declare.client import map_fields
from tap_billing_reports.vendors import all_sources

from tap_billing_reports_acme.emulator import DAYS, MERCHANTS, Emulator
from tap_billing_reports_acme.source import INVOICE_FIELDS, SOURCE, run_of

MERCHANT_IDS = [merchant["id"] for merchant in MERCHANTS]
# The emulator's invoices and settlements are those of the days up to today.
ALL = {"start_date": "2000-01-01", "end_date": None}


def test_the_tap_knows_the_source() -> None:
    assert SOURCE in all_sources()


def test_invoices_of_all_pages_and_merchants_are_exact(vendor: Emulator, sync: Any) -> None:
    found = sync(**ALL)
    assert found.status == 0, found.log
    assert [account["account_id"] for account in found.records["accounts"]] == MERCHANT_IDS
    invoices = found.records["invoices"]
    assert len(invoices) == len(MERCHANTS) * DAYS
    total = sum(Decimal(record["gross"]) for merchant in MERCHANT_IDS for record in vendor.invoices(merchant))
    assert sum(Decimal(invoice["total_amount"]) for invoice in invoices) == total
    assert {invoice["acme_project"] for invoice in invoices} == {"harbour", None}
    assert {(invoice["type"], invoice["currency"]) for invoice in invoices} == {
        ("invoice", "DKK"),
        ("credit_note", "DKK"),
    }


def test_exports_are_ordered_once_and_every_line_arrives(vendor: Emulator, sync: Any) -> None:
    first_day = vendor.today - timedelta(days=14)
    reports = [{"report_type": "settlements", "window": "week"}]
    settings = {**ALL, "acme_reports": reports, "start_date": first_day.isoformat()}
    first = sync(**settings)
    assert first.status == 0, first.log
    assert len(vendor.orders) == len(set(vendor.orders)) > 0
    rows = first.records["acme_settlements"]
    # A line for each merchant and day of the windows.
    lines = [vendor.settlements(merchant, start, end)[1:] for merchant, _type, start, end in vendor.orders]
    asked = [line for export in lines for line in export]
    assert sorted(row["entry_id"] for row in rows) == sorted(line.split(",")[0] for line in asked)
    assert {(row["note"], row["fee"]) for row in rows} == {("paid, in full", "0.25")}
    orders = list(vendor.orders)
    second = sync(first.state, **settings)
    assert (second.status, second.records["acme_settlements"], vendor.orders) == (0, [], orders)


def test_a_refused_key_is_one_line_that_names_the_setting(sync: Any) -> None:
    found = sync(acme_api_key="some-other-key")
    assert found.status == 1
    (line,) = [line for line in found.log.splitlines() if "failed: " in line]
    assert "wrong_key" in line
    assert "acme_api_key" in line
    assert "some-other-key" not in found.log


def test_an_unknown_state_is_an_error_and_not_pending() -> None:
    record = {"id": "x", "type": "t", "from": "a", "to": "b", "created_at": "2026-01-01T00:00:00Z", "error": None}
    with pytest.raises(KeyError):
        run_of({**record, "state": "paused", "file": None})


def test_a_record_becomes_columns() -> None:
    (record,) = [record for record in Emulator().invoices("m_north") if record["id"] == "m_north-10"]
    columns = map_fields(INVOICE_FIELDS, record)
    assert (columns["type"], columns["net_amount"], columns["total_amount"]) == ("credit_note", "-4.33", "-5.4125")
    assert columns["paid_at"] == f"{record['paid_at'][:10]}T10:00:00Z"
