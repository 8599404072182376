"""Tax within an amount, rate by rate."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class TaxShare(NamedTuple):
    """The part of an amount that is taxed at one rate: before tax, and the tax; minor units."""

    percent: int
    net: int
    tax: int

    @property
    def total(self) -> int:
        return self.net + self.tax


def included(amount: int, percent: int) -> tuple[TaxShare, ...]:
    """The tax that an amount contains at one rate."""
    tax = amount * percent // (100 + percent)
    return (TaxShare(percent, amount - tax, tax),)


def within(shares: Iterable[TaxShare], whole: int, part: int) -> Iterator[TaxShare]:
    """The same rates within a part of `whole`, which is what the shares add up to; they add up to the part."""
    sign = 1 if part > 0 else -1
    reached = given = 0
    for share in shares:
        reached += share.total
        total = reached * abs(part) // whole - given
        given += total
        tax = share.tax * total // share.total if share.total else 0
        yield TaxShare(share.percent, sign * (total - tax), sign * tax)
