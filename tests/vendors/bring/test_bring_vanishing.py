"""What vanishes from a list is said: a field that all had, an invoice, a customer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tap_billing_reports.core.errors import StateError
from tests.running import selecting

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


@pytest.mark.parametrize("state_of", ["this version", "before there were marks"])
@pytest.mark.parametrize("count", [1, 2, 20])
def test_one_vanishes_and_one_comes_on_the_same_day(bring, config, count, state_of):
    """The number of the day's invoices stays: what is there shows by its id."""
    ledger = bring.control.vendor("bring").ledger
    one = next(i for i in ledger.invoices if i.customer == CUSTOMER and i.day.isoformat() >= "2026-10-01")
    added = tuple(replace(one, number=f"47009{number:05d}") for number in range(count))
    ledger.invoices = (*ledger.invoices, *added[:-1])
    first = bring.run(config)
    assert first.status == 0, first.log
    state = first.state
    if state_of != "this version":
        (part,) = state["bookmarks"]["invoices"]["partitions"]
        part["days"] = [[day, number] for day, number, _marks in part["days"]]
    ledger.invoices = (*(i for i in ledger.invoices if i is not one), added[-1])
    lost = bring.run(config, state=state)
    (check,) = checked(lost, "still_listed")
    if state_of != "this version":
        assert check["ok"] is True, "an old STATE knows the number alone"
        return
    assert (check["ok"], one.day.isoformat() in check["reason"]) == (False, True)
    assert float(check["expected"]) == float(check["actual"]) + 1
    failed = bring.run({**config, "on_mismatch": "fail"}, state=state)
    assert failed.status == 1
    after = bring.run(config, state=lost.state)
    assert [record["ok"] for record in checked(after, "still_listed")] == [True]


@pytest.mark.parametrize("marks", ["", "AB", "ABCDEF", "A=C", 3, None, ["ABC"]])
def test_damaged_marks_are_refused(bring, config, marks):
    state = bring.run(config).state
    (part,) = state["bookmarks"]["invoices"]["partitions"]
    part["days"] = [["2026-10-05", 1, marks]]
    with pytest.raises(StateError, match="damaged bookmark"):
        bring.run(config, state=state)


@pytest.mark.parametrize("stream", ["bring_invoice_lines", "invoice_documents"])
def test_what_no_list_can_have_had(bring, alone, stream):
    """A text in the place of the names is damage. A name that is no field is one of another version, and no loss."""
    first = alone(stream)
    name, key = (stream, "ledger") if stream != "invoice_documents" else (stream, "documents")
    memory = first.state["bookmarks"][name][key][0]["list_memory"]
    memory["had"].append("a_field_of_an_earlier_version")
    after = alone(stream, state=first.state, on_mismatch="fail")
    assert after.status == 0, after.log
    memory["had"] = "x"
    with pytest.raises(StateError, match="holds damaged data of invoice lists"):
        alone(stream, state=first.state)


def test_a_customer_that_is_not_listed_any_more_is_a_note_once(bring, config):
    first = bring.run({**config, "bring_customers": [CUSTOMER, OTHER]})
    lost = bring.run(config, state=first.state)
    assert (lost.status, f"bring account {OTHER}: earlier syncs read it" in lost.log) == (0, True)
    after = bring.run(config, state=lost.state)
    assert (after.status, "earlier syncs read it" in after.log) == (0, False)


@pytest.fixture
def alone(bring, config, tmp_path):
    """A sync that reads one of the streams that hang on the list, without `invoices`."""

    def sync(stream, state=None, **changes):
        lines = stream == "bring_invoice_lines"
        settings = {**config, "bring_invoice_lines": lines, "bring_invoice_documents": not lines}
        settings |= {} if lines else {"storage_url": (tmp_path / "kept").as_uri()}
        settings |= changes
        return bring.run(settings, state=state, catalog=selecting(settings, stream, "reconciliations"))

    return sync


@pytest.mark.parametrize("stream", ["bring_invoice_lines", "invoice_documents"])
def test_without_the_invoices_too_a_field_that_vanishes_is_said(bring, alone, stream):
    first = alone(stream)
    assert (first.status, first.of("invoices")) == (0, []), first.log
    bring.control.fault({"alter": {"from": '"invoiceSpecificationAvailable"', "to": '"gone"'}}, LISTS)
    lost = alone(stream, first.state)
    assert (lost.status, "specification_available, which all had before" in lost.log) == (0, True), lost.log
    failed = alone(stream, lost.state, on_mismatch="fail")
    assert failed.status == 1, "it is still gone"
    bring.control.clear_faults()
    healed = alone(stream, failed.state, on_mismatch="fail")
    assert (healed.status, "which all had before" in healed.log) == (0, False), healed.log


def test_the_lines_of_a_time_without_the_field_are_read_when_it_is_back(bring, alone):
    whole = alone("bring_invoice_lines")
    first = alone("bring_invoice_lines", end_date="2026-11-01")
    bring.control.fault({"alter": {"from": '"invoiceSpecificationAvailable"', "to": '"gone"'}}, LISTS)
    lost = alone("bring_invoice_lines", first.state)
    bring.control.clear_faults()
    healed = alone("bring_invoice_lines", lost.state)
    read = [*first.of("bring_invoice_lines"), *lost.of("bring_invoice_lines"), *healed.of("bring_invoice_lines")]
    assert {row["period"] for row in read} == {row["period"] for row in whole.of("bring_invoice_lines")}
    before, after = (result.state["bookmarks"]["bring_invoice_lines"]["ledger"][0] for result in (first, lost))
    assert before["seen"] == after["seen"]


@pytest.mark.parametrize("stream", ["bring_invoice_lines", "invoice_documents"])
def test_without_the_invoices_too_a_customer_that_vanishes_is_a_note_once(alone, stream):
    first = alone(stream, bring_customers=[CUSTOMER, OTHER])
    lost = alone(stream, first.state)
    assert (lost.status, f"bring account {OTHER}: earlier syncs read it" in lost.log) == (0, True), lost.log
    after = alone(stream, lost.state)
    assert (after.status, "earlier syncs read it" in after.log) == (0, False)


def test_what_several_readers_miss_is_said_once(bring, config):
    config = {**config, "bring_invoice_lines": True}
    first = bring.run(config)
    bring.control.fault({"alter": {"from": '"invoiceSpecificationAvailable"', "to": '"gone"'}}, LISTS)
    lost = bring.run(config, state=first.state)
    assert [record["ok"] for record in checked(lost, "fields_kept")] == [False]
    told = [line for line in lost.log.splitlines() if "had before" in line]
    assert (len(told), len([line for line in told if "left:" in line])) == (2, 1), "as it is met, and at the end"


def test_runs_of_a_report_that_is_gone_from_the_settings_are_named(bring, config):
    config = {**config, "bring_invoice_lines": True}
    bring.control.options["bring_run_outcomes"] = {"*": "never"}
    first = bring.run(config)
    (entry,) = first.state["bookmarks"]["bring_invoice_lines"]["ledger"]
    count = len([facts for facts in entry["open"] if "run" in facts])
    left = bring.run({**config, "bring_invoice_lines": False}, state=first.state)
    named = f"bring_invoice_lines account {CUSTOMER}: {count} of its runs are still open"
    assert (count > 0, left.status, named in left.log) == (True, 0, True), left.log
    assert left.state["bookmarks"]["bring_invoice_lines"] == first.state["bookmarks"]["bring_invoice_lines"]
