"""Bring's invoices: every shape of the list, the dates that are asked for, what changes later (issue 4, point 2)."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from urllib.parse import parse_qs

import pytest
import requests

from tests.running import selecting
from tests.waiting import HANG_SECONDS

PARCELS, HOME, SEA = "20000770011", "20000770022", "20000770044"
TODAY = date(2026, 11, 20)
LIST = "/invoicearchive/api/invoices/"


def windows(bring):
    """Customer number -> the days asked for, in Bring's spelling."""
    return {
        entry["path"].removeprefix(LIST).removesuffix(".json"): tuple(
            parse_qs(entry["query"])[name][0] for name in ("fromDate", "toDate")
        )
        for entry in bring.asked(LIST)
    }


def dotted(day):
    return day.strftime("%d.%m.%Y")


def sums(records):
    return {
        column: sum((Decimal(record[column]) for record in records), Decimal(0))
        for column in ("net_amount", "tax_amount", "total_amount")
    }


@pytest.fixture
def lines_off(bring):
    return bring.config(bring_invoice_lines=False)


@pytest.mark.parametrize("envelope", ["object", "array"])
@pytest.mark.parametrize("invoice_date", ["dotted", "iso"])
@pytest.mark.parametrize("due_date", ["dotted", "iso"])
def test_every_envelope_and_date_form_gives_the_same_invoices(bring, lines_off, envelope, invoice_date, due_date):
    bring.control.options.update(bring_envelope=envelope, bring_invoice_date=invoice_date, bring_due_date=due_date)
    result = bring.run(lines_off)
    expected = bring.control.totals(lines_off)["invoices"]["bring"]
    invoices = result.of("invoices")
    assert (result.status, len(invoices)) == (0, expected["rows"])
    assert sums(invoices) == {column: Decimal(value) for column, value in expected["sums"].items()}
    for invoice in invoices:
        assert date.fromisoformat(invoice["invoice_date"]) <= date.fromisoformat(invoice["due_date"])


def test_the_xml_form_gives_the_same_columns(bring):
    config = bring.config(bring_invoice_lines=False, bring_customers=[SEA])
    as_json = bring.run(config).of("invoices")
    headers = {"X-Mybring-API-Uid": config["bring_api_uid"], "X-Mybring-API-Key": config["bring_api_key"]}
    body = requests.get(
        config["bring_base_url"] + LIST + SEA + ".xml?fromDate=01.10.2026&toDate=20.11.2026",
        headers=headers | {"X-Bring-Client-URL": config["bring_client_url"]},
        timeout=HANG_SECONDS,
    ).text
    assert body.startswith("<?xml")
    bring.control.fault({"status": 200, "body": body}, {"path": LIST})
    as_xml = bring.run(config).of("invoices")
    assert len(as_xml) > 1
    for record in [*as_json, *as_xml]:
        record.pop("source_record")
    assert as_xml == as_json


@pytest.mark.parametrize(
    "body", ["<InvoiceResponse><InvoiceList/></InvoiceResponse>", "[]", '{"invoices": []}', '{"invoices": null}']
)
def test_an_empty_list_in_any_form_is_no_error(bring, lines_off, body):
    bring.control.fault({"status": 200, "body": body}, {"path": LIST})
    result = bring.run(lines_off)
    assert (result.status, result.of("invoices")) == (0, [])


def test_both_dates_are_always_sent_and_never_more_than_365_days(bring):
    bring.run(bring.config("2026-10-01", bring_invoice_lines=False))
    assert set(windows(bring).values()) == {("01.10.2026", "20.11.2026")}
    bring.run(bring.config("2020-01-01", bring_invoice_lines=False))
    assert set(windows(bring).values()) == {(dotted(TODAY - timedelta(days=365)), "20.11.2026")}


def test_the_day_is_the_one_in_oslo(bring):
    """Half past eleven at night in UTC is the next day there."""
    bring.control.clock.set(bring.control.now().replace(hour=23, minute=30))
    bring.run(bring.config(bring_invoice_lines=False))
    assert {until for _, until in windows(bring).values()} == {"21.11.2026"}


