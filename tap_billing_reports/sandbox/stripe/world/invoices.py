"""The invoices of an account, and what a day does to them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tap_billing_reports.sandbox.stripe.money import CURRENCIES, TWENTY_DIGITS

from .customers import MEMBERS
from .ids import make_id
from .invoice import Invoice, Line, tax_rate

if TYPE_CHECKING:
    import random

    from tap_billing_reports.sandbox.stripe.accounts import Account
    from tap_billing_reports.sandbox.world import World

_DAYS = 185  # all of them within what the reports reach back to
_COUNTS = {True: 40, False: 8}
_PRODUCTS = (
    "Membership",
    "Personal training, 10 sessions",
    "Locker\nper month",
    "Smoothie card",
    "Late fee",
    "Credit for pause",
)
_STATUS_WEIGHTS = {"paid": 60, "open": 18, "draft": 8, "void": 7, "uncollectible": 7}
_HOUR = 3600
_ENDS = {"paid": 30, "void": 40, "uncollectible": 500}
"""Hours from an invoice's creation to each status that ends it."""


class InvoiceBook:
    """The invoices of one account; platform and connected accounts differ in number only.

    Attributes:
        version: another number after each change, for those who keep what they made of the invoices.
    """

    def __init__(self, world: World, account: Account) -> None:
        self._world = world
        self._rng = world.rng(f"stripe/invoices/{account.id}")
        self._prefix = account.id.removeprefix("acct_").replace("_", "").upper()[:8]
        self._numbers = 0
        self.version = 0
        start = world.clock.start
        count = _COUNTS[account.platform]
        self._all: list[Invoice] = []
        for index in range(count):
            at = start - timedelta(days=_DAYS * (count - index) / (count + 1), minutes=self._rng.randrange(600))
            status = self._rng.choices(tuple(_STATUS_WEIGHTS), tuple(_STATUS_WEIGHTS.values()))[0]
            self._all.append(self._made(int(at.timestamp()), CURRENCIES[index % len(CURRENCIES)], status, index))
        # Whatever the seed: a draft that is old, one that is recent, an open one of each kind, and some that are paid.
        for place, status in (
            (-2, "draft"),
            (-4, "open"),
            (1, "draft"),
            (2, "open"),
            (3, "void"),
            (4, "uncollectible"),
            (0, "paid"),
            (5, "paid"),
        ):
            self._become(self._all[place], status)
        if account.large_amounts:
            self._all[-6].lines = (Line(make_id(self._rng, "il"), "Twenty digits", TWENTY_DIGITS, 1),)
        if account.platform:
            self._all[-3].lines = (Line(make_id(self._rng, "il"), "Credit for pause", -12_345, 1),)

    def newest_first(self) -> list[Invoice]:
        return sorted(self._all, key=lambda invoice: (invoice.created, invoice.id), reverse=True)

    def find(self, identifier: str) -> Invoice | None:
        return next((invoice for invoice in self._all if invoice.id == identifier), None)

    def add(self, status: str, count: int = 1, *, days_ago: float = 0.0) -> list[Invoice]:
        """More invoices of a status, all created within a minute so long before now."""
        at = int((self._world.clock.now() - timedelta(days=days_ago)).timestamp())
        more = [self._made(at - place % 60, CURRENCIES[0], status, len(self._all) + place) for place in range(count)]
        self._all += more
        self.version += 1
        return more

    def change(self, identifier: str, status: str) -> None:
        """Let an invoice have another status."""
        found = self.find(identifier)
        if found is not None:
            paid = found.paid_at or int(self._world.clock.now().timestamp())
            self._become(found, status)
            if status == "paid":
                found.paid_at = paid
            self.version += 1

    def delete(self, *identifiers: str) -> None:
        """Delete drafts; no other invoice can be."""
        gone = set(identifiers)
        self._all = [invoice for invoice in self._all if invoice.id not in gone or invoice.status != "draft"]
        self.version += 1

    def next_day(self) -> None:
        """The oldest open invoice is paid, the oldest draft deleted, two new ones come."""
        now = int(self._world.clock.now().timestamp())
        for invoice in self._all:
            if invoice.status == "open":
                invoice.status, invoice.paid_at = "paid", now
                break
        draft = next((invoice for invoice in self._all if invoice.status == "draft"), None)
        if draft is not None:
            self._all.remove(draft)
        for offset, status in ((-7200, "open"), (-3600, "paid")):
            currency = self._rng.choice(CURRENCIES)
            self._all.append(self._made(now + offset, currency, status, len(self._all)))
        self.version += 1

    def _made(self, created: int, currency: str, status: str, index: int) -> Invoice:
        count = 12 if index % 9 == 0 else self._rng.randint(1, 3)
        invoice = Invoice(
            id=make_id(self._rng, "in"),
            created=created,
            currency=currency,
            customer=self._rng.choice(MEMBERS),
            lines=tuple(_line(self._rng, currency) for _ in range(count)),
            status="draft",
            subscription=make_id(self._rng, "sub") if index % 2 else None,
        )
        self._become(invoice, status)
        return invoice

    def _become(self, invoice: Invoice, status: str) -> None:
        """Give an invoice a status and the times that belong to it, none of them later than now."""
        now = int(self._world.clock.now().timestamp())
        invoice.status = status
        finalized = None if status == "draft" else min(invoice.created + _HOUR, max(now, invoice.created))
        if finalized is not None and invoice.number is None:
            self._numbers += 1
            invoice.number = f"{self._prefix}-{self._numbers:04d}"
        elif finalized is None:
            invoice.number = None
        invoice.finalized_at = finalized
        invoice.due_date = None if finalized is None else finalized + 14 * 24 * _HOUR
        ended = {name: min(invoice.created + hours * _HOUR, max(now, finalized or 0)) for name, hours in _ENDS.items()}
        invoice.paid_at = ended["paid"] if status == "paid" else None
        invoice.voided_at = ended["void"] if status == "void" else None
        invoice.uncollectible_at = ended["uncollectible"] if status == "uncollectible" else None


def _line(rng: random.Random, currency: str) -> Line:
    product = rng.choice(_PRODUCTS)
    amount = rng.randint(500, 90_000)
    if currency == "kwd":
        amount = amount // 10 * 10
    if product.startswith("Credit"):
        amount = -(amount // 10)
    return Line(make_id(rng, "il"), product, amount, rng.randint(1, 3), tax_rate(currency, product))
