"""Headers become names that every target takes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_billing_reports.core.columns import MAX_NAME, Column, assigned_names, column_name, json_schema, unique_names

NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}").fullmatch


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("InvoiceNumber", "invoice_number"),
        ("PICK_UP_POSTAL_CODE", "pick_up_postal_code"),
        ("payment_metadata[order_id]", "payment_metadata_order_id"),
        ("DELIVERY_COUNTRY", "delivery_country"),
        ("WeightKg", "weight_kg"),
        ("TRX_DATE", "trx_date"),
        ("HTTPServer", "http_server"),
        ("2nd", "_2nd"),
        ("  a  b ", "a_b"),
        ("prix (\u20ac)", "prix"),
    ],
)
def test_names(header, name):
    assert column_name(header) == name


@given(st.text())
def test_every_header_has_a_name(header):
    assert NAME(column_name(header))
    Column(header, column_name(header))


def test_long_names_stay_apart():
    long = "metadata[" + "x" * 100
    assert column_name(long + "a]") != column_name(long + "b]")


@given(st.lists(st.sampled_from(["a", "A", "a_2", "a-2", "row_number", "x" * 80, "X" * 80, "", "-", "b"])))
def test_names_are_unique_and_stable(headers):
    names = unique_names(headers, {"row_number"})
    assert len(set(names)) == len(headers)
    assert "row_number" not in names
    assert all(map(NAME, names))
    assert unique_names(headers, {"row_number"}) == names
    assert unique_names(headers[:3], {"row_number"}) == names[:3]


def test_a_clash_gets_a_number():
    assert unique_names(["a", "A", "a_2", "a"]) == ["a", "a_2", "a_2_2", "a_3"]


def test_schemas():
    assert json_schema("decimal") == {"type": ["string", "null"], "format": "x-singer.decimal"}
    assert json_schema("decimal", decimals_as="number") == {"type": ["number", "null"]}
    assert (
        json_schema("timestamp") == json_schema("timestamp_utc") == {"type": ["string", "null"], "format": "date-time"}
    )
    first = json_schema("text")
    first["type"].append("changed")
    assert json_schema("text") == {"type": ["string", "null"]}


@pytest.mark.parametrize(
    ("type_", "told"),
    [
        ("text", "A b."),
        ("decimal", "A b."),
        ("date", "A b."),
        ("currency", "A b. A code of three capitals."),
        ("timestamp", "A b. Written in the run's zone, and sent in UTC."),
        ("timestamp_utc", "A b. In UTC."),
    ],
)
def test_a_description_tells_the_zone_too(type_, told):
    assert json_schema(type_, description="A b.") == {**json_schema(type_), "description": told}
    assert json_schema(type_, description="A b.", decimals_as="number")["description"] == told


@pytest.mark.parametrize(("name", "type_"), [("no name", "text"), ("", "text"), ("a", "float")])
def test_impossible_columns(name, type_):
    with pytest.raises(ValueError):
        Column("h", name, type_)


def test_names_of_headers_that_meet_do_not_depend_on_their_order():
    headers = [
        "m[order_id]",
        "m[Order ID]",
        "m[order id]",
        "m[\u6ce8\u6587]",
        "m[\u9867\u5ba2]",
        "net",
        "account_id",
        "caf\u00e9",
    ]
    names = assigned_names(headers, taken={"net"}, reserved={"account_id"})
    assert names == assigned_names(headers[::-1], taken={"net"}, reserved={"account_id"})
    assert len({*names.values()}) == len(headers)
    assert names["account_id"] == "account_id_2"
    assert names["net"].startswith("net_")
    assert all(name.isascii() and len(name) <= MAX_NAME for name in names.values())
    assert names["m[\u6ce8\u6587]"] == assigned_names(["m[\u6ce8\u6587]"])["m[\u6ce8\u6587]"], "also alone"


def test_a_header_that_is_spelt_as_its_name_goes_without_a_hash():
    assert assigned_names(["m[Order ID]", "m[order_id]"])["m[order_id]"] == "m_order_id"
    assert assigned_names(["m[Order ID]"]) == {"m[Order ID]": "m_order_id"}
    assert assigned_names(["\u6ce8"])["\u6ce8"].startswith("column_")
    long = [f"{'x' * 80}{end}" for end in "ab"]
    assert len({*assigned_names(long).values()}) == 2
