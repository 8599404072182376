"""The emulated invoices: the books behind /v1/invoices, and what a day does to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from .money import CURRENCIES, Money
from .movements import TWENTY_DIGITS, make_id

if TYPE_CHECKING:
    import random

    from tap_billing_reports.sandbox.world import World

    from .accounts import Account

_DAYS = 200
_COUNTS = {True: 40, False: 8}
_CUSTOMERS = (
    ("cus_sandbox_aase", "Åse Ødegård", "aase@example.com", "NO"),
    ("cus_sandbox_hans", "Müller, Hans & Söhne", "hans@example.com", "DE"),
    ("cus_sandbox_ann", 'Ann "A" Example', "ann@example.com", "US"),
    ("cus_sandbox_taro", "山田 太郎", "taro@example.com", "JP"),
)
_PRODUCTS = (
    "Membership",
    "Personal training, 10 sessions",
    "Locker\nper month",
    "Late fee",
    "Credit for pause",
)
_STATUS_WEIGHTS = {"paid": 60, "open": 18, "draft": 8, "void": 7, "uncollectible": 7}
_TAX_PERCENT = 25


@dataclass(frozen=True)
class Line:
    """One line, before tax, in minor units."""

    id: str
    description: str
    amount: int
    quantity: int


@dataclass
class Invoice:
    """One invoice. Times are Unix seconds, amounts minor units."""

    id: str
    created: int
    currency: str
    customer: tuple[str, str, str, str]
    lines: tuple[Line, ...]
    status: str
    number: str | None = None
    due_date: int | None = None
    finalized_at: int | None = None
    paid_at: int | None = None
    voided_at: int | None = None
    uncollectible_at: int | None = None
    subscription: str | None = None

    @property
    def net(self) -> int:
        return sum(line.amount for line in self.lines)

    @property
    def tax(self) -> int:
        return self.net * _TAX_PERCENT // 100 if self.currency in {"nok", "sek"} else 0

    @property
    def total(self) -> int:
        return self.net + self.tax

    @property
    def amount_due(self) -> int:
        """What is asked for: a negative total is asked of nobody."""
        return max(0, self.total)

    def money(self, minor: int) -> Money:
        return Money(minor, self.currency)


class InvoiceBook:
    """The invoices of one account; platform and connected accounts differ in number only."""

    def __init__(self, world: World, account: Account) -> None:
        self._world = world
        self._rng = world.rng(f"stripe/invoices/{account.id}")
        self._prefix = account.id.removeprefix("acct_").replace("_", "").upper()[:8]
        self._numbers = 0
        start = world.clock.start
        count = _COUNTS[account.platform]
        self._all: list[Invoice] = []
        for index in range(count):
            at = start - timedelta(days=_DAYS * (count - index) / (count + 1), minutes=self._rng.randrange(600))
            status = self._rng.choices(tuple(_STATUS_WEIGHTS), tuple(_STATUS_WEIGHTS.values()))[0]
            self._all.append(self._made(int(at.timestamp()), CURRENCIES[index % len(CURRENCIES)], status, index))
        # Whatever the seed: a draft that is old, one that is recent, and an open invoice of each kind.
        for place, status in (
            (-2, "draft"),
            (-4, "open"),
            (1, "draft"),
            (2, "open"),
            (3, "void"),
            (4, "uncollectible"),
        ):
            self._become(self._all[place], status)
        if account.platform:
            self._all[-6].lines = (Line(make_id(self._rng, "il"), "Twenty digits", TWENTY_DIGITS, 1),)
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
        return more

    def change(self, identifier: str, status: str) -> None:
        """Let an invoice have another status."""
        found = self.find(identifier)
        if found is not None:
            self._become(found, status)

    def delete(self, *identifiers: str) -> None:
        """Delete drafts; no other invoice can be."""
        gone = set(identifiers)
        self._all = [invoice for invoice in self._all if invoice.id not in gone or invoice.status != "draft"]

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

    def _made(self, created: int, currency: str, status: str, index: int) -> Invoice:
        count = 12 if index % 9 == 0 else self._rng.randint(1, 3)
        invoice = Invoice(
            id=make_id(self._rng, "in"),
            created=created,
            currency=currency,
            customer=self._rng.choice(_CUSTOMERS),
            lines=tuple(_line(self._rng, currency) for _ in range(count)),
            status="draft",
            subscription=make_id(self._rng, "sub") if index % 2 else None,
        )
        self._become(invoice, status)
        return invoice

    def _become(self, invoice: Invoice, status: str) -> None:
        """Give an invoice a status and the times that belong to it."""
        invoice.status = status
        hour = 3600
        finalized = None if status == "draft" else invoice.created + hour
        if finalized is not None and invoice.number is None:
            self._numbers += 1
            invoice.number = f"{self._prefix}-{self._numbers:04d}"
        elif finalized is None:
            invoice.number = None
        invoice.finalized_at = finalized
        invoice.due_date = None if finalized is None else finalized + 14 * 24 * hour
        invoice.paid_at = invoice.created + 30 * hour if status == "paid" else None
        invoice.voided_at = invoice.created + 40 * hour if status == "void" else None
        invoice.uncollectible_at = invoice.created + 500 * hour if status == "uncollectible" else None


def _line(rng: random.Random, currency: str) -> Line:
    product = rng.choice(_PRODUCTS)
    amount = rng.randint(500, 90_000)
    if currency == "kwd":
        amount = amount // 10 * 10
    if product.startswith("Credit"):
        amount = -(amount // 10)
    return Line(make_id(rng, "il"), product, amount, rng.randint(1, 3))
