"""An answer of Bring's to another question than the one that was asked is never data."""

from __future__ import annotations

import pytest

from tap_billing_reports.declare import Ordered, Report
from tap_billing_reports.vendors.bring_asked import file_objection

CUSTOMER = "20000770011"
FILE = {"path": r"^/reports/api/report/[^/]+\.xml$"}
STATUS = {"path": r"^/reports/api/report/[^/]+/status"}
LIST = {"path": r"^/invoicearchive/api/invoices/"}


@pytest.mark.parametrize(
    ("match", "old", "new", "said"),
    [
        (FILE, "<InvoiceNumber>4", "<InvoiceNumber>9", "it is of invoice 9"),
        (FILE, "<CustomerId>2", "<CustomerId>3", "it is of customer 3"),
        (STATUS, "/report/", "/report/9", "it is of report 9"),
        (LIST, '.2026"', '.2024"', "2026-10-01 to 2026-11-20 was asked"),
    ],
)
def test_it_fails_and_the_next_sync_has_everything(bring, match, old, new, said):
    config = bring.config(bring_customers=[CUSTOMER])
    whole = bring.run(config)
    bring.control.reset()
    bring.control.fault({"alter": {"from": old, "to": new}}, match)
    broken = bring.run(config)
    assert broken.status == 1
    assert "another question" in broken.log
    assert said in broken.log
    assert not broken.of("bring_invoice_lines")
    bring.control.clear_faults()
    again = bring.run(config, state=broken.state)
    assert again.status == 0, again.log
    assert len(again.of("bring_invoice_lines")) == len(whole.of("bring_invoice_lines")) > 0


def test_a_wrong_file_is_asked_for_again_at_once(bring):
    bring.control.fault({"alter": {"from": "<InvoiceNumber>4", "to": "<InvoiceNumber>9"}}, FILE, times=1)
    assert bring.run(bring.config(bring_customers=[CUSTOMER])).status == 0


def ordered(accounts=(CUSTOMER,), **parameters):
    return Ordered(Report("bring", "T", "t", "Europe/Oslo"), parameters, accounts)


DAYS = {"fromDate": "01.10.2026", "toDate": "31.10.2026"}


@pytest.mark.parametrize(
    ("asked", "metadata", "fits"),
    [
        (ordered(invoiceNumber="1"), {"InvoiceNumber": "1", "CustomerId": CUSTOMER}, True),
        (ordered(invoiceNumber="1"), {}, True),
        (ordered(invoiceNumber="1"), {"InvoiceNumber": "2"}, False),
        (ordered(**DAYS), {"Interval/Start": "2026-10-01T00:00:00.000+02:00"}, True),
        (ordered(**DAYS), {"Interval/End": "2026-10-31T23:59:59.000+01:00"}, True),
        (ordered(**DAYS), {"Interval/Start": "2026-09-01T00:00:00.000+02:00"}, False),
        (ordered(**DAYS), {"Interval/End": "2026-10-30T23:59:59.000+01:00"}, False),
        (ordered(**DAYS), {"Interval/End": "soon"}, True),
        (ordered(), {"CustomerId": "20000770012"}, False),
        # Billed to another number of the same agreement.
        (ordered((CUSTOMER, "20000770012")), {"CustomerId": "20000770012"}, True),
        # Nobody knows what files call the older numbers.
        (ordered(("CARGO-12345",)), {"CustomerId": "20000770012"}, True),
        (ordered(), {"CustomerId": "3444353"}, True),
    ],
)
def test_what_a_file_says_of_itself(asked, metadata, fits):
    assert (file_objection(asked, metadata) is None) is fits
