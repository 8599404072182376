"""Whole syncs of vendors whose answers mean two things or hold what no target takes: what is sent and what is said."""

from __future__ import annotations

import pytest

LISTS = {"stripe": "^/v1/invoices$", "bring": "^/invoicearchive/", "brp": "/invoices[.]"}
# A text of each vendor's invoices, with a NUL put before it.
NULS = {
    "stripe": (r'("customer_name": ?")', r"\1\\u0000", "recipient"),
    "bring": (r'("invoiceIssuer": ?")', r"\1\\u0000", "issuer"),
    "brp": (r'("orderedby": ?")', r"\1\\u0000", "recipient"),
}
# An amount of each, twice.
TWICE = {
    "stripe": (r'("total": ?)', r"\g<1>7, \1"),
    "bring": (r'("totalAmount": ?)', r'\g<1>"7.00", \1'),
    "brp": (r'("totalamount": ?)', r"\g<1>7, \1"),
    "brp as XML": (r"(<totalamount>)", r"\g<1>7</totalamount>\1"),
}


def config_of(desk, vendor):
    more = {} if vendor != "brp" else {"brp_format": "json"}
    return desk.only(vendor.partition(" ")[0], start_date="2026-09-01", **more)


@pytest.mark.parametrize("vendor", NULS)
def test_a_nul_is_replaced_and_told_of(desk, vendor):
    pattern, to, column = NULS[vendor]
    before = desk.sync(config_of(desk, vendor))
    assert " changed: " not in before.log
    desk.control.fault({"alter": {"pattern": pattern, "to": to}}, {"vendor": vendor, "path": LISTS[vendor]})
    done = desk.sync(config_of(desk, vendor))
    assert done.status == 0, done.log
    good, odd = before.of("invoices"), done.of("invoices")
    texts = [record[column] for record in odd]
    assert [text and text[1:] for text in texts] == [record[column] for record in good]
    assert {text[0] for text in texts if text} == {"\ufffd"}, texts
    assert not any("\0" in str(value) or "\\u0000" in str(value) for record in odd for value in record.values())
    (line,) = [line for line in done.log.splitlines() if " changed: " in line]
    assert " texts held a NUL or half a character" in line
    assert vendor in line


@pytest.mark.parametrize("vendor", TWICE)
def test_an_amount_that_stands_twice_is_no_amount(desk, vendor):
    name = vendor.partition(" ")[0]
    pattern, to = TWICE[vendor]
    desk.control.fault({"alter": {"pattern": pattern, "to": to}}, {"vendor": name, "path": LISTS[name]})
    done = desk.sync(config_of(desk, vendor))
    assert done.status == 1
    assert done.of("invoices") == []
    assert f"ERROR failed: {name} account " in done.log
    assert "cannot be read" in done.log


def test_text_that_stands_twice_is_told_of(desk):
    desk.control.fault(
        {"alter": {"pattern": '("metadata": ?{)', "to": r'\1"a": "1", "a": "2"'}},
        {"vendor": "stripe", "path": LISTS["stripe"]},
    )
    done = desk.sync(config_of(desk, "stripe"))
    assert done.status == 0, done.log
    assert all('"a":"2"' in record["source_record"] for record in done.of("invoices"))
    assert done.of("invoices")
    (line,) = [line for line in done.log.splitlines() if " changed: " in line]
    assert "objects have the key 'a' twice with different values" in line


@pytest.mark.parametrize("vendor", LISTS)
def test_a_deep_body_is_a_line_and_no_traceback(desk, vendor):
    deep = '{"a":' * 900 + "1" + "}" * 900
    key = {"stripe": "data", "bring": "invoices", "brp": "invoices"}[vendor]
    body = f'{{"{key}": [{{"id": 1, "x": {deep}}}], "has_more": false}}'
    desk.control.fault({"status": 200, "body": body}, {"vendor": vendor, "path": LISTS[vendor]})
    done = desk.sync(config_of(desk, vendor))
    assert (done.status, done.of("invoices")) == (1, [])
    assert "Traceback" not in done.log
    assert "nested deeper than 100 levels" in done.log
