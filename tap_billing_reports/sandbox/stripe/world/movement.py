"""What the books consist of: balance transactions, the charges behind them, the payouts that settle them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import date, datetime

    from .customers import Customer
    from .taxes import TaxShare


class Card(NamedTuple):
    """What a report shows of a card."""

    brand: str
    funding: str
    country: str


class FeePart(NamedTuple):
    """A part of a fee, in minor units; a fee may have two equal ones."""

    name: str
    amount: int


@dataclass(frozen=True)
class Charge:
    """The payment behind a charge, its refunds and its disputes. `invoice` is the invoice that it pays.

    `taxes` add up to `amount`.
    """

    id: str
    intent: str
    created: datetime
    customer: Customer
    currency: str
    amount: int
    taxes: tuple[TaxShare, ...]
    method: str
    card: Card | None
    statement: str
    invoice: str | None = None
    invoice_number: str | None = None
    subscription: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Payout:
    """Money sent to a bank account for the week that begins on Monday `week`.

    `status` is how it ended: `paid`, `failed` or `canceled`. The last two have come back at `reversed_at`.
    """

    id: str
    transaction_id: str
    week: date
    effective_at: datetime
    currency: str
    amount: int
    destination: str
    status: str
    reversed_at: datetime | None


@dataclass(frozen=True)
class Movement:
    """A balance transaction. Amounts are in minor units; `net` is always `gross - fee`.

    `fees` are the parts that `fee` is made of; `withheld_tax` is the share of it that is tax withheld for a tax
    office. `payout` is the payout whose way out or back this is. `settles` is False for what no payout ever pays out.
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
    fees: tuple[FeePart, ...] = ()
    withheld_tax: int = 0
    metadata: dict[str, str] = field(default_factory=dict)
    payout: Payout | None = None
    settles: bool = True

    @property
    def net(self) -> int:
        return self.gross - self.fee
