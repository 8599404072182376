"""Rows of the warehouse as the page's tables and bars."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tap_billing_reports.page.values import Bar, Money, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Rows that a person reads; the rest is a number and a query.
LONGEST = 25


def table(caption: str, heads: tuple[str, ...], rows: Sequence[tuple[Any, ...]], *, is_aside: bool = False) -> Table:
    """The first rows of some, and how many there are."""
    return Table(caption, heads, tuple(rows[:LONGEST]), len(rows), is_aside)


def filled(tables: Iterable[Table]) -> tuple[Table, ...]:
    """Those that have rows."""
    return tuple(one for one in tables if one.count)


def money(amount: Decimal | None, currency: str | None) -> Money | None:
    """An amount with its currency; None where either is not known."""
    return None if amount is None or currency is None else Money(amount, currency)


def bars(amounts: Sequence[tuple[str, Decimal]], currency: str) -> tuple[Bar, ...]:
    """One bar an amount, all from the same line; the longest is 1."""
    longest = max((abs(amount) for _, amount in amounts), default=Decimal(0)) or Decimal(1)
    return tuple(Bar(label, Money(amount, currency), float(abs(amount) / longest)) for label, amount in amounts)


def steps(parts: Sequence[tuple[str, Decimal]], end: tuple[str, Decimal], currency: str) -> tuple[Bar, ...]:
    """Each bar begins where the one before has ended; `end` is what is left. An amount of zero has no bar."""
    moved = [(label, amount) for label, amount in parts if amount]
    reached, edges = Decimal(0), [Decimal(0)]
    for _, amount in moved:
        reached += amount
        edges.append(reached)
    low, high = min(*edges, end[1], Decimal(0)), max(*edges, end[1], Decimal(0))
    width = high - low or Decimal(1)
    spans = [*pairwise(edges), (Decimal(0), end[1])]
    return tuple(
        Bar(label, Money(amount, currency), float(abs(to - start) / width), float((min(start, to) - low) / width))
        for (label, amount), (start, to) in zip([*moved, end], spans, strict=True)
    )
