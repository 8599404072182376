"""The books of one account as reports read them: balance transactions in order, with the payouts that settled them."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING

from .activity import activity
from .aftermath import aftermath
from .charges import payment_of
from .hidden import untie_a_payout, without_a_payment
from .payouts import settle

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_billing_reports.sandbox.stripe.accounts import Account
    from tap_billing_reports.sandbox.world import World

    from .invoices import InvoiceBook
    from .movement import Movement, Payout

BOOKS = timedelta(days=200)
"""How long before the clock's start the books begin."""


@dataclass(frozen=True)
class Entry:
    """A movement together with the payout that has settled it, if any."""

    movement: Movement
    payout: Payout | None = None


@dataclass(frozen=True)
class _Books:
    """Everything up to the end of a day."""

    entries: Sequence[Entry]
    created: Sequence[datetime]
    payouts: Sequence[Payout]
    settled: dict[str, list[Entry]]
    """Payout -> what it has settled."""


class Ledger:
    """All movements of one account: its activity, the payments of its invoices, its payouts.

    The books are made when they are first asked for, and again after a day, or when an invoice has changed. What lies
    in the past stays as it is unless a test changes invoices of the past.
    """

    def __init__(self, world: World, account: Account, invoices: InvoiceBook) -> None:
        self._world = world
        self.account = account
        self._invoices = invoices
        self._start = world.clock.start.date()
        self._made: tuple[tuple[date, int, bool], _Books] | None = None

    def between(self, begin: datetime, end: datetime) -> Iterator[Entry]:
        """Entries whose movement was created in [begin, end), oldest first, payouts among them."""
        books = self._books()
        first, last = (bisect_left(books.created, edge) for edge in (begin, end))
        return iter(books.entries[first:last])

    def before(self, end: datetime) -> Iterator[Entry]:
        """All entries created before `end`."""
        return self.between(datetime.min.replace(tzinfo=timezone.utc), end)

    def unsettled(self, end: datetime) -> Iterator[Entry]:
        """What makes up the balance at `end`: all not yet paid out, and what came back."""
        for entry in self.before(end):
            if entry.movement.category != "payout" and (entry.payout is None or entry.payout.effective_at >= end):
                yield entry

    def payouts(self, begin: datetime, end: datetime) -> Iterator[Payout]:
        """Payouts that took effect in [begin, end)."""
        return (payout for payout in self._books().payouts if begin <= payout.effective_at < end)

    def paid_in(self, payout: Payout) -> Iterator[Entry]:
        """The entries that a payout has settled."""
        return iter(self._books().settled.get(payout.id, ()))

    def payout(self, identifier: str) -> Payout | None:
        """The payout with this id, if it has taken effect by now."""
        now = self._world.clock.now()
        return next((one for one in self._books().payouts if one.id == identifier and one.effective_at < now), None)

    def _books(self) -> _Books:
        hides = self._world.hidden_faults and self.account.platform
        key = self._world.clock.now().date(), self._invoices.version, hides
        made = self._made
        if made is None or made[0] != key:
            # Two threads may both make them: they make the same ones.
            made = self._made = key, self._make(key[0] + timedelta(days=1), hides=hides)
        return made[1]

    def _make(self, until: date, *, hides: bool) -> _Books:
        seed, end = self._world.seed, datetime.combine(until, time(), timezone.utc)
        movements = activity(seed, self.account, self._start, self._start - BOOKS).until(until)
        month = datetime.combine(self._start.replace(day=1), time(), timezone.utc)
        payments = without_a_payment(self._payments(), month) if hides else self._payments()
        movements += (movement for movement in payments if movement.created < end)
        settlement = settle(seed, self.account, movements, end)
        if hides:
            untie_a_payout(settlement, movements, month)
        movements += settlement.booked
        movements.sort(key=lambda movement: (movement.created, movement.id))
        entries = [Entry(movement, settlement.settled_by.get(movement.id)) for movement in movements]
        settled: dict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            if entry.payout is not None:
                settled[entry.payout.id].append(entry)
        return _Books(entries, [movement.created for movement in movements], settlement.payouts, settled)

    def _payments(self) -> Iterator[Movement]:
        """The payments of the invoices, and what became of them."""
        for invoice in self._invoices.newest_first():
            rng = self._world.rng(f"stripe/payments/{invoice.id}")
            paid = payment_of(rng, invoice)
            if paid is not None and paid.charge is not None:
                yield paid
                yield from aftermath(rng, paid.charge)
