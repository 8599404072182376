"""The values of Bring's own published examples, field by field."""

from __future__ import annotations

import io
import json
from datetime import date
from xml.sax.saxutils import escape

import pytest

from tap_billing_reports.config.settings import Settings, with_defaults
from tap_billing_reports.core.about import About
from tap_billing_reports.core.columns import Column, column_name
from tap_billing_reports.declare import Account, RunStatus
from tap_billing_reports.declare.client import map_fields
from tap_billing_reports.http.responses import Answer
from tap_billing_reports.reports.files.readers.xml import XmlReader
from tap_billing_reports.singer.invoices.reader import InvoiceFeed
from tap_billing_reports.vendors.bring import BRING, ORDERED
from tests.fakes import scripted
from tests.typed import some

CUSTOMER = "PARCELS_NORWAY-00012341234"
ACCOUNT = Account("bring", CUSTOMER, "bring_customer")
RUN = "db285042-6e8d-4563-94ca-eb1100706a73"
BASE = "https://www.mybring.com/reports/api"

# number, date, status, total, due, type, batch source, specification
JSON_INVOICES = (
    ("10158070", "31.12.2019", "Open", "386.25", "28.02.2020", "Invoice", None, True),
    ("152148", "31.12.2019", "Closed", "7771.69", "25.02.2020", "Invoice", "PMS_BULKMAIL_OM", False),
    ("1109932", "31.01.2020", "Open", "115.0", "06.03.2020", "Invoice", "TMS_AMPHORA_OM", True),
    ("11404211", "31.01.2020", "Open", "12117.16", "03.03.2020", "Invoice", "TMS_LM_OM", True),
    ("1100146", "30.11.2019", "Closed", "485.01", "03.01.2020", "Invoice", "TMS_AMPHORA_OM", True),
    ("11403110", "30.11.2019", "Closed", "1964.06", "31.12.2019", "Invoice", "TMS_LM_OM", True),
    ("12139462", "30.11.2019", "Closed", "2076.69", "31.12.2019", "Invoice", "PMS_BULKMAIL_OM", False),
    ("10021151", "30.01.2020", "Closed", "-75.0", "30.01.2020", "Credit note", "CRM_SF_EXT", False),
)
XML_INVOICES = (
    ("11001070", "31.12.2019", "Open", "386.25", "28.02.2020", "Invoice", "TMS_AMPHORA_OM", True),
    ("10152148", "31.12.2019", "Closed", "771.69", "25.02.2020", "Invoice", "PMS_BULKMAIL_OM", False),
    ("11016932", "31.01.2020", "Open", "15.0", "06.03.2020", "Invoice", "TMS_AMPHORA_OM", True),
    ("11404711", "31.01.2020", "Open", "1211907.16", "03.03.2020", "Invoice", "TMS_LM_OM", True),
    ("1106446", "30.11.2019", "Closed", "45.01", "03.01.2020", "Invoice", "TMS_AMPHORA_OM", True),
    ("1142110", "30.11.2019", "Closed", "911964.06", "31.12.2019", "Invoice", "TMS_LM_OM", True),
    ("1013462", "30.11.2019", "Closed", "2076.69", "31.12.2019", "Invoice", "PMS_BULKMAIL_OM", False),
    ("1091021151", "30.01.2020", "Closed", "-75.0", "30.01.2020", "Credit note", "CRM_SF_EXT", False),
)


def record(number, day, status, total, job, kind, batch, specified):
    fields = {
        "customerNumber": "customerNumber",
        "invoiceNumber": number,
        "invoiceDate": day,
        "invoiceIssuer": "POSTEN_NORGE_AS",
        "status": status,
        "totalAmount": total,
        "dueDate": job,
        "type": kind,
        "batchSource": batch,
        "attachmentCount": 0,
        "specInvoiceReportId": "specified_invoice_customer_master",
        "currency": "NOK",
        "parentInvoiceNumber": None,
        "invoiceSpecificationAvailable": specified,
    }
    if batch is None:
        del fields["batchSource"]
    return fields


