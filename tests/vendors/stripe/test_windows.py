"""Which windows a Stripe report is ordered for."""

from __future__ import annotations

import itertools
import json
from datetime import datetime, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tap_billing_reports.declare import Period
from tap_billing_reports.sandbox.stripe.catalogue import report_types
from tap_billing_reports.vendors.stripe import STRIPE
from tests.typed import some
from tests.vendors.stripe.emulated import ITEMIZED, SUMMARY

DAY = 86400


def intervals(stripe) -> list[tuple[Any, int]]:
    found = []
    for key in stripe.orders():
        parameters = json.loads(key)[2]
        found.append((parameters.get("interval_start"), parameters["interval_end"]))
    return sorted(found, key=str)


def at(text: str, zone: str = "UTC") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp())


@pytest.mark.parametrize(
    ("window", "count", "first", "last"),
    [
        ("day", 50, "2026-10-01", "2026-11-20"),
        ("week", 7, "2026-09-28", "2026-11-16"),
        ("month", 1, "2026-10-01", "2026-11-01"),
        ("all", 1, "2026-10-01", "2026-11-20"),
    ],
)
def test_windows_are_gapless_and_complete(stripe, window, count, first, last):
    ended = stripe.sync({"report_type": SUMMARY, "window": window})
    assert ended.code == 0, ended.log
    found = intervals(stripe)
    assert len(found) == count
    assert found[0][0] == at(first)
    assert found[-1][1] == at(last)
    assert all(end == start for (_, end), (start, _) in itertools.pairwise(found))
    contiguous = [r for r in ended.of("reconciliations") if r["check"] == "windows_contiguous"]
    assert [r["ok"] for r in contiguous] == ([True] if window != "all" else [])


def test_the_night_of_the_clock_change_has_25_hours(stripe):
    zone = "America/Los_Angeles"
    ended = stripe.sync(
        {"report_type": ITEMIZED, "window": "day", "timezone": zone},
        start_date="2026-10-31",
        end_date="2026-11-03",
    )
    assert ended.code == 0, ended.log
    assert intervals(stripe) == [
        (at("2026-10-31", zone), at("2026-11-01", zone)),
        (at("2026-11-01", zone), at("2026-11-02", zone)),
        (at("2026-11-02", zone), at("2026-11-03", zone)),
    ]
    assert [end - start for start, end in intervals(stripe)] == [DAY, DAY + 3600, DAY]
    periods = {r["period"] for r in ended.of("stripe_balance_change_from_activity_itemized_3")}
    assert periods <= {"2026-10-31T07:00:00Z", "2026-11-01T07:00:00Z", "2026-11-02T08:00:00Z"}


def test_windows_are_clamped_to_what_is_available(stripe):
    ended = stripe.sync({"report_type": SUMMARY, "window": "month"}, start_date="2026-01-01")
    assert ended.code == 0, ended.log
    kind = next(r for r in ended.of("report_types") if r["report_type"] == SUMMARY)
    available = at(kind["data_available_start"].rstrip("Z"))
    assert intervals(stripe)[0][0] == available
    keys = sorted({r["period"] for r in ended.of("report_runs")})
    assert keys[0] == f"{kind['data_available_start'][:7]}-01T00:00:00Z", "the key keeps the calendar's start"


def test_a_type_that_takes_only_an_end(stripe):
    ended = stripe.sync({"report_type": "ending_balance_reconciliation.summary.1", "window": "month"})
    assert ended.code == 0, ended.log
    assert intervals(stripe) == [(None, at("2026-11-01"))]


def test_a_type_by_payout_runs_once_for_each(stripe):
    kind = "payout_reconciliation.by_id.summary.1"
    listed = stripe.sync({"report_type": "payouts.itemized.3", "window": "month", "name": "payouts"})
    payouts = sorted({r["payout_id"] for r in listed.of("stripe_payouts") if r["payout_id"]})[:2]
    assert len(payouts) == 2
    stripe.control.reset()
    reports = {"report_type": kind, "payouts": payouts, "name": "by_payout"}
    ended = stripe.sync(reports)
    assert ended.code == 0, ended.log
    assert sorted({r["period"] for r in ended.of("stripe_by_payout")}) == payouts
    assert stripe.ordered() == 2
    again = stripe.sync(reports, state=ended.state)
    assert again.code == 0, again.log
    assert stripe.ordered() == 2
    assert not again.of("stripe_by_payout")


