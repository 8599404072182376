"""The emulated Klarna: how it is asked, and the identities of its payouts."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
import requests

from tap_billing_reports.sandbox.core import Sandbox
from tests.waiting import HANG_SECONDS

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=timezone.utc)

# By docs.klarna.com, "Calculation of settlement amount", and the deposit that stands in the way of a payout below zero.
ADDED = ("sale", "fee_correction", "commission", "credit", "release", "fee_refund", "tax_refund", "deposit")
TAKEN = ("return", "reversal", "fee", "tax", "charge", "holdback", "repay")


class Klarna:
    """A client of the emulator that does what its description says, and no more."""

    def __init__(self, sandbox, session):
        self.sandbox, self.control, self.session = sandbox, sandbox.control, session
        settings = sandbox.settings()
        self.base = f"{settings['klarna_api_url']}/settlements/v1"
        self.auth = (settings["klarna_username"], settings["klarna_password"])

    def get(self, path, auth=None, **query):
        return self.session.get(self.base + path, params=query, auth=auth or self.auth, timeout=HANG_SECONDS)

    def pages(self, kind, **query):
        """The pages of a list by its `next` links."""
        answer = self.get(f"/{kind}", **query)
        while True:
            body = answer.json()
            yield body
            if "next" not in body["pagination"]:
                return
            answer = self.session.get(body["pagination"]["next"], auth=self.auth, timeout=HANG_SECONDS)

    def all(self, kind, size=500, **query) -> list[dict[str, Any]]:
        return [record for body in self.pages(kind, size=size, **query) for record in body[kind]]

    def rows(self, payout):
        return self.all("transactions", payment_reference=payout["payment_reference"])


@pytest.fixture(scope="module")
def served():
    with Sandbox(now=NOW, seed=7, vendors=("klarna",)) as sandbox, requests.Session() as session:
        session.trust_env = False
        yield sandbox, session


@pytest.fixture
def klarna(served):
    sandbox, session = served
    sandbox.control.reset(at=NOW)
    return Klarna(sandbox, session)


@pytest.fixture(scope="module")
def history(served):
    """Every payout with its rows."""
    sandbox, session = served
    sandbox.control.reset(at=NOW)
    klarna = Klarna(sandbox, session)
    return [(payout, klarna.rows(payout)) for payout in klarna.all("payouts")]


@pytest.mark.parametrize("auth", [("K123456_9f3c1d", "wrong"), ("wrong", "klarna-sandbox-password")])
def test_wrong_credentials_are_refused(klarna, auth):
    answer = klarna.get("/payouts", auth)
    assert (answer.status_code, set(answer.json())) == (401, {"error_code", "error_messages", "correlation_id"})


def test_the_log_names_the_password(klarna):
    klarna.get("/payouts")
    (asked,) = klarna.control.requests()
    assert asked["secrets"] == [{"name": "klarna:0", "where": "basic"}]


def test_payouts_come_newest_first_twenty_at_a_time(klarna):
    bodies = list(klarna.pages("payouts"))
    dates = [payout["payout_date"] for body in bodies for payout in body["payouts"]]
    assert dates == sorted(dates, reverse=True)
    pagination = [body["pagination"] for body in bodies]
    assert [one["offset"] for one in pagination] == [20 * n for n in range(len(bodies))]
    assert {one["count"] for one in pagination[:-1]} == {20}
    assert {one["total"] for one in pagination} == {len(dates)}
    assert ["prev" in one for one in pagination] == [False, *[True] * (len(bodies) - 1)]
    klarna.control.options["klarna_order"] = "oldest"
    assert [payout["payout_date"] for payout in klarna.all("payouts")] == sorted(dates)


def test_payouts_are_filtered_by_date_and_currency(klarna):
    everything = klarna.all("payouts")
    october = klarna.all("payouts", start_date="2026-10-01T00:00:00Z", end_date="2026-10-31T23:59:59Z")
    assert october == [one for one in everything if one["payout_date"].startswith("2026-10-")] != []
    assert klarna.all("payouts", start_date="2026-10-06", end_date="2026-10-06") == [], "a date is its first instant"
    norwegian = klarna.all("payouts", start_date="2026-10-01", currency_code="NOK")
    assert {one["currency_code"] for one in norwegian} == {"NOK"}


def test_there_is_one_payout_a_week_and_currency_and_an_invoice_a_month(history):
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for payout, _ in history:
        counts[payout["currency_code"], payout["merchant_settlement_type"]] += 1
    assert counts == {("SEK", "NET"): 30, ("NOK", "NET"): 30, ("EUR", "GROSS"): 30, ("EUR", "GROSS_FEE"): 7}
    assert len({payout["payment_reference"] for payout, _ in history}) == len(history)


def test_one_payout_by_its_reference(klarna):
    payout = klarna.all("payouts")[3]
    assert klarna.get(f"/payouts/{payout['payment_reference']}").json() == payout
    assert payout["transactions"].endswith(f"/transactions?payment_reference={payout['payment_reference']}")
    assert klarna.get("/payouts/NONE").status_code == 404


def test_the_settlement_is_the_sum_of_its_parts(history):
    for payout, _ in history:
        totals = {name: payout["totals"].get(f"{name}_amount", 0) for name in (*ADDED, *TAKEN, "settlement")}
        added, taken = sum(totals[name] for name in ADDED), sum(totals[name] for name in TAKEN)
        assert totals["settlement"] == added - taken
        assert (totals["settlement"] < 0) is (payout["merchant_settlement_type"] == "GROSS_FEE")


def test_rows_add_up_to_the_totals_by_type(history):
    names = {"CORRECTION": "fee_correction", "REVERSAL_MERCHANT_PROTECTION": "reversal"}
    seen = set()
    for payout, rows in history:
        sums: dict[str, int] = defaultdict(int)
        for row in rows:
            seen.add(row["type"])
            sign = -1 if row["type"] == "REVERSAL_MERCHANT_PROTECTION" else 1
            sums[names.get(row["type"], row["type"].lower())] += sign * row["amount"]
            if row["type"] in {"FEE", "FEE_REFUND"}:
                sums["tax" if row["type"] == "FEE" else "tax_refund"] += row["vat_amount"]
        others = {"settlement", "deposit", "repay", "opening_debt_balance", "closing_debt_balance"}
        totals = {name.removesuffix("_amount"): amount for name, amount in payout["totals"].items() if amount}
        assert {k: v for k, v in sums.items() if v} == {k: v for k, v in totals.items() if k not in others}
    kinds = {"SALE", "RETURN", "REVERSAL", "FEE", "FEE_REFUND", "CORRECTION", "REVERSAL_MERCHANT_PROTECTION"}
    assert seen == kinds | {"COMMISSION", "CHARGE", "CREDIT", "HOLDBACK", "RELEASE"}


def test_a_debt_goes_on_from_payout_to_payout_until_it_is_repaid(history):
    repaid = 0
    for currency in ("SEK", "NOK", "EUR"):
        found = [p["totals"] for p, _ in reversed(history) if p["currency_code"] == currency]
        mine = [totals for totals in found if "settlement_amount" in totals and totals["settlement_amount"] >= 0]
        for one, following in pairwise(mine):
            assert following["opening_debt_balance_amount"] == one["closing_debt_balance_amount"]
            moved = following["deposit_amount"] - following["repay_amount"]
            assert following["closing_debt_balance_amount"] == following["opening_debt_balance_amount"] + moved
        repaid += sum(totals["repay_amount"] > 0 for totals in mine)
    assert repaid > 0


def test_gross_payouts_have_no_fees_and_the_invoice_has_nothing_else(history):
    for payout, rows in history:
        kinds = {row["type"] for row in rows}
        if payout["merchant_settlement_type"] == "GROSS":
            assert kinds <= {"SALE", "RETURN"}
        elif payout["merchant_settlement_type"] == "GROSS_FEE":
            assert kinds == {"FEE"}


def test_totals_that_need_not_be_there_are_absent_where_they_are_zero(klarna, history):
    assert {"tax_amount" in payout["totals"] for payout, _ in history} == {True, False}
    assert {"return_amount" in payout["totals"] for payout, _ in history} == {True}
    klarna.control.options["klarna_sparse_totals"] = True
    assert all(payout["totals"] == {k: v for k, v in payout["totals"].items() if v} for payout in klarna.all("payouts"))


def test_what_a_capture_costs_shares_its_id_and_a_return_has_none(history):
    captures: dict[str, list[str]] = defaultdict(list)
    for payout, rows in history:
        if payout["merchant_settlement_type"] == "NET":
            for row in rows:
                captures[row.get("capture_id", "-")].append(row["type"])
        assert {row["capture_id"] for row in rows if row["type"] in {"RETURN", "REVERSAL"}} <= {""}
    sold = [sorted(kinds) for capture, kinds in captures.items() if "SALE" in kinds and capture]
    assert ["FEE", "FEE", "SALE"] in sold
    assert all(kinds.count("SALE") == 1 for kinds in sold)


def test_a_payout_has_more_rows_than_an_answer_holds(klarna):
    payout = max(klarna.all("payouts"), key=lambda one: one["totals"]["sale_amount"])
    bodies = list(klarna.pages("transactions", payment_reference=payout["payment_reference"], size=500))
    assert bodies[0]["pagination"]["count"] == 500
    assert sum(body["pagination"]["count"] for body in bodies) == bodies[0]["pagination"]["total"] > 780
    assert klarna.get("/transactions", payment_reference="NONE").json()["pagination"]["total"] == 0


def test_rows_can_be_asked_for_by_order(klarna, history):
    order = history[0][1][0]["order_id"]
    assert {row["order_id"] for row in klarna.all("transactions", order_id=order)} == {order}


@pytest.mark.parametrize(
    "query",
    [{"size": 501}, {"size": 0}, {"size": "many"}, {"offset": -1}, {"start_date": "yesterday"}, {"end_date": "1"}],
)
def test_wrong_questions_are_refused(klarna, query):
    answer = klarna.get("/payouts", **query)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "BAD_REQUEST")


def test_files_of_a_payout(klarna):
    payout = klarna.all("payouts", currency_code="SEK")[0]
    reference = {"payment_reference": payout["payment_reference"]}
    answer = klarna.get("/reports/payout-with-transactions", **reference)
    assert answer.headers["Content-Type"].startswith("text/csv")
    lines = answer.text.splitlines()
    assert lines[1].startswith(f"{payout['payment_reference']};SEK;")
    assert len(lines) == 4 + len(klarna.rows(payout))
    pdf = klarna.get("/reports/payout", **reference)
    assert (pdf.headers["Content-Type"], pdf.content[:5], pdf.content[-6:]) == ("application/pdf", b"%PDF-", b"%%EOF\n")
    assert pdf.content == klarna.get("/reports/payout", **reference).content


@pytest.mark.parametrize(("path", "media"), [("payout-with-transactions", "text/csv"), ("payout", "application/pdf")])
def test_errors_of_files_bear_the_files_media_type(klarna, path, media):
    for query, status in (({}, 400), ({"payment_reference": "NONE"}, 404)):
        answer = klarna.get(f"/reports/{path}", **query)
        assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (status, media)
        assert answer.json()["error_messages"]


def test_payouts_grow_while_they_are_read(klarna):
    before = [payout["payment_reference"] for payout in klarna.all("payouts")]
    klarna.control.options["klarna_grows"] = "payouts"
    bodies = list(klarna.pages("payouts", size=50))
    found = [payout["payment_reference"] for body in bodies for payout in body["payouts"]]
    assert [body["pagination"]["total"] for body in bodies] == [len(before) - 1, len(before)]
    assert found == [*before[1:51], *before[50:]], "the new one has pushed another onto the next page"
    assert [payout["payment_reference"] for payout in klarna.all("payouts", size=50)] == before


def test_rows_grow_while_they_are_read(klarna):
    payout = klarna.all("payouts")[0]
    before = klarna.rows(payout)
    klarna.control.options["klarna_grows"] = "transactions"
    asked = {"payment_reference": payout["payment_reference"], "size": len(before) - 2}
    bodies = list(klarna.pages("transactions", **asked))
    assert [row for body in bodies for row in body["transactions"]] == before
    assert [body["pagination"]["total"] for body in bodies] == [len(before) - 1, len(before)]


def test_a_payout_may_be_listed_late(klarna):
    before = klarna.all("payouts")
    klarna.control.options["klarna_late_days"] = 3
    listed = klarna.all("payouts")
    late = [one for one in before if one not in listed]
    assert late
    assert all(one["payout_date"] > "2026-11-17" for one in late)
    klarna.control.clock.set(NOW + timedelta(days=3))
    assert klarna.all("payouts", end_date="2026-11-20T09:30:00Z") == before


def test_what_else_may_vary(klarna, history):
    payout, rows = next(one for one in history if any(row["type"] == "RETURN" for row in one[1]))
    klarna.control.options.update({"klarna_signed": True, "klarna_new_fields": True, "klarna_without_total": True})
    signed = klarna.get(f"/payouts/{payout['payment_reference']}").json()["totals"]
    assert signed["return_amount"] == -payout["totals"]["return_amount"] < 0 < signed["sale_amount"]
    assert "commission_reversal_amount" in signed
    found = klarna.rows(payout)
    assert [abs(row["amount"]) for row in found] == [abs(row["amount"]) for row in rows]
    assert sum(row["amount"] for row in found if row["type"] == "RETURN") == signed["return_amount"]
    assert {row["merchant_id"] for row in found} == {payout["merchant_id"]}
    assert "total" not in klarna.get("/payouts").json()["pagination"]


def test_a_day_brings_the_next_payout(klarna):
    before = klarna.all("payouts")
    for _ in range(4):
        klarna.control.next_day()
    (fresh,) = [one for one in klarna.all("payouts") if one not in before]
    assert fresh["payout_date"].startswith("2026-11-24T07:")
    assert klarna.all("payouts")[1:] == before


def test_totals_are_the_payouts_and_their_rows_in_major_units(klarna, history):
    totals = klarna.control.totals(klarna.sandbox.settings("2026-09-01"))
    mine = [(payout, rows) for payout, rows in history if payout["payout_date"] >= "2026-09-01"]
    assert totals["accounts"]["klarna"]["rows"] == 1
    payouts, transactions = totals["klarna_payouts"]["klarna"], totals["klarna_transactions"]["klarna"]
    assert payouts["rows"] == len(mine)
    for name, text in payouts["sums"].items():
        assert Decimal(text) * 100 == sum(payout["totals"].get(name.removeprefix("totals_"), 0) for payout, _ in mine)
    assert transactions["rows"] == sum(len(rows) for _, rows in mine)
    for name, text in transactions["sums"].items():
        assert Decimal(text) * 100 == sum(row.get(name, 0) for _, rows in mine for row in rows)


def test_totals_have_the_payouts_of_the_start_dates_whole_month(klarna):
    whole, later = (klarna.control.totals(klarna.sandbox.settings(start)) for start in ("2026-09-01", "2026-09-20"))
    assert later["klarna_payouts"] == whole["klarna_payouts"]
    fewer = later["klarna_transactions"]["klarna"]["rows"]
    assert 0 < fewer < whole["klarna_transactions"]["klarna"]["rows"]
    renamed = {**klarna.sandbox.settings("2026-09-20"), "klarna_reports": [{"report_type": "payouts", "name": "paid"}]}
    assert set(klarna.control.totals(renamed)) == {"accounts", "klarna_paid"}


def test_books_depend_on_the_seed_alone(served):
    def books(seed):
        served[0].control.reset(at=NOW)
        world = served[0]._emulation.world
        world.seed = seed
        return served[0].control.vendor("klarna").books.payouts()

    assert books(1) == books(1) != books(2)
