"""Two issuers' invoices under one number: neither is lost, lines and PDF are taken for one of them alone."""

from __future__ import annotations

import copy

import pytest

from tap_billing_reports.core.errors import StateError
from tests.running import selecting

HOME = "20000770022"
LINES, PDF, OTHER = "bring_invoice_lines", "/invoicearchive/pdf/", "Zulu Cargo AS"


@pytest.fixture
def one(bring):
    """A booked invoice with a specification, of some issuer before Z."""
    ledger = bring.run(bring.config(bring_customers=[HOME], bring_invoice_lines=False)).of("invoices")
    found = sorted((i for i in ledger if i["specification_available"]), key=lambda i: i["invoice_date"])
    return found[0]


def share(bring, one, **more):
    bring.control.options["bring_second_issuer"] = {"number": one["invoice_id"], "issuer": OTHER, "net": "7.25", **more}


def amounts(one, *results):
    """The warehouse's invoices of that number: id -> net, as the last of the results has it."""
    table = {}
    for result in results:
        for i in result.of("invoices"):
            if i["invoice_number"] == one["invoice_number"]:
                table[i["invoice_id"]] = i["net_amount"]
    return table


def both(one):
    return {one["invoice_id"]: one["net_amount"], f"{one['invoice_id']}~{OTHER}": "7.25"}


def checks(result, name):
    return {c["subject"]: c["ok"] for c in result.of("reconciliations") if c["check"] == name}


@pytest.mark.parametrize("policy", ["warn", "fail"])
@pytest.mark.parametrize("first", [True, False])
def test_both_come_in_whatever_order_they_are_listed(bring, one, first, policy):
    share(bring, one, days=1, first=first)
    config = bring.config(bring_customers=[HOME], bring_invoice_lines=False, on_mismatch=policy)
    result = bring.run(config)
    assert (result.status, amounts(one, result)) == (0, both(one))
    subject = f"invoice {one['invoice_id']}~{OTHER}"
    assert checks(result, "unique_ids") == {"invoices": True, subject: None}
    # Without the STATE the same ids come out.
    assert amounts(one, bring.run(config)) == both(one)


def test_on_one_day_the_issuer_decides(bring, one):
    share(bring, one, first=True)
    config = bring.config(bring_customers=[HOME], bring_invoice_lines=False)
    assert amounts(one, bring.run(config)) == both(one)


def test_one_that_comes_later_is_told_apart_then_and_for_ever(bring, one):
    config = bring.config(bring_customers=[HOME], bring_invoice_lines=False)
    earlier = bring.run(config)
    share(bring, one, days=1)
    second = bring.run(config, state=earlier.state)
    assert amounts(one, earlier, second) == both(one)
    share(bring, one, days=1, alone=True)
    for state in (second.state, bring.run(config, state=second.state).state):
        third = bring.run(config, state=state)
        assert amounts(one, third) == {f"{one['invoice_id']}~{OTHER}": "7.25"}


def test_an_older_one_that_comes_later_takes_the_plain_id_and_both_are_sent_anew(bring, one):
    config = bring.config(bring_customers=[HOME], bring_invoice_lines=False)
    earlier = bring.run(config)
    share(bring, one, days=-1)
    second = bring.run(config, state=earlier.state)
    number = one["invoice_id"]
    assert amounts(one, earlier, second) == {number: "7.25", f"{number}~{one['issuer']}": one["net_amount"]}


def test_the_state_that_knows_goes_out_before_the_records(bring, one):
    """A kill right after the first of both, and one of them listed alone afterwards: the STATE tells them apart."""
    share(bring, one, days=1)
    config = bring.config(bring_customers=[HOME], bring_invoice_lines=False)
    result = bring.run(config)
    at = next(n for n, (kind, stream, _) in enumerate(result.messages) if (kind, stream) == ("RECORD", "invoices"))
    states = [content for kind, _, content in result.messages[:at] if kind == "STATE"]
    assert states[-1]["bookmarks"]["invoices"]["shared_numbers"] == [
        ["bring", HOME, one["invoice_id"], one["issuer"], one["issuer"]]
    ]
    share(bring, one, days=1, alone=True)
    after = bring.run(config, state=copy.deepcopy(states[-1]))
    assert amounts(one, after) == {f"{one['invoice_id']}~{OTHER}": "7.25"}


