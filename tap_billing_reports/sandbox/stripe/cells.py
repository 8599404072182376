"""What a balance transaction shows in each column of the itemized reports.

A cell is a `Money`, a Decimal, an int, a bool, an aware datetime, a text, or None for an empty cell.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from .money import Money

if TYPE_CHECKING:
    from .accounts import Account
    from .world.balance import Entry
    from .world.customers import Customer
    from .world.movement import Charge, Movement, Payout

Cell = Money | Decimal | int | bool | datetime | str | None
Row = dict[str, Cell]


def entry_cells(entry: Entry, account: Account) -> Row:
    """Every column of a balance transaction that any itemized report has."""
    movement = entry.movement
    row: Row = {
        "balance_transaction_id": movement.id,
        "created": movement.created,
        "created_utc": movement.created,
        "available_on": movement.available_on,
        "available_on_utc": movement.available_on,
        "currency": movement.currency,
        "gross": Money(movement.gross, movement.currency),
        "fee": Money(movement.fee, movement.currency),
        "net": Money(movement.net, movement.currency),
        "reporting_category": movement.category,
        "source_id": movement.source,
        "description": movement.description,
        "connected_account": account.id,
        "dispute_reason": "fraudulent" if movement.category.startswith("dispute") else None,
        "withheld_tax": Money(movement.withheld_tax, movement.currency),
        "fee_net_of_withheld_tax": Money(movement.fee - movement.withheld_tax, movement.currency),
    }
    row |= _payout_cells(entry.payout)
    if movement.charge is not None:
        row |= _charge_cells(movement, movement.charge)
    metadata = "transfer_metadata" if movement.source.startswith("tr_") else "refund_metadata"
    row |= {f"{metadata}[{key}]": value for key, value in movement.metadata.items()}
    return row


def payout_cells(movement: Movement, payout: Payout, account: Account) -> Row:
    """The columns of the payouts reports for a payout or its reversal."""
    return {
        "payout_id": payout.id,
        "effective_at": movement.created,
        "effective_at_utc": movement.created,
        "currency": payout.currency,
        "gross": Money(movement.gross, payout.currency),
        "fee": Money(0, payout.currency),
        "net": Money(movement.net, payout.currency),
        "reporting_category": movement.category,
        "balance_transaction_id": movement.id,
        "description": movement.description,
        # A day of the bank's, which reads the same whatever the run's zone.
        "payout_expected_arrival_date": f"{payout.effective_at:%Y-%m-%d} 00:00:00",
        "payout_status": payout.status,
        "payout_reversed_at": payout.reversed_at,
        "payout_reversed_at_utc": payout.reversed_at,
        "payout_type": "bank_account",
        "payout_description": "STRIPE PAYOUT",
        "payout_destination_id": payout.destination,
        "connected_account": account.id,
    }


def _payout_cells(payout: Payout | None) -> Row:
    if payout is None:
        return {}
    return {
        "automatic_payout_id": payout.id,
        "automatic_payout_effective_at": payout.effective_at,
        "automatic_payout_effective_at_utc": payout.effective_at,
        "payout_reference_token": f"ref-{payout.week.isoformat()}",
        "payout_statement_descriptor": "STRIPE PAYOUT",
        "trace_id": f"TR{payout.week.strftime('%Y%m%d')}",
        "trace_id_status": "supported",
    }


def _charge_cells(movement: Movement, charge: Charge) -> Row:
    card = charge.card
    row: Row = {
        "customer_facing_amount": Money(movement.gross, movement.currency),
        "customer_facing_currency": movement.currency,
        "charge_id": charge.id,
        "payment_intent_id": charge.intent,
        "charge_created": charge.created,
        "charge_created_utc": charge.created,
        "invoice_id": charge.invoice,
        "invoice_number": charge.invoice_number,
        "subscription_id": charge.subscription,
        "payment_method_type": charge.method,
        "is_link": charge.method == "link",
        "card_brand": card.brand if card else None,
        "card_funding": card.funding if card else None,
        "card_country": card.country if card else None,
        "statement_descriptor": charge.statement,
        "order_id": charge.metadata.get("order_id"),
        "regulatory_tag": None,
    }
    row |= {f"payment_metadata[{key}]": value for key, value in charge.metadata.items()}
    return row | _customer_cells(charge.customer)


def _customer_cells(customer: Customer) -> Row:
    row: Row = {
        "customer_id": customer.id,
        "customer_name": customer.name,
        "customer_email": customer.email,
        "customer_description": customer.description or None,
    }
    for prefix in ("customer_address", "customer_shipping_address", "shipping_address", "card_address"):
        row |= {f"{prefix}_{part}": text or None for part, text in customer.address._asdict().items()}
    return row