def test_partial_windows_are_read_again_until_they_are_whole(stripe):
    report = {"report_type": SUMMARY, "window": "month", "include_partial": True}
    first = stripe.sync(report)
    assert first.code == 0, first.log
    assert intervals(stripe) == [(at("2026-10-01"), at("2026-11-01")), (at("2026-11-01"), at("2026-11-20"))]
    stripe.control.advance(DAY)
    second = stripe.sync(report, state=first.state)
    assert second.code == 0, second.log
    assert intervals(stripe)[1:] == [
        (at("2026-11-01"), at("2026-11-20")),
        (at("2026-11-01"), at("2026-11-21")),
    ]
    assert {r["period"] for r in second.of("report_runs") if r["origin"] == "ordered"} == {"2026-11-01T00:00:00Z"}


def test_all_is_read_again_when_availability_has_moved(stripe):
    report = {"report_type": SUMMARY, "window": "all"}
    first = stripe.sync(report)
    same = stripe.sync(report, state=first.state)
    assert stripe.ordered() == 1
    stripe.control.advance(DAY / 2)
    moved = stripe.sync(report, state=same.state)
    assert (first.code, same.code, moved.code) == (0, 0, 0)
    assert stripe.ordered() == 2
    assert {r["period"] for r in moved.of("stripe_balance_change_from_activity_summary_1")} == {"all"}


def test_end_date_and_max_new_runs(stripe):
    report = {"report_type": SUMMARY, "window": "day"}
    first = stripe.sync(report, end_date="2026-10-06", max_new_runs=2)
    assert first.code == 0, first.log
    rest = "2026-10-03T00:00:00Z to 2026-10-05T00:00:00Z: deferred: more than max_new_runs=2 are due"
    assert rest in first.log
    assert intervals(stripe) == [(at("2026-10-01"), at("2026-10-02")), (at("2026-10-02"), at("2026-10-03"))]
    second = stripe.sync(report, state=first.state, end_date="2026-10-06", max_new_runs=60)
    assert second.code == 0
    assert intervals(stripe)[-1] == (at("2026-10-05"), at("2026-10-06"))
    assert stripe.ordered() == 5


def test_no_account_waits_for_the_newer_windows_of_another(stripe):
    report = {"report_type": SUMMARY, "window": "day", "name": "daily"}
    more = {"stripe_connected_accounts": ["acct_sandbox_north", "acct_sandbox_east"], "start_date": "2026-11-17"}
    state, served = None, []
    for _ in range(3):
        ended = stripe.sync(report, state=state, max_new_runs=3, **more)
        assert ended.code == 0, ended.log
        served.append({(r["account_id"], r["period"][:10]) for r in ended.of("report_runs") if r["report_name"]})
        state = ended.state
    accounts = ("acct_sandbox", "acct_sandbox_north", "acct_sandbox_east")
    assert served == [{(account, f"2026-11-{day}") for account in accounts} for day in (17, 18, 19)]


def test_a_window_whose_run_always_fails_does_not_use_up_the_limit_for_the_others(stripe):
    start = at("2026-11-17")
    stripe.control.options["stripe_run_rules"] = [
        {"match": {"parameters": {"interval_start": kind(start)}}, "do": {"fail": "no"}} for kind in (int, str)
    ]
    report, state, seen = {"report_type": SUMMARY, "window": "day", "name": "daily"}, None, []
    for _ in range(4):
        ended = stripe.sync(report, state=state, max_new_runs=1, start_date="2026-11-17")
        seen.append((ended.code, sorted({r["period"][8:10] for r in ended.of("stripe_daily")})))
        state = ended.state
    # A failed run is a failure, also if it is the limit that forbids another one; a deferred one is none.
    assert seen == [(1, []), (0, ["18"]), (0, ["19"]), (1, [])]


def test_an_order_out_of_range_reads_availability_again_once(stripe):
    kind = f"/v1/reporting/report_types/{SUMMARY}"
    end = at("2026-11-20")
    stripe.control.fault({"alter": {"from": str(end), "to": str(end + DAY)}}, {"path": kind}, times=1)
    ended = stripe.sync({"report_type": SUMMARY, "window": "day"}, start_date="2026-11-18")
    assert ended.code == 0, ended.log
    assert "does not have its data yet" in ended.log
    assert intervals(stripe) == [(at("2026-11-18"), at("2026-11-19")), (at("2026-11-19"), at("2026-11-20"))]
    assert len(stripe.asked(kind)) == 2


@pytest.mark.parametrize(
    "change",
    [{"window": "week"}, {"timezone": "Europe/Oslo"}, {"currency": "usd"}, {"extra_parameters": {"x": "1"}}],
)
def test_a_report_with_state_cannot_become_another(stripe, change):
    report = {"report_type": SUMMARY, "name": "cash", "window": "month"}
    first = stripe.sync(report)
    ended = stripe.sync({**report, **change}, state=first.state)
    assert ended.code == 1
    assert "give the report a new name" in ended.log
    assert not ended.states, "refused before any STATE goes out"
    assert stripe.ordered() == 1


