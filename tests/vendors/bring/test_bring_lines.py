"""The charge lines of specified invoices, of every family (issue 4, point 5)."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from tap_billing_reports.singer.tap import TapBillingReports
from tests.vendors.bring.emulated import NOW, Bring

PARCELS, HOME, ABROAD, SEA = "20000770011", "20000770022", "20000770033", "20000770044"
LINES = "bring_invoice_lines"
COMMON = ("invoice_id", "line_date", "shipment_id", "product_name", "net_amount", "total_amount", "currency")
FAMILIES = (
    "PARCEL_DOMESTIC",
    "PARCEL_INTERNATIONAL",
    "AMPHORA_DOMESTIC",
    "AMPHORA_SEA",
    "AMPHORA_BCI",
    "ALYSTRA",
)


def ledger(bring):
    return bring.sandbox._emulation.vendors["bring"].ledger


def of_source(bring, source):
    """Of the customers that are listed."""
    listed = {customer.number for customer in ledger(bring).customers}
    found = [i for i in ledger(bring).invoices if i.source == source and i.lines is not None and i.day.year == 2026]
    return [i for i in found if i.customer in listed]


@pytest.fixture(scope="module")
def whole(served):
    """One sync of everything, which is only looked at; each test finds the vendor as new."""
    served.control.reset(at=NOW)
    bring = Bring(served)
    result = bring.run(bring.config("2026-04-01"))
    assert result.status == 0, result.log
    return result


def test_every_line_of_every_family_is_there_with_its_sums(bring, whole):
    expected = bring.control.totals(bring.config("2026-04-01"))[LINES]["bring"]
    rows = whole.of(LINES)
    assert (len(rows), whole.doubles()) == (expected["rows"], {})
    for column, total in expected["sums"].items():
        assert sum((Decimal(row[column]) for row in rows if row.get(column) is not None), Decimal(0)) == Decimal(total)
    seen = {row["period"] for row in rows}
    for source in FAMILIES:
        numbers = {invoice.number for invoice in of_source(bring, source) if str(invoice.day) >= "2026-04-01"}
        assert numbers, source
        assert numbers <= seen, source


def test_a_line_has_every_known_column_whichever_family_it_is_of(bring, whole):
    columns = TapBillingReports(config=bring.config("2026-04-01")).streams[LINES].schema["properties"].keys()
    assert {"agreement_price", "total_incl_tax"} <= columns
    for row in whole.of(LINES):
        assert columns <= row.keys()
        assert row["agreement_price"] is None or row["total_incl_tax"] is None, "parcels have the one, cargo the other"


def test_rows_count_from_one_and_carry_their_run(whole):
    runs = {run["run_id"]: run for run in whole.of("report_runs")}
    by_period: dict[str, Any] = {}
    for row in whole.of(LINES):
        by_period.setdefault(row["period"], []).append(row)
    for period, rows in by_period.items():
        assert [row["row_number"] for row in rows] == list(range(1, len(rows) + 1))
        assert {row["report_name"] for row in rows} == {"invoice_lines"}
        (run_id,) = {row["run_id"] for row in rows}
        assert runs[run_id]["period"] == period
        assert rows[0]["file_id"] == runs[run_id]["file_id"]
        assert rows[0]["window_end"] is None
        days = [rows[0][name] for name in ("period_start", "period_end", "period_zone")]
        assert days == [None, None, "Europe/Oslo"]


def test_decimals_and_dates_are_typed(bring, whole):
    schema = whole.schemas[LINES]["properties"]
    assert schema["amount"]["format"] == schema["agreement_price"]["format"] == "x-singer.decimal"
    assert schema["trx_date"]["format"] == schema["handed_in_date"]["format"] == "date"
    invoices = {i["invoice_id"]: i for i in whole.of("invoices")}
    for row in whole.of(LINES):
        day = row.get("trx_date") or row.get("invoice_date")
        assert day == invoices[row["period"]]["invoice_date"]


def test_what_the_families_have_in_common_has_columns_of_its_own(whole):
    schema = whole.schemas[LINES]["properties"]
    assert {name: schema[name].get("format") for name in COMMON} == {
        "invoice_id": None,
        "line_date": "date",
        "shipment_id": None,
        "product_name": None,
        "net_amount": "x-singer.decimal",
        "total_amount": "x-singer.decimal",
        "currency": None,
    }
    invoices = {(i["account_id"], i["invoice_id"]): i for i in whole.of("invoices")}
    for row in whole.of(LINES):
        is_parcel = row["agreement_price"] is not None
        assert row["net_amount"] == (row["agreement_price"] if is_parcel else row["amount"])
        assert row["total_amount"] == row["total_incl_tax"]
        assert row["shipment_id"] == (row["shipment_number"] if is_parcel else row["waybill_number"])
        assert row["product_name"] == row["product"]
        invoice = invoices[row["account_id"], row["invoice_id"]]
        assert (row["line_date"], row["currency"]) == (invoice["invoice_date"], invoice["currency"])


def test_net_amounts_of_an_invoice_add_up_whatever_its_family(whole):
    sums: dict[str, Decimal] = {}
    for row in whole.of(LINES):
        sums[row["invoice_id"]] = sums.get(row["invoice_id"], Decimal(0)) + Decimal(row["net_amount"])
    stated = {i["invoice_id"]: Decimal(i["net_amount"]) for i in whole.of("invoices")}
    assert sums == {number: stated[number] for number in sums}


def test_numbers_and_codes_stay_text(whole):
    rows = whole.of(LINES)
    assert {row.get("sent_from_postal_code") for row in rows} == {"0668", None}
    assert "00100" in {row.get("sent_to_postal_code") for row in rows}
    assert {row.get("trx_number") for row in rows if row.get("trx_number")} <= {row["period"] for row in rows}


def test_texts_keep_their_letters_and_signs(whole):
    receivers = {row.get("receiver_name") for row in whole.of(LINES)}
    assert {"Dahl & Sønner <lager>", "Zoë Çelik 🚚", "Kari O'Hara"} <= receivers
    assert {row.get("description") for row in whole.of(LINES) if row.get("waybill_number")} == {
        'Møbler, 2 kolli "skjørt"'
    }


def test_identical_lines_are_separate_charges(whole):
    constant = {"row_number", "run_id", "file_id"}
    contents = Counter(
        tuple(sorted((name, str(value)) for name, value in row.items() if name not in constant))
        for row in whole.of(LINES)
    )
    assert max(contents.values()) > 1


def test_blank_lines_are_skipped_and_counted(bring, whole):
    blank = {
        c["subject"].rpartition(" ")[2]: int(c["actual"])
        for c in whole.of("reconciliations")
        if c["check"] == "blank_lines"
    }
    read = [invoice for invoice in of_source(bring, "PARCEL_DOMESTIC") if invoice.number in blank]
    assert read
    for invoice in read:
        assert blank[invoice.number] == sum(not any(line.values()) for line in invoice.lines) > 0
    assert whole.of(LINES)
    assert all(row.get("invoice_number") or row.get("trx_number") for row in whole.of(LINES))


class TestNewColumns:
    def test_are_added_with_a_new_schema_before_their_first_row(self, bring, whole):
        # AMPHORA_BCI has columns that no document names.
        rows = [row for row in whole.of(LINES) if row.get("consignment_note")]
        assert rows
        assert "loading_metres" in whole.schemas[LINES]["properties"]
        assert whole.schemas[LINES]["properties"]["consignment_note"]["type"] == ["string", "null"]

    def test_can_be_left_out(self, bring):
        result = bring.run(bring.config("2026-04-01", bring_customers=[SEA], on_new_column="ignore"))
        assert result.status == 0
        assert not any("consignment_note" in row for row in result.of(LINES))
        numbers = {invoice.number for invoice in of_source(bring, "AMPHORA_BCI") if str(invoice.day) >= "2026-04-01"}
        assert numbers <= {row["period"] for row in result.of(LINES)}

    def test_can_be_a_failure_of_their_period_alone(self, bring):
        result = bring.run(bring.config("2026-04-01", bring_customers=[SEA, PARCELS], on_new_column="fail"))
        assert result.status == 1
        assert "is new, and on_new_column is fail" in result.log
        closing = [line for line in result.log.splitlines() if line.startswith("ERROR failed: ")]
        assert all("; to do: set on_new_column to add or ignore" in line for line in closing)
        numbers = {invoice.number for invoice in of_source(bring, "AMPHORA_BCI")}
        assert not numbers & {row["period"] for row in result.of(LINES)}
        assert {row["account_id"] for row in result.of(LINES)} >= {PARCELS}


class TestBrokenFiles:
    @pytest.fixture
    def one(self, bring):
        return bring.config("2026-10-20", bring_customers=[PARCELS])

    @pytest.mark.parametrize(
        "fault",
        [
            {"cut": {"after": 3000, "framing": "chunked"}},
            {"alter": {"from": "</Line>", "to": "</Lime>"}},
            {"alter": {"from": "<AgreementPrice>", "to": "<AgreementPrice>x"}},
            {"alter": {"from": "<Report", "to": '<!DOCTYPE r [<!ENTITY a "b">]><Report'}},
            {"status": 200, "body": "<html>log in</html>"},
            {"status": 200, "body": "not xml"},
            {"empty": True},
        ],
    )
    def test_end_their_period_and_are_read_by_the_next_sync(self, bring, one, fault):
        expected = bring.control.totals(one)[LINES]["bring"]
        bring.control.fault(fault, {"path": r"/report/.*\.xml"}, skip=1)
        first = bring.run(one)
        assert first.status == 1
        ordered = bring.orders()
        bring.control.clear_faults()
        second = bring.run(one, state=first.state)
        assert (second.status, bring.orders()) == (0, 0), second.log
        assert ordered > 1
        table = first.table(LINES) | second.table(LINES)
        assert len(table) == expected["rows"]
        price = sum((Decimal(row["agreement_price"]) for row in table.values()), Decimal(0))
        assert price == Decimal(expected["sums"]["agreement_price"])

    def test_a_transfer_that_breaks_once_is_repeated(self, bring, one):
        bring.control.fault({"reset": 2000}, {"path": r"/report/.*\.xml"}, times=2)
        assert bring.run(one).status == 0


def test_no_namespace_or_another_one_makes_no_difference(bring):
    config = bring.config("2026-10-20", bring_customers=[PARCELS])
    expected = bring.control.totals(config)[LINES]["bring"]["rows"]
    for namespace in ("", ' xmlns="urn:bring.no/mybring/Report/2"'):
        bring.control.clear_faults()
        bring.control.fault(
            {"alter": {"from": ' xmlns="urn:bring.no/mybring/Report"', "to": namespace}}, {"path": r"/report/.*\.xml"}
        )
        result = bring.run(config)
        assert (result.status, len(result.of(LINES))) == (0, expected)


def test_lines_can_be_off(bring):
    result = bring.run(bring.config(bring_invoice_lines=False))
    assert LINES not in result.schemas
    assert bring.orders() == 0
