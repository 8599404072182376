"""Klarna: every payout and every transaction of it once, its files kept, its totals added up."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest

from tap_billing_reports.sandbox.klarna.api import PASSWORD
from tests.vendors.klarna.emulated import NOW

STREAMS = ("klarna_payouts", "klarna_transactions")


def held(found):
    """What a warehouse has: the living rows, and the sums of their amounts."""
    tables = {stream: found.table(stream).values() for stream in STREAMS}
    columns = {"klarna_payouts": "totals_settlement_amount", "klarna_transactions": "amount"}
    return {
        stream: (len(rows), sum((Decimal(row[columns[stream]] or 0) for row in rows), Decimal()))
        for stream, rows in tables.items()
    }


def booked(klarna, config=None):
    totals = klarna.control.totals(config or klarna.config())
    payouts, rows = totals["klarna_payouts"]["klarna"], totals["klarna_transactions"]["klarna"]
    return {
        "klarna_payouts": (payouts["rows"], Decimal(payouts["sums"]["totals_settlement_amount"])),
        "klarna_transactions": (rows["rows"], Decimal(rows["sums"]["amount"])),
    }


def verdicts(found, check):
    return Counter(record["ok"] for record in found.of("reconciliations") if record["check"] == check)


def test_every_payout_and_transaction_arrives_once(klarna):
    found = klarna.run()
    assert found.status == 0, found.log
    assert held(found) == booked(klarna)
    assert found.doubles() == {}
    assert [account["account_id"] for account in found.of("accounts")] == ["K123456"]
    again = klarna.run(state=found.state)
    assert (again.status, again.of("klarna_transactions")) == (0, [])


def test_the_totals_add_up(klarna):
    found = klarna.run()
    assert set(verdicts(found, "rows_declared")) == {True}
    stated = verdicts(found, "stated_total")
    assert stated[False] == 0
    assert stated[True] > 250
    # A total that is absent is nothing to hold rows against.
    klarna.control.options["klarna_sparse_totals"] = True
    sparse = klarna.run()
    assert (sparse.status, held(sparse)) == (0, held(found))
    assert verdicts(sparse, "stated_total")[False] == 0
    assert verdicts(sparse, "stated_total")[None] > stated[None]


def test_a_transaction_that_is_not_as_stated_is_found(klarna):
    klarna.control.fault({"alter": {"pattern": '"amount":350,', "to": '"amount":351,'}}, {"path": "/transactions"})
    found = klarna.run(klarna.config(on_mismatch="warn"))
    assert verdicts(found, "stated_total")[False] > 0
    assert "stated_total" in found.log


def test_a_list_of_payouts_that_grows_while_it_is_read_is_whole_the_next_day(klarna):
    klarna.control.options["klarna_grows"] = "payouts"
    config = klarna.config("2026-11-01")
    first = klarna.run(config)
    assert first.status == 0, first.log
    del klarna.control.options["klarna_grows"]
    klarna.control.advance(86_400)
    second = klarna.run(config, state=first.state)
    rows = {stream: {**first.table(stream), **second.table(stream)} for stream in STREAMS}
    assert {stream: len(table) for stream, table in rows.items()} == {
        s: n for s, (n, _) in booked(klarna, config).items()
    }


def test_a_payout_whose_rows_are_not_all_there_yet_is_read_again(klarna):
    """On one page nothing shows it but the payout's own totals; over two pages their number does."""
    klarna.control.options["klarna_grows"] = "transactions"
    first = klarna.run(klarna.config(on_mismatch="fail"))
    assert first.status == 1
    assert "stated_total" in first.log
    second = klarna.run(klarna.config(on_mismatch="fail"), state=first.state)
    assert second.status == 0, second.log
    rows = {**first.table("klarna_transactions"), **second.table("klarna_transactions")}
    assert len(rows) == booked(klarna)["klarna_transactions"][0]


def test_a_payout_that_is_listed_late_is_taken(klarna):
    klarna.control.options["klarna_late_days"] = 3
    first = klarna.run()
    before = booked(klarna)
    assert held(first) == before
    klarna.control.clock.set(NOW + timedelta(days=3))
    second = klarna.run(state=first.state)
    assert second.status == 0, second.log
    rows = first.table("klarna_transactions") | second.table("klarna_transactions")
    assert len(rows) == booked(klarna)["klarna_transactions"][0] > before["klarna_transactions"][0]


def test_the_files_of_a_payout_are_kept(klarna, tmp_path):
    config = klarna.config("2026-11-01", storage_url=str(tmp_path))
    found = klarna.run(config)
    assert found.status == 0, found.log
    payouts = booked(klarna, config)["klarna_payouts"][0]
    formats = Counter(file["format"] for file in found.of("report_files"))
    assert (formats["csv"], formats["pdf"]) == (payouts, payouts) != (0, 0)
    kept = list(tmp_path.rglob("*.pdf"))
    assert len(kept) == payouts
    assert all(path.read_bytes().startswith(b"%PDF-") for path in kept)


@pytest.mark.parametrize(
    ("path", "old", "new", "said"),
    [
        ("/transactions", '"payment_reference":"', '"payment_reference":"X', "its payment_reference is X"),
        ("/payouts", '"payout_date":"2026-11', '"payout_date":"2026-09', "its payout_date is 2026-09"),
    ],
)
def test_another_payouts_rows_and_another_periods_payouts_are_never_data(klarna, path, old, new, said):
    klarna.control.fault({"alter": {"from": old, "to": new}}, {"path": f"{path}$"})
    found = klarna.run(klarna.config("2026-11-10"))
    assert found.status == 1
    assert said in found.log
    assert not found.of("klarna_transactions")


@pytest.mark.parametrize("body", ["[[1], 2]", '[{"error_code": "NO"}]', '{"error_code": "NO"}'])
def test_an_answer_that_is_no_csv_is_not_kept_as_one(klarna, tmp_path, body):
    klarna.control.fault({"status": 200, "body": body}, {"path": "/payout-with-transactions"})
    found = klarna.run(klarna.config("2026-11-17", storage_url=str(tmp_path)))
    assert found.status == 1
    assert "it begins as a web page or an error, not as CSV" in found.log
    assert not list(tmp_path.rglob("*.csv"))


def test_a_page_that_fails_takes_its_payout_along_and_the_next_sync_has_it(klarna):
    form = {"error_code": "BAD_REQUEST", "error_messages": ["no"], "correlation_id": "1"}
    klarna.control.fault({"status": 400, "body": form}, {"path": "/transactions"}, skip=3, times=2)
    first = klarna.run()
    assert first.status == 1
    assert "BAD_REQUEST" in first.log
    second = klarna.run(state=first.state)
    assert second.status == 0, second.log
    rows = first.table("klarna_transactions") | second.table("klarna_transactions")
    assert len(rows) == booked(klarna)["klarna_transactions"][0]


def test_a_wrong_password_is_refused_and_none_is_shown(klarna):
    refused = klarna.run(klarna.config(klarna_password="not-the-right-one"))
    assert refused.status == 1
    found = klarna.run()
    said = refused.log + found.log + json.dumps(found.state) + json.dumps(found.records)
    assert PASSWORD not in said
    assert "not-the-right-one" not in said


def test_new_fields_are_columns(klarna):
    klarna.control.options["klarna_new_fields"] = True
    found = klarna.run()
    assert (found.status, held(found)) == (0, booked(klarna))
    assert {row["merchant_id"] for row in found.of("klarna_transactions")} == {"K123456"}