def test_end_date_is_exclusive(bring):
    config = bring.config("2026-10-01", end_date="2026-11-01", bring_invoice_lines=False)
    days = {invoice["invoice_date"] for invoice in bring.run(config).of("invoices")}
    assert days
    assert max(days) < "2026-11-01"
    assert {until for _, until in windows(bring).values()} == {"31.10.2026"}


def test_what_bring_no_longer_keeps_is_warned_of_and_reconciled(bring):
    result = bring.run(bring.config("2025-01-01", bring_invoice_lines=False, bring_customers=[HOME]))
    checks = [c for c in result.of("reconciliations") if c["check"] == "unreachable_range"]
    assert [(c["account_id"], c["subject"], c["ok"]) for c in checks] == [(HOME, "invoices from 2025-01-01", None)]
    text = "2025-01-01 to 2025-11-19 cannot be read any more: the vendor keeps 365 days"
    assert checks[0]["reason"] == text
    assert f"left: bring account {HOME}: invoices from {text}" in result.log
    assert result.status == 0
    again = bring.run(bring.config("2025-01-01", bring_invoice_lines=False, bring_customers=[HOME]), state=result.state)
    assert not [c for c in again.of("reconciliations") if c["check"] == "unreachable_range"]
    bring.control.advance(30 * 86_400)
    later = bring.run(bring.config("2025-01-01", bring_invoice_lines=False, bring_customers=[HOME]), state=again.state)
    begun = [account["invoices_from"] for sync in (result, later) for account in sync.of("accounts")]
    assert begun == ["2025-11-20"] * 2, "what Bring kept at first stays loaded when it keeps it no more"


def test_a_tap_that_stood_still_for_longer_than_a_year_says_what_it_missed(bring, lines_off):
    lines_off["bring_customers"] = [HOME]
    state = bring.run(lines_off).state
    seen = state["bookmarks"]["invoices"]["partitions"][0]["replication_key_value"]
    bring.control.advance(500 * 86_400)
    result = bring.run(lines_off, state=state)
    checks = [c for c in result.of("reconciliations") if c["check"] == "unreachable_range"]
    assert [c["subject"] for c in checks] == [f"invoices from {seen}"]


def test_credit_notes_are_negative_and_name_their_invoice(bring):
    invoices = bring.run(bring.config("2026-05-01", bring_invoice_lines=False)).of("invoices")
    credits_ = [i for i in invoices if i["type"] == "credit_note"]
    assert len(credits_) >= 3
    for credit in credits_:
        assert Decimal(credit["total_amount"]) < 0
        assert credit["source_type"] == "Credit note"
        assert credit["parent_invoice_number"] in {i["invoice_number"] for i in invoices}
    assert all(Decimal(i["total_amount"]) > 0 for i in invoices if i["type"] == "invoice")


def test_a_number_of_twenty_digits_keeps_them_all(bring):
    invoices = bring.run(bring.config(bring_customers=["20000770055"], bring_invoice_lines=False)).of("invoices")
    longest = max((i["net_amount"] for i in invoices), key=len)
    assert longest.startswith("123456790126")
    assert longest == json.loads(next(i for i in invoices if i["net_amount"] == longest)["source_record"])["amount"]


def test_documented_undocumented_and_future_fields_are_kept(bring):
    bring.control.fault({"alter": {"from": '"invoices":[{', "to": '"invoices":[{"futureField":12.50,'}}, {"path": LIST})
    result = bring.run(bring.config("2026-05-01", bring_invoice_lines=False))
    records = [json.loads(i["source_record"]) for i in result.of("invoices")]
    assert all({"specInvoiceReportId", "invoiceIssuer", "dueDate"} <= set(record) for record in records)
    assert any("co2Grams" in record for record in records)
    assert sum("futureField" in record for record in records) == 4
    assert '"futureField":12.50' in "".join(i["source_record"] for i in result.of("invoices"))
    lacking = [i for i, record in zip(result.of("invoices"), records, strict=True) if "batchSource" not in record]
    assert lacking
    assert {i["batch_source"] for i in lacking} == {None}


