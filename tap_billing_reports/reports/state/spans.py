"""The balances of the periods that were read, joined where they touch, so that what is read later is held to them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_billing_reports.reports.state.layout import BalanceSpan


class Joint(NamedTuple):
    """Where two periods with rows touch, maybe over some without any."""

    closing: Decimal
    opening: Decimal
    subject: str
    run: str


def joined(spans: Sequence[BalanceSpan], read: BalanceSpan) -> tuple[list[BalanceSpan], list[Joint]]:
    """The spans with a period that was read, in the order of time; and the places where it touches others.

    A period within a span was there before: it changes nothing. One that overlaps spans takes their place.
    """
    if any(span.start <= read.start and read.end <= span.end for span in spans):
        return list(spans), []
    apart = [span for span in spans if span.end <= read.start or read.end <= span.start]
    before = next((span for span in apart if span.end == read.start), None)
    after = next((span for span in apart if span.start == read.end), None)
    joints: list[Joint] = []
    whole = read
    if before is not None:
        whole = _merged(before, whole, joints)
    if after is not None:
        whole = _merged(whole, after, joints)
    kept = [span for span in apart if span is not before and span is not after]
    return sorted([*kept, whole], key=lambda span: span.start), joints


def _merged(one: BalanceSpan, other: BalanceSpan, joints: list[Joint]) -> BalanceSpan:
    """Both as one; a balance passes through what has no rows."""
    if one.closing is None:
        return replace(other, start=one.start)
    if other.opening is None:
        return replace(one, end=other.end)
    joints.append(Joint(Decimal(one.closing), Decimal(other.opening), other.subject, other.run))
    return replace(one, end=other.end, closing=other.closing)
