"""Whichever API version is pinned, an invoice says the same; one that nobody has read is refused."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from tap_billing_reports.sandbox.stripe.endpoint import API_VERSION as EMULATED
from tap_billing_reports.vendors.stripe import API_VERSION, INVOICE_FIELDS, OLDEST_API_VERSION
from tap_billing_reports.vendors.stripe_money import invoice_tax

# Stripe's own list of versions (docs.stripe.com/changelog); taxes moved with the fourth of these.
VERSIONS = [OLDEST_API_VERSION, "2020-08-27", "2024-06-20", "2025-03-31.basil", "2025-12-15.clover", API_VERSION]


def invoices(stripe, version):
    found = stripe.sync(stripe_api_version=version, include_source_record=False)
    assert found.code == 0, found.log
    return found.of("invoices")


@pytest.mark.parametrize("version", VERSIONS)
def test_an_invoice_has_the_same_columns_in_every_version(stripe, version):
    newest = invoices(stripe, API_VERSION)
    assert any(Decimal(record["tax_amount"] or 0) for record in newest)
    for record in newest:
        if record["tax_amount"] is not None:
            assert Decimal(record["net_amount"]) + Decimal(record["tax_amount"]) == Decimal(record["total_amount"])
    older = invoices(stripe, version)

    def told(records):
        # Before basil no tax at all was null, since then it is an empty list.
        return [{**record, "tax_amount": Decimal(record["tax_amount"] or 0)} for record in records]

    assert told(older) == told(newest)


@pytest.mark.parametrize(
    "version",
    ["2019-02-19", "2018-11-08", "2011-06-21", "2026-11-25.foxglove", "2027-03-31", "2026-10-28.preview", "newest"],
)
def test_a_version_that_nobody_has_read_is_refused_before_anything_is_asked(stripe, version):
    before = len(stripe.control.requests())
    refused = stripe.sync(stripe_api_version=version)
    assert refused.code == 1
    assert "setting stripe_api_version is no API version that this tap can read" in refused.log
    assert f"from {OLDEST_API_VERSION} to {API_VERSION}" in refused.log
    assert len(stripe.control.requests()) == before


def test_the_default_is_the_emulated_one():
    assert API_VERSION == EMULATED


@pytest.mark.parametrize(
    ("shape", "tax"),
    [
        ({"total_taxes": [{"amount": 2000}, {"amount": 500}]}, "25.00"),
        ({"total_taxes": []}, "0.00"),
        ({"total_taxes": None}, None),
        ({"total_taxes": None, "tax": 2500}, None),
        ({"tax": 2500, "total_tax_amounts": [{"amount": 2000}, {"amount": 500}]}, "25.00"),
        ({"tax": 0}, "0.00"),
        ({"tax": None, "total_tax_amounts": []}, "0.00"),
        ({"total_tax_amounts": [{"amount": 2500}]}, "25.00"),
        ({"tax": None}, None),
    ],
)
def test_tax_in_each_of_its_forms(shape, tax):
    assert invoice_tax({"currency": "nok", **shape}, {}) == tax


@pytest.mark.parametrize("shape", [{}, {"taxes": 2500}, {"total_taxes": 2500}, {"total_taxes": [{}]}, {"tax": "x"}])
def test_tax_in_no_known_form_is_no_null(shape):
    with pytest.raises((ValueError, TypeError, KeyError)):
        invoice_tax({"currency": "nok", **shape}, {})


def test_a_version_that_drops_the_tax_is_refused(stripe):
    stripe.control.fault({"alter": {"from": '"total_taxes"', "to": '"taxation"'}}, {"path": "^/v1/invoices$"})
    found = stripe.sync()
    assert found.code == 1
    assert found.of("invoices") == []
    assert "tax_amount" in found.log


def test_every_mapped_field_is_in_the_emulated_answer(stripe):
    """What the declaration reads is there at all: a misspelt path would be null for ever."""
    records = [json.loads(record["source_record"]) for record in stripe.sync().of("invoices")]
    assert records
    for column in INVOICE_FIELDS:
        for record in records:
            value = record
            for key in filter(None, column.path.split(".")):
                assert key in value, column
                value = value[key]
