"""An invoice and its lines, as the books have them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_billing_reports.sandbox.stripe.money import Money

from .taxes import TaxShare

if TYPE_CHECKING:
    from .customers import Customer

_RATES = {
    "nok": {"Late fee": 0, "Smoothie card": 15},
    "sek": {"Late fee": 0, "Smoothie card": 12, "Membership": 6, "Personal training, 10 sessions": 6},
}
"""Currency -> product -> percent of tax; other products have the standard rate, other currencies no tax."""
STANDARD_RATE = 25


def tax_rate(currency: str, product: str) -> int:
    """Percent of tax on a product."""
    return _RATES[currency].get(product, STANDARD_RATE) if currency in _RATES else 0


@dataclass(frozen=True)
class Line:
    """One line; the amount is before tax, in minor units."""

    id: str
    description: str
    amount: int
    quantity: int
    tax_percent: int = 0

    @property
    def tax(self) -> int:
        """Rounded half up to the minor unit; a credit's like the charge's."""
        tax = (abs(self.amount) * self.tax_percent + 50) // 100
        return tax if self.amount > 0 else -tax


@dataclass
class Invoice:
    """One invoice. Times are Unix seconds, amounts minor units."""

    id: str
    created: int
    currency: str
    customer: Customer
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
        return sum(line.tax for line in self.lines)

    @property
    def taxes(self) -> tuple[TaxShare, ...]:
        """What the lines of each rate add up to, the highest rate first."""
        rates = sorted({line.tax_percent for line in self.lines}, reverse=True)
        of_rate = ([line for line in self.lines if line.tax_percent == rate] for rate in rates)
        return tuple(
            TaxShare(lines[0].tax_percent, sum(line.amount for line in lines), sum(line.tax for line in lines))
            for lines in of_rate
        )

    @property
    def total(self) -> int:
        return self.net + self.tax

    @property
    def amount_due(self) -> int:
        """What is asked for: a negative total is asked of nobody."""
        return max(0, self.total)

    @property
    def still_due(self) -> int:
        """What nobody has paid and somebody owes."""
        return 0 if self.status in {"paid", "void"} else self.amount_due

    def money(self, minor: int) -> Money:
        return Money(minor, self.currency)
