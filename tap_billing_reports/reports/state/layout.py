"""How a ledger stands in STATE: one `EntryState` an account. Decoding one checks its shape.

Inside are lists, never objects with ids for keys: Meltano merges objects of two states key by key.
Keys of windows and the bounds of the closed range stay text: they are compared as such. Order of the fields is the
order in STATE; what is not known is left out there.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

import msgspec

from tap_billing_reports.core.dates import parse_utc
from tap_billing_reports.declare import ALL

VERSION = 1
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
Day = Annotated[list[str], msgspec.Meta(min_length=1)]
"""A date, and the subjects of that date."""


class OpenPeriod(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What is known of a period that was ordered, or tried, and is not done.

    Attributes:
        run: the run to resume; None: the period is to be ordered.
        attempt: the number of that run's order, or of the next; None where nothing was ordered yet.
        at: when it was ordered.
        asked: tells its parameters apart from any others, see `journal.asked_of`.
        bad, bad_since: in how many syncs the run could not be used, and since when.
        adopted: the run was found at the vendor, not ordered by us.
        start, end: the interval that a window's run was ordered for.
        out, out_rows: the file whose rows may be out, and how many of them.
        rows: how many rows of earlier readings may be out.
        failed, failed_at: how many runs have failed or expired since the period was last read, and when the last did.
        refused: how often its order was refused since then.
        not_yet: when the vendor said last that it does not have it yet.
    """

    period: str
    run: str | None = None
    attempt: int | None = None
    at: Instant | None = None
    asked: str | None = None
    bad: int = 0
    bad_since: Instant | None = None
    adopted: bool = False
    start: Instant | None = None
    end: Instant | None = None
    out: str | None = None
    out_rows: int = 0
    rows: int = 0
    failed: int = 0
    failed_at: Instant | None = None
    refused: int = 0
    not_yet: Instant | None = None

    @property
    def next_attempt(self) -> int:
        """The number of its run, or of the order that comes next."""
        return 1 if self.attempt is None else self.attempt


class DonePeriod(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What is known of a period that was read; of a subject nothing but that it was.

    Attributes:
        start: where it began, if more may be asked for one day: of `all`, and of a window that was cut off.
        end: where it ended.
        run, at: the run that was read, and when that was ordered.
        rows: how many rows of it are out.
        next: the key of the window that follows, where this one was read whole.
    """

    period: str
    start: Instant | None = None
    end: Instant | None = None
    run: str | None = None
    at: Instant | None = None
    rows: int | None = None
    next: str | None = None

    @property
    def is_subject(self) -> bool:
        """Whether nothing is known of it."""
        return self == DonePeriod(period=self.period)


class BalanceSpan(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Periods that were read and touch each other, and the balances at both ends.

    Attributes:
        start, end: where they begin and end.
        opening, closing: the balance before their first row and after their last; None where no period has a row.
        subject, run: the first period with rows, as its checks name it.
    """

    start: Instant
    end: Instant
    opening: str | None = None
    closing: str | None = None
    subject: str = ""
    run: str = ""

    def check(self) -> None:
        """What the types cannot say.

        Raises:
            ValueError: a balance is no amount, or one end is missing.
        """
        if self.start >= self.end or (self.opening is None) is not (self.closing is None):
            raise ValueError(f"the balances from {self.start} on have no two ends")
        for amount in (self.opening, self.closing):
            if amount is not None and not _is_amount(amount):
                raise ValueError(f"{amount} is no balance")


class EntryState(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One account's part of a ledger; see `Entry`, which it is read into."""

    version: int
    account: str
    # Written where it is empty, too: a default that the encoder does not know for one.
    identity: dict[str, object] = msgspec.field(default_factory=lambda: {})  # noqa: PIE807 - see above
    first: str | None = None
    through: str | None = None
    seen: str | None = None
    listed_from: str | None = None
    forgotten_from: str | None = None
    forgotten_until: str | None = None
    open: list[OpenPeriod] = []
    done: list[DonePeriod] = []
    subjects_due: list[Day] = []
    subjects_done: list[Day] = []
    unsent: bool = False
    gone: bool = False
    list_memory: dict[str, object] = {}
    balances: list[BalanceSpan] = []
    realm: dict[str, str] = {}

    def check(self) -> None:
        """What the types cannot say, and a sync would stumble over half-way.

        Raises:
            ValueError: a key or a date is none, or a window is without its interval.
        """
        keys = [moment for moment in (self.first, self.through) if moment is not None]
        keys += [done.next for done in self.done if done.next is not None]
        if "window" in self.identity:
            periods = [item.period for item in self.open] + [done.period for done in self.done]
            keys += [period for period in periods if period != ALL]
        for key in keys:
            parse_utc(key)
        # One subject may be called `all`, too: then it has no window.
        has_subjects = bool(self.identity) and "window" not in self.identity
        for item in self.open:
            is_window = _is_instant(item.period) or (item.period == ALL and not has_subjects)
            if item.run is not None and is_window and (item.start is None or item.end is None):
                raise ValueError(f"{item.period} has no interval")
        for done in self.done:
            if done.end is None and not done.is_subject:
                raise ValueError(f"{done.period} has no end")
            if done.next is not None and done.next <= done.period:
                raise ValueError(f"{done.period} is followed by {done.next}")
        dates = (self.seen, self.listed_from, self.forgotten_from, self.forgotten_until)
        days = [subjects[0] for subjects in (*self.subjects_due, *self.subjects_done)]
        for day in (*days, *(text for text in dates if text is not None)):
            date.fromisoformat(day)
        for span in self.balances:
            span.check()


def decoded(value: object) -> EntryState:
    """The entry that stands in a STATE.

    Raises:
        ValueError: it is damaged; says where.
    """
    state = msgspec.convert(value, EntryState)
    state.check()
    return state


def encoded(state: EntryState) -> dict[str, object]:
    """The entry as it stands in STATE."""
    found: dict[str, object] = msgspec.to_builtins(state)
    return found


def _is_amount(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except ArithmeticError:
        return False


def _is_instant(key: str) -> bool:
    try:
        parse_utc(key)
    except ValueError:
        return False
    return True
