"""Which periods a full sync has asked for, worked out for the control totals alone.

Calendar units in the report's zone, the first containing the start date, clamped to the data that are there;
only units that are over.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

Period = tuple[int, int]


def periods(
    unit: str,
    start: date,
    until: date | None,
    zone: tzinfo,
    available: tuple[datetime, datetime],
    *,
    partial: bool,
) -> list[Period]:
    """[(begin, end)] as Unix seconds, oldest first; `until` is exclusive, `partial` adds the running unit."""
    first, end = available
    if until is not None:
        end = min(end, datetime.combine(until, time(), zone))
    if unit == "all":
        begin = max(first, datetime.combine(start, time(), zone))
        return [(int(begin.timestamp()), int(end.timestamp()))] if begin < end else []
    found = []
    for day, after in _units(unit, start):
        begin, close = (datetime.combine(edge, time(), zone) for edge in (day, after))
        if begin >= end:
            break
        if close > first and (close <= end or partial):
            clamped = max(begin, first), min(close, end)
            found.append((int(clamped[0].timestamp()), int(clamped[1].timestamp())))
    return found


def _units(unit: str, start: date) -> Iterator[tuple[date, date]]:
    day = {"day": start, "week": start - timedelta(days=start.weekday()), "month": start.replace(day=1)}[unit]
    while True:
        if unit == "month":
            after = (day + timedelta(days=31)).replace(day=1)
        else:
            after = day + timedelta(days=7 if unit == "week" else 1)
        yield day, after
        day = after
