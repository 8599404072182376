"""The customers and invoices that the emulated Bring has booked, before anything is serialised."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from .lines import FAMILIES, Line, Order, column_sum
from .money import share
from .shipments import make_shipments

if TYPE_CHECKING:
    from random import Random

    from tap_billing_reports.sandbox.world import World

    from .shipments import Shipment

OSLO = ZoneInfo("Europe/Oslo")
REACH_DAYS = 365
"""Invoices older than this are not shown by the Invoice API."""

SPECIFIED_SHARE = 0.75
HUGE = Decimal("123456790126543209.85")  # 20 digits
ISSUERS = ("Posten Bring AS", "Bring eCommerce Logistics", "Bring Home Delivery Norge", "POSTEN_NORGE_AS")
BATCHES = ("TMS_AMPHORA_OM", "TMS_LM_OM", "PMS_BULKMAIL_OM", "MANUAL_ORDER_OM")


@dataclass(frozen=True)
class Customer:
    """A main customer number, with the API customer number it had before its agreement was converted."""

    number: str
    name: str
    sources: tuple[str, ...]
    currencies: tuple[str, ...] = ("NOK",)
    old_number: str | None = None

    @property
    def sends_parcels(self) -> bool:
        return any(source.startswith("PARCEL") for source in self.sources)


CUSTOMERS = (
    Customer("20000770011", "FJELLTOPP SPORT AS", ("PARCEL_DOMESTIC",), old_number="PARCELS_NORWAY-00012770011"),
    Customer("20000770022", "ÆRLIG & SØNN MØBLER", ("ALYSTRA", "AMPHORA_DOMESTIC")),
    Customer("20000770033", "NORDLYS HANDEL AB", ("PARCEL_INTERNATIONAL", "PARCEL_DOMESTIC"), ("SEK", "DKK", "NOK")),
    Customer("20000770044", "FJORDGODS AS", ("AMPHORA_SEA", "AMPHORA_BCI"), ("NOK", "EUR")),
)
LARGE_AMOUNTS = Customer("20000770055", "STORE TALL AS", ("AMPHORA_SEA",))
"""A customer whose sums no person can read; there for those who name it, and not listed."""


@dataclass(frozen=True)
class Invoice:
    """One booked invoice or credit note. `lines` is None where no specification exists.

    `shipments` are those that it charges or, on a credit note, gives back, whether Bring shows them or not.
    """

    customer: str
    number: str
    day: date
    due: date
    issuer: str
    status: str
    net: Decimal
    tax: Decimal
    total: Decimal
    currency: str
    type: str
    source: str
    batch_source: str | None
    attachments: int
    parent: str | None
    lines: tuple[Line, ...] | None
    shipments: tuple[Shipment, ...]
    co2_grams: int | None
    has_pdf: bool


_seeded: dict[tuple[int, date], tuple[int, tuple[Invoice, ...]]] = {}
"""Seed and day of the start -> the serial number of the last invoice, and all of them: a reset needs no new ones."""


class Ledger:
    """Seeded invoices of the 200 days before the world starts, and one older than the API reaches.

    `invoices` is replaced as a whole, never changed in place: a request may read it while a day passes.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._serial = 0
        self.customers: tuple[Customer, ...] = CUSTOMERS
        self.invoices: tuple[Invoice, ...] = ()
        start = (world.seed, self.today())
        if start not in _seeded:
            self._seed(world.rng("bring-ledger"))
            _seeded[start] = (self._serial, self.invoices)
        self._serial, self.invoices = _seeded[start]

    def today(self) -> date:
        """The current date in Oslo."""
        return self._world.clock.now().astimezone(OSLO).date()

    def customer(self, number: str) -> Customer | None:
        """The customer behind a main number or behind the API number that it replaced."""
        return next((c for c in (*self.customers, LARGE_AMOUNTS) if number in {c.number, c.old_number}), None)

    def of(self, customer: Customer) -> list[Invoice]:
        """A customer's invoices that the API still shows, in no particular order."""
        oldest = self.today() - timedelta(days=REACH_DAYS)
        return [i for i in self.invoices if i.customer == customer.number and i.day >= oldest]

    def find(self, customer: Customer, number: str) -> Invoice | None:
        """One invoice that the API still shows."""
        return next((i for i in self.of(customer) if i.number == number), None)

    def next_day(self) -> None:
        """An open invoice is settled; two invoices, one of them specified, and a credit note are new."""
        rng, today = self._world.rng(f"bring-day-{self._serial}"), self.today()
        settled = next((i for i in self.invoices if i.status == "Open" and i.day < today and i.total > 0), None)
        self.invoices = tuple(replace(i, status="Closed") if i is settled else i for i in self.invoices)
        first, second = rng.sample(self.customers, 2)
        fresh = self._invoice(rng, first, today, specified=True)
        new = [
            fresh,
            self._invoice(rng, second, today, specified=False),
            self._credit(rng, fresh, today, specified=False),
        ]
        self.invoices += tuple(new)

    def _seed(self, rng: Random) -> None:
        today = self.today()
        booked: list[Invoice] = []
        for n in range(40):
            customer = self.customers[n % len(self.customers)]
            day = today - timedelta(days=1 + n * 5 + rng.randint(0, 3))
            booked.append(self._invoice(rng, customer, day, specified=rng.random() < SPECIFIED_SHARE or n < 8))
        for n, specified in ((4, True), (9, False), (14, True), (23, False)):
            credited = booked[n]
            day = min(today, credited.day + timedelta(days=6))
            booked.append(self._credit(rng, credited, day, specified=specified))
        sea = self.customers[3]
        booked += [
            self._invoice(rng, sea, today - timedelta(days=40), specified=True, source="AMPHORA_SEA"),
            self._invoice(rng, self.customers[1], today - timedelta(days=300), specified=True, source="ALYSTRA"),
            self._invoice(rng, self.customers[1], today - timedelta(days=400), specified=True, source="ALYSTRA"),
            self._invoice(rng, LARGE_AMOUNTS, today - timedelta(days=40), specified=True, extra=HUGE),
        ]
        booked[5] = replace(booked[5], batch_source=None)
        booked[6] = replace(booked[6], has_pdf=False)
        rng.shuffle(booked)
        self.invoices = tuple(booked)

    def _invoice(
        self,
        rng: Random,
        customer: Customer,
        day: date,
        *,
        specified: bool,
        source: str | None = None,
        currency: str | None = None,
        extra: Decimal | None = None,
        credited: Invoice | None = None,
    ) -> Invoice:
        self._serial += 1
        parcel = (source := source or rng.choice(customer.sources)).startswith("PARCEL")
        number = f"{4_700_000_000 + self._serial * 13}" if parcel else f"{1_100_000 + self._serial * 7}"
        currency = currency or rng.choice(customer.currencies)
        percent = 25 if currency == "NOK" and source != "AMPHORA_SEA" else 0
        count = 144 if self._serial == 2 else rng.randint(3, 60)
        family = FAMILIES[source]
        # A generator of their own, so that what is charged does not decide about the invoices that follow.
        chance = self._world.rng(f"bring-lines-{self._serial}")
        if credited:
            shipments = credited.shipments[: max(1, len(credited.shipments) // 4)]
        else:
            shipments = make_shipments(chance, family.freight, day, self._serial, count)
        order = Order(chance, number, day, currency, shipments, -1 if credited else 1, percent, extra)
        lines = tuple(family.build(order))
        net = column_sum(lines, family.net)
        tax = column_sum(lines, family.tax) if family.tax else share(net, percent)
        return Invoice(
            customer=customer.number,
            number=number,
            day=day,
            due=day + timedelta(days=0 if credited else 14),
            issuer=rng.choice(ISSUERS),
            status="Open" if day > self.today() - timedelta(days=45) and not credited else "Closed",
            net=net,
            tax=tax,
            total=net + tax,
            currency=currency,
            type="Credit note" if credited else "Invoice",
            source=source,
            batch_source="CRM_SF_EXT" if credited else rng.choice(BATCHES),
            attachments=rng.choice((0, 0, 1)),
            parent=credited.number if credited else None,
            lines=lines if specified else None,
            shipments=shipments,
            co2_grams=rng.randint(100, 90_000) if self._serial % 3 == 0 else None,
            has_pdf=True,
        )

    def _credit(self, rng: Random, credited: Invoice, day: date, *, specified: bool) -> Invoice:
        customer = self.customer(credited.customer)
        assert customer
        return self._invoice(
            rng,
            customer,
            day,
            specified=specified,
            source=credited.source,
            currency=credited.currency,
            credited=credited,
        )