class TestTheNextSync:
    def test_it_asks_for_the_look_back_and_what_is_new(self, bring):
        config = bring.config("2026-01-01", bring_invoice_lines=False)
        state = bring.run(config).state
        bring.run(config, state=state)
        bookmarks = {
            part["context"]["account_id"]: date.fromisoformat(part["replication_key_value"])
            for part in state["bookmarks"]["invoices"]["partitions"]
        }
        assert windows(bring) == {
            number: (dotted(seen - timedelta(days=65)), "20.11.2026") for number, seen in bookmarks.items()
        }

    def test_the_look_back_is_a_setting(self, bring):
        config = bring.config("2026-01-01", bring_invoice_lines=False, bring_lookback_days=3, bring_customers=[HOME])
        state = bring.run(config).state
        seen = date.fromisoformat(state["bookmarks"]["invoices"]["partitions"][0]["replication_key_value"])
        bring.run(config, state=state)
        assert windows(bring) == {HOME: (dotted(seen - timedelta(days=3)), "20.11.2026")}

    def test_a_changed_status_arrives(self, bring, lines_off):
        first = bring.run(lines_off)
        bring.control.next_day()
        second = bring.run(lines_off, state=first.state)
        before, after = first.table("invoices"), second.table("invoices")
        changed = {key for key in before if before[key]["status"] != after[key]["status"]}
        assert len(changed) == 1
        assert {(before[key]["status"], after[key]["status"]) for key in changed} == {("open", "closed")}
        assert len(set(after) - set(before)) == 3

    def test_old_state_and_a_new_account(self, bring):
        config = bring.config("2026-06-01", bring_invoice_lines=False, bring_customers=[HOME])
        state = bring.run(config).state
        config["bring_customers"] = [HOME, SEA]
        result = bring.run(config, state=state)
        asked = windows(bring)
        assert asked[SEA][0] == "01.06.2026"
        assert asked[HOME][0] != "01.06.2026"
        only_sea = {**config, "bring_customers": [SEA]}
        expected = bring.control.totals(only_sea)["invoices"]["bring"]["rows"]
        assert sum(i["account_id"] == SEA for i in result.of("invoices")) == expected

    def test_the_bookmark_never_goes_back(self, bring, lines_off):
        lines_off["bring_customers"] = [HOME]
        state = bring.run(lines_off).state
        bring.control.fault({"status": 200, "body": {"invoices": []}}, {"path": LIST})
        result = bring.run(lines_off, state=state)
        assert result.state["bookmarks"]["invoices"] == state["bookmarks"]["invoices"]

    def test_nor_past_today(self, bring, lines_off):
        lines_off["bring_customers"] = [HOME]
        record = {"invoiceNumber": "1", "invoiceDate": "31.12.2026", "totalAmount": "1.00"}
        bring.control.fault({"status": 200, "body": [record]}, {"path": LIST})
        result = bring.run(lines_off)
        assert [i["invoice_date"] for i in result.of("invoices")] == ["2026-12-31"]
        assert result.state["bookmarks"]["invoices"]["partitions"][0]["replication_key_value"] == "2026-11-20"
        said = f"bring account {HOME}: an invoice is dated 2026-12-31, past today (2026-11-20): it is sent as it is"
        assert said in result.log
        assert result.status == 0

    def test_a_later_date_than_a_past_end_is_another_period(self, bring, lines_off):
        lines_off |= {"bring_customers": [HOME], "end_date": "2026-11-01"}
        record = {"invoiceNumber": "1", "invoiceDate": "31.12.2026", "totalAmount": "1.00"}
        bring.control.fault({"status": 200, "body": [record]}, {"path": LIST})
        result = bring.run(lines_off)
        assert result.status == 1
        assert not result.of("invoices")


