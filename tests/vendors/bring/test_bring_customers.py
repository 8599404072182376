"""Which accounts of Bring are read, and under which number their invoices stand (issue 4, point 1)."""

from __future__ import annotations

import json

import pytest

from tests.running import selecting

PARCELS, OLD, HOME = "20000770011", "PARCELS_NORWAY-00012770011", "20000770022"


@pytest.mark.parametrize("key", ["customer", "customers"])
def test_both_spellings_of_the_list_are_read_and_nulls_skipped(bring, key):
    bring.control.options["bring_customers_key"] = key
    result = bring.run()
    assert result.status == 0
    accounts = result.of("accounts")
    assert len(accounts) == 4
    assert {account["kind"] for account in accounts} == {"bring_customer"}
    home = next(account for account in accounts if account["account_id"] == HOME)
    assert home["name"] == "ÆRLIG & SØNN MØBLER"
    assert json.loads(home["source_record"])["fullName"] == f"ÆRLIG & SØNN MØBLER ({HOME})"


def test_a_single_customer_may_stand_without_a_list(bring):
    bring.control.options["bring_single_customer"] = True
    result = bring.run()
    assert [account["account_id"] for account in result.of("accounts")] == [PARCELS]
    assert {invoice["account_id"] for invoice in result.of("invoices")} == {PARCELS}


def test_the_customer_list_may_come_as_xml(bring):
    body = (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?><CustomerList>'
        f"<customers><id>{PARCELS}</id><name>TEST CUSTOMER</name></customers></CustomerList>"
    )
    bring.control.fault({"status": 200, "body": body}, {"path": r"/generate\.json$"})
    assert [account["name"] for account in bring.run().of("accounts")] == ["TEST CUSTOMER"]


def test_configured_customers_are_not_looked_up(bring):
    result = bring.run(bring.config(bring_customers=[HOME]))
    assert [account["account_id"] for account in result.of("accounts")] == [HOME]
    assert not bring.asked("/generate.json")
    assert {entry["path"] for entry in bring.asked("/invoices/")} == {f"/invoicearchive/api/invoices/{HOME}.json"}


def test_a_user_who_may_see_no_customer_is_a_failure_and_not_an_empty_success(bring):
    """So it looks when the rights were taken away: nothing more would ever come, and nobody would know."""
    bring.control.fault({"status": 200, "body": {"customer": [None]}}, {"path": r"/generate\.json$"})
    result = bring.run()
    assert result.status == 1
    assert "names no account that these credentials may read" in result.log
    assert result.log.count("ERROR bring account") == 1, "said once, whatever streams meet it"
    bring.control.clear_faults()
    assert bring.run(state=result.state if result.states else None).status == 0


@pytest.mark.parametrize("name", [5, ["x"], {"no": "x"}, True, None])
def test_a_customer_whose_name_is_no_text_does_not_stop_the_target(bring, name):
    body = {"customer": [{"id": "20000770011", "name": name}]}
    bring.control.fault({"status": 200, "body": body}, {"path": r"/generate\.json$"})
    config = bring.config()
    result = bring.run(config, catalog=selecting(config, "accounts"))
    assert result.status == 0
    (account,) = [record for record in result.of("accounts") if record["source"] == "bring"]
    assert isinstance(account["name"], str) is (name is not None)


@pytest.mark.parametrize("identity", [None, ""])
def test_a_report_type_without_an_id_is_a_failure_and_no_record_without_a_key(bring, identity):
    bring.control.fault({"status": 200, "body": {"reports": [{"id": identity, "name": "n"}]}}, {"path": r"/generate/2"})
    config = bring.config(bring_customers=["20000770011"])
    result = bring.run(config, catalog=selecting(config, "report_types"))
    assert result.status == 1
    assert "a report type cannot be read" in result.log
    assert not result.of("report_types")


def test_a_list_in_another_shape_is_a_failure_and_not_an_empty_account(bring):
    bring.control.fault({"status": 200, "body": {"clients": []}}, {"path": r"/generate\.json$"})
    result = bring.run()
    assert result.status == 1
    assert "the vendor's format has changed" in result.log


def customers(bring, *wrong):
    """The emulator's own list, with customers that are wrong at some places, counted from 0."""
    listed = [
        {"id": number, "name": f"CUSTOMER {number}", "fullName": f"CUSTOMER {number} ({number})"}
        for number in (PARCELS, HOME)
    ]
    for place, record in wrong:
        listed.insert(place, record)
    bring.control.fault({"status": 200, "body": {"customer": listed}}, {"path": r"/generate\.json$"})


@pytest.mark.parametrize("lacking", [{}, {"id": None}, {"id": ""}, {"id": " "}, {"id": {}}, {"id": True}])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_customer_without_an_id_fails_by_itself_and_is_named(bring, place, lacking):
    customers(bring, (place, {**lacking, "name": "NAMELESS AS"}))
    result = bring.run()
    assert result.status == 1
    named = f"bring account list: customer {place + 1} of the list has no id (its name is NAMELESS AS)"
    assert result.log.count(f"ERROR {named}") == 1, result.log
    assert "name the customers to read in bring_customers" in result.log
    assert {account["account_id"] for account in result.of("accounts")} == {PARCELS, HOME}
    assert {invoice["account_id"] for invoice in result.of("invoices")} == {PARCELS, HOME}
    assert {row["account_id"] for row in result.of("bring_invoice_lines")} == {PARCELS, HOME}


