"""Payouts and their rows, before anything is serialised.

Facts: docs.klarna.com, "Settlement reports". A captured order is three rows: SALE and two FEEs. A GROSS payout has no
fees; they stand in a GROSS_FEE one, the month's invoice.
"""

from __future__ import annotations

import threading
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, Any, Literal

from .amounts import totals_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from tap_billing_reports.sandbox.world import World

MERCHANT = "K123456"
REGISTERED = "SEK"
"""The currency of the country in which the merchant is registered."""

HISTORY = timedelta(days=210)
CAMPAIGN_WEEK = 6
"""How many weeks before the clock's start the Swedish payout has more rows than an answer holds."""
CAMPAIGN_SALES = 260

# Fees: in ten thousand of the amount, and fixed in minor units; VAT on fees in ten thousand.
_RATE, _FIXED, _VAT = 290, 350, 2_500

SettlementType = Literal["NET", "GROSS", "GROSS_FEE"]


@dataclass(frozen=True)
class Shop:
    """One currency that the merchant sells in; it is paid out once a week."""

    currency: str
    country: str
    weekday: int
    settled: SettlementType
    sales: tuple[int, int]


SHOPS = (
    Shop("SEK", "SE", 1, "NET", (12, 30)),
    Shop("NOK", "NO", 3, "NET", (6, 14)),
    Shop("EUR", "FI", 2, "GROSS", (4, 10)),
)


@dataclass(frozen=True)
class Row:
    """One transaction; amounts are whole minor units without sign."""

    kind: str
    detailed: str
    amount: int
    vat: int
    facts: Mapping[str, Any]
    """All else, by the vendor's names."""


@dataclass(frozen=True)
class Payout:
    """One payout with its rows and totals, never changed once made."""

    reference: str
    at: datetime
    currency: str
    settled: SettlementType
    rows: tuple[Row, ...]
    totals: Mapping[str, int]


@dataclass(frozen=True)
class _Order:
    order_id: str
    short_id: str
    number: str
    sold: datetime
    country: str
    amount: int

    def facts(self, captured: datetime) -> dict[str, Any]:
        return {
            "order_id": self.order_id,
            "short_order_id": self.short_id,
            "merchant_reference1": self.number,
            "merchant_reference2": f"r{self.order_id[:8]}",
            "sale_date": utc_text(self.sold),
            "capture_date": utc_text(captured),
            "purchase_country": self.country,
            "shipping_country": self.country,
        }


@dataclass
class _Book:
    """What the next payout of a currency goes on with."""

    debt: int = 0
    held: int = 0
    recent: list[tuple[_Order, str]] = field(default_factory=list)
    invoiced: list[Row] = field(default_factory=list)


