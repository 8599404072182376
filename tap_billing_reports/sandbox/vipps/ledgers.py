"""The ledgers of the emulated Vipps MobilePay, and when their days begin."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from functools import cache
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Ledger:
    """One ledger: the funds and the fees of its sales units, in one currency.

    Attributes:
        handles: the sales units that it settles for.
        cutoff: the local hour at which a ledger date begins and ends.
        weekly: paid out with Sunday's end, not every day; a day is closed with the next payout only.
        gross: fees are invoiced by month; otherwise they are taken out of the funds every day.
        sales: fewest and most captures of a day.
        empty_404: a day that is not closed answers 404; otherwise what there is so far, with `tryLater`.
    """

    id: str
    name: str
    currency: str
    zone: str
    handles: tuple[str, ...]
    owner: tuple[str, str]
    bank: tuple[str, str]
    sales: tuple[int, int]
    cutoff: int = 0
    weekly: bool = False
    gross: bool = False
    empty_404: bool = False

    def begin(self, day: date) -> datetime:
        """The instant at which a ledger date begins, in UTC."""
        return _begin(day, self.cutoff, self.zone)

    def end(self, day: date) -> datetime:
        """The instant at which it ends, which is when the next one begins."""
        return self.begin(day + timedelta(days=1))

    def day_of(self, instant: datetime) -> date:
        """The ledger date that an instant falls on."""
        day = instant.astimezone(ZoneInfo(self.zone)).date()
        return day if instant >= self.begin(day) else day - timedelta(days=1)

    @property
    def is_norwegian(self) -> bool:
        return self.currency == "NOK"


@cache
def _begin(day: date, cutoff: int, zone: str) -> datetime:
    return datetime.combine(day, time(cutoff), ZoneInfo(zone)).astimezone(timezone.utc)


LEDGERS = (
    Ledger(
        "302321",
        "Fjellsport Oslo",
        "NOK",
        "Europe/Oslo",
        ("api:123455",),
        ("business:NO:ORG", "987654321"),
        ("BBAN:NO", "86011117947"),
        (8, 18),
    ),
    Ledger(
        "302977",
        "Fjellsport Kafé",
        "NOK",
        "Europe/Oslo",
        ("NO:556677",),
        ("business:NO:ORG", "987654321"),
        ("BBAN:NO", "86011117947"),
        (0, 4),
        cutoff=4,
        weekly=True,
    ),
    Ledger(
        "410077",
        "Bjergsport København",
        "DKK",
        "Europe/Copenhagen",
        ("DK:224466",),
        ("business:DK:CVR", "12345674"),
        ("BBAN:DK", "00400440116243"),
        (3, 9),
        empty_404=True,
    ),
    Ledger(
        "510023",
        "Tunturiurheilu",
        "EUR",
        "Europe/Helsinki",
        ("api:330011", "api:330012"),
        ("business:FI:Y-tunnus", "1234567-1"),
        ("IBAN", "FI2112345600000785"),
        (2, 7),
        gross=True,
        empty_404=True,
    ),
)
BY_ID = {ledger.id: ledger for ledger in LEDGERS}
