"""Runs that were read while nobody took `report_runs`: once it is taken, they are told of as our own."""

from __future__ import annotations

import pytest

from tap_billing_reports.singer.tap import TapBillingReports
from tests.vendors.stripe.emulated import ITEMIZED, SUMMARY

RUNS = "report_runs"
ROWS = "stripe_balance_change_from_activity_summary_1"
MONTH = {"report_type": SUMMARY, "window": "month"}
FACTS = ("report_name", "period", "window_end", "attempt", "origin", "status", "file_id")


def without(stripe, *reports, streams=(RUNS,), **more):
    """A catalogue in which these streams are deselected."""
    catalog = TapBillingReports(config=stripe.settings(*reports, **more)).catalog_dict
    for entry in catalog["streams"]:
        for part in entry["metadata"]:
            if not part["breadcrumb"]:
                part["metadata"]["selected"] = entry["stream"] not in streams
    return catalog


def facts(ended):
    return {record["run_id"]: tuple(record[name] for name in FACTS) for record in ended.of(RUNS)}


@pytest.mark.parametrize(
    "report",
    [
        MONTH,
        {"report_type": ITEMIZED, "window": "week", "timezone": "America/New_York", "include_partial": True},
        {"report_type": SUMMARY, "window": "all", "name": "to_date"},
        {"report_type": SUMMARY, "window": "day", "currency": "usd", "timezone": "Europe/Oslo"},
        {"report_type": "balance.summary.1", "window": "month"},
    ],
    ids=lambda report: f"{report['report_type']} {report['window']}",
)
def test_they_are_told_as_they_would_have_been(stripe, report):
    start = {"start_date": "2026-10-20"}
    whole = facts(stripe.sync(report, **start))
    assert {record[4] for record in whole.values()} == {"ordered"}
    stripe.control.reset()
    first = stripe.sync(report, catalog=without(stripe, report, **start), **start)
    assert (first.code, first.of(RUNS)) == (0, [])
    second = stripe.sync(report, state=first.state, **start)
    assert second.code == 0, second.log
    assert facts(second) == whole
    assert "untold" not in second.state["bookmarks"][RUNS]["listed"][0]
    assert facts(stripe.sync(report, state=second.state, **start)) == {}, "once"


def test_those_of_others_stay_foreign(stripe):
    stripe.sync({"report_type": SUMMARY, "window": "week", "name": "weeks"})
    stripe.control.advance(60)
    first = stripe.sync(MONTH, catalog=without(stripe, MONTH))
    stripe.control.advance(60)
    stripe.sync(MONTH, reuse_runs_since=f"{stripe.control.now():%Y-%m-%dT%H:%M:%SZ}")
    second = stripe.sync(MONTH, state=first.state)
    assert second.code == 0, second.log
    told = sorted(second.of(RUNS), key=lambda record: record["created_at"])
    assert {record["origin"] for record in told[:-2]} == {"foreign"}, "another report's"
    assert [record["origin"] for record in told[-2:]] == ["ordered", "foreign"], "the same report, ordered by another"


def test_adopted_and_failed_ones_are_told_as_such(stripe):
    elsewhere = stripe.sync(MONTH)
    (run,) = facts(elsewhere)
    first = stripe.sync(MONTH, catalog=without(stripe, MONTH))
    second = stripe.sync(MONTH, state=first.state)
    assert {run_id: record[4] for run_id, record in facts(second).items()} == {run: "adopted"}
    stripe.control.reset()
    stripe.control.options["stripe_run_rules"] = [
        {"match": {"nth": number}, "do": {"fail": "no luck"}} for number in (1, 2)
    ]
    first = stripe.sync(MONTH, catalog=without(stripe, MONTH))
    assert first.code == 0, first.log
    second = stripe.sync(MONTH, state=first.state)
    assert sorted((r["attempt"], r["status"], r["origin"]) for r in second.of(RUNS)) == [
        (1, "failed", "ordered"),
        (2, "failed", "ordered"),
        (3, "succeeded", "ordered"),
    ]


def test_a_pending_one_of_a_report_that_nobody_takes_any_more_is_ours(stripe):
    stripe.control.options["stripe_run_rules"] = [{"match": {"nth": 1}, "do": {"seconds": 10**6}}]
    first = stripe.sync(MONTH, run_deadline_minutes=1, catalog=without(stripe, MONTH))
    assert first.code == 1
    nobody = without(stripe, MONTH, streams=(ROWS, "report_files"))
    second = stripe.sync(MONTH, state=first.state, catalog=nobody)
    assert [(r["period"], r["status"], r["origin"]) for r in second.of(RUNS)] == [
        ("2026-10-01T00:00:00Z", "pending", "ordered")
    ]
