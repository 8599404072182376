"""What the page is made of: answers with their tables and drawings, as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum


class Light(Enum):
    """What a person is to make of an answer. What was not checked is never good."""

    GOOD = "good"
    LOOK = "look"
    UNCHECKED = "unchecked"
    NONE = "none"

    @classmethod
    def of(cls, *, wrong: object, unchecked: object) -> Light:
        """What is wrong counts most, then what could not be checked; neither of them is good."""
        if wrong:
            return cls.LOOK
        return cls.UNCHECKED if unchecked else cls.GOOD


@dataclass(frozen=True)
class Money:
    """An amount with its currency."""

    amount: Decimal
    currency: str


@dataclass(frozen=True)
class Mark:
    """A word with a light of its own."""

    light: Light
    word: str


Cell = Money | Mark | Decimal | date | int | str | bool | None


@dataclass(frozen=True)
class Table:
    """Rows below an answer.

    Attributes:
        caption: what they are.
        heads: of the columns.
        rows: those that are shown.
        count: how many there are in all.
        is_aside: worth a look, but not at first.
    """

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    count: int
    is_aside: bool = False


@dataclass(frozen=True)
class Bar:
    """One amount of a row of bars.

    Attributes:
        label: what it is.
        money: how much.
        share: its length, where that of all bars together is 1.
        start: where it begins, from 0 to 1.
    """

    label: str
    money: Money
    share: float
    start: float = 0.0


@dataclass(frozen=True)
class Flow:
    """How one amount became another, as bars."""

    title: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Answer:
    """One question with its answer.

    Attributes:
        key: names it in the page's links.
        question: as finance asks it.
        light: what to make of it.
        said: the answer in a sentence or two.
        tables: what it rests on.
        flows: amounts that a drawing tells better.
    """

    key: str
    question: str
    light: Light
    said: str
    tables: tuple[Table, ...] = ()
    flows: tuple[Flow, ...] = ()


@dataclass(frozen=True)
class Facts:
    """All that the page says.

    Attributes:
        today: by the warehouse's clock.
        month: the last one that is over.
        is_invented: whether the data are of the emulated vendors.
        money: what moved in that month, a row a currency; None if nothing did.
        answers: to the questions that the data have something to say on.
        read: when each vendor was last read, a sentence each.
    """

    today: date
    month: date
    is_invented: bool
    money: Table | None
    answers: tuple[Answer, ...]
    read: tuple[str, ...] = ()
