"""The emulated Reports API of Bring."""

from __future__ import annotations

import io
import uuid
import zipfile
from datetime import datetime, timezone
from decimal import Decimal

import pytest
import requests
from lxml import etree

from tap_billing_reports.sandbox.core import Sandbox
from tests.waiting import HANG_SECONDS

NOW = datetime(2026, 11, 20, 9, tzinfo=timezone.utc)
NS = "{urn:bring.no/mybring/Report}"
PARCELS, HOME, ABROAD, SEA = "20000770011", "20000770022", "20000770033", "20000770044"
LARGE = "20000770055"
OLD = "PARCELS_NORWAY-00012770011"


class Bring:
    """A client that sends the three headers and a language."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.control = sandbox.control
        settings = sandbox.settings("2026-01-01")
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers.update(
            {
                "X-Mybring-API-Uid": settings["bring_api_uid"],
                "X-Mybring-API-Key": settings["bring_api_key"],
                "X-Bring-Client-URL": settings["bring_client_url"],
                "Accept-Language": "en",
            }
        )
        self.base = settings["bring_base_url"]

    def get(self, path, headers=None, **query):
        return self.session.get(self.base + path, params=query, headers=headers, timeout=HANG_SECONDS)

    def invoices(self, number, **query):
        query = {"fromDate": "01.01.2025", "toDate": "31.12.2027", **query}
        return self.get(f"/invoicearchive/api/invoices/{number}.json", **query).json()["invoices"]

    def order(self, customer, kind, **parameters):
        return self.get(f"/reports/api/generate/{customer}/{kind}.json", **parameters)

    def run(self, customer, kind, **parameters):
        """Order, let the work end, and return the path of the report without suffix."""
        link = self.order(customer, kind, **parameters).json()["statusUrl"]
        self.control.advance(1)
        return link.removeprefix(self.base).removesuffix("/status/")

    def report(self, customer, kind, **parameters):
        """The finished report as a tree."""
        return etree.fromstring(self.get(self.run(customer, kind, **parameters) + ".xml").content)


@pytest.fixture(scope="module")
def served():
    with Sandbox(now=NOW, vendors=("bring",)) as sandbox:
        client = Bring(sandbox)
        with client.session:
            yield client


@pytest.fixture
def bring(served):
    served.control.reset()
    return served


def meta(tree, name):
    return tree.findtext(f"{NS}MetaData/{NS}{name}")


def cells(line):
    return {etree.QName(cell).localname: cell.text or "" for cell in line}


def rows(tree):
    return [found for line in tree.iter(f"{NS}Line") if any((found := cells(line)).values())]


def test_customers_are_listed_in_both_spellings_with_nulls_and_as_a_single_object(bring):
    listed = bring.get("/reports/api/generate.json").json()["customer"]
    assert [c["id"] for c in listed if c] == [PARCELS, HOME, ABROAD, SEA]
    assert None in listed
    bring.control.options.update(bring_customers_key="customers", bring_single_customer=True)
    assert bring.get("/reports/api/generate/").json()["customers"]["id"] == PARCELS
    tree = etree.fromstring(bring.get("/reports/api/generate", headers={"Accept": "application/xml"}).content)
    assert tree.tag == "CustomerList"
    assert tree.findtext("customers/id") == PARCELS
    bring.control.options.update(bring_single_customer=False, bring_list_old_numbers=True)
    assert bring.get("/reports/api/generate.json").json()["customers"][-1]["id"] == OLD


def test_report_types_have_a_double_id_documented_links_and_two_languages(bring):
    types = bring.get(f"/reports/api/generate/{PARCELS}/").json()["reports"]
    double = [[p["name"] for p in t["parameter"]] for t in types if t["id"] == "PARCELS-ADDITIONAL-COSTS"]
    assert double == [["invoiceNumber"], ["fromDate", "toDate"]]
    assert types[0]["url"].startswith("https://api.bring.com.com/")
    bring.control.options.update(bring_reports_key="report", bring_parameters_key="parameters")
    norsk = bring.get(f"/reports/api/generate/{PARCELS}.json", headers={"Accept-Language": "no"}).json()["report"]
    assert [t["id"] for t in norsk] == [t["id"] for t in types]
    assert norsk[0]["name"] == "Spesifisert faktura" != types[0]["name"]
    assert norsk[0]["parameters"][0]["name"] == "invoiceNumber"
    tree = etree.fromstring(bring.get(f"/reports/api/generate/{SEA}.xml").content)
    assert tree.findtext("reports/parameters/parameter/name") == "invoiceNumber"


def test_an_order_creates_a_run_each_time_and_is_polled_until_done(bring):
    number = next(i["invoiceNumber"] for i in bring.invoices(HOME) if i["invoiceSpecificationAvailable"])
    bring.control.freeze()
    first = bring.order(HOME, "MASTER-SPECIFIED_INVOICE", invoiceNumber=number)
    second = bring.order(HOME, "MASTER-SPECIFIED_INVOICE", invoiceNumber=number)
    assert (first.status_code, first.headers["Location"]) == (202, first.json()["statusUrl"])
    assert first.json() != second.json()
    path = first.json()["statusUrl"].removeprefix(bring.base)
    assert uuid.UUID(path.split("/")[4]).version == 4
    assert bring.get(path).json() == {"status": "NOT_DONE"}
    assert bring.get(path.removesuffix("/status/") + ".xml").status_code == 404
    bring.control.advance(0.2)
    done = bring.get(path).json()
    assert (done["status"], done["xmlUrl"]) == ("DONE", bring.base + path.removesuffix("/status/") + ".xml")
    tree = etree.fromstring(bring.get(path.removesuffix("/") + ".xml").content)
    assert (tree.tag, tree.findtext("status"), tree.findtext("xlsUrl")) == ("result", "DONE", done["xlsUrl"])
    (orders,) = bring.control.counters()["orders"]["bring"]["by_key"].values()
    assert orders == 2


def test_wrong_orders_are_refused(bring):
    refused = [
        bring.order(HOME, "MASTER-SPECIFIED_INVOICE", fromDate="01.11.2026", toDate="02.11.2026"),
        bring.order(HOME, "MASTER-SPECIFIED_INVOICE", invoiceNumber="1"),
        bring.order(PARCELS, "PARCELS-DELIVERED", fromDate="2026-11-01", toDate="02.11.2026"),
        bring.order(PARCELS, "PARCELS-DELIVERED", fromDate="03.11.2026", toDate="02.11.2026"),
        bring.order(PARCELS, "PARCELS-FREIGHT_STATISTICS_SUMMED", reporttype="ALL", year="2026"),
        bring.order(SEA, "PARCELS-DELIVERED", fromDate="01.11.2026", toDate="02.11.2026"),
    ]
    assert {(r.status_code, r.text) for r in refused} == {(400, "Invalid input parameters")}
    posted = bring.session.post(
        f"{bring.base}/reports/api/generate/{HOME}/MASTER-SPECIFIED_INVOICE", timeout=HANG_SECONDS
    )
    assert (posted.status_code, posted.content) == (405, b"")
    assert bring.control.counters()["orders"] == {}


def test_more_than_twenty_pending_runs_are_refused_until_one_is_done(bring):
    bring.control.freeze()
    days = [f"{n:02d}.10.2026" for n in range(1, 23)]
    answers = [bring.order(PARCELS, "PARCELS-DELIVERED", fromDate=d, toDate=d).status_code for d in days]
    assert answers == [202] * 20 + [429] * 2
    bring.control.advance(0.2)
    assert bring.order(PARCELS, "PARCELS-DELIVERED", fromDate=days[20], toDate=days[20]).status_code == 202


def test_more_than_fifteen_identical_requests_a_second_are_throttled(bring):
    bring.control.options["bring_retry_after"] = 2
    answers = [bring.get("/reports/api/generate.json") for _ in range(17)]
    assert [a.status_code for a in answers[:15]] == [200] * 15
    assert (answers[-1].status_code, answers[-1].headers["Retry-After"]) == (429, "2")
    assert bring.get("/reports/api/generate.xml").status_code == 200


@pytest.mark.parametrize(
    ("outcome", "status"),
    [("failed", "FAILED"), ("never", "NOT_DONE"), ("unknown", "ARCHIVED"), ("lost", None)],
)
def test_a_run_can_come_to_a_bad_end(bring, outcome, status):
    bring.control.options.update(bring_run_outcomes={"PARCELS-DELIVERED": outcome}, bring_run_outcome_times=1)
    parameters = {"fromDate": "01.11.2026", "toDate": "02.11.2026"}
    answer = bring.get(bring.run(PARCELS, "PARCELS-DELIVERED", **parameters) + "/status.json")
    assert (answer.json()["status"] if answer.ok else None) == status
    again = bring.get(bring.run(PARCELS, "PARCELS-DELIVERED", **parameters) + "/status.json")
    assert again.json()["status"] == "DONE"


def test_links_of_a_run_can_point_at_another_host(bring):
    bring.control.options["bring_foreign_links"] = True
    answer = bring.order(PARCELS, "PARCELS-DELIVERED", fromDate="01.11.2026", toDate="01.11.2026")
    assert answer.json()["statusUrl"].startswith("https://api.bring.com.com/reports/api/report/")
    bring.control.options["bring_foreign_links"] = bring.sandbox.urls["foreign"]
    answer = bring.order(PARCELS, "PARCELS-DELIVERED", fromDate="01.11.2026", toDate="01.11.2026")
    assert answer.headers["Location"].startswith(bring.sandbox.urls["foreign"])


def test_translated_endpoints_need_a_concrete_language(bring):
    number = next(i["invoiceNumber"] for i in bring.invoices(HOME) if i["invoiceSpecificationAvailable"])
    path = bring.run(HOME, "MASTER-SPECIFIED_INVOICE", invoiceNumber=number)
    paths = [f"/reports/api/generate/{HOME}.json", f"{path}.xml", f"/invoicearchive/pdf/{HOME}/{number}.pdf"]
    for language in ("*", None):
        for wanted in paths:
            answer = bring.get(wanted, headers={"Accept-Language": language})
            assert answer.status_code == 406
            assert answer.text == "<?xml version='1.0' encoding='UTF-8'?><String>Not Acceptable</String>"
    assert bring.get("/reports/api/generate.json", headers={"Accept-Language": "*"}).status_code == 200


def test_every_invoice_source_sums_to_its_invoice_and_counts_its_rows(bring):
    seen, blank, double, sums = (
        set(),
        0,
        0,
        dict.fromkeys(("AMOUNT", "AgreementPrice", "TAX_AMOUNT"), Decimal(0)),
    )
    count = 0
    for customer in (PARCELS, HOME, ABROAD, SEA):
        for invoice in bring.invoices(customer, invoicesWithSpecification="true"):
            tree = bring.report(customer, "MASTER-SPECIFIED_INVOICE", invoiceNumber=invoice["invoiceNumber"])
            filled = rows(tree)
            columns = ["AMOUNT", "TAX_AMOUNT", "TOTAL_INCL_TAX"]
            expected = [Decimal(invoice[name]) for name in ("amount", "taxAmount", "totalAmount")]
            if meta(tree, "InvoiceSource").startswith("PARCEL"):
                columns, expected = ["AgreementPrice"], expected[:1]
            assert [sum(Decimal(row[c]) for row in filled) for c in columns] == expected
            assert int(meta(tree, "NumberOfRows")) == len(filled) >= 3
            assert meta(tree, "InvoiceNumber") == invoice["invoiceNumber"]
            seen.add(meta(tree, "InvoiceSource"))
            blank += len(tree.findall(f".//{NS}Line")) - len(filled)
            double += len(filled) - len({tuple(row.items()) for row in filled})
            count += len(filled)
            for name in set(sums) & set(columns):
                sums[name] += sum(Decimal(row[name]) for row in filled)
    families = {
        "PARCEL_DOMESTIC",
        "PARCEL_INTERNATIONAL",
        "AMPHORA_DOMESTIC",
        "AMPHORA_SEA",
        "ALYSTRA",
        "AMPHORA_BCI",
    }
    assert seen == families
    assert blank
    assert double
    totals = bring.control.totals(bring.sandbox.settings("2025-01-01"))
    lines = totals["bring_invoice_lines"]["bring"]
    assert lines["rows"] == count
    told = {
        name: Decimal(lines["sums"][key])
        for name, key in zip(sums, ("amount", "agreement_price", "tax_amount"), strict=True)
    }
    assert told == sums


def test_parcel_lines_have_the_new_dates_and_blank_lines_can_be_counted(bring):
    number = bring.invoices(PARCELS, invoicesWithSpecification="true")[0]["invoiceNumber"]
    path = bring.run(PARCELS, "MASTER-SPECIFIED_INVOICE", invoiceNumber=number) + ".xml"
    tree = etree.fromstring(bring.get(path).content)
    assert {"HandedInDate", "InvoiceTriggeredDate", "AgreementPrice"} <= set(rows(tree)[0])
    bring.control.options["bring_rows_count_blank"] = True
    counting = etree.fromstring(bring.get(path, headers={"Accept-Language": "no"}).content)
    assert int(meta(counting, "NumberOfRows")) == len(tree.findall(f".//{NS}Line")) > len(rows(tree))
    assert meta(counting, "ReportName").startswith("Spesifisert faktura")


def test_a_date_range_report_covers_whole_oslo_days_and_splits_without_loss(bring):
    kind = "PARCELS-ECONOMY_AND_STATISTICS"
    whole = bring.report(PARCELS, kind, fromDate="24.10.2026", toDate="31.10.2026")
    assert meta(whole, f"Interval/{NS}Start") == "2026-10-24T00:00:00.000+02:00"
    assert meta(whole, f"Interval/{NS}End") == "2026-10-31T23:59:59.000+01:00"
    first = bring.report(PARCELS, kind, fromDate="24.10.2026", toDate="26.10.2026")
    second = bring.report(PARCELS, kind, fromDate="27.10.2026", toDate="31.10.2026")
    assert rows(first) + rows(second) == rows(whole)
    assert len(rows(whole)) == int(meta(whole, "NumberOfRows")) > 0
    future = bring.report(PARCELS, kind, fromDate="24.12.2026", toDate="31.12.2026")
    assert rows(future) == []


def test_yearly_statistics_end_with_the_current_month(bring):
    tree = bring.report(PARCELS, "PARCELS-FREIGHT_STATISTICS_SUMMED", reporttype="INVOICED", year="2026")
    assert {row["Month"] for row in rows(tree)} == {f"2026-{m:02d}" for m in range(1, 12)}


def test_the_workbook_is_one(bring):
    number = bring.invoices(SEA, invoicesWithSpecification="true")[0]["invoiceNumber"]
    answer = bring.get(bring.run(SEA, "MASTER-SPECIFIED_INVOICE", invoiceNumber=number) + ".xlsx")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert b"FJORDGODS AS" in archive.read("xl/worksheets/sheet1.xml")


def test_an_invoice_without_specification_fails_its_run(bring):
    number = next(i["invoiceNumber"] for i in bring.invoices(SEA) if not i["invoiceSpecificationAvailable"])
    path = bring.run(SEA, "MASTER-SPECIFIED_INVOICE", invoiceNumber=number)
    assert bring.get(path + "/status.json").json() == {"status": "FAILED"}


def test_multiplied_lines_stream_and_keep_every_sum(bring):
    number = bring.invoices(SEA, invoicesWithSpecification="true")[0]["invoiceNumber"]
    path = bring.run(SEA, "MASTER-SPECIFIED_INVOICE", invoiceNumber=number) + ".xml"
    plain = etree.fromstring(bring.get(path).content)
    bring.control.options.update(bring_lines_multiplier=500, bring_multiplied_invoice=number)
    answer = bring.get(path)
    assert answer.headers["Transfer-Encoding"] == "chunked"
    many = etree.fromstring(answer.content)
    assert len(rows(many)) == int(meta(many, "NumberOfRows")) == 500 * len(rows(plain))
    assert sum(Decimal(r["AMOUNT"]) for r in rows(many)) == sum(Decimal(r["AMOUNT"]) for r in rows(plain))
