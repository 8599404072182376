"""What stands on the ledgers, entry by entry, before anything is serialised.

Facts: the vendor's pages "Entry type reference" and "Overview of the settlement process". An entry moves one of two
balances of a ledger: `funds`, what the merchant has, and `fees`, what the merchant owes (below zero). A net ledger
moves the fees over at the end of each day, a gross one is invoiced by month. A payout empties the funds.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from string import ascii_uppercase, digits
from typing import TYPE_CHECKING, Literal

from .ledgers import LEDGERS, Ledger

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from tap_billing_reports.sandbox.world import World

Topic = Literal["funds", "fees"]
TOPICS: tuple[Topic, ...] = ("funds", "fees")
PAYOUT = "payout"
"""The word of these books for a payout; the vendor has called it two things."""

HISTORY = timedelta(days=210)
CAMPAIGN = timedelta(days=40)
"""How long before the clock's start the first ledger has more entries in a day than an answer holds."""
CAMPAIGN_SALES = 1_050

# One part of an entry's fee in ten thousand of its amount, and the second fee of a capture of the first ledger.
_RATE, _FIXED = 175, 100
_LATE = timedelta(minutes=10)
"""The fee of a capture so shortly before the end of a day stands on the next one."""


@dataclass(frozen=True)
class Entry:
    """One entry; amounts are whole minor units, `at` is in UTC."""

    psp_reference: str
    at: datetime
    day: date
    kind: str
    reference: str | None
    amount: int
    before: int
    after: int
    handle: str | None


@dataclass(frozen=True)
class _Capture:
    psp_reference: str
    reference: str
    amount: int
    handle: str


@dataclass(frozen=True)
class _Move:
    """An entry before its place in the chain of balances is known."""

    at: datetime
    kind: str
    amount: int
    psp_reference: str
    reference: str | None
    handle: str | None

    @classmethod
    def of(cls, at: datetime, kind: str, amount: int, capture: _Capture, psp: str = "") -> _Move:
        return cls(at, kind, amount, psp or capture.psp_reference, capture.reference, capture.handle)


@dataclass
class _Book:
    """The days of one ledger so far, and what the next one goes on with."""

    funds: int = 0
    fees: int = 0
    payout_number: int = 2_000_000
    days: dict[date, dict[Topic, tuple[Entry, ...]]] = field(default_factory=dict)
    payouts: list[tuple[date, int]] = field(default_factory=list)
    recent: list[_Capture] = field(default_factory=list)
    late_fees: list[tuple[_Capture, int]] = field(default_factory=list)
    disputes: list[tuple[int, str, _Capture]] = field(default_factory=list)
    """Number of the day, kind of the entry, the capture."""


