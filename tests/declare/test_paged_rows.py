"""Rows that are read page by page by ledger day: whole or not at all, each once, kept as one file."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tap_billing_reports import declare as d
from tests.declare.ledgers import ENTRIES, LEDGERS, Ledgers, item
from tests.declare.shop import Answered, declared, killed, served
from tests.fakes import FakeClock
from tests.running import run_tap

DAY, NEXT = "2026-11-18", "2026-11-19"
PERIOD = "2026-11-17T23:00:00Z"


@pytest.fixture
def ledgers():
    with served(Ledgers()) as vendor:
        vendor.days = {
            ("302321", "funds", DAY): [item(number, DAY) for number in range(5)],
            ("302321", "fees", DAY): [],
        }
        yield vendor


def synced(monkeypatch, vendor, source=LEDGERS, state=None, clock=None, **settings):
    declared(monkeypatch, source)
    values = {"start_date": DAY, "ledgers_key": "a-secret-key", "ledgers_url": vendor.url, **settings}
    return run_tap(values, state=state, clock=clock or FakeClock())


def with_rows(rows: Any, **changes: Any) -> d.Source:
    assert LEDGERS.reports is not None
    return replace(LEDGERS, reports=replace(LEDGERS.reports, retrieval=rows, **changes))


def amounts(found):
    return [(row["psp_reference"], row["amount"]) for row in found.of("ledgers_funds")]


ALL = [(f"p{number}", f"1.0{number}") for number in range(5)]


def test_a_day_is_read_whole_and_one_that_is_not_closed_is_deferred(monkeypatch, ledgers):
    found = synced(monkeypatch, ledgers)
    assert found.status == 0, found.log
    assert amounts(found) == ALL
    row = found.of("ledgers_funds")[0]
    assert row["time"].startswith("2026-11-18T09:00:00")
    assert (row["period"], row["row_number"], row["ledger_date"]) == (PERIOD, 1, DAY)
    assert found.of("ledgers_fees") == []
    assert "ledgers_funds account 302321: period 2026-11-18T23:00:00Z: deferred: the vendor does not" in found.log
    runs = {run["report_name"]: run for run in found.of("report_runs")}
    assert {run["origin"] for run in runs.values()} == {"fetched"}
    assert runs["funds"]["run_id"] == row["run_id"] == "funds.2026-11-17T230000Z.2026-11-20T093000Z"
    files = {file["report_name"]: file for file in found.of("report_files")}
    assert [(files[name]["format"], files[name]["rows"]) for name in ("funds", "fees")] == [
        ("ndjson", 5),
        ("ndjson", 0),
    ]

    again = synced(monkeypatch, ledgers, state=found.state)
    assert (again.status, again.of("ledgers_funds")) == (0, [])
    ledgers.days["302321", "funds", NEXT] = [item(9, NEXT)]
    third = synced(monkeypatch, ledgers, state=again.state)
    assert amounts(third) == [("p9", "1.09")]


def test_a_field_of_the_body_may_say_that_the_day_is_not_closed(monkeypatch, ledgers):
    ledgers.before = lambda _asked: Answered({"hasMore": False, "tryLater": True})
    found = synced(monkeypatch, ledgers)
    assert (found.status, found.of("ledgers_funds"), found.of("report_runs")) == (0, [], [])
    # Each line once: who else listens to the log is the matter of other tests.
    lines = {
        line for line in found.log.splitlines() if line.endswith("deferred: the vendor does not have its data yet")
    }
    assert len(lines) >= 2, found.log
    assert {"ledgers_funds", "ledgers_fees"} <= {word for line in lines for word in line.split()}


def test_what_is_kept_is_read_from_there(monkeypatch, ledgers, tmp_path):
    kept = {"storage_url": str(tmp_path)}
    found = synced(monkeypatch, ledgers, **kept)
    assert found.status == 0, found.log
    (path,) = tmp_path.glob("files/ledgers/302321/funds/*/*.ndjson")
    assert [json.loads(line)["pspReference"] for line in path.read_text().splitlines()] == [name for name, _ in ALL]
    assert len(list(tmp_path.glob("parquet/ledgers_*/**/rows.parquet"))) == 2
    asked = [asked for asked in ledgers.asked if DAY in asked.path]
    # The STATE is lost: nothing of that day is asked again.
    again = synced(monkeypatch, ledgers, **kept)
    assert amounts(again) == ALL
    assert [run["origin"] for run in again.of("report_runs")] == ["fetched", "fetched"]
    assert [asked for asked in ledgers.asked if DAY in asked.path] == asked


@pytest.mark.parametrize("storage", [False, True])
@pytest.mark.parametrize("page", [1, 2, 3])
def test_a_sync_that_ends_between_two_pages_has_sent_nothing_of_the_day(monkeypatch, ledgers, tmp_path, page, storage):
    kept = {"storage_url": str(tmp_path)} if storage else {}

    def is_now():
        return len([asked for asked in ledgers.asked if "/funds/" in asked.path and DAY in asked.path]) == page

    declared(monkeypatch, LEDGERS)
    killed(monkeypatch, {"start_date": DAY, "ledgers_key": "k", "ledgers_url": ledgers.url, **kept}, is_now)
    ledgers.asked.clear()
    second = synced(monkeypatch, ledgers, ledgers_key="k", **kept)
    assert second.status == 0, second.log
    assert amounts(second) == ALL
    assert second.doubles() == {}


OFFSET = d.OffsetPaging("offset", "total", size=("size", "2"))
LISTED = replace(ENTRIES, endpoint=replace(ENTRIES.endpoint, paging=OFFSET))
KEYED = replace(LISTED, key=("pspReference",))


def growing(ledgers, before, grown, times=1, totals=True):
    """Answers by offset: `before` for the first page of the first readings, `grown` for all others."""
    firsts = 0

    def answer(asked):
        nonlocal firsts
        if "/funds/" not in asked.path or DAY not in asked.path:
            return None
        start = int(asked.query["offset"])
        firsts += start == 0
        items = before if start == 0 and firsts <= times else grown
        return Answered({"items": items[start : start + 2], **({"total": len(items)} if totals else {})})

    ledgers.before = answer


@pytest.mark.parametrize("place", [0, 2, 5])
@pytest.mark.parametrize("rows", [LISTED, KEYED])
def test_a_list_that_grows_while_it_is_read_is_neither_short_nor_doubled(monkeypatch, ledgers, place, rows):
    before = [item(number, DAY) for number in range(5)]
    grown = [*before[:place], item(7, DAY), *before[place:]]
    growing(ledgers, before, grown)
    found = synced(monkeypatch, ledgers, with_rows(rows))
    assert found.status == 0, found.log
    assert amounts(found) == [(one["pspReference"], f"1.0{one['amount'] - 100}") for one in grown]
    checks = {check["check"]: check for check in found.of("reconciliations") if check["subject"].startswith("funds")}
    assert (checks["rows_declared"]["expected"], checks["rows_declared"]["ok"]) == ("6", True)


@pytest.mark.parametrize("rows", [LISTED, KEYED])
def test_a_list_that_changes_each_time_is_left_to_the_next_sync(monkeypatch, ledgers, rows):
    before = [item(number, DAY) for number in range(5)]
    growing(ledgers, before, [item(7, DAY), *before], times=99)
    found = synced(monkeypatch, ledgers, with_rows(rows))
    assert (found.status, found.of("ledgers_funds")) == (1, [])
    assert "sync again later" in found.log


def test_a_key_makes_up_for_a_total_only_as_far_as_it_goes(monkeypatch, ledgers):
    before = [item(number, DAY) for number in range(4)]
    # The row that was the second is the third by now, and has changed.
    growing(ledgers, before, [before[0], item(7, DAY), {**before[1], "amount": 5}, *before[2:]], totals=False)
    paging = replace(OFFSET, total="")
    source = with_rows(replace(KEYED, endpoint=replace(KEYED.endpoint, paging=paging)))
    found = synced(monkeypatch, ledgers, source)
    assert found.status == 0, found.log
    assert [name for name, _ in amounts(found)] == ["p0", "p7", "p1", "p2", "p3"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"items": [{"amount": 1}]}, "row 1 has no pspReference, which tells it apart from others"),
        ({"items": [], "total": "many"}, "does not say at total how many rows there are"),
        ({"rows": []}, "the answer has none of items"),
    ],
)
def test_rows_that_cannot_be_trusted_are_a_failure(monkeypatch, ledgers, answer, said):
    ledgers.before = lambda asked: Answered({"total": 1, **answer}) if "/funds/" in asked.path else None
    found = synced(monkeypatch, ledgers, with_rows(KEYED))
    assert (found.status, found.of("ledgers_funds")) == (1, [])
    assert said in found.log


def test_a_list_that_says_that_there_is_more_names_it(monkeypatch, ledgers):
    ledgers.before = lambda _asked: Answered({"items": [item(1, DAY)], "hasMore": True})
    found = synced(monkeypatch, ledgers)
    assert (found.status, found.of("ledgers_funds")) == (1, [])
    assert "nothing at cursor to go on with" in found.log


def test_a_declaration_says_how_each_report_is_got():
    values = {"ledgers_key": "k", "ledgers_url": "https://x.example"}
    assert LEDGERS.problems(values) == []
    unkeyed = with_rows(replace(ENTRIES, endpoint=replace(ENTRIES.endpoint, paging=d.OffsetPaging())))
    assert [line.partition(": ")[2][:20] for line in unkeyed.problems(values)] == ["a list by offset or "] * 2
