"""Which calendar windows lie between two instants: half-open, gapless, cut at local midnights of a zone."""

from __future__ import annotations

from bisect import bisect_left
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tap_billing_reports.core.dates import utc_text
from tap_billing_reports.declare import ALL, Interval, Period, Unit

if TYPE_CHECKING:
    from collections.abc import Iterator


def midnight(day: date, zone: str) -> datetime:
    """The instant at which a day begins in a zone, in UTC; where clocks skip midnight, the first instant after.

    A day that a zone has skipped whole begins together with the next one.
    """
    place = ZoneInfo(zone)
    wall = datetime(day.year, day.month, day.day, tzinfo=place)
    first, second = (wall.replace(fold=fold).astimezone(timezone.utc) for fold in (0, 1))
    if first <= second:
        return first
    # Midnight is skipped: `second` lies before the jump, `first` at or after it.
    seconds = range(int((first - second).total_seconds()) + 1)
    jump = bisect_left(seconds, day, key=lambda after: (second + timedelta(seconds=after)).astimezone(place).date())
    return second + timedelta(seconds=jump)


def window_start(unit: Unit, day: date) -> date:
    """The first day of the calendar unit that contains `day`; weeks begin on Monday."""
    if unit == "week":
        return day - timedelta(days=day.weekday())
    if unit == "month":
        return day.replace(day=1)
    return day


def next_start(unit: Unit, start: date) -> date:
    """The first day of the unit after the one that starts at `start`."""
    if unit == "week":
        return start + timedelta(days=7)
    if unit == "month":
        return (start.replace(day=28) + timedelta(days=4)).replace(day=1)
    return start + timedelta(days=1)


def calendar(unit: Unit, zone: str, first: date, until: datetime) -> Iterator[tuple[str, datetime, datetime]]:
    """Every window that begins before `until`: its key, its start and its calendar end (UTC instants)."""
    day = window_start(unit, first)
    start = midnight(day, zone)
    while start < until:
        day = next_start(unit, day)
        end = midnight(day, zone)
        if start < end:
            yield utc_text(start), start, end
        start = end


def periods(
    unit: Unit, zone: str, first: date, *, available: Interval, until: datetime, include_partial: bool = False
) -> Iterator[Period]:
    """What may be asked for, oldest first.

    Args:
        unit: `all` is one period from `first` to `until`.
        zone: whose midnights are the boundaries.
        first: the first window is the one that contains this day.
        available: what the vendor has; windows are clamped to it, their keys keep the calendar's start.
        until: nothing after this instant is asked for.
        include_partial: also the window that is not over yet, up to `until`.
    """
    until = min(until, available.end)
    if unit == ALL:
        start = max(midnight(first, zone), available.start)
        if start < until:
            yield Period(ALL, start, until)
        return
    for key, start, end in calendar(unit, zone, first, until):
        if end <= available.start or (end > until and not include_partial):
            continue
        yield Period(key, max(start, available.start), min(end, until))
