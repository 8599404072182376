"""Which configured report a listed run was made for: by its type and parameters alone, whatever its window became."""

from __future__ import annotations

from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from tap_billing_reports.core.dates import parse_utc, utc_text
from tap_billing_reports.declare import Period, Report, Run, RunStatus, Subjects, Windowed
from tap_billing_reports.reports.runs.report_of_run import owner
from tests.typed import some

ACTIVITY, PAYOUT = "balance_change.itemized", "payout.by_id"


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


def asked(report, period):
    """A vendor's parameters: a window's two instants or its subject, beside the report's own."""
    window = {"from": period.start and utc_text(period.start), "to": period.end and utc_text(period.end)}
    subject = {"payout": period.subject} if period.subject else {}
    return {**report.parameters, **subject, **{name: value for name, value in window.items() if value}}


def window(parameters):
    if "to" not in parameters:
        raise ValueError("no window")
    return parse_utc(parameters["from"]) if "from" in parameters else None, parse_utc(parameters["to"])


API: Any = SimpleNamespace(parameters=asked, window=window)


def report(name="activity", zone="UTC", cadence=None, **facts):
    return Report("fake", facts.pop("report_type", ACTIVITY), name, zone, cadence or Windowed(), **facts)


def run(report_type=ACTIVITY, **parameters):
    parameters = {"from_": None, **parameters}
    start = parameters.pop("from_")
    return Run("run_1", RunStatus.READY, "done", report_type, {**({"from": start} if start else {}), **parameters})


@pytest.mark.parametrize(
    ("unit", "zone", "start", "end", "key"),
    [
        ("day", "UTC", "2026-03-05T00:00:00Z", "2026-03-06T00:00:00Z", "2026-03-05T00:00:00Z"),
        # The vendor had only the later part of it.
        ("day", "UTC", "2026-03-05T14:00:00Z", "2026-03-06T00:00:00Z", "2026-03-05T00:00:00Z"),
        # It was read before its end.
        ("day", "UTC", "2026-03-05T00:00:00Z", "2026-03-05T12:00:00Z", "2026-03-05T00:00:00Z"),
        # The night in which Oslo's clocks go forward: 23 hours.
        ("day", "Europe/Oslo", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", "2026-03-28T23:00:00Z"),
        ("week", "Europe/Oslo", "2026-03-22T23:00:00Z", "2026-03-29T22:00:00Z", "2026-03-22T23:00:00Z"),
        ("month", "Europe/Oslo", "2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z", "2026-02-28T23:00:00Z"),
        ("month", "America/Los_Angeles", "2026-03-20T00:00:00Z", "2026-04-01T07:00:00Z", "2026-03-01T08:00:00Z"),
        ("all", "UTC", "2026-01-01T00:00:00Z", "2026-03-06T12:00:00Z", "all"),
    ],
)
def test_a_window_is_known_by_its_last_day(unit, zone, start, end, key):
    mine = report(cadence=Windowed(unit), zone=zone)
    found = owner(API, API, [mine], run(from_=start, to=end))
    assert found == (mine, Period(key, parse_utc(start), parse_utc(end)))


def test_a_type_that_takes_no_start_is_known_by_its_end():
    mine = report(cadence=Windowed("month"))
    assert owner(API, API, [mine], run(to="2026-04-01T00:00:00Z")) == (
        mine,
        Period("2026-03-01T00:00:00Z", None, at("2026-04-01")),
    )


DAY = {"from_": "2026-03-05T00:00:00Z", "to": "2026-03-06T00:00:00Z"}


@pytest.mark.parametrize(
    "other",
    [
        run("another.type", **DAY),
        run(**DAY, currency="eur"),
        run(**DAY, columns=["net"]),
        run(**DAY, payout="po_1"),
        run(),
    ],
    ids=["type", "currency", "columns", "payout", "nothing asked"],
)
def test_what_nobody_here_would_ask_for_is_nobodys(other):
    assert owner(API, API, [report(), report("all_of_it", cadence=Windowed("all"))], run(**DAY)) is not None
    assert owner(API, API, [report(), report("all_of_it", cadence=Windowed("all"))], other) is None
    assert owner(API, API, [], run(**DAY)) is None


def test_of_two_reports_it_is_the_one_that_asks_the_same_and_else_the_first():
    euros = report("euros", parameters={"currency": "eur"})
    first, second = report("first"), report("second")
    assert some(owner(API, API, [euros, first, second], run(**DAY)))[0] is first
    assert some(owner(API, API, [first, second, euros], run(**DAY, currency="eur")))[0] is euros


def test_a_run_of_one_subject_is_known_by_that_subject():
    paid = report("paid", cadence=Subjects(("po_1", "po_2")), report_type=PAYOUT)
    assert owner(API, API, [paid], run(PAYOUT, payout="po_2")) == (paid, Period("po_2", subject="po_2"))
    assert owner(API, API, [paid], run(PAYOUT, payout="po_3")) is None


def test_a_report_over_windows_does_not_hide_one_over_subjects():
    windows = report("windows", report_type=PAYOUT)
    paid = report("paid", cadence=Subjects(("po_1",)), report_type=PAYOUT)
    assert owner(API, API, [windows, paid], run(PAYOUT, payout="po_1")) == (paid, Period("po_1", subject="po_1"))
