"""Invoices in the shape of API version endive, and of older ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .world.ids import twin_id
from .world.invoice import STANDARD_RATE
from .world.taxes import TaxShare

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .accounts import Account
    from .world.invoice import Invoice, Line

FIRST_LINES = 10
"""How many lines stand inside an invoice; the others are asked for page by page."""

_DAY = 86_400
_MONTH = 30 * _DAY


def invoice_json(invoice: Invoice, account: Account, *, livemode: bool) -> dict[str, Any]:
    customer = invoice.customer
    final = invoice.finalized_at is not None
    paid = invoice.amount_due if invoice.status == "paid" else 0
    page = f"https://invoice.stripe.com/i/{account.id}/test_{invoice.id}"
    return {
        "id": invoice.id,
        "object": "invoice",
        "account_country": account.country,
        "account_name": account.name,
        "account_tax_ids": None,
        "amount_due": invoice.amount_due,
        "amount_overpaid": 0,
        "amount_paid": paid,
        "amount_paid_off_stripe": 0,
        "amount_remaining": invoice.amount_due - paid,
        "amount_shipping": 0,
        "application": None,
        "attempt_count": int(final),
        "attempted": final,
        "auto_advance": invoice.status == "draft",
        "automatic_tax": {
            "enabled": False, "disabled_reason": None, "liability": None, "provider": None, "status": None,
        },
        "automatically_finalizes_at": None if final else invoice.created + _DAY,
        "billing_reason": "subscription_cycle" if invoice.subscription else "manual",
        "collection_method": "charge_automatically" if invoice.subscription else "send_invoice",
        "confirmation_secret": _secret(invoice) if final else None,
        "created": invoice.created,
        "currency": invoice.currency,
        "custom_fields": None,
        "customer": customer.id,
        "customer_account": None,
        "customer_address": {
            **{part: text or None for part, text in customer.address._asdict().items()}
        },
        "customer_email": customer.email,
        "customer_name": customer.name,
        "customer_phone": None,
        "customer_shipping": None,
        "customer_tax_exempt": "none",
        "customer_tax_ids": [],
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "due_date": invoice.due_date,
        "effective_at": invoice.finalized_at,
        "ending_balance": 0 if final else None,
        "footer": None,
        "from_invoice": None,
        "hosted_invoice_url": page if final else None,
        "invoice_pdf": f"{page}/pdf" if final else None,
        "issuer": {"type": "self"},
        "last_finalization_error": None,
        "latest_revision": None,
        "lines": {
            "object": "list",
            "data": [line_json(line, invoice, livemode=livemode) for line in invoice.lines[:FIRST_LINES]],
            "has_more": len(invoice.lines) > FIRST_LINES,
            "url": f"/v1/invoices/{invoice.id}/lines",
        },
        "livemode": livemode,
        "metadata": {},
        "next_payment_attempt": None,
        "number": invoice.number,
        "on_behalf_of": None,
        "parent": _parent(invoice),
        "payment_settings": {
            "default_mandate": None, "payment_method_options": None, "payment_method_types": None,
        },
        "period_end": invoice.created,
        "period_start": invoice.created - _MONTH,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "receipt_number": None,
        "rendering": None,
        "shipping_cost": None,
        "shipping_details": None,
        "starting_balance": 0,
        "statement_descriptor": None,
        "status": invoice.status,
        "status_details": None,
        "status_transitions": {
            "finalized_at": invoice.finalized_at,
            "marked_uncollectible_at": invoice.uncollectible_at,
            "paid_at": invoice.paid_at,
            "voided_at": invoice.voided_at,
        },
        "subtotal": invoice.net,
        "subtotal_excluding_tax": invoice.net,
        "test_clock": None,
        "total": invoice.total,
        "total_discount_amounts": [],
        "total_excluding_tax": invoice.net,
        "total_pretax_credit_amounts": [],
        "total_taxes": _taxes(invoice.taxes, invoice.currency),
        "webhooks_delivered_at": invoice.finalized_at,
    }  # fmt: skip


def of_version(version: str, invoice: dict[str, Any]) -> dict[str, Any]:
    """The invoice as an older API version has it, as far as dates and taxes go; changes the given one.

    docs.stripe.com/changelog: basil/2025-03-31/invoice-tax-configurations,
    2019-03-14/renames-date-field-invoices-created and
    2019-03-14/invoices-specify-finalized-alongside-status-transitions.
    """
    if version[:10] < "2025-03-31":
        taxes = invoice.pop("total_taxes")
        invoice["tax"] = sum(tax["amount"] for tax in taxes) if taxes else None
        invoice["total_tax_amounts"] = _older_taxes(taxes)
        for line in invoice["lines"]["data"]:
            line["tax_amounts"] = _older_taxes(line.pop("taxes"))
    if version[:10] < "2019-03-14":
        invoice["date"] = invoice.pop("created")
        invoice["finalized_at"] = invoice.pop("status_transitions")["finalized_at"]
    return invoice


def _older_taxes(taxes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"amount": tax["amount"], "inclusive": False, "tax_rate": tax["tax_rate_details"]["tax_rate"]} for tax in taxes
    ]


def line_json(line: Line, invoice: Invoice, *, livemode: bool) -> dict[str, Any]:
    return {
        "id": line.id,
        "object": "line_item",
        "amount": line.amount,
        "currency": invoice.currency,
        "description": line.description,
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": invoice.id,
        "livemode": livemode,
        "metadata": {},
        "parent": None,
        "period": {"end": invoice.created, "start": invoice.created - _MONTH},
        "pretax_credit_amounts": [],
        "pricing": None,
        "quantity": line.quantity,
        "quantity_decimal": str(line.quantity),
        "subscription": invoice.subscription,
        "subtotal": line.amount,
        "taxes": _taxes([TaxShare(line.tax_percent, line.amount, line.tax)], invoice.currency),
    }


def _secret(invoice: Invoice) -> dict[str, str]:
    return {"client_secret": f"{twin_id(invoice.id, 'pi')}_secret_sandbox", "type": "payment_intent"}


def _parent(invoice: Invoice) -> dict[str, Any] | None:
    if invoice.subscription is None:
        return None
    details = {"metadata": {}, "subscription": invoice.subscription}
    return {"quote_details": None, "subscription_details": details, "type": "subscription_details"}


def _taxes(shares: Iterable[TaxShare], currency: str) -> list[dict[str, Any]]:
    """An entry for each rate; what is not taxed has none."""
    return [
        {
            "amount": share.tax,
            "tax_behavior": "exclusive",
            "tax_rate_details": {"tax_rate": f"txr_sandbox_{currency}_{share.percent}"},
            "taxability_reason": "standard_rated" if share.percent == STANDARD_RATE else "reduced_rated",
            "taxable_amount": share.net,
            "type": "tax_rate_details",
        }
        for share in shares
        if share.percent
    ]
