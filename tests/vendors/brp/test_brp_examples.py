"""The values of BRP's own published example, field by field, as XML and as the JSON that goes with it."""

from __future__ import annotations

import json
from datetime import date

import pytest

from tap_billing_reports.config.settings import Settings, with_defaults
from tap_billing_reports.declare import Account
from tap_billing_reports.singer.invoices.reader import InvoiceFeed
from tap_billing_reports.vendors.brp import BRP
from tests.fakes import scripted

INVOICE = {
    "id": "1044",
    "number": "796",
    "prefix": "F",
    "orderid": "44",
    "orderedby": "Homer Simpson",
    "orderedbycustomerid": "23",
    "totalamount": "17000",
    "rest": "17000",
    "invoicedate": "2015-01-11",
    "duedate": "2015-01-21",
    "payeddate": "",
    "state": {"number": "2", "value": "Pending"},
    "reminderamount": "2500",
    "company": {"id": "1", "name": "Acme INC."},
}
COLUMNS = {
    "source": "brp",
    "account_id": "1",
    "requested_account_id": "1",
    "invoice_id": "1044",
    "invoice_number": "F796",
    "type": "invoice",
    "status": "open",
    "source_status": "2",
    "invoice_date": "2015-01-11",
    "due_date": "2015-01-21",
    "paid_date": None,
    "currency": "SEK",
    "total_amount": "170.00",
    "amount_due": "170.00",
    "amount_remaining": "170.00",
    "is_settled": False,
    "fee_amount": "25.00",
    "issuer": "Acme INC.",
    "recipient": "Homer Simpson",
    "customer_id": "23",
    "order_id": "44",
}
STATES = {
    1: "draft",
    2: "open",
    3: "closed",
    4: "open",
    5: "collection",
    6: "collection",
    7: "open",
    8: "open",
    9: "draft",
}


def element(name, value):
    if isinstance(value, dict):
        return f"<{name}>{''.join(element(*field) for field in value.items())}</{name}>"
    return f"<{name}>{value}</{name}>" if value != "" else f"<{name}/>"


def xml(*invoices):
    return f"<invoices>{''.join(element('invoice', invoice) for invoice in invoices)}</invoices>"


def numbers(value):
    """The same with numbers where the vendor's text holds nothing else."""
    if isinstance(value, dict):
        return {name: numbers(inner) for name, inner in value.items()}
    return int(value) if value.isdecimal() else value or None


def read(body, form="xml"):
    client = scripted(BRP, {f"/invoices.{form}": body}, brp_currency="sek", brp_format=form)
    settings = Settings.of(with_defaults({"start_date": "2000-01-01"}, [BRP]))
    feed = InvoiceFeed(client, Account("brp", "1", "brp_company"), settings)
    return [columns for columns, _record in feed.read(date(2000, 1, 1))]


@pytest.mark.parametrize(
    ("body", "form"),
    [
        (xml(INVOICE), "xml"),
        (json.dumps({"invoices": [INVOICE]}), "json"),
        (json.dumps({"invoices": [numbers(INVOICE)]}), "json"),
        (json.dumps({"invoice": numbers(INVOICE)}), "json"),
    ],
)
def test_the_example_field_by_field(body, form):
    (columns,) = read(body, form)
    assert columns == COLUMNS


def test_several_invoices_and_none():
    other = INVOICE | {"id": "1047", "payeddate": "2015-01-28", "prefix": ""}
    first, second = read(xml(INVOICE, other))
    assert first == COLUMNS
    assert (second["invoice_id"], second["invoice_number"], second["paid_date"]) == ("1047", "796", "2015-01-28")
    assert read(xml()) == []


@pytest.mark.parametrize("number", STATES)
def test_the_table_of_states_by_its_numbers_whatever_their_words(number):
    (columns,) = read(xml(INVOICE | {"state": {"number": str(number), "value": "Åtgärdad"}}))
    assert (columns["status"], columns["source_status"]) == (STATES[number], str(number))
    assert columns["is_settled"] is (STATES[number] == "closed")


def test_examples_of_single_fields():
    (columns,) = read(xml(INVOICE | {"totalamount": "99900", "rest": "50000", "orderedby": "Acme INC., Homer Simpson"}))
    assert (columns["total_amount"], columns["amount_due"]) == ("999.00", "500.00")
    assert columns["recipient"] == "Acme INC., Homer Simpson"