def element(name, value):
    if value is None:
        return f"<{name}/>"
    return f"<{name}>{escape(str(value).lower() if isinstance(value, bool) else str(value))}</{name}>"


def as_xml(rows):
    invoices = "".join(
        f"<Invoice>{''.join(element(*field) for field in record(*row).items())}</Invoice>\n" for row in rows
    )
    return f"<InvoiceResponse>\n<InvoiceList>\n{invoices}</InvoiceList>\n</InvoiceResponse>"


def iso(text):
    day, month, year = text.split(".")
    return f"{year}-{month}-{day}"


def expected(number, day, status, total, job, kind, batch, specified):
    return {
        "source": "bring",
        "account_id": "customerNumber",
        "requested_account_id": CUSTOMER,
        "invoice_id": number,
        "invoice_number": number,
        "parent_invoice_number": None,
        "type": {"Invoice": "invoice", "Credit note": "credit_note"}[kind],
        "source_type": kind,
        "status": status.lower(),
        "source_status": status,
        "is_settled": status == "Closed",
        "invoice_date": iso(day),
        "due_date": iso(job),
        "currency": "NOK",
        "net_amount": None,
        "tax_amount": None,
        "total_amount": total,
        "issuer": "POSTEN_NORGE_AS",
        "specification_available": specified,
        "attachment_count": 0,
        "batch_source": batch,
    }


def listed(body):
    client = scripted(BRING, {f"/invoicearchive/api/invoices/{CUSTOMER}.json": body})
    settings = Settings.of(with_defaults({"start_date": "2000-01-01"}, [BRING]))
    return [columns for columns, _record in InvoiceFeed(client, ACCOUNT, settings).read(date(2019, 1, 1))]


class TestInvoices:
    def test_the_list_as_json(self):
        body = json.dumps([record(*row) for row in JSON_INVOICES])
        assert listed(body) == [expected(*row) for row in JSON_INVOICES]

    def test_the_same_in_the_live_envelope(self):
        body = json.dumps({"invoices": [record(*row) for row in JSON_INVOICES]})
        assert listed(body) == [expected(*row) for row in JSON_INVOICES]

    def test_the_list_as_xml(self):
        assert listed(as_xml(XML_INVOICES)) == [expected(*row) for row in XML_INVOICES]

    def test_one_invoice_as_xml_is_a_list_of_one(self):
        assert listed(as_xml(XML_INVOICES[:1])) == [expected(*XML_INVOICES[0])]

    def test_the_live_form_with_its_undocumented_fields(self):
        live = {
            "customerNumber": "20000012345",
            "invoiceNumber": "4700000001",
            "invoiceDate": "31.07.2026",
            "dueDate": "2026-08-14",
            "amount": "84786.85",
            "taxAmount": "21197.02",
            "totalAmount": "105983.87",
            "currency": "NOK",
            "type": "Invoice",
            "invoiceSpecificationAvailable": True,
        }
        (columns,) = listed(json.dumps({"invoices": [live]}))
        assert (columns["invoice_date"], columns["due_date"]) == ("2026-07-31", "2026-08-14")
        amounts = [columns[name] for name in ("net_amount", "tax_amount", "total_amount")]
        assert amounts == ["84786.85", "21197.02", "105983.87"]
        assert (columns["status"], columns["account_id"]) == (None, "20000012345")


NAMED = {
    "id": CUSTOMER,
    "name": "TEST CUSTOMER",
    "fullName": "TEST CUSTOMER (00012341234)",
    "reports": f"{BASE}/generate/{CUSTOMER}/",
}


def only_account(client) -> Account:
    (account,) = BRING.accounts(client)
    assert isinstance(account, Account)
    return account


