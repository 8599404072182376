"""What a shipment looks like on Bring's lines, as it is in life."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest

from tests.sandbox.test_bring_reports import ABROAD, HOME, PARCELS, SEA, bring, rows, served

__all__ = ["bring", "served"]

PARCEL_KEY, CARGO_KEY, FOREIGN_KEY = "ShipmentNumber", "WAYBILL_NUMBER", "CONSIGNMENT_NOTE"


@pytest.fixture
def invoices(bring):
    """Every specified invoice with its lines."""
    found = []
    for customer in (PARCELS, HOME, ABROAD, SEA):
        for invoice in bring.invoices(customer, invoicesWithSpecification="true"):
            tree = bring.report(customer, "MASTER-SPECIFIED_INVOICE", invoiceNumber=invoice["invoiceNumber"])
            found.append((invoice, rows(tree)))
    return found


def shipments(invoices) -> dict[str, list[dict[str, Any]]]:
    """Waybill -> its lines on invoices, without what credit notes give back."""
    found = defaultdict(list)
    for invoice, lines in invoices:
        if invoice["type"] == "Invoice":
            for line in lines:
                found[next(line[key] for key in (PARCEL_KEY, CARGO_KEY, FOREIGN_KEY) if key in line)].append(line)
    return found


def test_a_shipment_has_one_receiver_one_weight_and_some_five_lines(invoices):
    found = shipments(invoices)
    assert len(found) > 100
    same = (
        *("PackageNumber", "ProductCode", "Product", "WeightKg", "SentToPostalCode", "SentToCity", "HandedInDate"),
        *("RECEIVER_NAME", "RECEIVER_ADDRESS", "DELIVERY_POSTAL_CODE", "DELIVERY_CITY", "FREIGHT_CALC_WEIGHT"),
        *("ORDER_NUMBER", "SENDER_REFERENCE", "RECEIVER_REFERENCE", "CUST_PO_NUMBER", "NUMBER_OF_PACKAGES"),
    )
    for lines in found.values():
        for name in same:
            assert len({line.get(name) for line in lines}) == 1, name
        assert len({line["Description"].partition(" til ")[2] for line in lines if "Description" in line}) < 2
    assert Decimal(4) < Decimal(sum(map(len, found.values()))) / len(found) < Decimal("5.5")


def test_references_lead_to_the_shops_order(invoices):
    orders = {}
    for waybill, lines in shipments(invoices).items():
        for line in lines:
            if CARGO_KEY in line:
                assert line["RECEIVER_REFERENCE"] == waybill
                assert len(line["SENDER_REFERENCE"]) == 6
                assert line["SENDER_REFERENCE"].isdigit()
                orders[line["SENDER_REFERENCE"]] = waybill
    assert len(orders) == len(set(orders.values())) > 50


def test_an_item_number_is_a_kind_of_charge(invoices):
    kinds = defaultdict(set)
    of_shipments = shipments(invoices).values()
    for lines in of_shipments:
        for line in lines:
            if CARGO_KEY in line:
                kinds[line["ITEM_NUMBER"]].add(line["ITEM_DESCRIPTION"])
    assert all(len(words) == 1 for words in kinds.values())
    assert kinds["105633"] == {"Frakt"}
    assert kinds["3123"] == {"Bompenger"}
    assert 5 <= len(kinds) <= 6
    for lines in of_shipments:
        charges = [line.get("ITEM_DESCRIPTION") or line.get("CHARGE_TEXT") or line["Description"] for line in lines]
        assert any(charge.startswith("Frakt") for charge in charges)
        assert any(charge.startswith("Drivstofftillegg") for charge in charges)


def test_few_lines_of_an_invoice_are_below_zero_and_all_of_a_credit_note_but_those(invoices):
    lines = below = 0
    for invoice, found in invoices:
        for line in found:
            amount = Decimal(line.get("AMOUNT") or line["AgreementPrice"])
            rebate = "Rabatt" in str(line)
            assert rebate or (amount >= 0) is (invoice["type"] == "Invoice")
            lines += invoice["type"] == "Invoice"
            below += invoice["type"] == "Invoice" and amount < 0
    assert 0 < below < lines / 50


def test_a_credit_note_gives_shipments_of_its_invoice_back(invoices):
    specified = {invoice["invoiceNumber"]: lines for invoice, lines in invoices}
    seen = 0
    for invoice, lines in invoices:
        parent = specified.get(invoice["parentInvoiceNumber"])
        if parent is not None:
            for key in (PARCEL_KEY, CARGO_KEY, FOREIGN_KEY):
                assert {line.get(key) for line in lines} <= {line.get(key) for line in parent}
            seen += 1
    assert seen
