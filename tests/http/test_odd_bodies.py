"""Bodies that mean two things, or hold what no target takes: refused where it is money, else changed and told of."""

from __future__ import annotations

import json
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from tap_billing_reports.core.about import About
from tap_billing_reports.core.errors import Unavailable, Unreadable
from tap_billing_reports.core.json_text import to_json
from tap_billing_reports.declare import CursorPaging, Endpoint, Field
from tap_billing_reports.declare.client import HttpSourceClient, map_fields
from tap_billing_reports.declare.paths import tree
from tap_billing_reports.http.bodies import DEEPEST, DoubledKey, Remarks
from tap_billing_reports.http.responses import Answer
from tap_billing_reports.vendors.bring import BRING
from tap_billing_reports.vendors.brp import BRP
from tap_billing_reports.vendors.stripe import STRIPE
from tests.typed import some

BOM = b"\xef\xbb\xbf"
VALUES = {"brp_currency": "sek", "brp_format": "json"}
# Stripe's tax has several forms, and is looked for in the whole record.
FIELDS = [
    pytest.param(some(source.invoices).fields_by(VALUES), field.path or "total_taxes", id=f"{source.name}-{field.name}")
    for source in (STRIPE, BRING, BRP)
    for field in some(source.invoices).fields_by(VALUES)
]


def answer(body: bytes | str, remarks: Remarks | None = None) -> Answer:
    data = body if isinstance(body, bytes) else body.encode()
    return Answer(About("vendor", "1", "GET https://host/path"), 200, {}, data, remarks or Remarks())


def written(path: str, *values: str) -> str:
    """JSON in which the last key of a path stands as often as there are values."""
    *outer, last = path.split(".")
    text = "{" + ",".join(f'"{last}":{value}' for value in values) + "}"
    for key in reversed(outer):
        text = f'{{"{key}":{text}}}'
    return text


# -- keys and elements that stand twice ----------------------------------------------------------------


@pytest.mark.parametrize(("fields", "path"), FIELDS)
@pytest.mark.parametrize("values", [("1", "2"), ('"1"', '"2"'), ("null", "1"), ("[]", '"a"')])
def test_no_column_is_filled_from_a_key_that_stands_twice(fields, path, values):
    record = answer(written(path, *values)).record()
    with pytest.raises(ValueError):
        map_fields(fields, record)
    whole = [json.loads(value) for value in values]
    assert json.loads(to_json(record)) == json.loads(written(path, json.dumps(whole[-1])))


@pytest.mark.parametrize(("fields", "path"), FIELDS)
def test_no_column_is_filled_from_an_element_that_stands_twice(fields, path):
    *outer, last = path.split(".")
    text = f"<{last}>1</{last}><{last}>2</{last}>"
    for key in reversed(outer):
        text = f"<{key}>{text}</{key}>"
    record = tree(answer(f"<record>{text}</record>").xml())
    with pytest.raises(ValueError):
        map_fields(fields, record)


def test_the_same_value_twice_is_one():
    record = answer('{"a": 1.50, "b": {"x": [1]}, "a": 1.50, "b": {"x": [1]}}').record()
    assert record == {"a": Decimal("1.50"), "b": {"x": [1]}}
    assert type(record) is dict


def test_a_number_in_doubt_anywhere_refuses_the_record_and_no_other():
    remarks = Remarks()
    text = '{"data": [{"id": "a", "lines": [[{"amount": 1, "amount": 2}]]}, {"id": "b", "lines": []}]}'
    first, second = answer(text, remarks).record()["data"]
    fields = (Field("invoice_id", "id", lambda value, _: value),)
    with pytest.raises(ValueError, match="a number twice"):
        map_fields(fields, first)
    assert map_fields(fields, second) == {"invoice_id": "b"}
    assert remarks.doubled == {"amount": 1}


def test_text_in_doubt_is_told_of():
    remarks = Remarks()
    record = answer('{"id": "a", "metadata": {"order_id": "1", "order_id": "2"}}', remarks).record()
    fields = (Field("invoice_id", "id", lambda value, _: value),)
    assert map_fields(fields, record) == {"invoice_id": "a"}
    assert to_json(record) == '{"id":"a","metadata":{"order_id":"2"}}'
    (line,) = remarks.lines(About("stripe", "acct_1"))
    assert line.startswith("stripe account acct_1: 1 objects have the key 'order_id' twice with different values")


def test_asking_for_a_doubled_key_names_call_and_key():
    record = answer('{"status": "pending", "status": "succeeded", "id": 1}').record()
    for ask in (lambda: record["status"], lambda: record.get("status"), lambda: record.get("status", 1)):
        with pytest.raises(DoubledKey, match="GET https://host/path: the key 'status' stands twice"):
            ask()
    assert (record["id"], record.get("id"), record.get("x", 3)) == (1, 1, 3)
    assert issubclass(DoubledKey, Unreadable)