class Books:
    """Seeded payouts up to the present, oldest first."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._payouts: list[Payout] = []
        self._books: dict[str, _Book] = defaultdict(_Book)
        self._lock = threading.Lock()
        self._day = self.first = (world.clock.start - HISTORY).date()

    def payouts(self) -> list[Payout]:
        """Those that the vendor lists by now, oldest first.

        Option `klarna_late_days`: every third one is listed only so many days after its date.
        """
        now, late = self._world.clock.now(), timedelta(days=int(self._world.options.get("klarna_late_days", 0)))
        with self._lock:
            while self._day <= now.date():
                self._pay(self._day)
                self._day += timedelta(days=1)
            made = sorted(self._payouts, key=lambda payout: payout.at)
        return [payout for n, payout in enumerate(made) if payout.at + (late if n % 3 == 0 else timedelta()) <= now]

    def _pay(self, day: date) -> None:
        for shop in SHOPS:
            rng, book = self._world.rng(f"klarna/{shop.currency}/{day}"), self._books[shop.currency]
            at = datetime.combine(day, time(7, rng.randrange(60), rng.randrange(60)), timezone.utc)
            if day.weekday() == shop.weekday:
                rows = _Week(shop, book, rng, at).rows(self._sales(shop, rng, day), (day - self.first).days // 7)
                self._add(shop, rng, at, shop.settled, rows)
            if day.day == 1 and book.invoiced:
                self._add(shop, rng, at + timedelta(minutes=5), "GROSS_FEE", book.invoiced)
                book.invoiced = []

    def _sales(self, shop: Shop, rng: Random, day: date) -> int:
        begin = (self._world.clock.start - timedelta(weeks=CAMPAIGN_WEEK)).date()
        is_campaign = shop is SHOPS[0] and begin <= day < begin + timedelta(days=7)
        return CAMPAIGN_SALES if is_campaign else rng.randint(*shop.sales)

    def _add(self, shop: Shop, rng: Random, at: datetime, settled: SettlementType, rows: list[Row]) -> None:
        book, invoiced = self._books[shop.currency], settled == "GROSS_FEE"
        told = [(row.kind, row.amount, row.vat) for row in rows]
        totals = totals_of(told, 0 if invoiced else book.debt, invoiced=invoiced)
        if not invoiced:
            book.debt = totals["closing_debt_balance_amount"]
        reference = "".join(rng.choices("ABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=10))
        self._payouts.append(Payout(reference, at, shop.currency, settled, tuple(rows), totals))


class _Week:
    """The rows of one week of a shop; asks its generator in one order, and changes the shop's book."""

    def __init__(self, shop: Shop, book: _Book, rng: Random, at: datetime) -> None:
        self._shop, self._book, self._rng, self._at = shop, book, rng, at

    def rows(self, sales: int, week: int) -> list[Row]:
        shop, book, rng = self._shop, self._book, self._rng
        orders = [(self._order(), self._id()) for _ in range(sales)]
        found: list[Row] = []
        for order, capture in orders:
            found.append(self._sale(order, capture))
            fees = [self._fee(order, capture, *fee) for fee in self._fees_of(order)]
            if shop.settled == "GROSS":
                book.invoiced += fees
            else:
                found += fees
        # More comes back than is sold: the merchant owes the rest.
        share = len(book.recent) if shop.currency == "NOK" and week % 8 == 5 else rng.randint(0, 3)
        for order, _ in rng.sample(book.recent, min(share, len(book.recent))):
            found.append(self._return(order, order.amount if share > 3 else -(-order.amount // rng.randint(1, 2))))
        if shop.settled == "NET":
            found += self._rare(week)
        book.recent = [*book.recent, *orders][-45:]
        return found

    def _rare(self, week: int) -> list[Row]:
        """One of each of the other types, now and then."""
        book, rng, found = self._book, self._rng, list[Row]()
        if not book.recent:
            return found
        order, capture = book.recent[-1]
        dispute = {"reversal_reference": f"krn:klarna:eu1:dispute:goods_not_received:{rng.randrange(10**14, 10**15)}"}
        if week % 4 == 1:
            refund = {"capture_id": "", "refund_id": self._id(), **dispute}
            found.append(self._row("REVERSAL", "REVERSAL", order.amount, order, refund))
            found.append(self._row("CHARGE", "DISPUTE_FEE", 25_000, order, dispute))
        if week % 8 == 1:
            protected = order.amount * 4 // 5
            found.append(
                self._row("REVERSAL_MERCHANT_PROTECTION", "FRAUD_POLICY_CREDIT_NET", protected, order, dispute)
            )
        if week % 4 == 2:
            found.append(self._row("CREDIT", "MANUAL_ENTRY", rng.randint(500, 9_000), order, {}))
            found.append(self._row("COMMISSION", "PURCHASE_COMMISSION_PERCENTAGE", rng.randint(100, 900), order, {}))
        if week % 4 == 3:
            signed = rng.choice((-1, 1)) * rng.randint(50, 900)
            found.append(self._row("CORRECTION", "CREDITED_CORRECTION", signed, order, {"klarna_comment": "As agreed"}))
            found.append(self._fee(order, capture, "FEE_REFUND", "FEE_REFUND", rng.randint(50, 400)))
        if week % 6 == 0:
            book.held = rng.randint(10_000, 40_000)
            found.append(self._row("HOLDBACK", "ROLLING_RESERVE", book.held, order, {}))
        elif week % 6 == 4 and book.held:
            found.append(self._row("RELEASE", "ROLLING_RESERVE", book.held, order, {}))
            book.held = 0
        return found

    def _order(self) -> _Order:
        rng, sold = self._rng, self._at - timedelta(seconds=self._rng.randrange(86_400, 7 * 86_400))
        short = "".join(rng.choices("ABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=8))
        return _Order(
            self._id(), short, f"{rng.randrange(10**6):06}", sold, self._shop.country, rng.randint(9_900, 399_900)
        )

    def _fees_of(self, order: _Order) -> list[tuple[str, str, int]]:
        share = -(-order.amount * _RATE // 10_000)
        return [("FEE", "PURCHASE_FEE_PERCENTAGE", share), ("FEE", "PURCHASE_FEE_FIXED", _FIXED)]

    def _sale(self, order: _Order, capture: str) -> Row:
        how = self._rng.choice(("direct_debit", "invoice", "pay_in_parts"))
        facts: dict[str, Any] = {
            "capture_id": capture,
            "merchant_capture_reference": f"ship-{order.number}",
            "initial_payment_method_type": how,
        }
        if how == "pay_in_parts":
            facts["initial_number_of_installments"] = 3
        return self._row("SALE", "PURCHASE", order.amount, order, facts)

    def _fee(self, order: _Order, capture: str, kind: str, detailed: str, amount: int) -> Row:
        vat = amount * _VAT // 10_000
        facts: dict[str, Any] = {"capture_id": capture, "vat_rate": _VAT, "vat_amount": vat}
        if self._shop.currency != REGISTERED:
            facts["tax_in_currency_of_registration_country"] = vat * 11
            facts["currency_code_of_registration_country"] = REGISTERED
        return self._row(kind, detailed, amount, order, facts, vat)

    def _return(self, order: _Order, amount: int) -> Row:
        refund = {
            "capture_id": "",
            "refund_id": self._id(),
            "merchant_refund_reference": f"return-{order.number}",
        }
        return self._row("RETURN", "PURCHASE_RETURN", amount, order, refund)

    def _row(self, kind: str, detailed: str, amount: int, order: _Order, facts: Mapping[str, Any], vat: int = 0) -> Row:
        captured = self._at - timedelta(seconds=self._rng.randrange(3_600, 86_400))
        return Row(kind, detailed, amount, vat, {**order.facts(captured), **facts})

    def _id(self) -> str:
        return str(uuid.UUID(int=self._rng.getrandbits(128), version=4))


def utc_text(moment: datetime) -> str:
    """RFC 3339 in UTC to the second, the form of all of the vendor's times."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
