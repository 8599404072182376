"""Dates and instants, each in one spelling.

A date is `YYYY-MM-DD`, an instant is UTC as `YYYY-MM-DDTHH:MM:SSZ` with six fraction digits only where the
fraction is not zero, so that instants of whole seconds compare as text. What is unreadable is a ValueError.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tap_billing_reports.core.redaction import clipped

if TYPE_CHECKING:
    from collections.abc import Iterable

UTC: Final = timezone.utc
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MIDNIGHT: Final = " 00:00:00"
_iso_date: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})").fullmatch
_dotted_date: Final = re.compile(r"([0-9]{2})\.([0-9]{2})\.([0-9]{4})").fullmatch
_instant: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,6})0*)?"
    r"([Zz]|[+-][0-9]{2}:?[0-9]{2})"
).fullmatch
_wall_clock: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?: ([0-9]{2}):([0-9]{2}):([0-9]{2}))?").fullmatch


def parse_date(text: str) -> date:
    """The calendar date of `yyyy-mm-dd` or `dd.mm.yyyy`, and of nothing else."""
    if found := _iso_date(text):
        year, month, day = found.groups()
    elif found := _dotted_date(text):
        day, month, year = found.groups()
    else:
        raise ValueError(f"not a date: {clipped(text, 40)}")
    return date(int(year), int(month), int(day))


def parse_day(text: str) -> date:
    """As `parse_date`; midnight may stand behind the day, which some vendors write as a time. No other time may."""
    return parse_date(text.removesuffix(_MIDNIGHT))


def date_text(day: date) -> str:
    """The date as `YYYY-MM-DD`; a datetime gives the date of its own wall clock."""
    return f"{day.year:04d}-{day.month:02d}-{day.day:02d}"


def utc_text(moment: datetime) -> str:
    """The instant in UTC; ValueError without a zone."""
    if moment.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def parse_utc(text: str) -> datetime:
    """The instant, in UTC, of RFC 3339 text with `Z` or an offset; finer than a microsecond is refused."""
    found = _instant(text)
    if found is None:
        raise ValueError(f"not an instant with an offset: {clipped(text, 40)}")
    day, hour, minute, second, fraction, offset = found.groups()
    clock = time(int(hour), int(minute), int(second), int((fraction or "").ljust(6, "0")), tzinfo=UTC)
    moment = datetime.combine(parse_date(day), clock)
    if offset in {"Z", "z"}:
        return moment
    hours, minutes = int(offset[1:3]), int(offset[-2:])
    if hours > 23 or minutes > 59:
        raise ValueError(f"not an offset: {clipped(text, 40)}")
    ahead = timedelta(hours=hours, minutes=minutes)
    try:
        return moment + ahead if offset[0] == "-" else moment - ahead
    except OverflowError:
        raise ValueError(f"outside the calendar: {clipped(text, 40)}") from None


def epoch_text(seconds: int) -> str:
    """The instant of a whole number of seconds since 1970-01-01 UTC."""
    try:
        return utc_text(_EPOCH + timedelta(seconds=seconds))
    except OverflowError:
        raise ValueError(f"outside the calendar: {seconds} seconds") from None


def iso_to_utc_text(text: str) -> str:
    """RFC 3339 text with any offset, spelt our way."""
    return utc_text(parse_utc(text))


def zone_named(name: str) -> ZoneInfo:
    """The IANA zone; ValueError when the name is not one."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        raise ValueError(f"not a time zone: {clipped(name, 60)}") from None


# ":MM:SS" of every second in an hour: a lookup validates and converts at once.
_TAILS: Final = {f":{m:02d}:{s:02d}": f":{m:02d}:{s:02d}Z" for m in range(60) for s in range(60)}
_SECONDS: Final = {f":{s:02d}": f":{s:02d}Z" for s in range(60)}
_REMEMBERED: Final = 50_000


class LocalTimes:
    """Turns wall-clock text of one zone into `utc_text`: `YYYY-MM-DD HH:MM:SS`, or `YYYY-MM-DD` for midnight.

    Called for every timestamp of a file, so the UTC text of an hour (of a minute where the zone's offset is
    not whole hours) is looked up, and only hours around a change of the clock are worked out each time.

    Attributes:
        ambiguous: times in an hour that the clock showed twice; the first occurrence was taken.
        nonexistent: times that the clock skipped; read as if the clock had not been put forward yet.
    """

    def __init__(self, zone: str = "UTC") -> None:
        self.zone = zone_named(zone)
        self.ambiguous = 0
        self.nonexistent = 0
        self._hours: dict[str, str] = {}
        self._minutes: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        """The instant; ValueError for text in any other form and for a day or time that no calendar has."""
        try:
            return self._hours[text[:13]] + _TAILS[text[13:]]
        except KeyError:
            pass
        try:
            return self._minutes[text[:16]] + _SECONDS[text[16:]]
        except KeyError:
            return self._work_out(text)

    def all(self, texts: Iterable[str]) -> list[str | None]:
        """The same for many cells at once, an empty one being None; ValueError if any is not a time."""
        texts = list(texts)
        hours, tails = self._hours, _TAILS
        try:
            return [hours[text[:13]] + tails[text[13:]] if text else None for text in texts]
        except KeyError:
            return [self(text) if text else None for text in texts]

    def _work_out(self, text: str) -> str:
        found = _wall_clock(text)
        if found is None:
            raise ValueError(f"not a time YYYY-MM-DD HH:MM:SS: {clipped(text, 40)}")
        day, hour, minute, second = found.groups("00")
        wall = datetime.combine(parse_date(day), time(int(hour), int(minute), int(second)))
        try:
            moment = wall.replace(tzinfo=self.zone).astimezone(UTC)
            shown = moment.astimezone(self.zone).replace(tzinfo=None)
        except OverflowError:
            raise ValueError(f"outside the calendar: {clipped(text, 40)}") from None
        if shown != wall:
            self.nonexistent += 1
        elif self._shown_twice(wall):
            self.ambiguous += 1
        elif len(text) == 19:
            self._remember(text, wall)
        return utc_text(moment)

    def _shown_twice(self, wall: datetime) -> bool:
        first, second = wall.replace(tzinfo=self.zone), wall.replace(tzinfo=self.zone, fold=1)
        return first.utcoffset() != second.utcoffset()

    def _remember(self, text: str, wall: datetime) -> None:
        """Keep the hour's (or minute's) UTC text if its offset is one and the same from end to end."""
        offset = self._steady_offset(wall.replace(minute=0, second=0), timedelta(minutes=59, seconds=59))
        if offset is not None and not offset % timedelta(hours=1):
            kept, key, utc = self._hours, text[:13], (wall - offset).strftime("%H")
        else:
            offset = self._steady_offset(wall.replace(second=0), timedelta(seconds=59))
            if offset is None or offset % timedelta(minutes=1):
                return
            kept, key, utc = self._minutes, text[:16], (wall - offset).strftime("%H:%M")
        if len(kept) >= _REMEMBERED:
            kept.clear()
        kept[key] = f"{date_text(wall - offset)}T{utc}"

    def _steady_offset(self, start: datetime, length: timedelta) -> timedelta | None:
        """The zone's offset over a span of wall-clock time; None where it changes within the span."""
        offsets = {
            (start + part).replace(tzinfo=self.zone, fold=fold).utcoffset()
            for part in (timedelta(), length)
            for fold in (0, 1)
        }
        return offsets.pop() if len(offsets) == 1 else None
