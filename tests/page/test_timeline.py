"""When the reports were made: a page of its own, of each vendor's last day with any."""

from __future__ import annotations

import re

import pytest

from tap_billing_reports.page.read import opened
from tap_billing_reports.page.timeline import timeline, took_in_words
from tap_billing_reports.warehouse.address import address_of
from tests.page.reading import ME
from tests.views.tables import answers, make, views

RUN = {**ME, "report_type": "payouts.itemized.3", "report_name": "payouts", "origin": "ordered", "error": None}


def run(number, ordered, finished, status="succeeded", **others):
    day = "2026-11-02"
    times = {"created_at": f"{day} {ordered}+00", "finished_at": None if finished is None else f"{day} {finished}+00"}
    return {**RUN, "run_id": f"r{number}", "period": f"p{number}", "status": status, **times, **others}


def written(place, *runs):
    if runs:
        make(place, "report_runs", runs, finished_at="text", error="text")
    views(place)
    with opened(address_of(place.url), "billing") as reading:
        return timeline(reading)


def test_each_run_of_the_last_day_lies_where_it_was_made(place):
    text = written(
        place,
        run(0, "00:00:00", "00:01:00", created_at="2026-11-01 00:00:00+00"),
        run(1, "10:00:00", "10:00:30"),
        run(2, "10:00:50", "10:01:40", status="failed"),
        run(3, "10:00:50", None, report_name="<fees>"),
        run(5, "00:00:00", None, created_at="2026-10-01 07:00:00+00", source="bring", account_id="<2000>"),
        run(4, "10:00:00", "10:00:30", origin="foreign"),
    )
    assert "<h2>Bring: 1 run of 1 October 2026, 07:00:00 to 07:00:00 UTC</h2>" in text
    assert "<h2>Stripe: 3 runs of 2 November 2026, 10:00:00 to 10:01:40 UTC</h2>" in text
    assert re.findall("<h3>([^ ]*)</h3>", text) == ["payouts", "&lt;fees&gt;", "payouts"]
    bars = [line for line in text.splitlines() if line.startswith("<dt>")]
    assert [bar.partition("</dt>")[0] for bar in bars] == [
        "<dt>&lt;2000&gt; p5", "<dt>acct_1 p3", "<dt>acct_1 p1", "<dt>acct_1 p2",
    ]  # fmt: skip
    assert 'class="bar plus" style="margin-left:0.00%;width:0.00%"' in bars[0]
    assert 'class="bar plus" style="margin-left:50.00%;width:0.00%"' in bars[1]
    assert 'class="bar plus" style="margin-left:0.00%;width:30.00%"' in bars[2]
    assert 'class="bar minus" style="margin-left:50.00%;width:50.00%"' in bars[3]
    assert [bar.rpartition('"amount">')[2] for bar in bars] == [
        "not told</dd>", "not told</dd>", "30 s</dd>", "failed after 50 s</dd>",
    ]  # fmt: skip


def test_the_view_counts_whole_seconds_and_none_below_zero(place):
    written(place, run(1, "10:00:00", "11:00:30.6"), run(2, "10:00:50", "10:00:00"), run(3, "10:00:00", None))
    found = answers(place, "select run_id, seconds from billing.report_timeline order by run_id")
    assert found == [("r1", 3631), ("r2", 0), ("r3", None)]


def test_a_warehouse_without_runs_says_what_to_do(place):
    assert "select the stream report_runs" in written(place)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59, "59 s"), (125, "2 min 5 s"), (3600, "1 h 0 min"), (90_061, "25 h 1 min")]
)
def test_how_long_it_took_in_words(seconds, text):
    assert took_in_words(seconds) == text
