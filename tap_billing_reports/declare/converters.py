"""From a vendor's value to a column's: the conversions that field maps are made of. ValueError refuses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tap_billing_reports.core import dates, money
from tap_billing_reports.core.json_text import to_json

if TYPE_CHECKING:
    from tap_billing_reports.declare.endpoints import Convert, Record

_is_whole = re.compile(r"[+-]?[0-9]+").fullmatch
# Beyond any amount; written out, a JSON number like 1e999999999 would fill the memory.
_LARGEST_EXPONENT = 400


def text(value: Any, record: Record) -> str:
    """Text as it is; numbers in the vendor's digits.

    A list or an object is refused: an XML element that stands twice where one is expected comes as such a list.
    """
    if isinstance(value, Mapping | list | tuple):
        raise ValueError("no single text")  # noqa: TRY004 - one error type for every refused value
    return as_json(value, record)


def as_json(value: Any, _record: Record) -> str:
    """The same, but lists and objects as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | Mapping | list | tuple):
        return to_json(value)
    return str(value)


def decimal(value: Any, _record: Record) -> str:
    """An exact decimal in major units."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError(type(value).__name__)  # noqa: TRY004 - one error type for every refused value
    return money.decimal_text(_bounded(value) if isinstance(value, Decimal) else value)


def _bounded(number: Decimal) -> Decimal:
    if not number.is_finite() or max(abs(number.adjusted()), len(number.as_tuple().digits)) > _LARGEST_EXPONENT:
        raise ValueError("no number that an amount can be")
    return number


def whole(value: Any, _record: Record) -> int:
    """A whole number, sent as a number (`3`, `3.0`, `3e2`) or as its digits."""
    if isinstance(value, bool):
        raise ValueError("boolean")  # noqa: TRY004 - one error type for every refused value
    if isinstance(value, Decimal):
        if _bounded(value) != value.to_integral_value():
            raise ValueError("fraction")
        return int(value)
    digits = str(value).strip()
    if not _is_whole(digits):
        raise ValueError("no whole number")
    return int(digits)


def flag(value: Any, _record: Record) -> bool:
    """A boolean, sent as one or as the words true and false."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word not in {"true", "false"}:
        raise ValueError("not a boolean")
    return word == "true"


def day(value: Any, _record: Record) -> str:
    """A date, written `dd.mm.yyyy` or `yyyy-mm-dd`."""
    return dates.date_text(dates.parse_date(str(value).strip()))


def epoch(value: Any, record: Record) -> str:
    """Seconds since 1970 as an instant in UTC."""
    return dates.epoch_text(whole(value, record))


def timestamp(value: Any, _record: Record) -> str:
    """RFC 3339 text with any offset as an instant in UTC."""
    return dates.iso_to_utc_text(str(value).strip())


def epoch_day(value: Any, record: Record) -> str:
    """Seconds since 1970 as the UTC date."""
    return epoch(value, record)[:10]


def upper(value: Any, _record: Record) -> str:
    """Text in capitals: currency codes."""
    if not isinstance(value, str):
        raise ValueError("no text")  # noqa: TRY004 - one error type for every refused value
    return value.upper()


def lookup(known: Mapping[str, Any], default: Any) -> Convert:
    """Our word for the vendor's; an unknown one gives the default. An error only where it is no word at all."""

    def convert(value: Any, _record: Record) -> Any:
        if isinstance(value, Mapping | list | tuple):
            raise ValueError("no single word")  # noqa: TRY004 - one error type for every refused value
        return known.get(str(value), default)

    return convert


def constant(word: str) -> Convert:
    """The same word for every record."""

    def convert(_value: Any, _record: Record) -> str:
        return word

    return convert


def minor(currency_key: str, *, exponents: Mapping[str, int] = money.ISO_4217) -> Convert:
    """Integer minor units to exact major units, by the currency that the record names at `currency_key`."""

    def convert(value: Any, record: Record) -> str:
        return money.minor_to_major(whole(value, record), str(record[currency_key]), exponents)

    return convert


def minor_of(currency: str) -> Convert:
    """Integer minor units to exact major units of one known currency."""

    def convert(value: Any, record: Record) -> str:
        return money.minor_to_major(whole(value, record), currency)

    return convert


# -- not columns: what runs are made of ----------------------------------------------------------------


def instant(seconds: Any) -> datetime:
    """Seconds since 1970 as an aware instant in UTC."""
    try:
        return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=whole(seconds, {}))
    except OverflowError:
        raise ValueError("outside the calendar") from None


def instant_or_none(seconds: Any) -> datetime | None:
    """The same; None stays None."""
    return None if seconds is None else instant(seconds)


def window(start: Any, end: Any) -> tuple[datetime | None, datetime]:
    """Two parameters of a run, in seconds since 1970; the start may be missing."""
    return instant_or_none(start), instant(end)


def name(value: Any) -> str:
    """What the vendor calls a thing: text, or a number as its digits; ValueError for anything else and for none."""
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise ValueError("no id")
    return str(value)


def parameter(value: Any) -> Any:
    """A setting's value as a run's parameter: text, or a tuple of texts."""
    if isinstance(value, list | tuple):
        return tuple(parameter(item) for item in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