def test_several_customers_without_an_id_are_each_named_by_what_they_have(bring):
    customers(bring, (0, {}), (2, {"fullName": "Y", "city": "Oslo"}))
    result = bring.run()
    assert result.status == 1
    assert "customer 1 of the list has no id (it has no fields)" in result.log
    assert "customer 3 of the list has no id (it has fullName, city)" in result.log
    assert {account["account_id"] for account in result.of("accounts")} == {PARCELS, HOME}
    bring.control.clear_faults()
    again = bring.run(state=result.state)
    assert again.status == 0, again.log
    assert len(again.of("accounts")) == 4


def test_where_no_customer_has_an_id_that_alone_is_the_failure(bring):
    bring.control.fault({"status": 200, "body": {"customer": [{"name": "X"}]}}, {"path": r"/generate\.json$"})
    result = bring.run()
    assert result.status == 1
    assert "customer 1 of the list has no id (its name is X)" in result.log
    assert "names no account" not in result.log
    assert not result.of("invoices")


def test_an_invoice_belongs_to_the_number_that_its_record_names(bring):
    """After an agreement's conversion the old number still answers; paths keep to the number asked for."""
    result = bring.run(bring.config(bring_customers=[OLD]))
    invoices = result.of("invoices")
    assert invoices
    assert {(i["account_id"], i["requested_account_id"]) for i in invoices} == {(PARCELS, OLD)}
    assert {row["account_id"] for row in result.of("bring_invoice_lines")} == {PARCELS}
    orders = bring.asked("MASTER-SPECIFIED_INVOICE")
    assert orders
    assert all(f"/generate/{OLD}/" in entry["path"] for entry in orders)


def test_without_a_number_in_the_record_the_number_asked_for_counts(bring):
    bring.control.options["bring_omit_customer_number"] = True
    result = bring.run(bring.config(bring_customers=[OLD]))
    assert {i["account_id"] for i in result.of("invoices")} == {OLD}


def test_a_number_with_a_bar_cannot_leave_its_place_in_the_path(bring):
    result = bring.run(bring.config(bring_customers=["PARCEL|../x?y=1"], bring_invoice_lines=False))
    assert result.status == 1
    paths = {entry["path"] for entry in bring.control.requests()}
    number = "PARCEL|../x?y=1"
    assert paths == {f"/invoicearchive/api/invoices/{number}.json", f"/reports/api/generate/{number}.json"}


class TestOneInvoiceUnderTwoAccounts:
    @pytest.fixture
    def result(self, bring):
        self.bring = bring
        return bring.run(bring.config(bring_customers=[PARCELS, OLD]))

    def test_it_is_sent_once(self, result):
        assert result.status == 0
        assert result.doubles() == {}
        expected = self.bring.control.totals(self.bring.config(bring_customers=[PARCELS, OLD]))
        assert len(result.of("invoices")) == expected["invoices"]["bring"]["rows"] > 0
        assert len(result.of("bring_invoice_lines")) == expected["bring_invoice_lines"]["bring"]["rows"] > 0

    def test_each_is_a_reconciliation_that_informs(self, result):
        checks = [c for c in result.of("reconciliations") if c["check"] == "duplicate_across_accounts"]
        assert {c["subject"] for c in checks} == {f"invoice {i['invoice_id']}" for i in result.of("invoices")}
        for check in checks:
            assert (check["expected"], check["actual"], check["difference"]) == ("1", "2", "1")
            assert check["ok"] is None
            assert check["reason"] == f"listed under {PARCELS}, {OLD} and sent once"
            assert check["account_id"] == PARCELS


def _disagree(bring):
    """Let the old number's list state another currency."""
    bring.control.fault({"alter": {"from": '"NOK"', "to": '"SEK"'}}, {"path": f"/invoices/{OLD}"})


def test_two_lists_that_disagree_are_a_mismatch(bring):
    _disagree(bring)
    result = bring.run(bring.config(bring_customers=[PARCELS, OLD]))
    checks = [c for c in result.of("reconciliations") if c["check"] == "duplicate_across_accounts"]
    assert len(checks) == len(result.of("invoices")) > 0
    assert {c["ok"] for c in checks} == {False}
    assert result.status == 0
    assert "is listed twice with different dates or amounts" in result.log


def test_two_lists_that_disagree_keep_the_bookmark_where_a_mismatch_is_a_failure(bring):
    _disagree(bring)
    result = bring.run(bring.config(bring_customers=[PARCELS, OLD], on_mismatch="fail"))
    assert result.status == 1
    moved = {
        part["context"]["account_id"]: part.get("replication_key_value")
        for part in result.state["bookmarks"]["invoices"]["partitions"]
    }
    assert moved[PARCELS] is not None
    assert moved[OLD] is None
