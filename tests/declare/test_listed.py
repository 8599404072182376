"""Reports of subjects that the vendor lists by date: each once, a late one too, its files kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tap_billing_reports import declare as d
from tap_billing_reports.declare.problems import problem_at
from tests.declare.payouts import SOURCE, Payouts, payout
from tests.declare.shop import Answered, declared, killed, served
from tests.fakes import FakeClock
from tests.running import run_tap


@pytest.fixture
def vendor():
    with served(Payouts()) as vendor:
        vendor.payouts = [payout("A1", "2026-11-10", 1050, -50, 7), payout("A2", "2026-11-17", 100)]
        yield vendor


def synced(monkeypatch, vendor, source=SOURCE, state=None, days=0, **settings):
    declared(monkeypatch, source)
    clock = FakeClock()
    clock.advance(timedelta(days=days).total_seconds())
    values = {"start_date": "2026-11-01", "payouts_key": "a-secret-key", "payouts_url": vendor.url, **settings}
    return run_tap(values, state=state, clock=clock)


def rows(found):
    return [(row["period"], row["row_number"], row["amount"]) for row in found.of("payouts_transactions")]


A1 = [("A1", 1, "10.50"), ("A1", 2, "-0.50"), ("A1", 3, "0.07")]
A2 = [("A2", 1, "1.00")]


def test_each_is_read_once_and_new_ones_follow(monkeypatch, vendor):
    assert SOURCE.problems({"payouts_lookback_days": 5, "payouts_key": "k", "payouts_url": "https://x.example"}) == []
    first = synced(monkeypatch, vendor)
    assert first.status == 0, first.log
    assert rows(first) == [*A1, *A2]
    listed = [(row["payment_reference"], row["totals_settlement_amount"]) for row in first.of("payouts_all")]
    assert listed == [("A1", "10.07"), ("A2", "1.00")]
    (entry,) = first.state["bookmarks"]["payouts_transactions"]["ledger"]
    assert (entry["seen"], entry["subjects_done"]) == (
        "2026-11-17",
        [["2026-11-10", "A1"], ["2026-11-17", "A2"]],
    )
    checks = [check for check in first.of("reconciliations") if check["check"] == "rows_declared"]
    assert [(check["expected"], check["ok"]) for check in checks if "transactions" in check["subject"]] == [
        ("3", True),
        ("1", True),
    ]

    vendor.asked.clear()
    vendor.payouts += [payout("A3", "2026-11-20", 5), payout("late", "2026-11-13", 6), payout("lost", "2026-11-02", 7)]
    second = synced(monkeypatch, vendor, state=first.state, days=1)
    assert second.status == 0, second.log
    # The look-back has the late one; one that appears behind it is not looked for.
    assert vendor.references() == ["late", "A3"]
    assert rows(second) == [("late", 1, "0.06"), ("A3", 1, "0.05")]
    asked = [one.query["start_date"] for one in vendor.asked if one.path.endswith("/payouts")]
    assert min(asked) == "2026-11-01"
    assert "2026-11-12" in asked

    vendor.asked.clear()
    third = synced(monkeypatch, vendor, state=second.state, days=1)
    assert (third.status, rows(third), vendor.references()) == (0, [], [])


def test_its_files_are_kept_beside_its_rows(monkeypatch, vendor, tmp_path):
    kept = {"storage_url": str(tmp_path)}
    found = synced(monkeypatch, vendor, **kept)
    assert found.status == 0, found.log
    formats = [(file["period"], file["format"], file["rows"]) for file in found.of("report_files")]
    assert formats[-6:] == [
        (name, kind, count if kind == "ndjson" else None)
        for name, count in (("A1", 3), ("A2", 1))
        for kind in ("ndjson", "csv", "pdf")
    ]
    names = sorted(path.name.rpartition(".")[2] for path in tmp_path.glob("files/payouts/merchant/transactions/*/*"))
    assert names == ["csv", "csv", "ndjson", "ndjson", "pdf", "pdf"]
    vendor.asked.clear()
    # The STATE is lost: all comes from there.
    again = synced(monkeypatch, vendor, **kept)
    assert (rows(again), vendor.references()) == ([*A1, *A2], [])


def test_one_that_fails_is_listed_again_however_old_and_the_others_go_on(monkeypatch, vendor):
    vendor.before = lambda asked: (
        Answered({"error_code": "X", "error_messages": ["no"]}, 403)
        if asked.query.get("payment_reference") == "A1"
        else None
    )
    first = synced(monkeypatch, vendor)
    assert (first.status, rows(first)) == (1, A2)
    assert "payouts_transactions account merchant period A1" in first.log
    vendor.before = lambda _asked: None
    vendor.payouts.append(payout("A3", "2026-12-20", 5))
    second = synced(monkeypatch, vendor, state=first.state, days=40)
    assert (second.status, sorted(rows(second))) == (0, [*A1, ("A3", 1, "0.05")])


def test_one_that_is_not_there_yet_is_deferred_for_a_week(monkeypatch, vendor):
    assert SOURCE.reports is not None
    source = replace(SOURCE, reports=replace(SOURCE.reports, not_yet=d.NotYetWhen(codes={"TOO_EARLY"})))
    source = replace(source, read_problem=problem_at("error", "code"))
    vendor.before = lambda asked: (
        Answered({"error": {"code": "TOO_EARLY"}}, 400) if asked.query.get("payment_reference") == "A2" else None
    )
    first = synced(monkeypatch, vendor, source)
    assert (first.status, rows(first)) == (0, A1), first.log
    assert "period A2: deferred: the vendor does not have its data yet" in first.log
    late = synced(monkeypatch, vendor, source, state=first.state, days=8)
    assert (late.status, rows(late)) == (1, [])
    assert "the vendor does not have its data yet, and it ended 11 days ago" in late.log


def test_a_kept_file_that_is_not_there_yet_defers_its_rows_too(monkeypatch, vendor):
    assert SOURCE.reports is not None
    source = replace(SOURCE, reports=replace(SOURCE.reports, not_yet=d.NotYetWhen(statuses={404})))
    vendor.before = lambda asked: Answered({"error": "no"}, 404) if asked.path.endswith("A2.pdf") else None
    first = synced(monkeypatch, vendor, source)
    assert (first.status, rows(first)) == (0, A1), first.log
    assert "period A2: deferred: the vendor does not have its data yet" in first.log
    vendor.before = lambda _asked: None
    second = synced(monkeypatch, vendor, source, state=first.state)
    assert (second.status, rows(second)) == (0, A2)
    # Without such a rule it is a file that is missing.
    vendor.before = lambda asked: Answered({"error": "no"}, 404) if asked.path.endswith("A2.pdf") else None
    lost = synced(monkeypatch, vendor)
    assert (lost.status, rows(lost)) == (1, A1)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"payment_reference": None}, "payment_reference is missing or no name"),
        ({"payment_reference": "a@b"}, "payment_reference is missing or no name"),
        ({"payout_date": None}, "its date is missing"),
        ({"payout_date": "soon"}, "not a date"),
    ],
)
def test_an_entry_that_cannot_be_read_fails_by_itself_and_holds_the_bookmark(monkeypatch, vendor, entry, said):
    bad = {**vendor.payouts[0].listed, **entry}
    good = vendor.payouts[1].listed
    vendor.before = lambda asked: (
        Answered({"payouts": [bad, good], "pagination": {"total": 2}})
        if asked.path.endswith("/payouts") and asked.query["offset"] == "0"
        else None
    )
    first = synced(monkeypatch, vendor)
    assert (first.status, rows(first)) == (1, A2)
    assert said in first.log
    (entry_of,) = first.state["bookmarks"]["payouts_transactions"]["ledger"]
    assert "seen" not in entry_of
    vendor.before = lambda _asked: None
    second = synced(monkeypatch, vendor, state=first.state)
    assert (second.status, rows(second)) == (0, A1)


def test_a_list_that_shrinks_while_it_is_read_is_read_again(monkeypatch, vendor):
    vendor.payouts.append(payout("A3", "2026-11-19", 5))
    times = 0

    def answer(asked):
        nonlocal times
        if not asked.path.endswith("/payouts") or asked.query["offset"] == "0":
            return None
        times += 1
        return Answered({"payouts": [], "pagination": {"total": 2}}) if times == 1 else None

    vendor.before = answer
    found = synced(monkeypatch, vendor)
    assert found.status == 0, found.log
    assert rows(found) == [*A1, *A2, ("A3", 1, "0.05")]


@pytest.mark.parametrize("at", range(1, 9))
def test_a_sync_that_ends_anywhere_loses_and_doubles_nothing(monkeypatch, vendor, tmp_path, at):
    declared(monkeypatch, SOURCE)
    values = {"start_date": "2026-11-01", "payouts_key": "k", "payouts_url": vendor.url, "storage_url": str(tmp_path)}
    looks = iter(range(1, at + 1))
    killed(monkeypatch, values, lambda: next(looks) == at)
    # The target has not kept a STATE: all that is known lies in the storage.
    second = run_tap(values, clock=FakeClock())
    assert second.status == 0, second.log
    assert sorted(rows(second)) == [*A1, *A2]
    assert second.doubles() == {}


def test_a_report_of_one_run_an_invoice_says_how_invoices_are_listed():
    assert SOURCE.reports is not None
    values = {"payouts_lookback_days": 5, "payouts_key": "k", "payouts_url": "https://x.example"}
    report = next(iter(SOURCE.reports.configured(values)))
    configured = replace(report, cadence=d.PerInvoice())
    source = replace(SOURCE, reports=replace(SOURCE.reports, configured=lambda _values: [configured]))
    said = f"reports: nothing says how the invoices that {report.name} has a run for are listed"
    assert source.problems(values) == [said]
