"""The emulated Invoice API of Bring, its gate and its totals."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

import pytest
from lxml import etree

from tests.sandbox.test_bring_reports import ABROAD, HOME, LARGE, OLD, PARCELS, SEA, bring, served

__all__ = ["bring", "served"]

TODAY = date(2026, 11, 20)


def day(text):
    d, m, y = map(int, text.split("."))
    return date(y, m, d)


def everything(bring):
    return [i for number in (PARCELS, HOME, ABROAD, SEA) for i in bring.invoices(number)]


@pytest.mark.parametrize("header", ["X-Mybring-API-Uid", "X-Mybring-API-Key"])
def test_a_caller_without_credentials_gets_a_login_page(bring, header):
    path = f"/invoicearchive/api/invoices/{PARCELS}.json"
    for value in (None, "wrong"):
        answer = bring.get(path, headers={header: value})
        assert (answer.status_code, len(answer.content)) == (200, 3881)
        assert answer.headers["Content-Type"].startswith("text/html")
    bring.control.options["bring_wrong_key_status"] = 401
    assert bring.get(path, headers={header: "wrong"}).status_code == 401


def test_the_client_url_is_required(bring):
    assert bring.get("/reports/api/generate.json", headers={"X-Bring-Client-URL": None}).status_code == 400


def test_a_right_can_be_missing_on_one_customer(bring):
    bring.control.options["bring_forbidden_customer"] = HOME
    assert bring.get(f"/invoicearchive/api/invoices/{HOME}.json").status_code == 403
    assert bring.get(f"/reports/api/generate/{HOME}.json").status_code == 403
    assert bring.get(f"/invoicearchive/api/invoices/{SEA}.json").status_code == 200
    assert bring.get("/invoicearchive/api/invoices/20000000000.json").status_code == 403


def test_a_record_has_the_live_shape(bring):
    invoices = everything(bring)
    assert len(invoices) == len({i["invoiceNumber"] for i in invoices}) >= 44
    assert {"NOK", "SEK", "DKK", "EUR"} == {i["currency"] for i in invoices}
    assert {"Open", "Closed"} == {i["status"] for i in invoices}
    assert sum("batchSource" not in i for i in invoices) == 1
    assert any("co2Grams" in i for i in invoices)
    assert any("co2Grams" not in i for i in invoices)
    assert {len(i["totalAmount"].partition(".")[2]) for i in invoices} == {1, 2}
    assert max(len(i["totalAmount"].replace(".", "")) for i in invoices) < 10
    assert max(len(i["totalAmount"].replace(".", "")) for i in bring.invoices(LARGE)) == 20
    for i in invoices:
        assert day(i["invoiceDate"]) <= date.fromisoformat(i["dueDate"])
        assert Decimal(i["amount"]) + Decimal(i["taxAmount"]) == Decimal(i["totalAmount"])
        assert (i["type"] == "Credit note") is (Decimal(i["totalAmount"]) < 0) is bool(i["parentInvoiceNumber"])


def test_both_ends_are_included_and_other_spellings_find_nothing(bring):
    some = bring.invoices(PARCELS)[0]
    only = bring.invoices(PARCELS, fromDate=some["invoiceDate"], toDate=some["invoiceDate"])
    assert some in only
    assert {i["invoiceDate"] for i in only} == {some["invoiceDate"]}
    iso = day(some["invoiceDate"]).isoformat()
    assert bring.invoices(PARCELS, fromDate=iso, toDate=iso) == []


def test_the_default_is_65_days_and_nothing_older_than_365_days_is_shown(bring):
    default = bring.get(f"/invoicearchive/api/invoices/{HOME}.json").json()["invoices"]
    young = [i for i in bring.invoices(HOME) if day(i["invoiceDate"]) >= TODAY - timedelta(days=65)]
    assert default == young
    oldest = min(day(i["invoiceDate"]) for i in bring.invoices(HOME))
    assert oldest == TODAY - timedelta(days=300)
    bring.control.advance(66 * 86_400)
    assert min(day(i["invoiceDate"]) for i in bring.invoices(HOME)) > oldest


def test_envelope_dates_and_customer_number_can_be_the_documented_ones(bring):
    bring.control.options.update(
        bring_envelope="array",
        bring_due_date="dotted",
        bring_invoice_date="iso",
        bring_omit_customer_number=True,
    )
    records = bring.get(f"/invoicearchive/api/invoices/{SEA}.json").json()
    assert isinstance(records, list)
    assert date.fromisoformat(records[0]["invoiceDate"]) <= day(records[0]["dueDate"])
    assert "customerNumber" not in records[0]


def test_xml_says_the_same_as_json(bring):
    path = f"/invoicearchive/api/invoices/{SEA}"
    records = bring.get(path + ".json").json()["invoices"]
    tree = etree.fromstring(bring.get(path + ".xml").content)
    found = [{cell.tag: cell.text for cell in i} for i in tree.findall("InvoiceList/Invoice")]
    texts = {True: "true", False: "false", None: None}
    spelled = [{k: texts[v] if v is None or isinstance(v, bool) else str(v) for k, v in r.items()} for r in records]
    assert found == spelled


def test_the_number_before_the_conversion_answers_the_same_invoices(bring):
    assert bring.invoices(OLD) == bring.invoices(PARCELS)
    assert {i["customerNumber"] for i in bring.invoices(OLD)} == {PARCELS}


def test_pdfs_are_stable_one_is_missing_and_one_can_be_a_login_page(bring):
    answers = {
        i["invoiceNumber"]: bring.get(f"/invoicearchive/pdf/{i['customerNumber']}/{i['invoiceNumber']}.pdf")
        for i in everything(bring)
    }
    assert Counter(a.status_code for a in answers.values()) == {200: len(answers) - 1, 404: 1}
    found = {n: a.content for n, a in answers.items() if a.ok}
    assert all(body.startswith(b"%PDF-") and body.endswith(b"%%EOF\n") for body in found.values())
    settings = bring.sandbox.settings("2025-01-01") | {"bring_invoice_documents": True}
    total = bring.control.totals(settings)["invoice_documents"]["bring"]
    assert total == {"rows": len(answers), "sums": {"size": str(sum(map(len, found.values())))}}
    number = bring.invoices(SEA)[0]["invoiceNumber"]
    bring.control.options["bring_pdf_login_page"] = number
    assert bring.get(f"/invoicearchive/pdf/{SEA}/{number}.pdf").text.startswith("<!DOCTYPE html>")


def test_totals_count_an_invoice_once_however_many_numbers_lead_to_it(bring):
    settings = bring.sandbox.settings("2026-08-01")
    shown = [i for i in everything(bring) if day(i["invoiceDate"]) >= date(2026, 8, 1)]
    totals = bring.control.totals(settings)
    assert totals["invoices"]["bring"]["rows"] == len(shown)
    for column, field in (
        ("net_amount", "amount"),
        ("tax_amount", "taxAmount"),
        ("total_amount", "totalAmount"),
    ):
        assert Decimal(totals["invoices"]["bring"]["sums"][column]) == sum(Decimal(i[field]) for i in shown)
    specified = sum(i["invoiceSpecificationAvailable"] for i in shown)
    assert totals["report_runs"]["bring"]["rows"] == totals["report_files"]["bring"]["rows"] == specified
    both = bring.control.totals(settings | {"bring_customers": [PARCELS, OLD]})
    alone = bring.control.totals(settings | {"bring_customers": [PARCELS]})
    assert (both["accounts"]["bring"]["rows"], alone["accounts"]["bring"]["rows"]) == (2, 1)
    assert both["invoices"] == alone["invoices"]


def test_totals_of_a_date_range_report_are_its_complete_windows(bring):
    entry = {"report_type": "PARCELS-ECONOMY_AND_STATISTICS", "name": "economy", "window": "month"}
    settings = bring.sandbox.settings("2026-09-15") | {"bring_reports": [entry], "bring_invoice_lines": False}
    totals = bring.control.totals(settings)
    found = Decimal(0), 0
    for customer in (PARCELS, ABROAD):
        tree = bring.report(customer, entry["report_type"], fromDate="01.09.2026", toDate="31.10.2026")
        prices = [Decimal(price.text) for price in tree.iter("{*}AgreementPrice")]
        found = found[0] + sum(prices), found[1] + len(prices)
    economy = totals["bring_economy"]["bring"]
    assert (Decimal(economy["sums"]["agreement_price"]), economy["rows"]) == found
    assert totals["report_runs"]["bring"]["rows"] == 4


def test_the_next_day_settles_an_invoice_and_brings_three(bring):
    before = {i["invoiceNumber"]: i for i in everything(bring)}
    bring.control.next_day()
    after = {i["invoiceNumber"]: i for i in everything(bring)}
    changed = [(before[n]["status"], after[n]["status"]) for n in before if before[n] != after[n]]
    assert changed == [("Open", "Closed")]
    fresh = [i for n, i in after.items() if n not in before]
    assert sorted(i["type"] for i in fresh) == ["Credit note", "Invoice", "Invoice"]
    assert {i["invoiceDate"] for i in fresh} == {"21.11.2026"}
    assert [i["invoiceSpecificationAvailable"] for i in fresh].count(True) == 1


def test_the_same_seed_gives_the_same_data_after_a_reset(bring):
    before = everything(bring)
    bring.control.next_day()
    bring.control.reset()
    assert everything(bring) == before