def test_one_month_is_run_again(stripe):
    report = {"report_type": SUMMARY, "window": "month"}
    bounds = {"start_date": "2026-10-01", "end_date": "2026-11-01"}
    first = stripe.sync(report, **bounds)
    adopted = stripe.sync(report, **bounds)
    assert stripe.ordered() == 1, "without state the finished run is adopted"
    stripe.control.advance(60)
    again = stripe.sync(report, **bounds, reuse_runs_since=stripe.control.now().isoformat())
    assert (first.code, adopted.code, again.code) == (0, 0, 0), again.log
    assert stripe.ordered() == 2
    name = "stripe_balance_change_from_activity_summary_1"
    assert again.records[name].keys() == first.records[name].keys(), "the rows overwrite themselves"


ZONED = {
    f"{prefix}{family}.summary.1"
    for prefix in ("", "connected_account_")
    for family in ("balance_change_from_activity", "payouts", "ending_balance_reconciliation", "payout_reconciliation")
}
"""Stripe's pages of report types, copies of 2025 on, list `timezone` for these; older copies did not."""
TWINS = ("balance.summary.1", "connected_account_balance.summary.1", "payout_reconciliation.itemized.7")
UNZONED = (
    "balance_change_from_activity.itemized.1",
    "balance_change_from_activity.itemized.6",
    "payouts.itemized.2",
    "payout_reconciliation.by_id.summary.1",
    "connect.negative_balance_refunds_disputes_overview.1",
)


def asked(report_type, **entry):
    values = {"stripe_reports": [{"report_type": report_type, "window": "month", **entry}]}
    (report,) = some(STRIPE.reports).configured(values)
    moments = (datetime(2026, 10, 1, tzinfo=timezone.utc), datetime(2026, 11, 1, tzinfo=timezone.utc))
    period = Period("x", subject="po_1") if "by_id" in report_type else Period("x", *moments)
    return some(STRIPE.reports).parameters(report, period), report


@pytest.mark.parametrize("zone", ["Europe/Oslo", "America/New_York", None])
@pytest.mark.parametrize("report_type", [*sorted(ZONED), *TWINS])
def test_a_zone_is_asked_for_where_stripes_pages_list_it(report_type, zone):
    parameters, report = asked(report_type, **({"timezone": zone} if zone else {}))
    assert parameters["timezone"] == (zone or "UTC")
    assert some(STRIPE.reports).column_type(report, "created") == "timestamp"


@pytest.mark.parametrize("report_type", UNZONED)
def test_a_zone_is_never_asked_for_where_they_do_not(report_type):
    parameters, report = asked(report_type, timezone="Europe/Oslo", payouts=["po_1"])
    assert "timezone" not in parameters
    assert some(STRIPE.reports).column_type(report, "created") == "timestamp_utc"


@pytest.mark.parametrize("report_type", ["balance.summary.2", "tax.transactions.itemized.1", "nobody.knows.1"])
@pytest.mark.parametrize(("zone", "sent"), [("Europe/Oslo", True), ("UTC", False), (None, False)])
def test_what_no_page_tells_is_as_the_settings_ask(report_type, zone, sent):
    parameters, report = asked(report_type, **({"timezone": zone} if zone else {}))
    assert ("timezone" in parameters) is sent
    assert some(STRIPE.reports).column_type(report, "created") == "timestamp"


@pytest.mark.parametrize("report_type", sorted(ZONED))
def test_the_emulator_takes_a_zone_for_the_same_types(report_type):
    assert "timezone" in report_types()[report_type].optional


def test_a_refused_zone_is_a_failure_in_stripes_words(stripe):
    ended = stripe.sync({"report_type": "balance.summary.2", "window": "month", "timezone": "Europe/Oslo"})
    assert ended.code == 1
    assert "Received unknown parameter: parameters[timezone]" in ended.log


def test_a_run_of_an_older_version_without_the_zone_is_ordered_anew(stripe):
    report = {"report_type": SUMMARY, "window": "month", "timezone": "Europe/Oslo"}
    stripe.control.options["stripe_run_seconds"] = 10_000_000
    waiting = stripe.sync(report, run_deadline_minutes=1)
    assert waiting.code == 1
    stripe.control.options["stripe_run_seconds"] = 0
    # The run as that version has ordered it.
    (run,) = stripe.control.vendor("stripe").runs.everything()
    assert run.parameters.pop("timezone") == "Europe/Oslo"
    ended = stripe.sync(report, state=waiting.state)
    assert ended.code == 0, ended.log
    assert "was ordered without timezone" in ended.log
    assert stripe.ordered() == 2
    assert ended.of("stripe_balance_change_from_activity_summary_1")
