"""Dates and instants have one spelling, and local time is exact around the changes of the clock."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_billing_reports.core.dates import (
    LocalTimes,
    date_text,
    epoch_text,
    iso_to_utc_text,
    parse_date,
    parse_utc,
    utc_text,
    zone_named,
)

EARLY, LATE = datetime.fromisoformat("1960-01-01"), datetime.fromisoformat("2060-01-01")
ZONES = ("UTC", "America/Los_Angeles", "Europe/Oslo", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Monrovia")


def test_both_spellings_of_a_date():
    assert parse_date("28.02.2026") == parse_date("2026-02-28") == date(2026, 2, 28)
    assert date_text(date(987, 1, 2)) == "0987-01-02"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-02-29",
        "2026-13-01",
        "29.02.2026",
        "2.1.2026",
        "2026-1-2",
        "20260102",
        "2026-01-02 ",
        "\u0662026-01-01",
    ],
)
def test_no_other_date(text):
    with pytest.raises(ValueError):
        parse_date(text)


def test_instants_have_one_spelling():
    whole = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
    assert utc_text(whole) == "2026-01-02T03:04:05Z"
    assert utc_text(whole.replace(microsecond=7)) == "2026-01-02T03:04:05.000007Z"
    assert utc_text(whole.astimezone(ZoneInfo("Europe/Oslo"))) == "2026-01-02T03:04:05Z"
    assert epoch_text(0) == "1970-01-01T00:00:00Z"
    assert epoch_text(-1) == "1969-12-31T23:59:59Z"
    assert epoch_text(1767322800) == "2026-01-02T03:00:00Z"
    with pytest.raises(ValueError):
        utc_text(whole.replace(tzinfo=None))
    with pytest.raises(ValueError):
        epoch_text(10**15)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
        ("2026-01-02T03:04:05+01:00", "2026-01-02T02:04:05Z"),
        ("2026-01-01T00:30:00-0930", "2026-01-01T10:00:00Z"),
        ("2019-12-12T12:31:36.933+01:00", "2019-12-12T11:31:36.933000Z"),
        ("2026-01-02 03:04:05.100000000Z", "2026-01-02T03:04:05.100000Z"),
        ("2026-01-02t03:04:05.000z", "2026-01-02T03:04:05Z"),
    ],
)
def test_offsets(text, utc):
    assert iso_to_utc_text(text) == utc
    assert utc_text(parse_utc(utc)) == utc


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-02T03:04:05",
        "2026-01-02",
        "2026-01-02T24:00:00Z",
        "2026-01-02T03:04:60Z",
        "2026-01-02T03:04:05+25:00",
        "2026-01-02T03:04:05+01:60",
        "2026-01-02T03:04:05.1234567Z",
        "0001-01-01T00:00:00+01:00",
    ],
)
def test_no_other_instant(text):
    with pytest.raises(ValueError):
        parse_utc(text)


@pytest.mark.parametrize("zone", ZONES)
@given(moment=st.datetimes(min_value=EARLY, max_value=LATE))
def test_local_times_are_what_the_zone_says(zone, moment):
    local = LocalTimes(zone)
    wall = moment.replace(microsecond=0)
    expected = utc_text(wall.replace(tzinfo=ZoneInfo(zone)))
    for _ in range(2):  # worked out, then looked up
        assert local(wall.isoformat(" ")) == expected
        assert local.all([wall.isoformat(" "), ""]) == [expected, None]
    midnight = wall.replace(hour=0, minute=0, second=0)
    assert local(date_text(wall)) == utc_text(midnight.replace(tzinfo=ZoneInfo(zone)))


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("warm", [False, True])
def test_every_minute_around_the_changes(zone, warm):
    local = LocalTimes(zone)
    tz = ZoneInfo(zone)
    for day in (
        date(2026, 3, 8),
        date(2026, 3, 29),
        date(2026, 4, 5),
        date(2026, 10, 4),
        date(2026, 10, 25),
        date(2026, 11, 1),
    ):
        if warm:
            local(f"{day} 00:30:00")
        for minute in range(0, 24 * 60, 7):
            wall = datetime.combine(day, time()) + timedelta(minutes=minute)
            assert local(wall.isoformat(" ")) == utc_text(wall.replace(tzinfo=tz))


def test_repeated_and_skipped_hours_are_counted():
    local = LocalTimes("America/Los_Angeles")
    assert local("2026-11-01 00:59:59") == "2026-11-01T07:59:59Z"
    assert (local.ambiguous, local.nonexistent) == (0, 0)
    assert local("2026-11-01 01:30:00") == "2026-11-01T08:30:00Z"
    assert local.all(["2026-11-01 01:30:00"] * 2) == ["2026-11-01T08:30:00Z"] * 2
    assert (local.ambiguous, local.nonexistent) == (3, 0)
    assert local("2026-03-08 02:30:00") == "2026-03-08T10:30:00Z"
    assert (local.ambiguous, local.nonexistent) == (3, 1)


@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles"])
@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-13-01 00:00:00",
        "2026-02-29 00:00:00",
        "2026-01-01 24:00:00",
        "2026-01-01 00:60:00",
        "2026-01-01 00:00:60",
        "2026-01-01T00:00:00",
        "2026-01-01 00:00",
        "2026-01-01 00:00:00Z",
        "2026-01-01 00:00:00.5",
        "2026-01-01 ",
        "01.01.2026 00:00:00",
        "\u0662026-01-01 00:00:00",
    ],
)
def test_no_other_local_time(zone, text):
    local = LocalTimes(zone)
    local("2026-01-01 00:00:00")
    with pytest.raises(ValueError):
        local(text)


def test_ends_of_the_calendar():
    with pytest.raises(ValueError):
        LocalTimes("America/Los_Angeles")("9999-12-31 23:59:59")
    with pytest.raises(ValueError):
        LocalTimes("Europe/Oslo")("0001-01-01 00:00:00")


@pytest.mark.parametrize("name", ["", "Nowhere/Land", "../etc/passwd", "/etc/localtime", "Europe"])
def test_no_such_zone(name):
    with pytest.raises(ValueError):
        zone_named(name)


def test_memory_of_hours_is_bounded(monkeypatch):
    monkeypatch.setattr("tap_billing_reports.core.dates._REMEMBERED", 10)
    local = LocalTimes("Europe/Oslo")
    start = datetime.fromisoformat("2026-01-01")
    for hour in range(100):
        wall = start + timedelta(hours=hour)
        assert local(wall.isoformat(" ")) == utc_text(wall.replace(tzinfo=ZoneInfo("Europe/Oslo")))
    assert len(local._hours) <= 10