class Books:
    """Seeded entries of every ledger up to the present; a day once made is never changed."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._books = {ledger.id: _Book() for ledger in LEDGERS}
        self._lock = threading.Lock()
        self.first = (world.clock.start - HISTORY).date()

    def entries(self, ledger: Ledger, topic: Topic, day: date) -> tuple[Entry, ...]:
        """The entries of a day as far as they have happened, in the order of the chain of balances."""
        now = self._world.clock.now()
        found = self._grown(ledger).days.get(day, {}).get(topic, ())
        return tuple(entry for entry in found if entry.at <= now)

    def closed_through(self, ledger: Ledger) -> date:
        """The last closed day: days are closed with a payout, some while after its day has ended.

        Option `vipps_closing_minutes` is that while.
        """
        now = self._world.clock.now() - timedelta(minutes=self._world.options.get("vipps_closing_minutes", 150))
        done = [day for day, _ in self._grown(ledger).payouts if ledger.end(day) <= now]
        return done[-1] if done else self.first - timedelta(days=1)

    def _grown(self, ledger: Ledger) -> _Book:
        book, today = self._books[ledger.id], ledger.day_of(self._world.clock.now())
        with self._lock:
            day = self.first + timedelta(days=len(book.days))
            while day <= today:
                self._write(ledger, book, day)
                day += timedelta(days=1)
        return book

    def _write(self, ledger: Ledger, book: _Book, day: date) -> None:
        rng, number = self._world.rng(f"vipps/{ledger.id}/{day}"), (day - self.first).days
        captures = self._captures(ledger, rng, day)
        funds = [_Move.of(at, "capture", capture.amount, capture) for at, capture in captures]
        funds += self._refunds_and_disputes(ledger, book, rng, day, number)
        funds += self._rare(ledger, book, rng, day, number)
        fees = self._fees(ledger, book, captures, day, number)
        book.recent = [*book.recent, *(capture for _, capture in captures)][-60:]
        made: dict[Topic, list[Entry]] = {"funds": [], "fees": []}
        for move in sorted(funds, key=lambda move: move.at):
            self._add(book, made, "funds", day, move)
        for move in sorted(fees, key=lambda move: move.at):
            self._add(book, made, "fees", day, move)
        self._close(ledger, book, made, rng, day)
        book.days[day] = {topic: tuple(entries) for topic, entries in made.items()}

    def _captures(self, ledger: Ledger, rng: Random, day: date) -> list[tuple[datetime, _Capture]]:
        count = rng.randint(*ledger.sales)
        if ledger is LEDGERS[0] and day == (self._world.clock.start - CAMPAIGN).date():
            count = CAMPAIGN_SALES
        instants = sorted(_within(ledger, rng, day) for _ in range(count))
        if instants and day.weekday() == 3:  # Thursdays
            instants[-1] = ledger.end(day) - timedelta(seconds=rng.randint(1, 500), microseconds=rng.randint(1, 999))
        found: list[tuple[datetime, _Capture]] = []
        for n, at in enumerate(instants):
            # A payment that is captured in two parts has one reference and two of the vendor's.
            again = found and rng.random() < 0.05
            reference = found[-1][1].reference if again else f"shop-{ledger.id}-{day:%y%m%d}-{n + 1}"
            amount, handle = rng.randint(2_900, 249_900), rng.choice(ledger.handles)
            found.append((at, _Capture(_digits(rng), reference, amount, handle)))
        return found

    @staticmethod
    def _refunds_and_disputes(ledger: Ledger, book: _Book, rng: Random, day: date, number: int) -> list[_Move]:
        found: list[_Move] = []
        for capture in rng.sample(book.recent, min(len(book.recent), rng.randint(0, 2))):
            part = capture.amount if rng.random() < 0.7 else capture.amount // 2
            found.append(_Move.of(_within(ledger, rng, day), "refund", -part, capture, _digits(rng)))
        for due, kind, capture in book.disputes:
            if due == number:
                amount = capture.amount if kind.startswith("returned") else -capture.amount
                found.append(_Move.of(_within(ledger, rng, day), kind, amount, capture))
        if book.recent and number % 16 == 5:
            capture = book.recent[-1]
            book.disputes.append((number + 3, "retained-disputed-capture", capture))
            if number % 32 == 5:
                book.disputes.append((number + 9, "returned-disputed-capture", capture))
        return found

    def _rare(self, ledger: Ledger, book: _Book, rng: Random, day: date, number: int) -> list[_Move]:
        """Corrections, payouts that could not be made, and funds below zero."""
        found: list[_Move] = []
        if book.recent and number % 45 == 20:
            at = _within(ledger, rng, day)
            found.append(_Move.of(at, "correction", rng.choice((-1, 1)) * rng.randint(100, 5_000), book.recent[0]))
        at = ledger.begin(day) + timedelta(hours=10)
        if number % 30 == 12 and book.payouts:
            paid, amount = book.payouts[-1]
            if paid == day - timedelta(days=1):
                found.append(_Move(at, "payout-aborted", amount, self._payout_reference(ledger, book), None, None))
        if ledger.empty_404 and not ledger.gross:
            # A cancelled concert: the funds are below zero for some days, in which nothing is paid out or closed.
            if number % 90 == 60:
                capture = _Capture(_digits(rng), f"concert-{day:%y%m%d}", 4_000_000, ledger.handles[0])
                found.append(_Move.of(at, "refund", -capture.amount, capture))
            elif number % 90 == 64:
                found.append(_Move(at, "top-up", 4_000_000, f"topup-{number}", None, None))
        return found

    def _fees(
        self, ledger: Ledger, book: _Book, captures: Sequence[tuple[datetime, _Capture]], day: date, number: int
    ) -> list[_Move]:
        """The fees of a day's captures, those that the day before has left over, and a fee that is given back."""
        begin, end = ledger.begin(day), ledger.end(day)
        found = [
            _Move.of(begin + timedelta(seconds=40 + n), "capture-fee", -fee, capture)
            for n, (capture, fee) in enumerate(book.late_fees)
        ]
        book.late_fees = []
        for at, capture in captures:
            charged = [-(-capture.amount * _RATE // 10_000)]
            if ledger is LEDGERS[0]:
                charged.append(_FIXED)
            if at >= end - _LATE:
                book.late_fees += [(capture, fee) for fee in charged]
            else:
                found += [_Move.of(at, "capture-fee", -fee, capture) for fee in charged]
        if book.recent and number % 45 == 21:
            found.append(_Move.of(begin + timedelta(hours=11), "correction", 250, book.recent[0]))
        return found

    def _close(self, ledger: Ledger, book: _Book, made: dict[Topic, list[Entry]], rng: Random, day: date) -> None:
        """What stands at the end of a day: the fees are settled, and the funds paid out."""
        end, owed = ledger.end(day), -book.fees
        if owed and not ledger.gross:
            psp = "01" + "".join(rng.choices(digits + ascii_uppercase, k=24))
            self._add(book, made, "fees", day, _Move(end, "fees-retained", owed, psp, "", None))
            self._add(book, made, "funds", day, _Move(end, "fees-retained", -owed, psp, "", None))
        elif owed and (day + timedelta(days=1)).day == 1:
            psp = f"{ledger.id}-{day:%Y%m}"
            self._add(book, made, "fees", day, _Move(end, "fees-invoiced", owed, psp, "", None))
        if book.funds > 0 and (not ledger.weekly or day.weekday() == 6):  # Sunday
            book.payout_number += 1
            book.payouts.append((day, book.funds))
            psp = self._payout_reference(ledger, book)
            # In Norway the text of the bank transfer is missing.
            text = None if ledger.is_norwegian else f"02{ledger.id:>08}001{day:%d%m%y}"
            self._add(book, made, "funds", day, _Move(end, PAYOUT, -book.funds, psp, text, None))

    @staticmethod
    def _payout_reference(ledger: Ledger, book: _Book) -> str:
        return f"{ledger.id}-{book.payout_number}"

    @staticmethod
    def _add(book: _Book, made: dict[Topic, list[Entry]], topic: Topic, day: date, move: _Move) -> None:
        before = book.funds if topic == "funds" else book.fees
        after = before + move.amount
        if topic == "funds":
            book.funds = after
        else:
            book.fees = after
        made[topic].append(
            Entry(move.psp_reference, move.at, day, move.kind, move.reference, move.amount, before, after, move.handle)
        )


def _within(ledger: Ledger, rng: Random, day: date) -> datetime:
    """An instant of a ledger date, to the microsecond; 22 hours, so that no change of the clock matters."""
    after = timedelta(seconds=rng.randrange(22 * 3_600), microseconds=rng.randrange(1_000_000))
    return ledger.begin(day) + after


def _digits(rng: Random) -> str:
    return str(rng.randrange(10**9, 10**10))
