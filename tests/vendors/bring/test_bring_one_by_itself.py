"""One bad invoice fails by itself: the others, their lines and PDFs go on, and it is tried again."""

from __future__ import annotations

import re

import pytest

PARCELS = "20000770011"
LINES = "bring_invoice_lines"


@pytest.fixture
def config(bring):
    return bring.config("2026-09-01", bring_customers=[PARCELS])


@pytest.fixture
def numbers(bring, config):
    """Of the invoices that have lines, in the order of the list."""
    found = bring.run(config)
    bring.control.reset()
    return list(dict.fromkeys(row["period"] for row in found.of(LINES)))


def periods(result):
    return {row["period"] for row in result.of(LINES)}


def test_an_invoice_with_a_date_that_is_none(bring, config, numbers):
    bad = numbers[0]
    alter = {"pattern": rf'(?s)("invoiceNumber":"{bad}".*?"dueDate":)"[^"]*"', "to": r'\1"0000-00-00"'}
    bring.control.fault({"alter": alter}, {"path": "/api/invoices/"})
    first = bring.run(config)
    assert first.status == 1
    assert f"invoice {bad} cannot be read: dueDate" in first.log
    assert periods(first) == set(numbers) - {bad}
    assert bad not in {invoice["invoice_id"] for invoice in first.of("invoices")}
    bring.control.clear_faults()
    # However long it takes: the day up to which all was listed has not moved.
    bring.control.advance(100 * 86400)
    healed = bring.run(config, state=first.state)
    assert healed.status == 0
    assert bad in periods(healed)
    assert bad in {invoice["invoice_id"] for invoice in healed.of("invoices")}


@pytest.mark.parametrize("status", [403, 404, 400])
def test_an_invoice_whose_order_is_refused(bring, config, numbers, status):
    bad = numbers[0]
    fault = {"status": status, "body": "no"}
    bring.control.fault(fault, {"path": "/MASTER-SPECIFIED_INVOICE", "query": {"invoiceNumber": bad}})
    first = bring.run(config)
    assert first.status == 1
    assert periods(first) == set(numbers) - {bad}
    assert "may be named in bring_skip_invoices" in first.log
    skipping = bring.run({**config, "bring_skip_invoices": [bad]}, state=first.state)
    assert (skipping.status, bring.orders()) == (0, 0)
    assert f"not ordered, because named in bring_skip_invoices: {bad}" in skipping.log
    bring.control.clear_faults()
    healed = bring.run(config, state=skipping.state)
    assert (healed.status, periods(healed)) == (0, {bad})


def test_a_customer_without_the_report_is_told_of_once(bring, config, numbers):
    bring.control.fault(
        {"alter": {"from": "MASTER-SPECIFIED_INVOICE", "to": "SOMETHING_ELSE"}},
        {"path": rf"/generate/{PARCELS}\.json"},
    )
    result = bring.run(config)
    assert (result.status, bring.orders()) == (0, 0)
    said = re.findall("does not have MASTER-SPECIFIED_INVOICE, so nothing is ordered for .* invoices", result.log)
    assert len(set(said)) == 1
    bring.control.clear_faults()
    offered = bring.run(config, state=result.state)
    assert periods(offered) == set(numbers)