@pytest.mark.parametrize(
    "body",
    [
        '{"data": [{"id": 1}], "data": [], "has_more": false}',
        '{"data": [{"id": 1}], "has_more": true, "has_more": false}',
        '{"data": [{"id": 1, "id": 2}], "has_more": true}',
        '{"data": [{"id": 1}], "data\\u0000": [], "data\\ufffd": [1], "has_more": true, "has_more": 1}',
    ],
)
def test_a_list_that_says_two_things_is_refused(body):
    endpoint = Endpoint("api", "/x", records=("data",), paging=CursorPaging("after", "id", "has_more", ("limit", "9")))
    client: Any = object.__new__(HttpSourceClient)
    client.source = SimpleNamespace(realm_of=lambda _record: {}, account_header="")
    client.hosts = {"api"}
    client.http = SimpleNamespace(call=lambda *_, **__: answer(body))
    with pytest.raises(DoubledKey):
        list(client.records(endpoint))


def test_keys_that_become_equal_are_doubled_too():
    remarks = Remarks()
    record = answer(rb'{"a\u0000": 1, "a\ud800": 2}', remarks).record()
    with pytest.raises(DoubledKey):
        record["a\ufffd"]
    assert (remarks.mended, remarks.doubled) == (2, {"a\ufffd": 1})


@pytest.mark.parametrize("text", ["<r>a<b/></r>", "<r><b/>a</r>", "<r><b/>a<c/></r>"])
def test_text_beside_elements_is_not_dropped(text):
    with pytest.raises(Unreadable, match="text stands beside"):
        tree(answer(text).xml())
    assert tree(answer("<r>\n  <b/>\n  <c>1</c>\n</r>").xml()) == {"b": None, "c": "1"}


@pytest.mark.parametrize("value", ["3", 3, [{"number": 3}], True])
def test_what_is_no_object_has_no_fields(value):
    fields = (Field("status", "state.number", lambda found, _: found),)
    with pytest.raises(ValueError, match="status"):
        map_fields(fields, {"state": value})
    for nothing in (None, "", {}, {"number": None}):
        assert map_fields(fields, {"state": nothing}) == {"status": None}


# -- what no target takes ------------------------------------------------------------------------------


def test_a_nul_is_replaced_and_counted():
    remarks = Remarks()
    body = rb'{"name": "Ac\u0000me", "k\u0000": ["\u0000", "\\u0000", "cut \ud83d"], "amount": 1.50}'
    value = answer(body, remarks).json()
    assert value == {
        "name": "Ac\ufffdme",
        "k\ufffd": ["\ufffd", "\\u0000", "cut \ufffd"],
        "amount": Decimal("1.50"),
    }
    assert "\0" not in to_json(value)
    (line,) = remarks.lines(About("stripe", "acct_1"))
    assert line.startswith("stripe account acct_1: 4 texts held a NUL or half a character")


def test_a_good_answer_says_nothing():
    remarks = Remarks()
    answer(rb'{"emoji": "\ud83d\ude00", "a": "\\u0000"}', remarks).json()
    assert list(remarks.lines(About("x", "1"))) == []


@pytest.mark.parametrize("body", [b'{"a": "x\0y"}', b'{"a": "x\ny"}', b"\0", b"<a>\0</a>", b"<a>&#0;</a>"])
def test_a_raw_nul_is_no_answer(body):
    with pytest.raises(Unavailable):
        answer(body).parsed()


@pytest.mark.parametrize("marks", [1, 2, 3])
def test_byte_order_marks_are_no_content(marks):
    assert answer(BOM * marks + b'{"a": 1}').parsed() == {"a": 1}
    assert tree(answer(BOM * marks + b"<?xml version='1.0'?><r><a>1</a></r>").parsed()) == {"a": "1"}


# -- depth ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [DEEPEST + 1, 300, 450, 900, 5000, 200_000])
@pytest.mark.parametrize("shape", ["[", '{"a":'])
def test_a_body_nested_too_deep_is_refused_and_no_traceback(depth, shape):
    body = shape * depth + "1" + ("]" if shape == "[" else "}") * depth
    with pytest.raises((Unreadable, Unavailable)):
        answer(body).json()
    with pytest.raises((Unreadable, Unavailable)):
        answer(f'{{"data": [{{"id": 1, "metadata": {body}}}]}}').parsed()


def test_a_body_as_deep_as_vendors_nest_is_read():
    body = "[" * DEEPEST + "1" + "]" * DEEPEST
    assert to_json(answer(body).json()) == body
    flat = [{"a": [1]}] * 500
    assert answer(json.dumps(flat)).json() == flat


@pytest.mark.parametrize("depth", [300, 900, 200_000])
def test_deep_xml_is_no_answer(depth):
    with pytest.raises(Unavailable):
        answer("<a>" * depth + "</a>" * depth).xml()
