"""Files without a column that holds money: XML leaves out what a line does not have, but not what all lines have."""

from __future__ import annotations

import pytest

LINES = "bring_invoice_lines"
FILES = r"/reports/api/report/[^/]+\.xml"


def _without(bring, element):
    bring.control.fault({"alter": {"pattern": f"<{element}>.*?</{element}>", "to": ""}}, {"path": FILES})


def test_each_kind_of_specification_is_remembered_by_what_holds_money(bring):
    ended = bring.run()
    assert ended.status == 0, ended.log
    last = ended.state["bookmarks"][LINES]["last_columns"]
    assert {frozenset(group["columns"]) for group in last} <= {
        frozenset({"AgreementPrice", "CurrencyCode"}),
        frozenset({"AMOUNT", "TAX_AMOUNT", "TOTAL_INCL_TAX", "INVOICE_CURRENCY_CODE"}),
    }
    assert last


@pytest.mark.parametrize("element", ["CurrencyCode", "INVOICE_CURRENCY_CODE"])
def test_a_specification_without_its_currency_fails_the_first_time_too(bring, element):
    _without(bring, element)
    ended = bring.run()
    assert ended.status == 1
    assert f"the column '{element}' is missing" in ended.log
    assert "allow_missing_columns" in ended.log
    bring.control.clear_faults()
    again = bring.run(state=ended.state)
    assert again.status == 0, again.log


@pytest.mark.parametrize("element", ["AgreementPrice", "AMOUNT", "TAX_AMOUNT", "TOTAL_INCL_TAX"])
def test_an_amount_that_earlier_specifications_had_must_be_there(bring, element):
    first = bring.run(bring.config(end_date="2026-11-01"))
    assert first.status == 0, first.log
    kinds = first.state["bookmarks"][LINES]["last_columns"]
    assert any(element in group["columns"] for group in kinds)
    _without(bring, element)
    ended = bring.run(state=first.state)
    assert ended.status == 1
    assert f"the column '{element}' is missing" in ended.log


def test_a_name_that_holds_no_amount_today_is_not_asked_for(bring):
    """An earlier version may have known it; a damaged STATE may name it."""
    first = bring.run(bring.config(end_date="2026-11-01"))
    for group in first.state["bookmarks"][LINES]["last_columns"]:
        group["columns"].append("AMOUNT_OF_ANOTHER_TIME")
    ended = bring.run(state=first.state)
    assert ended.status == 0, ended.log
    assert ended.of(LINES)


def test_what_the_settings_allow_may_be_missing(bring):
    _without(bring, "CurrencyCode")
    ended = bring.run(bring.config(allow_missing_columns={LINES: ["CurrencyCode"]}))
    assert ended.status == 0, ended.log


def test_a_list_price_need_not_be_there(bring):
    _without(bring, "GrossPrice")
    ended = bring.run()
    assert ended.status == 0, ended.log
