"""What one day brings to an account: charges, refunds, disputes, fees, transfers, in all their oddities."""

from __future__ import annotations

import string
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

    from .accounts import Account

_ALPHABET = string.ascii_letters + string.digits
_UTC = timezone.utc

TWENTY_DIGITS = 12345678901234567890
"""An amount that no float holds; booked at these ages (days before the clock's start) on the platform."""
_TWENTY_DIGIT_AGES = (20, 75)

_CURRENCY_WEIGHTS = {"usd": 40, "eur": 20, "nok": 15, "sek": 10, "jpy": 8, "kwd": 7}
_CATEGORY_WEIGHTS = {
    "charge": 66,
    "refund": 12,
    "dispute": 3,
    "dispute_reversal": 2,
    "fee": 6,
    "tax": 2,
    "other_adjustment": 2,
    "transfer": 4,
    "connect_collection_transfer": 2,
    "charge_failure": 1,
}
_NOT_CONNECTED = frozenset({"transfer", "connect_collection_transfer"})
_NAMES = (
    "Åse Ødegård",
    "Jürgen Weiß",
    "Zoë O'Brien",
    "山田 太郎",
    "Müller, Hans & Söhne",
    "Ann Example",
    'Kai "K" Lund',
)
_DESCRIPTIONS = (
    "Subscription update",
    "Invoice 1001, second attempt",
    "Order 7\nExpress delivery",
    'Gift card "Summer"',
    "Treningsavgift, måned nr. ½",
    " padded ",
    "=1+1",
    "007",
)
_REFUND_REASONS = ("duplicate", "requested, by phone")
_CARDS = (("visa", "credit", "NO"), ("mastercard", "debit", "US"), ("amex", "credit", "DE"))
_ADDRESSES = (
    ("Storgata 1", "3. etg.", "Oslo", "", "0155", "NO"),
    ("350 Fifth Ave, Suite 21", "", "New York", "NY", "10118", "US"),
    ("Hauptstraße 5", "", "Berlin", "", "10827", "DE"),
)


@dataclass(frozen=True)
class Customer:
    """Who was charged."""

    id: str
    name: str
    email: str
    description: str
    address: tuple[str, str, str, str, str, str]


@dataclass(frozen=True)
class Charge:
    """The payment behind a charge, a refund or a dispute."""

    id: str
    intent: str
    created: datetime
    customer: Customer
    invoice: str | None
    subscription: str | None
    method: str
    card: tuple[str, str, str] | None
    statement: str
    metadata: dict[str, str]


@dataclass(frozen=True)
class Movement:
    """A balance transaction. Amounts are in minor units; `net` is always `gross - fee`.

    `fees` are the parts that `fee` is made of: (name, amount); equal parts may occur twice.
    """

    id: str
    created: datetime
    available_on: datetime
    currency: str
    gross: int
    fee: int
    category: str
    source: str
    description: str
    charge: Charge | None = None
    fees: tuple[tuple[str, int], ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)
    payout: Payout | None = None
    pays_out: bool = True

    @property
    def net(self) -> int:
        return self.gross - self.fee


@dataclass(frozen=True)
class Payout:
    """Money sent to a bank account for the week that begins on Monday `week`."""

    id: str
    transaction_id: str
    week: date
    effective_at: datetime
    currency: str
    amount: int
    destination: str
    failed: bool

    @property
    def reversed_at(self) -> datetime | None:
        return self.effective_at + timedelta(days=1, hours=5) if self.failed else None

    def movement(self) -> Movement:
        """The payout as it left the balance."""
        return self._booked(self.transaction_id, self.effective_at, -self.amount, "payout", "STRIPE PAYOUT")

    def reversal(self) -> Movement:
        """The money of a failed payout as it came back."""
        at = self.effective_at + timedelta(days=1, hours=5)
        return self._booked(f"{self.transaction_id}r", at, self.amount, "payout_reversal", "PAYOUT FAILED, RETURNED")

    def _booked(self, identifier: str, at: datetime, gross: int, category: str, description: str) -> Movement:
        return Movement(
            identifier,
            at,
            at,
            self.currency,
            gross,
            0,
            category,
            self.id,
            description,
            payout=self,
            pays_out=False,
        )


def make_id(rng: random.Random, prefix: str) -> str:
    return f"{prefix}_{''.join(rng.choices(_ALPHABET, k=24))}"


