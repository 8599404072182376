"""An invoice and its lines, as the books have them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_billing_reports.sandbox.stripe.money import Money

if TYPE_CHECKING:
    from .customers import Customer

_TAX_PERCENT = 25
_TAXED = frozenset({"nok", "sek"})


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
    def tax_percent(self) -> int:
        return _TAX_PERCENT if self.currency in _TAXED else 0

    @property
    def tax(self) -> int:
        return self.net * self.tax_percent // 100

    @property
    def total(self) -> int:
        return self.net + self.tax

    @property
    def amount_due(self) -> int:
        """What is asked for: a negative total is asked of nobody."""
        return max(0, self.total)

    def money(self, minor: int) -> Money:
        return Money(minor, self.currency)
