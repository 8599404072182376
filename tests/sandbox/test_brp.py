"""The emulated API2 of BRP."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timezone
from decimal import Decimal

import pytest
import requests
from lxml import etree

from tap_billing_reports.sandbox.brp.api import KEY_LEVEL_1, PASSWORD, USERNAME
from tap_billing_reports.sandbox.core import Sandbox
from tests.waiting import HANG_SECONDS

NOW = datetime(2026, 11, 20, 9, tzinfo=timezone.utc)


class Brp:
    def __init__(self, sandbox, session):
        self.sandbox = sandbox
        self.control = sandbox.control
        self.session = session
        settings = sandbox.settings("2026-01-01")
        self.base, self.key = settings["brp_api_url"], settings["brp_api_key"]

    def get(self, path, auth=None, **query):
        return self.session.get(self.base + path, params={"apikey": self.key, **query}, auth=auth, timeout=HANG_SECONDS)

    def invoices(self, company=1, **query):
        return self.get("/invoices.json", companyid=company, **query).json()["invoices"]

    def everything(self):
        return self.invoices(1) + self.invoices(2)

    def error(self, path, **query):
        (record,) = self.get(path, **query).json()["errors"]
        return record["code"], record["debuginfo"]


@pytest.fixture(scope="module")
def served():
    with Sandbox(now=NOW, vendors=("brp",)) as sandbox, requests.Session() as session:
        session.trust_env = False
        yield sandbox, session


@pytest.fixture
def brp(served):
    sandbox, session = served
    sandbox.control.reset()
    return Brp(sandbox, session)


def test_both_formats_say_the_same_in_minor_units(brp):
    records = brp.invoices()
    tree = etree.fromstring(brp.get("/invoices.xml").content)
    assert tree.tag == "invoices"

    def text(value):
        return {k: text(v) for k, v in value.items()} if isinstance(value, dict) else str(value)

    def element(node):
        return {child.tag: element(child) for child in node} if len(node) else node.text or ""

    assert [element(node) for node in tree] == [text(record) for record in records]
    assert all(type(r["totalamount"]) is int and r["company"]["id"] == 1 for r in records)


def test_the_ledger_has_all_states_an_unknown_one_and_odd_amounts(brp):
    records = brp.everything()
    assert len(records) == len({r["id"] for r in records}) == 29
    assert {r["state"]["number"] for r in records} == {*range(1, 10), 42}
    assert any(r["totalamount"] < 0 for r in records)
    assert max(len(str(r["totalamount"])) for r in records) < 8
    assert [len(str(r["totalamount"])) for r in brp.invoices(7)] == [20]
    assert {r["prefix"] for r in records} == {"F", ""}
    assert all(bool(r["payeddate"]) is (r["state"]["number"] == 3) for r in records)
    assert min(r["invoicedate"] for r in records) < "2022-01-01"


def test_parameters_narrow_the_list(brp):
    records = brp.invoices(2)
    assert brp.invoices(2, state=42) == [r for r in records if r["state"]["number"] == 42] != []
    assert brp.invoices(2, number=records[3]["number"]) == [records[3]]
    person = records[0]["orderedbycustomerid"]
    assert brp.invoices(2, personid=person) == [r for r in records if r["orderedbycustomerid"] == person]
    one, two = (brp.invoices(2, productids=n) for n in (1, 2))
    either = {r["id"] for r in brp.invoices(2, productids="1,2")}
    assert either == {r["id"] for r in one + two} != {r["id"] for r in one}
    brp.control.options["brp_person_parameter"] = "userid"
    assert {r["orderedbycustomerid"] for r in brp.invoices(2, userid=person)} == {person}


def test_one_invoice_needs_its_company(brp):
    wanted = brp.invoices()[0]
    assert brp.get(f"/invoices/{wanted['id']}.json", companyid=1).json() == {"invoice": wanted}
    tree = etree.fromstring(brp.get(f"/invoices/{wanted['id']}.xml", companyid=1).content)
    assert (tree.tag, tree.findtext("number")) == ("invoice", wanted["number"])
    assert brp.error(f"/invoices/{wanted['id']}.json") == (1001, "field=companyid")
    assert brp.error(f"/invoices/{wanted['id']}.json", companyid=2) == (1001, "field=id")


def test_errors_come_with_status_200_or_another(brp):
    assert brp.error("/invoices.json", state="x") == (1001, "field=state")
    assert brp.error("/invoices.json", companyid=9) == (1001, "field=companyid")
    assert brp.error("/invoices.json", apikey="wrong") == (1003, "field=apikey")
    answer = brp.get("/invoices.xml", apikey="wrong")
    assert answer.status_code == 200
    assert etree.fromstring(answer.content).findtext("error/message") == "Invalid API key"
    brp.control.options["brp_error_status"] = 403
    assert brp.get("/invoices.xml", apikey="wrong").status_code == 403


def test_basic_is_optional_but_must_be_right(brp):
    assert "invoices" in brp.get("/invoices.json", auth=(USERNAME, PASSWORD)).json()
    assert "errors" in brp.get("/invoices.json", auth=(USERNAME, "wrong")).json()
    brp.control.options["brp_require_basic"] = True
    assert "errors" in brp.get("/invoices.json").json()
    assert "invoices" in brp.get("/invoices.json", auth=(USERNAME, PASSWORD)).json()


def test_persons_need_a_level_3_key_and_leave_deleted_ones_out(brp):
    persons = [p["id"] for p in brp.get("/persons.json").json()["persons"]]
    by_person = {r["id"] for company in (1, 2) for p in persons for r in brp.invoices(company, personid=p)}
    assert {r["id"] for r in brp.everything()} - by_person
    totals = brp.control.totals(brp.sandbox.settings("2000-01-01") | {"brp_person_ids": ["*"]})
    assert totals["invoices"]["brp"]["rows"] == len(by_person)
    brp.key = KEY_LEVEL_1
    assert len(brp.everything()) == 29
    assert brp.error("/persons.json") == (1003, "field=apikey")
    assert brp.error("/invoices.json", personid=101) == (1003, "field=apikey")


def test_business_units_name_both_companies_and_hide_one_unit(brp):
    units = brp.get("/businessunits.json").json()["businessunits"]
    assert {u["companyid"] for u in units} == {1, 2}
    assert len(brp.get("/businessunits.json", showall="true").json()["businessunits"]) == len(units) + 1
    only = etree.fromstring(brp.get("/businessunits.xml", companyid=2).content)
    assert [node.text for node in only.iter("companyname")] == ["Simhallen Åkeshov AB"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_writes_are_refused_and_counted(brp, method):
    answer = brp.session.request(method, f"{brp.base}/invoices.xml", params={"apikey": brp.key}, timeout=HANG_SECONDS)
    assert answer.status_code == 405
    assert brp.control.counters()["events"]["write"] == 1


def test_other_paths_do_not_exist(brp):
    assert brp.get("/invoices.csv").status_code == 404
    assert brp.get("/orders.xml").status_code == 404
    assert brp.get("/orders").status_code == 404


def test_totals_are_exact_in_major_units(brp):
    shown = [r for r in brp.everything() if r["invoicedate"] >= "2026-06-01"]
    totals = brp.control.totals(brp.sandbox.settings("2026-06-01"))
    assert totals["accounts"]["brp"]["rows"] == 2
    found = totals["invoices"]["brp"]
    assert found["rows"] == len(shown)
    fields = {"total_amount": "totalamount", "amount_due": "rest", "fee_amount": "reminderamount"}
    assert {c: Decimal(found["sums"][c]) * 100 for c in fields} == {
        c: sum(r[field] for r in shown) for c, field in fields.items()
    }


def test_the_next_day_moves_states_both_ways_and_brings_one_invoice(brp):
    before = {r["id"]: r for r in brp.everything()}
    brp.control.next_day()
    after = {r["id"]: r for r in brp.everything()}
    moves = Counter(
        (before[n]["state"]["number"], after[n]["state"]["number"], bool(after[n]["payeddate"]))
        for n in before
        if before[n] != after[n]
    )
    assert moves == {(7, 3, True): 1, (2, 1, False): 1}
    (fresh,) = (after[n] for n in after if n not in before)
    assert fresh["invoicedate"] == "2026-11-21"