class TestCustomers:
    def test_json(self):
        body = json.dumps({"customers": [NAMED]})
        account = only_account(scripted(BRING, {"/reports/api/generate.json": body}))
        assert (account.account_id, account.name, account.kind) == (CUSTOMER, "TEST CUSTOMER", "bring_customer")
        assert account.record == NAMED

    def test_xml(self):
        fields = {name: value for name, value in NAMED.items() if name != "fullName"}
        inner = "".join(element(*field) for field in fields.items())
        body = (
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
            f"<CustomerList><customers>{inner}</customers></CustomerList>"
        )
        account = only_account(scripted(BRING, {"/reports/api/generate.json": body}))
        assert (account.account_id, account.record) == (CUSTOMER, fields)


class TestReportTypes:
    def test_a_type_with_its_parameter(self):
        kind = {
            "id": "PARCELS-SPECIFIED_INVOICE",
            "name": "Specified invoice",
            "description": "Overview of what is invoiced per shipment.",
            "url": f"https://api.bring.com.com/reports/api/generate/{CUSTOMER}/PARCELS-SPECIFIED_INVOICE/",
            "parameter": [{"name": "invoiceNumber", "type": "string", "description": "Invoice number for the report"}],
        }
        client = scripted(BRING, {f"/reports/api/generate/{CUSTOMER}.json": json.dumps({"reports": [kind]})})
        api = some(BRING.report_types)
        (found,) = client.records(api.endpoint, path=api.path(ACCOUNT), account=ACCOUNT)
        columns = map_fields(api.fields, found)
        assert columns == {
            "report_type": "PARCELS-SPECIFIED_INVOICE",
            "variant": "invoiceNumber",
            "name": "Specified invoice",
            "description": "Overview of what is invoiced per shipment.",
            "parameters": columns["parameters"],
        }
        assert json.loads(columns["parameters"]) == kind["parameter"]


def answer(body, headers=None, status=200):
    return Answer(About("bring", CUSTOMER, "GET x"), status, headers or {}, body.encode())


class TestRuns:
    link = f"{BASE}/report/{RUN}/status/"

    @pytest.mark.parametrize(
        ("body", "headers"),
        [
            (json.dumps({"statusUrl": link}), {}),
            (f"<result><statusUrl>{link}</statusUrl></result>", {}),
            ("", {"Location": link}),
            ("accepted", {"Location": link}),
            ('{"statusUrl": "https://', {"Location": link}),
            (json.dumps({"statusUrl": link}), {"Location": "https://elsewhere.example/login"}),
        ],
    )
    def test_an_order_gives_the_runs_id(self, body, headers):
        run = ORDERED.read_order(answer(body, headers, 202))
        assert (run.run_id, run.status, run.source_status) == (RUN, RunStatus.PENDING, "NOT_DONE")

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ('{"status":"NOT_DONE"}', RunStatus.PENDING),
            ('{"status":"FAILED"}', RunStatus.FAILED),
            (
                f'{{"status":"DONE","xmlUrl":"{BASE}/report/{RUN}.xml","xlsUrl":"{BASE}/report/{RUN}.xls"}}',
                RunStatus.READY,
            ),
            (
                f"<result><status>DONE</status><xmlUrl>{BASE}/report/{RUN}.xml</xmlUrl></result>",
                RunStatus.READY,
            ),
        ],
    )
    def test_the_three_statuses(self, body, status):
        run = ORDERED.read_status(answer(body), RUN)
        assert (run.run_id, run.status) == (RUN, status)
        # The address is built here, below the configured host.
        assert (run.file.path if run.file else None) == (
            f"/reports/api/report/{RUN}.xml" if status is RunStatus.READY else None
        )

    @pytest.mark.parametrize("body", ['{"status":"COMPLETED"}', '{"status":"READY"}', "{}", "[]", "done"])
    def test_any_other_is_refused(self, body):
        with pytest.raises(ValueError):
            ORDERED.read_status(answer(body), RUN)


