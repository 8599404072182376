"""The Arrow types of columns, and wall-clock times of a zone as instants, as our own reader understands them."""

# ruff: noqa: PLC0415 - pyarrow is not in every installation, and takes time and 60 MB: whoever has arrays imports it

from __future__ import annotations

from decimal import Decimal, DecimalException
from typing import TYPE_CHECKING, Any, Final

from tap_billing_reports.core.money import EXACT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_billing_reports.core.columns import ColumnType

DIGITS, DECIMAL_PLACES = 38, 12
# An amount as written that surely fits. pyarrow's cast of text is no proof: of more digits than 38 before and
# behind the point together it makes another number, which its own validation finds to be a good one.
PLAIN_DECIMAL: Final = rf"[+-]?[0-9]{{1,{DIGITS - DECIMAL_PLACES}}}(?:\.[0-9]{{1,{DECIMAL_PLACES}}})?"
_UNIT: Final = Decimal(1).scaleb(-DECIMAL_PLACES)
# Before and after these years pyarrow's rules of time zones are not held to be ours.
KNOWN_YEARS: Final = range(1901, 2037)


def arrow_type(kind: ColumnType) -> Any:
    """The type of a column; all instants are UTC."""
    import pyarrow as pa

    return {
        "text": pa.string(),
        "currency": pa.string(),
        "integer": pa.int64(),
        "decimal": pa.decimal128(DIGITS, DECIMAL_PLACES),
        "boolean": pa.bool_(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us", "UTC"),
        "timestamp_utc": pa.timestamp("us", "UTC"),
    }[kind]


def decimals(texts: Sequence[str | None]) -> Any:
    """Amounts as decimal text -> an array of the type of decimal columns, none of them altered.

    Raises:
        ValueError: one of them has more digits than the type holds.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    written = pa.array(texts, pa.string())
    plain = pc.match_substring_regex(written, rf"\A{PLAIN_DECIMAL}\z")
    if not pc.all(plain, min_count=0).as_py():
        written = pa.array([None if text is None else _plain_decimal(text) for text in texts], pa.string())
    return written.cast(arrow_type("decimal"))


def _plain_decimal(text: str) -> str:
    """The same amount in the plain form: zeros that say nothing may be more than the type has room for."""
    try:
        number = EXACT.quantize(EXACT.create_decimal(text), _UNIT)
    except DecimalException:
        raise ValueError("more digits behind the point than fit") from None
    if number.adjusted() >= DIGITS - DECIMAL_PLACES:
        raise ValueError("more digits before the point than fit")
    return format(number, "f")


def instants(wall: Any, zone: str) -> tuple[Any, int]:
    """Wall-clock times (`timestamp("us")`) as instants, and how many of them occurred twice (the first is taken).

    Raises:
        pyarrow.ArrowInvalid: a time that the clock skipped, or one whose zone is not surely known.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if zone == "UTC":
        return wall.cast(arrow_type("timestamp")), 0
    span = pc.min_max(wall)
    if span["min"].is_valid and not all(span[end].as_py().year in KNOWN_YEARS for end in ("min", "max")):
        raise pa.ArrowInvalid("outside the time zones that are known")
    try:
        found, twice = pc.assume_timezone(wall, zone, ambiguous="raise", nonexistent="raise"), 0
    except pa.ArrowInvalid:
        found = pc.assume_timezone(wall, zone, ambiguous="earliest", nonexistent="raise")
        later = pc.assume_timezone(wall, zone, ambiguous="latest", nonexistent="raise")
        twice = pc.sum(pc.not_equal(found, later)).as_py() or 0
    return found.cast(arrow_type("timestamp")), twice
