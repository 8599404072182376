"""What vanishes from a list is said: a field that all had, an invoice, a customer."""

from __future__ import annotations

import pytest

CUSTOMER, OTHER = "20000770011", "20000770022"
LISTS = {"path": "^/invoicearchive/api/invoices/"}


@pytest.fixture
def config(bring):
    return bring.config("2026-10-01", bring_customers=[CUSTOMER], bring_invoice_lines=False)


def checked(result, name):
    return [record for record in result.of("reconciliations") if record["check"] == name]


@pytest.mark.parametrize("field", ["totalAmount", "currency", "invoiceSpecificationAvailable", "dueDate"])
def test_a_field_that_a_whole_list_lacks_is_a_failed_check(bring, config, field):
    first = bring.run(config)
    assert first.status == 0, first.log
    bring.control.fault({"alter": {"from": f'"{field}"', "to": '"gone"'}}, LISTS)
    lost = bring.run(config, state=first.state)
    assert lost.status == 0
    assert [record["ok"] for record in checked(lost, "fields_kept")] == [False]
    assert "which all had before" in lost.log
    failed = bring.run({**config, "on_mismatch": "fail"}, state=lost.state)
    assert failed.status == 1, "it is still gone"
    bring.control.clear_faults()
    healed = bring.run(config, state=failed.state)
    assert (healed.status, [record["ok"] for record in checked(healed, "fields_kept")]) == (0, [True])


def test_an_amount_that_one_invoice_loses_is_a_failed_check(bring, config):
    first = bring.run(config)
    number = first.of("invoices")[0]["invoice_id"]
    pattern = rf'("invoiceNumber": ?"{number}".*?)"totalAmount"'
    bring.control.fault({"alter": {"pattern": pattern, "to": r'\1"gone"'}}, LISTS)
    lost = bring.run(config, state=first.state)
    assert [record["ok"] for record in checked(lost, "fields_kept")] == [False]


def test_an_invoice_that_is_not_listed_any_more_is_a_failed_check_once(bring, config):
    first = bring.run(config)
    ledger = bring.control.vendor("bring").ledger
    gone = next(i for i in ledger.invoices if i.customer == CUSTOMER and i.day.isoformat() >= "2026-10-01")
    ledger.invoices = tuple(i for i in ledger.invoices if i is not gone)
    lost = bring.run(config, state=first.state)
    (check,) = checked(lost, "still_listed")
    assert (check["ok"], gone.day.isoformat() in check["reason"]) == (False, True)
    after = bring.run({**config, "on_mismatch": "fail"}, state=lost.state)
    assert (after.status, [record["ok"] for record in checked(after, "still_listed")]) == (0, [True])


def test_a_customer_that_is_not_listed_any_more_is_a_note_once(bring, config):
    first = bring.run({**config, "bring_customers": [CUSTOMER, OTHER]})
    lost = bring.run(config, state=first.state)
    assert (lost.status, f"bring account {OTHER}: earlier syncs had it" in lost.log) == (0, True)
    after = bring.run(config, state=lost.state)
    assert (after.status, "earlier syncs had it" in after.log) == (0, False)
