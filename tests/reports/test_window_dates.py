"""Windows: gapless, never overlapping, cut at local midnights whatever clocks do, clamped to what there is."""

from __future__ import annotations

import itertools
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

from tap_billing_reports.core.dates import utc_text
from tap_billing_reports.declare import ALL, Interval, Period
from tap_billing_reports.reports.window_dates import calendar, midnight, next_start, periods, window_start

UTC = timezone.utc
ZONES = (
    "UTC",
    "Europe/Oslo",
    "America/Los_Angeles",
    "America/Sao_Paulo",  # skipped and repeated midnights until 2019
    "Africa/Cairo",  # skips midnight
    "Asia/Beirut",  # skips midnight
    "Australia/Lord_Howe",  # half an hour
    "America/St_Johns",  # a midnight that came twice, until 2011
    "Pacific/Apia",  # skipped a day
    "Asia/Kathmandu",
)
ALWAYS = Interval(datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))

zones = st.sampled_from(ZONES)
units = st.sampled_from(["day", "week", "month"])
days = st.dates(date(2005, 1, 1), date(2027, 1, 1))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@given(zone=zones, day=days)
@example(zone="America/Sao_Paulo", day=date(2018, 11, 4))
@example(zone="Africa/Cairo", day=date(2024, 4, 26))
@example(zone="Asia/Beirut", day=date(2024, 3, 31))
@example(zone="Pacific/Apia", day=date(2011, 12, 30))
@example(zone="America/St_Johns", day=date(2010, 11, 7))
def test_a_day_begins_at_the_first_instant_of_its_date(zone, day):
    place, start = ZoneInfo(zone), midnight(day, zone)
    assert start.astimezone(place).date() >= day
    assert (start - timedelta(seconds=1)).astimezone(place).date() < day


@pytest.mark.parametrize(
    ("zone", "day", "start"),
    [
        ("America/Sao_Paulo", date(2018, 11, 4), "2018-11-04 03:00"),  # 00:00 does not exist: 01:00 is first
        ("Africa/Cairo", date(2024, 4, 26), "2024-04-25 22:00"),
        ("Asia/Beirut", date(2024, 3, 31), "2024-03-30 22:00"),
        ("Pacific/Apia", date(2011, 12, 30), "2011-12-30 10:00"),  # that day does not exist
        ("Pacific/Apia", date(2011, 12, 31), "2011-12-30 10:00"),
        ("Australia/Lord_Howe", date(2024, 4, 8), "2024-04-07 13:30"),
        ("Europe/Oslo", date(2024, 3, 31), "2024-03-30 23:00"),
        ("Europe/Oslo", date(2024, 4, 1), "2024-03-31 22:00"),
    ],
)
def test_known_midnights(zone, day, start):
    assert midnight(day, zone) == at(start)


def test_a_midnight_within_the_skipped_hour_is_not_waited_for():
    # Toronto put its clocks from 23:30 to 00:30: the new day began half an hour into the clock.
    zone, day = "America/Toronto", date(1919, 3, 31)
    start = midnight(day, zone)
    assert start == datetime(1919, 3, 31, 4, 30, tzinfo=UTC)
    assert start.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == datetime(1919, 3, 31, 0, 30)  # noqa: DTZ001


@given(zone=zones, unit=units, first=days, length=st.integers(0, 400))
@example(zone="Pacific/Apia", unit="day", first=date(2011, 12, 28), length=6)
@example(zone="Africa/Cairo", unit="day", first=date(2024, 4, 24), length=5)
def test_windows_are_gapless_and_never_overlap(zone, unit, first, length):
    until = midnight(first + timedelta(days=length), zone)
    windows = list(calendar(unit, zone, first, until))
    for (_, _, end), (_, start, _) in itertools.pairwise(windows):
        assert end == start
    for key, start, end in windows:
        assert key == utc_text(start)
        assert start < end
    assert len({key for key, _, _ in windows}) == len(windows)
    if windows:
        assert windows[0][1] == midnight(window_start(unit, first), zone)
        assert windows[-1][1] < until <= windows[-1][2]


@given(
    zone=zones,
    unit=units,
    first=days,
    length=st.integers(1, 100),
    back=st.integers(0, 3000),
    ahead=st.integers(0, 3000),
)
def test_periods_cover_exactly_what_is_whole_and_available(zone, unit, first, length, back, ahead):
    start = midnight(first, zone) - timedelta(hours=back)
    end = midnight(first + timedelta(days=length), zone) + timedelta(hours=ahead)
    found = list(periods(unit, zone, first, available=Interval(start, end), until=end))
    whole = [w for w in calendar(unit, zone, first, end) if w[2] <= end and w[2] > start]
    assert [period.key for period in found] == [key for key, _, _ in whole]
    for period, (_, begin, finish) in zip(found, whole, strict=True):
        assert period.start == max(begin, start)
        assert period.end == finish
    for earlier, later in itertools.pairwise(found):
        assert earlier.end == later.start


