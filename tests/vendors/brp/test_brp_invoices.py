"""BRP's invoices: both formats, exact amounts, states, persons, companies."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal

import pytest

from tap_billing_reports.sandbox.brp.api import KEY_LEVEL_1

SUMS = ("total_amount", "amount_due", "fee_amount")


def without_record(invoices):
    return [{name: value for name, value in invoice.items() if name != "source_record"} for invoice in invoices]


def assert_totals(result, totals):
    found = totals["invoices"]["brp"]
    invoices = result.of("invoices")
    assert len(invoices) == found["rows"] > 0
    for name in SUMS:
        assert sum(Decimal(invoice[name]) for invoice in invoices) == Decimal(found["sums"][name])


@pytest.mark.parametrize("form", ["xml", "json"])
def test_control_totals_are_equal(brp, form):
    result = brp.sync(brp_format=form)
    assert result.status == 0, result.log
    assert_totals(result, brp.totals())
    assert result.doubles() == {}
    assert {r["path"].rpartition(".")[2] for r in brp.control.requests()} == {form}


def test_both_formats_give_the_same_columns(brp):
    xml, json_ = brp.sync().of("invoices"), brp.sync(brp_format="json").of("invoices")
    assert without_record(xml) == without_record(json_)
    # The vendor's object as it came: numbers in JSON, text in XML.
    first, second = json.loads(xml[0]["source_record"]), json.loads(json_[0]["source_record"])
    assert (first["totalamount"], first["state"]["value"]) == (str(second["totalamount"]), second["state"]["value"])


@pytest.mark.parametrize(
    ("currency", "digits"), [("SEK", 2), ("sek", 2), ("NOK", 2), ("JPY", 0), ("ISK", 0), ("KWD", 3)]
)
def test_minor_units_by_currency(brp, currency, digits):
    result = brp.sync(brp_currency=currency, brp_company_ids=["7"])
    (huge,) = result.of("invoices")
    number = "12345678901234567890"
    assert huge["total_amount"] == (f"{number[:-digits]}.{number[-digits:]}" if digits else number)
    assert {i["currency"] for i in result.of("invoices")} == {currency.upper()}


def test_negative_totals_are_credit_notes_and_small_ones_have_a_zero(brp):
    by_total = {i["total_amount"]: i for i in brp.sync().of("invoices")}
    assert by_total["-499.00"]["type"] == "credit_note"
    assert by_total["0.05"]["type"] == "invoice"
    assert Counter(i["type"] for i in by_total.values())["credit_note"] == 1


def test_states_by_number_with_their_meaning(brp):
    expected = {
        "1": "draft", "9": "draft", "2": "open", "4": "open", "7": "open", "8": "open",
        "5": "collection", "6": "collection", "3": "closed", "42": "unknown",
    }  # fmt: skip
    invoices = brp.sync().of("invoices")
    assert {i["source_status"]: i["status"] for i in invoices} == expected
    assert all((i["paid_date"] is not None) is (i["status"] == "closed") for i in invoices)


def test_the_number_is_as_printed(brp):
    invoices = brp.sync().of("invoices")
    assert {i["invoice_number"][:1] == "F" for i in invoices if i["account_id"] == "1"} == {True}
    assert {i["invoice_number"].isdigit() for i in invoices if i["account_id"] == "2"} == {True}


def test_start_and_end_date_limit_what_is_sent_not_what_is_asked(brp):
    everything = brp.sync().of("invoices")
    asked = brp.asked()
    some = brp.sync(start_date="2026-06-01", end_date="2026-10-01").of("invoices")
    assert some == [i for i in everything if "2026-06-01" <= i["invoice_date"] < "2026-10-01"] != []
    assert brp.asked() == asked * 2


def test_states_that_move_are_sent_again_backwards_too(brp):
    first = brp.sync()
    brp.control.next_day()
    second = brp.sync(state=first.state)
    before, after = (result.table("invoices") for result in (first, second))
    moves = {(before[key]["source_status"], after[key]["source_status"]) for key in before if before[key] != after[key]}
    assert moves == {("7", "3"), ("2", "1")}
    assert len(after) == len(before) + 1
    bookmarks = [p["replication_key_value"] for p in second.state["bookmarks"]["invoices"]["partitions"]]
    assert "2026-11-21" in bookmarks


# -- companies, persons, states, products ----------------------------------------------------------------


def test_accounts_are_the_companies_of_business_units(brp):
    accounts = brp.sync().of("accounts")
    assert [(a["account_id"], a["kind"], a["name"]) for a in accounts] == [
        ("1", "brp_company", "Friskis & Styrka AB"),
        ("2", "brp_company", "Simhallen Åkeshov AB"),
    ]
    assert brp.asked("businessunits")[0].startswith("showall=true")


def test_only_the_companies_of_the_settings(brp):
    result = brp.sync(brp_company_ids=["2"])
    assert_totals(result, brp.totals(brp_company_ids=["2"]))
    assert {i["account_id"] for i in result.of("invoices")} == {"2"}
    assert brp.asked("businessunits") == []


def test_no_company_at_all_is_an_error_and_not_an_empty_sync(brp):
    brp.answer({"businessunits": []}, path="businessunits")
    result = brp.sync(brp_format="json")
    assert result.status == 1
    assert "set brp_company_ids" in result.log


@pytest.mark.parametrize("company", [{}, {"companyid": None}, {"companyid": ""}, {"companyid": " "}])
def test_a_unit_without_a_company_fails_by_itself(brp, company):
    units = [{"id": 7, "name": "Pool", **company}, {"id": 8, "name": "Gym", "companyid": 2, "companyname": "Two"}]
    brp.answer({"businessunits": units}, path="businessunits")
    result = brp.sync(brp_format="json")
    assert result.status == 1
    assert (
        result.log.count("failed: brp account list: business unit 1 of the list (id 7, name Pool) names no company")
        == 1
    )
    assert "name the companies to read in brp_company_ids" in result.log
    assert [account["account_id"] for account in result.of("accounts")] == ["2"]
    assert {invoice["account_id"] for invoice in result.of("invoices")} == {"2"}, "the other company is read"


def test_invoices_of_persons(brp):
    result = brp.sync(brp_person_ids=["101", "102"])
    assert_totals(result, brp.totals(brp_person_ids=["101", "102"]))
    assert {i["customer_id"] for i in result.of("invoices")} <= {"101", "102"}
    assert len(brp.asked()) == 4
    assert brp.asked("persons") == []


def test_every_person_that_is_listed_misses_deleted_ones(brp):
    result = brp.sync(brp_person_ids=["*"])
    assert result.status == 0
    assert_totals(result, brp.totals(brp_person_ids=["*"]))
    assert len(result.of("invoices")) < len(brp.sync().of("invoices"))


def test_persons_need_a_level_3_key(brp):
    result = brp.sync(brp_person_ids=["*"], brp_api_key=KEY_LEVEL_1)
    assert (result.status, result.of("invoices")) == (1, [])
    assert "1003: API key level 3 required" in result.log
    assert brp.sync(brp_api_key=KEY_LEVEL_1).status == 0


def test_a_person_without_an_id_is_an_error(brp):
    brp.answer({"persons": [{"firstname": "Homer"}]}, path="persons")
    result = brp.sync(brp_person_ids=["*"], brp_format="json", brp_company_ids=["1"])
    assert (result.status, result.of("invoices")) == (1, [])
    assert "a person has no id" in result.log


def test_the_selectors_name_is_a_setting(brp):
    brp.control.options["brp_person_parameter"] = "userid"
    result = brp.sync(brp_person_ids=["101"], brp_person_parameter="userid")
    assert_totals(result, brp.totals(brp_person_ids=["101"]))
    assert all("userid=101" in query for query in brp.asked())


def test_one_request_a_state(brp):
    result = brp.sync(brp_states=[7, 42], brp_company_ids=["1"])
    assert_totals(result, brp.totals(brp_states=[7, 42], brp_company_ids=["1"]))
    assert [query.partition("state=")[2].partition("&")[0] for query in brp.asked()] == ["7", "42"]


def test_products_are_passed_through(brp):
    result = brp.sync(brp_product_ids=["1", "2"], brp_company_ids=["2"])
    assert_totals(result, brp.totals(brp_product_ids=["1", "2"], brp_company_ids=["2"]))
    assert all("productids=1,2" in query for query in brp.asked())


# -- every number once -----------------------------------------------------------------------------------


def unique(result, subject="invoices"):
    checks = [c for c in result.of("reconciliations") if (c["check"], c["subject"]) == ("unique_ids", subject)]
    return [(c["account_id"], c["expected"], c["actual"], c["ok"]) for c in checks]


def test_every_record_has_a_number_of_its_own(brp):
    assert unique(brp.sync()) == [("1", "15", "15", True), ("2", "14", "14", True)]


def listed(brp, an_invoice, first, second, **settings):
    """A sync in which one invoice is listed for two persons."""
    for person, facts in ((7, first), (2, second)):
        brp.answer({"invoices": [an_invoice(1, **facts), an_invoice(10 + person)]}, query=f"personid={person}")
    return brp.sync(brp_person_ids=["7", "2"], brp_company_ids=["1"], brp_format="json", **settings)


def test_a_state_that_changed_between_two_requests_is_information_and_the_later_wins(brp, an_invoice):
    result = listed(brp, an_invoice, {}, {"state": {"number": 2, "value": "Pending"}, "rest": 100})
    assert (result.status, unique(result)) == (0, [("1", "4", "3", None)])
    assert result.table("invoices")["brp", "1", "1"]["source_status"] == "2"
    assert result.table("invoices")["brp", "1", "1"]["amount_due"] == "1.00"


def test_the_same_record_twice_is_sent_once(brp, an_invoice):
    result = listed(brp, an_invoice, {}, {})
    assert (len(result.of("invoices")), unique(result)) == (3, [("1", "4", "3", None)])


@pytest.mark.parametrize(("policy", "status"), [("warn", 0), ("fail", 1)])
def test_one_number_with_two_amounts_is_wrong(brp, an_invoice, policy, status):
    result = listed(brp, an_invoice, {}, {"totalamount": 1}, on_mismatch=policy)
    assert result.status == status
    assert unique(result) == [("1", "4", "3", False)]
    assert unique(result, "invoice 1") == [("1", "1", "2", False)]
    bookmarked = [p for p in result.state["bookmarks"]["invoices"]["partitions"] if "replication_key_value" in p]
    assert bool(bookmarked) is (status == 0)


@pytest.mark.parametrize(
    ("old", "new", "said", "more"),
    [
        ("<company><id>", "<company><id>9", "has companyid 9", {}),
        ("<number>3</number><value>", "<number>5</number><value>", "has state 5, and 3 was asked", {"brp_states": [3]}),
    ],
)
def test_invoices_of_another_company_or_state_are_no_answer(brp, old, new, said, more):
    brp.control.fault({"alter": {"from": old, "to": new}}, {"path": "/invoices"})
    result = brp.sync(**more)
    brp.control.clear_faults()
    assert result.status == 1
    assert said in result.log
    assert not result.of("invoices")