def movements_of_day(rng: random.Random, account: Account, day: date, *, age: int) -> tuple[Movement, ...]:
    """The movements of one UTC day, in no order; `age` counts days back from the clock's start."""
    midnight = datetime.combine(day, time(), _UTC)
    times = [midnight + timedelta(seconds=rng.randrange(86_400)) for _ in range(rng.randint(6, 12))]
    if day.month in {10, 11} and day.weekday() == 6:
        # Clocks go back on one of these nights: movements on both sides of every repeated local hour.
        times += [midnight + timedelta(minutes=30 * number + 15) for number in range(20)]
    found = [_movement(rng, account, at) for at in times]
    if account.platform and age in _TWENTY_DIGIT_AGES:
        at = midnight + timedelta(hours=3)
        found.append(
            Movement(
                make_id(rng, "txn"), at, at, "nok", TWENTY_DIGITS, 0, "other_adjustment", make_id(rng, "adj"),
                "Adjustment of twenty digits", pays_out=False,
            )
        )  # fmt: skip
    return tuple(found)


def _movement(rng: random.Random, account: Account, at: datetime) -> Movement:
    currency = rng.choices(tuple(_CURRENCY_WEIGHTS), tuple(_CURRENCY_WEIGHTS.values()))[0]
    category = rng.choices(tuple(_CATEGORY_WEIGHTS), tuple(_CATEGORY_WEIGHTS.values()))[0]
    if not account.platform and category in _NOT_CONNECTED:
        category = "charge"
    amount = rng.randint(50, 250_000)
    if currency == "kwd":
        amount = amount // 10 * 10
    identifier = make_id(rng, "txn")
    available = datetime.combine(at.date() + timedelta(days=2), time(), _UTC)
    if category == "charge":
        charge = _charge(rng, at)
        fees = _fees(rng, amount)
        fee = sum(part for _, part in fees)
        return Movement(
            identifier, at, available, currency, amount, fee, category, charge.id, rng.choice(_DESCRIPTIONS),
            charge, fees,
        )  # fmt: skip
    if category in {"refund", "charge_failure"}:
        charge = _charge(rng, at - timedelta(hours=rng.randint(1, 400)))
        return Movement(
            identifier, at, available, currency, -amount, 0, category, make_id(rng, "re"),
            "REFUND FOR CHARGE", charge, metadata={"reason": rng.choice(_REFUND_REASONS)},
        )  # fmt: skip
    if category in {"dispute", "dispute_reversal"}:
        charge = _charge(rng, at - timedelta(days=rng.randint(5, 60)))
        sign = -1 if category == "dispute" else 1
        fees = (("dispute_fee", 1500),) if category == "dispute" else ()
        fee = sum(part for _, part in fees)
        return Movement(
            identifier, at, available, currency, sign * amount, fee, category, make_id(rng, "du"),
            "Chargeback" if sign < 0 else "Chargeback reversal", charge, fees,
        )  # fmt: skip
    if category in {"fee", "tax"}:
        small = -max(1, amount // 500)
        return Movement(
            identifier, at, at, currency, small, 0, category, make_id(rng, "fee"), f"Billing - {category}",
            fees=((category, -small),),
        )  # fmt: skip
    sign = 1 if category == "connect_collection_transfer" else rng.choice((-1, -1, 1))
    return Movement(
        identifier, at, available, currency, sign * (amount // 3), 0, category, make_id(rng, "tr"),
        f"Transfer {rng.randint(1, 999):03d}", metadata={"batch": str(rng.randint(1, 9))},
    )  # fmt: skip


def _charge(rng: random.Random, at: datetime) -> Charge:
    name = rng.choice(_NAMES)
    card = rng.choice((*_CARDS, None))
    customer = Customer(
        make_id(rng, "cus"),
        name,
        f"customer{rng.randint(1, 99)}@example.com",
        rng.choice(("", "VIP", "since 2019,\nyearly")),
        rng.choice(_ADDRESSES),
    )
    billed = rng.random() < 0.5
    return Charge(
        id=make_id(rng, "ch"),
        intent=make_id(rng, "pi"),
        created=at,
        customer=customer,
        invoice=make_id(rng, "in") if billed else None,
        subscription=make_id(rng, "sub") if billed else None,
        method="card" if card else rng.choice(("klarna", "link", "sepa_debit")),
        card=card,
        statement=rng.choice(("SANDBOX*GYM", "SANDBOX*SHOP")),
        metadata={"order_id": f"{rng.randint(1, 99_999):06d}"} if rng.random() < 0.8 else {},
    )


def _fees(rng: random.Random, amount: int) -> tuple[tuple[str, int], ...]:
    """Parts of a charge's fee; one in six charges has two parts that are alike in everything."""
    share = amount * 29 // 1000
    if rng.random() < 1 / 6:
        return ("stripe_processing", share // 2), ("stripe_processing", share // 2)
    return ("stripe_processing", share), ("fixed", 30)
