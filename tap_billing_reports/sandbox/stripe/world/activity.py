"""What goes on at an account from day to day, whatever becomes of its invoices: purchases and all that is no payment.

It is a function of seed, account and first day alone, so all sandboxes of a process share it.
"""

from __future__ import annotations

import functools
import threading
from collections import defaultdict
from datetime import date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING

from tap_billing_reports.sandbox.stripe.money import TWENTY_DIGITS
from tap_billing_reports.sandbox.world import seeded

from .aftermath import aftermath
from .charges import available_from, purchase
from .customers import make_customers
from .ids import make_id
from .movement import FeePart, Movement

if TYPE_CHECKING:
    import random

    from tap_billing_reports.sandbox.stripe.accounts import Account

_SHARED = 12  # accounts whose activity a process keeps: some megabytes each
_DAY = timedelta(days=1)
_TWENTY_DIGIT_AGES = (20, 75)  # days before the clock's start

_CURRENCY_WEIGHTS = {"usd": 40, "eur": 20, "nok": 15, "sek": 10, "jpy": 8, "kwd": 7}
_KIND_WEIGHTS = {
    "charge": 84,
    "fee": 6,
    "tax": 2,
    "other_adjustment": 2,
    "transfer": 4,
    "connect_collection_transfer": 2,
}
_ONLY_PLATFORM = frozenset({"transfer", "connect_collection_transfer"})


class Activity:
    """The movements of one account, made day by day when they are first asked for. Safe to use from several threads."""

    def __init__(self, seed: int, account: Account, start: date, first_day: date) -> None:
        self._seed = seed
        self._account = account
        self._start = start
        self._next = first_day
        self._customers = make_customers(self._rng("customers"))
        self._movements: list[Movement] = []
        self._due: dict[date, list[Movement]] = defaultdict(list)
        self._lock = threading.Lock()

    def until(self, day: date) -> list[Movement]:
        """All movements of the days before `day`, by day."""
        with self._lock:
            while self._next < day:
                self._movements += self._of(self._next)
                self._next += _DAY
            return [movement for movement in self._movements if movement.created.date() < day]

    def _rng(self, name: str) -> random.Random:
        return seeded(self._seed, f"stripe/{self._account.id}/{name}")

    def _of(self, day: date) -> list[Movement]:
        rng = self._rng(day.isoformat())
        found = []
        for at in _moments(rng, day):
            movement = self._movement(rng, at)
            found.append(movement)
            if movement.category == "charge" and movement.charge is not None:
                for later in aftermath(rng, movement.charge):
                    self._due[later.created.date()].append(later)
        found += self._due.pop(day, ())
        if self._account.large_amounts and (self._start - day).days in _TWENTY_DIGIT_AGES:
            found.append(_twenty_digits(rng, day))
        return found

    def _movement(self, rng: random.Random, at: datetime) -> Movement:
        currency = rng.choices(tuple(_CURRENCY_WEIGHTS), tuple(_CURRENCY_WEIGHTS.values()))[0]
        kind = rng.choices(tuple(_KIND_WEIGHTS), tuple(_KIND_WEIGHTS.values()))[0]
        amount = rng.randint(50, 250_000)
        if currency == "kwd":
            amount = amount // 10 * 10
        if kind == "charge" or (kind in _ONLY_PLATFORM and not self._account.platform):
            return purchase(rng, self._customers, at, currency, amount)
        if kind in {"fee", "tax"}:
            return _billed(rng, at, currency, max(1, amount // 500), kind)
        return _transfer(rng, at, currency, amount // 3, kind)


@functools.lru_cache(_SHARED)
def activity(seed: int, account: Account, start: date, first_day: date) -> Activity:
    """The activity of an account; `start` is the day of the clock's start."""
    return Activity(seed, account, start, first_day)


def _moments(rng: random.Random, day: date) -> list[datetime]:
    midnight = datetime.combine(day, time(), timezone.utc)
    moments = [midnight + timedelta(seconds=rng.randrange(86_400)) for _ in range(rng.randint(5, 11))]
    if day.month in {10, 11} and day.weekday() == 6:
        # Clocks go back on one of these nights: movements on both sides of every repeated local hour.
        moments += [midnight + timedelta(minutes=30 * number + 15) for number in range(20)]
    return moments


def _billed(rng: random.Random, at: datetime, currency: str, amount: int, kind: str) -> Movement:
    """What Stripe bills apart from payments: a fee of its own, or tax on fees."""
    return Movement(
        make_id(rng, "txn"), at, at, currency, -amount, 0, kind, make_id(rng, "fee"), f"Billing - {kind}",
        fees=(FeePart(kind, amount),),
    )  # fmt: skip


def _transfer(rng: random.Random, at: datetime, currency: str, amount: int, kind: str) -> Movement:
    sign = 1 if kind == "connect_collection_transfer" else rng.choice((-1, -1, 1))
    return Movement(
        make_id(rng, "txn"), at, available_from(at), currency, sign * amount, 0, kind, make_id(rng, "tr"),
        f"Transfer {rng.randint(1, 999):03d}", metadata={"batch": str(rng.randint(1, 9))},
    )  # fmt: skip


def _twenty_digits(rng: random.Random, day: date) -> Movement:
    at = datetime.combine(day, time(3), timezone.utc)
    return Movement(
        make_id(rng, "txn"), at, at, "nok", TWENTY_DIGITS, 0, "other_adjustment", make_id(rng, "adj"),
        "Adjustment of twenty digits", settles=False,
    )  # fmt: skip
