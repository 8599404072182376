"""Reports with several lines per balance transaction: its parts, fees, taxes. Equal lines do occur."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from .money import Money
from .world.taxes import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .cells import Row
    from .world.balance import Entry, Ledger

_STATE = {"US": "NY"}


def activity_rows(entry: Entry, ledger: Ledger) -> Iterator[Row]:
    """The gross amount, then each part of the fee as a negative amount."""
    del ledger
    movement = entry.movement
    charge = movement.charge
    common: Row = {
        "balance_transaction_id": movement.id,
        "balance_transaction_created_at": movement.created,
        "event_type": f"{movement.category}_created",
        "activity_at": movement.created,
        "currency": movement.currency,
        "charge_id": charge.id if charge else None,
        "payment_intent_id": charge.intent if charge else None,
        "refund_id": movement.source if movement.category == "refund" else None,
        "reporting_category": movement.category,
        "balance_transaction_description": movement.description,
        "customer_facing_currency": movement.currency if charge else None,
    }
    yield {
        **common,
        "balance_transaction_component": "gross",
        "amount": Money(movement.gross, movement.currency),
        "customer_facing_amount": Money(movement.gross, movement.currency) if charge else None,
    }
    if movement.fee:
        for name, amount in movement.fees:
            yield {
                **common,
                "balance_transaction_component": "fee",
                "fee_id": f"{movement.id}-{name}",
                "amount": Money(-amount, movement.currency),
            }


def fee_rows(entry: Entry, ledger: Ledger) -> Iterator[Row]:
    """One line for each part of a fee."""
    movement = entry.movement
    for name, amount in movement.fees:
        yield {
            "balance_transaction_id": movement.id,
            "balance_transaction_created": movement.created,
            "fee_transaction_id": f"{movement.id}-{name}",
            "incurred_at": movement.created,
            "incurred_by": movement.source,
            "incurred_by_type": movement.category,
            "amount": Money(amount, movement.currency),
            "tax": Money(0, movement.currency),
            "currency": movement.currency,
            "product": "payments" if movement.charge else "billing",
            "feature_name": name,
            "fee_description": f"{name.replace('_', ' ').capitalize()}, {ledger.account.country}",
            "suite": "payments",
        }


def tax_rows(entry: Entry, ledger: Ledger) -> Iterator[Row]:
    """The tax in a charge or a refund: one line per rate and jurisdiction; American ones have several."""
    movement = entry.movement
    charge = movement.charge
    if charge is None or movement.category not in {"charge", "refund"}:
        return
    country = charge.customer.address.country
    key = movement.id.removeprefix("txn_")
    for number, share in enumerate(within(charge.taxes, charge.amount, movement.gross)):
        taxable = share.net if share.percent else 0
        amounts = {
            "taxable_amount": taxable,
            "non_taxable_amount": share.net - taxable,
            "total": share.total,
        }
        levels = _american(share.tax) if country == "US" and share.percent else (("country", country, share.tax),)
        for level, name, amount in levels:
            yield {
                "id": f"taxtxn_{key}",
                "line_item_id": f"li_{key}{number or ''}",
                "type": "sale" if movement.category == "charge" else "reversal",
                "transaction_date": movement.created,
                "tax_date": movement.created,
                "currency": movement.currency,
                "country_code": country,
                "state_code": _STATE.get(country),
                "jurisdiction_level": level,
                "jurisdiction_name": name,
                "tax_name": "Sales tax" if country == "US" else "VAT",
                "tax_code": "txcd_10000000",
                "tax_rate": Decimal(share.percent).scaleb(-2),
                "taxability": "taxable" if share.percent else "not_taxable",
                "taxability_reason": "standard_rated" if share.percent else "not_subject_to_tax",
                "quantity": 1,
                "quantity_decimal": Decimal("1.00"),
                "subtotal": Money(share.net, movement.currency),
                "tax_amount": Money(amount, movement.currency),
                **{name: Money(minor, movement.currency) for name, minor in amounts.items()},
                "filing_currency": movement.currency,
                "filing_exchange_rate": Decimal("1.000000"),
                "filing_tax_amount": Money(amount, movement.currency),
                **{f"filing_{name}": Money(minor, movement.currency) for name, minor in amounts.items()},
                "origin_resolved_address_country": ledger.account.country,
                "destination_resolved_address_country": country,
                "destination_resolved_address_state": _STATE.get(country),
            }


def _american(tax: int) -> tuple[tuple[str, str, int], ...]:
    """State and city share the tax; a city's two districts are alike in everything that the report shows."""
    state, district = tax - 2 * (tax // 4), tax // 4
    return (
        ("state", "New York", state),
        ("city", "New York City", district),
        ("city", "New York City", district),
    )