class TestOneAccountFails:
    def test_the_others_go_on_and_the_exit_status_says_so(self, bring, lines_off):
        bring.control.options["bring_forbidden_customer"] = HOME
        result = bring.run(lines_off)
        assert result.status == 1
        expected = bring.control.totals(lines_off)["invoices"]["bring"]["rows"]
        assert len(result.of("invoices")) == expected > 0
        assert HOME not in {i["account_id"] for i in result.of("invoices")}
        failed = [line for line in result.log.splitlines() if "failed: " in line]
        assert failed
        assert all(HOME in line and "HTTP 403" in line for line in failed)
        assert "check the settings bring_api_uid, bring_api_key, bring_client_url" in failed[0]

    @pytest.mark.parametrize(
        ("record", "said"),
        [
            ({"invoiceNumber": "7", "invoiceDate": "20.11.2026", "totalAmount": "1,50"}, "totalAmount is not a total"),
            ({"invoiceNumber": "7", "invoiceDate": "11/20/2026", "totalAmount": "1.5"}, "invoiceDate is not a invoice"),
            ({"invoiceNumber": "7", "invoiceDate": "20.11.2026", "dueDate": "soon"}, "dueDate is not a due_date"),
            ({"invoiceDate": "20.11.2026", "totalAmount": "1.50"}, "invoiceNumber is missing"),
        ],
    )
    def test_a_value_that_cannot_be_trusted_ends_the_account_and_keeps_its_bookmark(
        self, bring, lines_off, record, said
    ):
        good = {"invoiceNumber": "6", "invoiceDate": "19.11.2026", "totalAmount": "2.00"}
        bring.control.fault({"status": 200, "body": [good, record]}, {"path": f"{LIST}{HOME}"})
        result = bring.run(lines_off)
        assert result.status == 1
        assert said in result.log
        home = next(
            part
            for part in result.state["bookmarks"]["invoices"]["partitions"]
            if part["context"]["account_id"] == HOME
        )
        assert home.get("replication_key_value") is None

    def test_an_unknown_status_or_type_is_no_error(self, bring, lines_off):
        record = {"invoiceNumber": "7", "invoiceDate": "20.11.2026", "status": "Parked", "type": "DEPOSIT"}
        bring.control.fault({"status": 200, "body": [record]}, {"path": LIST})
        invoice = bring.run(lines_off).of("invoices")[0]
        assert (invoice["status"], invoice["source_status"]) == ("unknown", "Parked")
        assert (invoice["type"], invoice["source_type"]) == ("other", "DEPOSIT")


@pytest.mark.parametrize(("policy", "status"), [("warn", 0), ("fail", 1)])
def test_one_number_twice_in_a_list_with_two_contents_is_a_mismatch(bring, policy, status):
    """Whether numbers are unique across Bring's issuers is not known: losing one of them would lose money."""
    records = [
        {"invoiceNumber": "7", "invoiceDate": "20.11.2026", "totalAmount": total, "currency": "NOK"}
        for total in ("10.00", "10.00", "25.00")
    ]
    bring.control.fault({"status": 200, "body": records}, {"path": LIST})
    result = bring.run(bring.config(bring_customers=[SEA], bring_invoice_lines=False, on_mismatch=policy))
    assert result.status == status
    assert [i["total_amount"] for i in result.of("invoices")] == ["10.00"]
    checks = {c["subject"]: c for c in result.of("reconciliations") if c["check"] == "unique_ids"}
    assert {subject: check["ok"] for subject, check in checks.items()} == {"invoices": False, "invoice 7": False}


def test_a_list_that_is_empty_all_at_once_is_said(bring):
    """What was listed within the look-back is listed again. If it is not, nothing fails, and nothing comes."""
    config = bring.config(bring_invoice_lines=False, bring_customers=["20000770022"])
    first = bring.run(config)
    said = "account 20000770022: no invoice is listed from "
    assert said not in first.log + bring.run(config, state=first.state).log
    bring.control.fault({"status": 200, "body": {"invoices": []}}, {"path": "/api/invoices/"})
    empty = bring.run(config, state=first.state)
    assert said in empty.log
    assert empty.state["bookmarks"]["invoices"] == first.state["bookmarks"]["invoices"]
    assert said not in bring.run({**config, "start_date": "2026-11-20"}, state=first.state).log


def test_the_list_is_asked_for_once_by_all_that_hangs_on_it(bring, tmp_path):
    config = bring.config(storage_url=str(tmp_path), bring_invoice_documents=True)
    result = bring.run(config)
    assert result.status == 0
    assert len(bring.asked(LIST)) == 4
    bring.run(config, state=result.state)
    assert len(bring.asked(LIST)) == 4


def test_lines_and_documents_need_no_other_stream_selected(bring, tmp_path):
    config = bring.config(storage_url=str(tmp_path), bring_invoice_documents=True)
    whole = bring.run(config)
    for stream in ("bring_invoice_lines", "invoice_documents"):
        result = bring.run(config, catalog=selecting(config, stream))
        assert set(result.records) == {stream}
        assert set(result.table(stream)) == set(whole.table(stream))
        assert len(bring.asked(LIST)) == 4
