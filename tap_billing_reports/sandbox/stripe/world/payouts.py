"""Payouts: on Wednesday one for each currency, of all that has come in until the Sunday of the week before.

Some come back: refused by the bank on the next day, refused days after they counted as paid, or canceled. What came
back is a movement like any other, and the next payout settles it. Where a week's sum is not positive there is no
payout, and what is there waits for the next one.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING

from tap_billing_reports.sandbox.world import seeded

from .ids import make_id
from .movement import Movement, Payout

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_billing_reports.sandbox.stripe.accounts import Account

_WEEK = timedelta(days=7)
_AFTER_MONDAY = timedelta(days=9)
_TIME = time(4, 30, tzinfo=timezone.utc)


@dataclass(frozen=True)
class _Return:
    """How the payouts of a currency come back: in each ISO week whose number leaves `rest` when divided by `every`."""

    every: int
    rest: int
    status: str
    after: timedelta
    description: str


_RETURNS = {
    "sek": _Return(5, 0, "failed", timedelta(days=1, hours=5), "PAYOUT FAILED, RETURNED"),
    "nok": _Return(7, 3, "failed", timedelta(days=5, hours=3), "PAYOUT FAILED, RETURNED"),
    "eur": _Return(9, 5, "canceled", timedelta(hours=6), "PAYOUT CANCELED"),
}


@dataclass(frozen=True)
class Settlement:
    """Payouts by the time that they took effect, and what each has settled."""

    payouts: tuple[Payout, ...]
    booked: tuple[Movement, ...]
    """The payouts as they left the balance, and those that came back."""
    settled_by: dict[str, Payout]
    """Balance transaction -> its payout."""


def settle(seed: int, account: Account, movements: Iterable[Movement], until: datetime) -> Settlement:
    """All payouts that took effect before `until`."""
    by_week: dict[date, list[Movement]] = defaultdict(list)
    for movement in movements:
        if movement.settles:
            by_week[_monday(movement.created.date())].append(movement)
    waiting: dict[str, list[Movement]] = defaultdict(list)
    payouts: list[Payout] = []
    booked: list[Movement] = []
    settled_by: dict[str, Payout] = {}
    week = min(by_week, default=until.date())
    while (effective := datetime.combine(week + _AFTER_MONDAY, _TIME)) < until:
        for movement in by_week.pop(week, ()):
            waiting[movement.currency].append(movement)
        for currency, unsettled in sorted(waiting.items()):
            amount = sum(movement.net for movement in unsettled)
            if amount <= 0:
                continue
            payout = _payout(seed, account, week, effective, currency, amount)
            payouts.append(payout)
            booked.append(_out(payout))
            settled_by |= {movement.id: payout for movement in unsettled}
            del waiting[currency]
            if payout.reversed_at is not None and payout.reversed_at < until:
                back = _back(payout, payout.reversed_at)
                booked.append(back)
                by_week[_monday(payout.reversed_at.date())].append(back)
        week += _WEEK
    return Settlement(tuple(payouts), tuple(booked), settled_by)


def _payout(seed: int, account: Account, week: date, effective: datetime, currency: str, amount: int) -> Payout:
    identifier, transaction = _ids(seed, account.id, week, currency)
    back = _RETURNS.get(currency)
    if back is not None and week.isocalendar().week % back.every != back.rest:
        back = None
    return Payout(
        id=identifier,
        transaction_id=transaction,
        week=week,
        effective_at=effective,
        currency=currency,
        amount=amount,
        destination=f"ba_sandbox_{currency}",
        status=back.status if back else "paid",
        reversed_at=effective + back.after if back else None,
    )


@functools.lru_cache(4096)
def _ids(seed: int, account: str, week: date, currency: str) -> tuple[str, str]:
    rng = seeded(seed, f"stripe/{account}/payout/{week.isoformat()}/{currency}")
    return make_id(rng, "po"), make_id(rng, "txn")


def _out(payout: Payout) -> Movement:
    return _moved(payout, payout.transaction_id, payout.effective_at, -payout.amount, "payout", "STRIPE PAYOUT")


def _back(payout: Payout, at: datetime) -> Movement:
    description = _RETURNS[payout.currency].description
    return _moved(payout, f"{payout.transaction_id}r", at, payout.amount, "payout_reversal", description)


def _moved(payout: Payout, identifier: str, at: datetime, gross: int, category: str, description: str) -> Movement:
    return Movement(
        identifier, at, at, payout.currency, gross, 0, category, payout.id, description, payout=payout
    )  # fmt: skip


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