@given(zone=zones, unit=units, day=days)
def test_units_follow_one_another(zone, unit, day):
    start = window_start(unit, day)
    assert start <= day < next_start(unit, start)
    assert window_start(unit, start) == start
    assert window_start(unit, next_start(unit, start)) == next_start(unit, start)


def test_the_first_window_contains_the_start_date_and_is_clamped():
    available = Interval(at("2026-01-10 12:00"), at("2026-03-05 12:00"))
    months = list(periods("month", "UTC", date(2026, 1, 20), available=available, until=available.end))
    assert [(p.key, p.start, p.end) for p in months] == [
        ("2026-01-01T00:00:00Z", at("2026-01-10 12:00"), at("2026-02-01 00:00")),
        ("2026-02-01T00:00:00Z", at("2026-02-01 00:00"), at("2026-03-01 00:00")),
    ]


def test_a_window_that_is_not_over_is_asked_for_only_where_that_is_wanted():
    available = Interval(at("2026-01-01 00:00"), at("2026-03-05 12:00"))
    partial = list(
        periods("month", "UTC", date(2026, 3, 1), available=available, until=available.end, include_partial=True)
    )
    assert [(p.key, p.start, p.end) for p in partial] == [
        ("2026-03-01T00:00:00Z", at("2026-03-01 00:00"), at("2026-03-05 12:00"))
    ]
    assert list(periods("month", "UTC", date(2026, 3, 1), available=available, until=available.end)) == []


def test_all_is_one_period_from_the_start_date_to_what_there_is():
    available = Interval(at("2026-01-10 00:00"), at("2026-03-05 12:00"))
    (whole,) = periods("all", "Europe/Oslo", date(2026, 2, 1), available=available, until=available.end)
    assert (whole.key, whole.start, whole.end) == ("all", at("2026-01-31 23:00"), available.end)
    (clamped,) = periods("all", "UTC", date(2025, 2, 1), available=available, until=at("2026-02-01 00:00"))
    assert (clamped.start, clamped.end) == (available.start, at("2026-02-01 00:00"))
    assert list(periods("all", "UTC", date(2026, 4, 1), available=available, until=available.end)) == []


def test_nothing_is_asked_for_beyond_the_end():
    found = list(periods("day", "UTC", date(2026, 3, 1), available=ALWAYS, until=at("2026-03-03 23:59:59")))
    assert [p.key for p in found] == ["2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"]


def test_nights_of_a_changed_clock_are_23_and_25_hours_long():
    spring = list(periods("day", "Europe/Oslo", date(2026, 3, 29), available=ALWAYS, until=at("2026-03-29 22:00")))
    autumn = list(periods("day", "Europe/Oslo", date(2026, 10, 25), available=ALWAYS, until=at("2026-10-25 23:00")))
    assert [p.end - p.start for p in spring] == [timedelta(hours=23)]  # type: ignore[operator]
    assert [p.end - p.start for p in autumn] == [timedelta(hours=25)]  # type: ignore[operator]


# -- as days -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("unit", ["day", "week", "month"])
def test_the_days_of_windows_follow_each_other_without_gap(unit, zone):
    until = datetime(2012, 6, 1, tzinfo=UTC)
    found = [
        period.calendar_days(zone) for period in periods(unit, zone, date(2011, 11, 3), available=ALWAYS, until=until)
    ]
    days = [each for each in found if each is not None]
    assert len(days) == len(found) > 5
    for first, last in days:
        assert first <= last
        assert first == window_start(unit, first) or zone == "Pacific/Apia"
    missing = {date(2011, 12, 30)} if zone == "Pacific/Apia" else set()
    for (_, last), (first, _) in itertools.pairwise(days):
        between = {last + timedelta(days=n) for n in range(1, (first - last).days)}
        assert between <= missing


def test_a_window_that_the_vendor_has_in_part_keeps_the_calendars_first_day_and_ends_with_what_is_covered():
    key, end = "2026-08-31T22:00:00Z", datetime(2026, 9, 12, 6, tzinfo=UTC)
    partial = Period(key, datetime(2026, 9, 4, tzinfo=UTC), end)
    assert partial.calendar_days("Europe/Oslo") == (date(2026, 9, 1), date(2026, 9, 12))


@pytest.mark.parametrize("period", [Period("4711", subject="4711"), Period(ALL), Period(ALL, None, ALWAYS.end)])
def test_what_is_no_calendar_window_has_no_days(period):
    assert period.calendar_days("UTC") is None
