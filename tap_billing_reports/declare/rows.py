"""What the rows of a report must agree with among themselves, wherever the file has the columns for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal


@dataclass(frozen=True)
class RowIdentity:
    """In every row the amount of one column, less that of another, is that of a third. Names of row columns."""

    whole: str
    less: str
    rest: str


@dataclass(frozen=True)
class StatedTotal:
    """An amount that the vendor states of a period, which its rows must add up to; the check `stated_total`.

    Attributes:
        name: what it is, in the vendor's words.
        expected: the amount, in major units; None where the vendor does not state it.
        amount: the row column that is added up.
        kind: the row column that says which rows count.
        signs: its value -> 1 or -1; rows of any other kind do not count.
        others: what else belongs to the amount and is no row.
    """

    name: str
    expected: Decimal | None
    amount: str = ""
    kind: str = ""
    signs: Mapping[str, int] = field(default_factory=dict)
    others: Decimal | None = None


@dataclass(frozen=True)
class BalanceChain:
    """In every row the balance before and the amount make the balance after, with which the next row begins.

    So does the first row of a period with the last one of the period before. Names of row columns.
    """

    before: str
    amount: str
    after: str


@dataclass(frozen=True)
class RollForward:
    """In every currency the opening balance and what moved it make the ending balance; one row is one of them.

    Attributes:
        kind: the row column that says what a row holds.
        amount: the row column of its amount.
        currency: the row column of its currency.
        start: the kind of the opening balance.
        end: the kind of the ending balance; a row of any other kind is a movement.
    """

    kind: str
    amount: str
    currency: str
    start: str
    end: str
