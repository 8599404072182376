"""The seeded books of one account: balance transactions, day by day, from which every report is drawn.

A day is a function of seed, account and date alone, so the books go on for as long as the clock does and need
no state. Payouts follow from the days before: on Wednesday one per currency for the ISO week before, if that
week brought money in.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING

from .movements import Movement, Payout, make_id, movements_of_day

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_billing_reports.sandbox.world import World

    from .accounts import Account

BOOKS = timedelta(days=200)
"""How long before the clock's start the books begin."""

_PAYOUT_AFTER = timedelta(days=9)
_PAYOUT_TIME = time(4, 30, tzinfo=timezone.utc)
_WEDNESDAY = 2
_FAILING_CURRENCY = "sek"
_FAILING_EVERY = 5


@dataclass(frozen=True)
class Entry:
    """A movement together with the payout that has paid it out, if any."""

    movement: Movement
    payout: Payout | None = field(default=None)


class Ledger:
    """All movements of one account."""

    def __init__(self, world: World, account: Account) -> None:
        self._world = world
        self.account = account
        start = world.clock.start.date()
        self.first_day = start - BOOKS
        self._start = start
        self._payouts: dict[str, Payout] = {}
        self.day = functools.cache(self._day)
        self._week = functools.cache(self._payouts_of_week)

    def between(self, begin: datetime, end: datetime) -> Iterator[Entry]:
        """Entries whose movement was created in [begin, end), oldest first, payouts among them."""
        day = max(begin.date(), self.first_day)
        while day <= end.date():
            for entry in self.day(day):
                if begin <= entry.movement.created < end:
                    yield entry
            day += timedelta(days=1)

    def before(self, end: datetime) -> Iterator[Entry]:
        """All entries created before `end`."""
        return self.between(datetime.combine(self.first_day, time(), timezone.utc), end)

    def payouts(self, begin: datetime, end: datetime) -> Iterator[Payout]:
        """Payouts that took effect in [begin, end)."""
        day = max(begin.date(), self.first_day)
        while day <= end.date():
            if day.weekday() == _WEDNESDAY:
                yield from (found for found in self._week(day - _PAYOUT_AFTER) if begin <= found.effective_at < end)
            day += timedelta(days=1)

    def paid_in(self, payout: Payout) -> Iterator[Entry]:
        """The entries that a payout has paid out."""
        begin = datetime.combine(payout.week, time(), timezone.utc)
        for entry in self.between(begin, begin + timedelta(days=7)):
            if entry.payout is payout:
                yield entry

    def payout(self, identifier: str) -> Payout | None:
        """The payout with this id, if it has taken effect by now."""
        now = self._world.clock.now()
        begin = datetime.combine(self.first_day, time(), timezone.utc)
        return next((found for found in self.payouts(begin, now) if found.id == identifier), None)

    def _day(self, day: date) -> tuple[Entry, ...]:
        entries = [Entry(movement, self._payout_for(movement)) for movement in self._activity(day)]
        if day.weekday() == _WEDNESDAY:
            entries += [Entry(payout.movement()) for payout in self._week(day - _PAYOUT_AFTER)]
        if day.weekday() == _WEDNESDAY + 1:
            week = day - _PAYOUT_AFTER - timedelta(days=1)
            entries += [Entry(payout.reversal()) for payout in self._week(week) if payout.failed]
        entries.sort(key=lambda entry: (entry.movement.created, entry.movement.id))
        return tuple(entries)

    def _activity(self, day: date) -> tuple[Movement, ...]:
        if day < self.first_day:
            return ()
        rng = self._world.rng(f"stripe/{self.account.id}/{day.isoformat()}")
        return movements_of_day(rng, self.account, day, age=(self._start - day).days)

    def _payout_for(self, movement: Movement) -> Payout | None:
        if not movement.pays_out:
            return None
        week = movement.created.date() - timedelta(days=movement.created.weekday())
        return next((found for found in self._week(week) if found.currency == movement.currency), None)

    def _payouts_of_week(self, week: date) -> tuple[Payout, ...]:
        """The payouts for the seven days from the Monday `week`."""
        if week < self.first_day:
            return ()
        sums: dict[str, int] = {}
        for number in range(7):
            for movement in self._activity(week + timedelta(days=number)):
                if movement.pays_out:
                    sums[movement.currency] = sums.get(movement.currency, 0) + movement.net
        effective = datetime.combine(week + _PAYOUT_AFTER, _PAYOUT_TIME)
        rng = self._world.rng(f"stripe/{self.account.id}/payouts/{week.isoformat()}")
        return tuple(
            Payout(
                id=make_id(rng, "po"),
                transaction_id=make_id(rng, "txn"),
                week=week,
                effective_at=effective,
                currency=currency,
                amount=amount,
                destination=f"ba_sandbox_{currency}",
                failed=currency == _FAILING_CURRENCY and week.isocalendar().week % _FAILING_EVERY == 0,
            )
            for currency, amount in sorted(sums.items())
            if amount > 0
        )