@pytest.mark.parametrize(("policy", "status"), [("warn", 0), ("fail", 1)])
def test_the_one_report_is_taken_for_the_plain_one(bring, one, policy, status):
    config = bring.config(bring_customers=[HOME], on_mismatch=policy)
    whole = bring.run(config)
    share(bring, one, days=1, specified=True)
    result = bring.run(config)
    assert result.status == status
    assert result.doubles() == {}
    assert sorted(map(str, result.table(LINES))) == sorted(map(str, whole.table(LINES)))
    assert checks(result, "own_report") == {f"invoice {one['invoice_id']}~{OTHER}": False}
    assert all("~" not in entry["query"] for entry in bring.asked("/generate/"))
    share(bring, one, days=1, specified=True, alone=True)
    assert not bring.run(config, state=result.state).of(LINES)


def test_a_plain_one_without_a_specification_leaves_the_report_to_the_other(bring, one):
    config = bring.config(bring_customers=[HOME])
    # The older one has none, and the booked one has.
    share(bring, one, days=-1)
    result = bring.run(config)
    number = one["invoice_id"]
    assert (result.status, checks(result, "own_report")) == (0, {})
    assert any(subject.endswith(number) and ok for subject, ok in checks(result, "lines_net").items())
    assert result.doubles() == {}
    # That stays, also when the plain one has a specification later.
    share(bring, one, days=-1, specified=True)
    later = bring.run(config, state=result.state)
    assert checks(later, "own_report") == {f"invoice {number}": False}
    assert not later.of(LINES)


def test_the_one_pdf_is_the_plain_ones(bring, one, tmp_path):
    share(bring, one, days=1)
    config = bring.config(
        bring_customers=[HOME], bring_invoice_lines=False, bring_invoice_documents=True, storage_url=str(tmp_path)
    )
    result = bring.run(config)
    documents = {d["invoice_id"]: d["error"] for d in result.of("invoice_documents")}
    plain, other = both(one)
    assert documents[plain] is None
    assert "another issuer has used its number" in documents[other]
    asked = [entry["path"] for entry in bring.asked(PDF)]
    assert len(asked) == len(set(asked))
    assert not any("~" in path for path in asked)


def test_lines_alone_remember_it_too(bring, one):
    share(bring, one, days=1)
    config = bring.config(bring_customers=[HOME])
    result = bring.run(config, catalog=selecting(config, LINES))
    assert result.state["bookmarks"]["invoices"]["shared_numbers"]
    assert result.status == 0


def test_one_without_an_issuer_under_such_a_number_is_a_failure_of_its_own(bring, one):
    share(bring, one, days=1)
    config = bring.config(bring_customers=[HOME], bring_invoice_lines=False)
    first = bring.run(config)
    record = {"invoiceNumber": one["invoice_id"], "invoiceDate": "20.11.2026", "totalAmount": "5.00"}
    bring.control.fault({"status": 200, "body": [record]}, {"path": "/api/invoices/"})
    result = bring.run(config, state=first.state)
    assert result.status == 1
    assert "it has no issuer: it could not be told apart from others" in result.log
    assert not result.of("invoices")


@pytest.mark.parametrize("damage", [[["bring"]], [["bring", HOME, "7", "A", 1]], ["abcde"], [None]])
def test_a_damaged_memory_is_refused(bring, one, damage):
    del one
    config = bring.config(bring_customers=[HOME], bring_invoice_lines=False)
    with pytest.raises(StateError, match="damaged"):
        bring.run(config, state={"bookmarks": {"invoices": {"partitions": [], "shared_numbers": damage}}})
