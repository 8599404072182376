"""Companies, units, persons and invoices of the emulated gym, before anything is serialised."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from random import Random

    from tap_billing_reports.sandbox.world import World

STOCKHOLM = ZoneInfo("Europe/Stockholm")
HUGE = 12_345_678_901_234_567_890  # 20 digits: more than a signed 64-bit integer holds

STATES = {
    1: "Not sent",
    2: "Pending",
    3: "Completed",
    4: "Reminder",
    5: "Reminder bureau",
    6: "Bill collection",
    7: "Sent",
    8: "Exported",
    9: "Waiting to be sent",
    42: "Under arbitration",
}
"""Status numbers with their text; no document knows 42."""

COMPLETED = 3


@dataclass(frozen=True)
class Company:
    id: int
    name: str
    prefix: str


@dataclass(frozen=True)
class Unit:
    """A business unit; a hidden one is listed only with `showall`."""

    id: int
    name: str
    company: int
    hidden: bool = False


@dataclass(frozen=True)
class Person:
    """A customer; a deleted one is not listed, though invoices of that person exist."""

    id: int
    first: str
    last: str
    deleted: bool = False


COMPANIES = (Company(1, "Friskis & Styrka AB", "F"), Company(2, "Simhallen Åkeshov AB", ""))
LARGE_AMOUNTS = Company(7, "Store Tal AB", "S")
"""A company whose sums no person can read; it answers those who name it, and no list has a unit of it."""
UNITS = (
    Unit(11, "Gym City", 1),
    Unit(12, "Gym Söder", 1),
    Unit(13, "Lager", 1, hidden=True),
    Unit(21, "Åkeshov <bad>", 2),
)
PERSONS = (
    Person(101, "Homer", "Simpson"),
    Person(102, "Åsa", "Öhrn"),
    Person(103, "Björn", "Ærlig & Co"),
    Person(104, "Zoë", "Çelik"),
    Person(105, "Nils", "O'Neill"),
    Person(106, "Maja", "Gräddnos", deleted=True),
)


@dataclass(frozen=True)
class Invoice:
    """One invoice; amounts are whole öre."""

    id: int
    number: str
    order: int
    person: int
    company: int
    total: int
    rest: int
    fee: int
    day: date
    due: date
    paid: date | None
    state: int
    products: tuple[int, ...]


class Ledger:
    """Seeded invoices, most of them of the last 200 days, some years old.

    `invoices` is replaced as a whole, never changed in place: a request may read it while a day passes.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        rng, today = world.rng("brp-ledger"), self.today()
        states = [n for n in STATES if n != COMPLETED]
        invoices = [
            self._invoice(rng, n, today - timedelta(days=2 + n * 7 + rng.randint(0, 5)), states[n % len(states)])
            for n in range(27)
        ]
        for n in range(0, 27, 4):
            invoices[n] = _paid(invoices[n], min(today, invoices[n].day + timedelta(days=9)))
        invoices += [self._invoice(rng, 27 + n, today - timedelta(days=days), 3) for n, days in enumerate((900, 2100))]
        invoices[6] = replace(invoices[6], total=-49_900, rest=-49_900, fee=0)
        invoices[13] = replace(invoices[13], total=5, rest=5, fee=0)
        # An open invoice of a person that is listed no more: only the whole company's list shows it.
        invoices[17] = replace(invoices[17], person=106)
        large = self._invoice(rng, 29, today - timedelta(days=75), 7)
        invoices.append(replace(large, company=LARGE_AMOUNTS.id, total=HUGE, rest=HUGE - 1))
        self.invoices: tuple[Invoice, ...] = tuple(invoices)

    def today(self) -> date:
        """The current date in Stockholm."""
        return self._world.clock.now().astimezone(STOCKHOLM).date()

    def next_day(self) -> None:
        """A sent invoice is paid, a pending one falls back to not sent, and one is new."""
        today, count = self.today(), len(self.invoices)
        sent = next((i for i in self.invoices if i.state == 7), None)
        pending = next((i for i in self.invoices if i.state == 2), None)
        changed = [_paid(i, today) if i is sent else replace(i, state=1) if i is pending else i for i in self.invoices]
        fresh = self._invoice(self._world.rng(f"brp-day-{count}"), count, today, 7)
        self.invoices = (*changed, fresh)

    @staticmethod
    def _invoice(rng: Random, n: int, day: date, state: int) -> Invoice:
        total = rng.randint(9_900, 189_900)
        done = state == COMPLETED
        return Invoice(
            id=1044 + n * 3,
            number=str(796 + n),
            order=44 + n,
            person=PERSONS[rng.randrange(5)].id,
            company=COMPANIES[n % 2].id,
            total=total,
            rest=0 if done else total,
            fee=2_500 if state in {4, 5, 6} else 0,
            day=day,
            due=day + timedelta(days=10),
            paid=day + timedelta(days=9) if done else None,
            state=state,
            products=tuple(rng.sample((1, 2, 3, 4), 2)),
        )


def _paid(invoice: Invoice, day: date) -> Invoice:
    return replace(invoice, state=COMPLETED, rest=0, paid=day)
