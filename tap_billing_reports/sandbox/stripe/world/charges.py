"""Payments: by customers who buy at once, and of invoices."""

from __future__ import annotations

from datetime import datetime, time, timedelta, timezone
from typing import TYPE_CHECKING

from .fees import charge_fees, withheld_tax
from .ids import make_id, twin_id
from .movement import Card, Charge, Movement
from .taxes import included

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from .customers import Customer
    from .invoice import Invoice

_DAYS_UNTIL_AVAILABLE = timedelta(days=2)
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
_CARDS = (Card("visa", "credit", "NO"), Card("mastercard", "debit", "US"), Card("amex", "credit", "DE"))
_OTHER_METHODS = ("klarna", "link", "sepa_debit")
_STATEMENTS = ("SANDBOX*GYM", "SANDBOX*SHOP")
_TAX_PERCENT = {"NO": 25, "DE": 19, "US": 8, "JP": 10}


def available_from(created: datetime) -> datetime:
    """When the money of a movement may be paid out."""
    return datetime.combine(created.date() + _DAYS_UNTIL_AVAILABLE, time(), timezone.utc)


def purchase(rng: random.Random, customers: Sequence[Customer], at: datetime, currency: str, amount: int) -> Movement:
    """A charge without an invoice: an order in the shop."""
    customer = rng.choice(customers)
    method, card = _method(rng)
    charge = Charge(
        id=make_id(rng, "ch"),
        intent=make_id(rng, "pi"),
        created=at,
        customer=customer,
        currency=currency,
        amount=amount,
        taxes=included(amount, _TAX_PERCENT[customer.address.country]),
        method=method,
        card=card,
        statement=rng.choice(_STATEMENTS),
        metadata={"order_id": f"{rng.randint(1, 99_999):06d}"} if rng.random() < 0.8 else {},
    )
    return _booked(rng, make_id(rng, "txn"), charge, rng.choice(_DESCRIPTIONS))


def payment_of(rng: random.Random, invoice: Invoice) -> Movement | None:
    """The charge that paid an invoice; None while it is not paid, and where there was nothing to pay."""
    if invoice.status != "paid" or invoice.paid_at is None or invoice.amount_due <= 0:
        return None
    method, card = _method(rng)
    charge = Charge(
        id=twin_id(invoice.id, "ch"),
        intent=twin_id(invoice.id, "pi"),
        created=datetime.fromtimestamp(invoice.paid_at, timezone.utc),
        customer=invoice.customer,
        currency=invoice.currency,
        amount=invoice.total,
        taxes=invoice.taxes,
        method=method,
        card=card,
        statement=_STATEMENTS[0],
        invoice=invoice.id,
        invoice_number=invoice.number,
        subscription=invoice.subscription,
    )
    what = "Subscription update" if invoice.subscription else f"Payment for invoice {invoice.number}"
    return _booked(rng, twin_id(invoice.id, "txn"), charge, what)


def _method(rng: random.Random) -> tuple[str, Card | None]:
    card = rng.choice((*_CARDS, None))
    return ("card", card) if card else (rng.choice(_OTHER_METHODS), None)


def _booked(rng: random.Random, identifier: str, charge: Charge, description: str) -> Movement:
    fees = charge_fees(rng, charge.amount)
    fee = sum(part.amount for part in fees)
    return Movement(
        id=identifier,
        created=charge.created,
        available_on=available_from(charge.created),
        currency=charge.currency,
        gross=charge.amount,
        fee=fee,
        category="charge",
        source=charge.id,
        description=description,
        charge=charge,
        fees=fees,
        withheld_tax=withheld_tax(charge.card, fee),
    )