RANGE_REPORT = """<Report xmlns="urn:bring.no/mybring/Report">
  <MetaData>
    <ReportName>Delivered to recipient</ReportName>
    <FinishedAt type="iso8601">2015-10-19T15:17:07.077+02:00</FinishedAt>
    <CustomerId>00012341234</CustomerId>
    <CustomerName>TEST CUSTOMER</CustomerName>
    <Interval>
      <Start type="iso8601">2015-01-01T00:00:00.000+01:00</Start>
      <End type="iso8601">2015-10-19T23:59:59.000+02:00</End>
    </Interval>
    <NumberOfRows>0</NumberOfRows>
  </MetaData>
  <Lines>
  </Lines>
</Report>
"""
LINE = {
    "PICK_UP_POSTAL_CODE": "5020",
    "RECEIVER_NAME": "TEST Customer",
    "DELIVERY_POSTAL_CODE": "3050",
    "WAYBILL_NUMBER": "70700611051925484",
    "FREIGHT_PAYER": "A",
    "ITEM_DESCRIPTION": "Frakt",
    "DESCRIPTION": "RETAIL ITEMS FOR SALE IN SK STORES",
    "FREIGHT_CALC_WEIGHT": "150.0",
    "TRX_DATE": "25.04.2019",
    "NUMBER_OF_PACKAGES": "1",
    "GrossPrice": "1426.00",
    "AMOUNT": "271.00",
}


def invoice_report(rows):
    """The published sample declares 204 rows and shows one."""
    head = f"""<Report xmlns="urn:bring.no/mybring/Report">
  <MetaData>
    <ReportName>Specified invoice - Groupage and partload</ReportName>
    <FinishedAt type="iso8601">2019-12-12T12:31:36.933+01:00</FinishedAt>
    <CustomerId>3444353</CustomerId>
    <CustomerName>TEST Customer</CustomerName>
    <InvoiceNumber>1220033899</InvoiceNumber>
    <NumberOfRows>{rows}</NumberOfRows>
    <InvoiceSource>AMPHORA_DOMESTIC</InvoiceSource>
    <AttachmentCount>Number of attachment(s):1</AttachmentCount>
    <AttachmentUrl>Invoices in Mybring.https://www.mybring.com/invoicearchive/invoice/x.html</AttachmentUrl>
  </MetaData>
  <Lines>
    <Line>
"""
    return head + "".join(f"      {element(*cell)}\n" for cell in LINE.items()) + "    </Line>\n  </Lines>\n</Report>"


def reader(body):
    (report,) = some(BRING.reports).configured(with_defaults({}, [BRING]))

    def resolve(header):
        return [Column(name, column_name(name), some(BRING.reports).column_type(report, name)) for name in header]

    return XmlReader(io.BytesIO(body.encode()), form=some(some(BRING.reports).xml), resolve=resolve, sum_of=("amount",))


class TestReportFiles:
    def test_an_empty_report_of_a_range(self):
        xml = reader(RANGE_REPORT)
        assert [row for chunk in xml.chunks() for row in chunk.rows] == []
        assert (xml.rows, xml.declared_rows, xml.blank_lines) == (0, 0, 0)
        assert xml.metadata["ReportName"] == "Delivered to recipient"
        assert xml.metadata["CustomerId"] == "00012341234"

    def test_a_specified_invoice(self):
        xml = reader(invoice_report(1))
        (row,) = [row for chunk in xml.chunks() for row in chunk.rows]
        found = {name: getattr(row, name) for name in row.__struct_fields__}
        assert {name: found[column_name(name)] for name in LINE} == LINE | {"TRX_DATE": "2019-04-25"}
        assert xml.metadata["InvoiceSource"] == "AMPHORA_DOMESTIC"
        assert xml.metadata["InvoiceNumber"] == "1220033899"
        assert str(xml.sums["amount"]) == "271.00"

    def test_the_abridged_sample_is_refused_because_203_rows_are_missing(self):
        from tap_billing_reports.core.errors import FileError

        with pytest.raises(FileError, match="the file has 1 rows where it declares 204"):
            list(reader(invoice_report(204)).chunks())
