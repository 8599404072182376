"""Stripe's amounts: integers in minor units, by a table of currencies that is not quite ISO 4217."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from tap_billing_reports.core.money import ISO_4217
from tap_billing_reports.declare import converters as to

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_billing_reports.declare import Record

# The ariary has no minor unit at Stripe, while the krona and the Ugandan shilling are sent with two digits
# although nothing smaller than 1 exists. HUF and TWD are whole only in payouts, and still written with two.
EXPONENTS: Final[Mapping[str, int]] = MappingProxyType({**ISO_4217, "MGA": 0, "ISK": 2, "UGX": 2})

amount = to.minor("currency", exponents=EXPONENTS)
"""An amount of an object that names its `currency`."""


# Stripe's own `amount_due` is what was asked for when the invoice was finalised, and stays so when it is paid;
# `amount_remaining` is that without `amount_paid` (docs.stripe.com/api/invoices/object). A void invoice counts as
# zero (docs.stripe.com/invoicing/overview#void), whatever its amounts say.
_NOTHING_DUE: Final = frozenset({"paid", "void"})


def amount_still_due(remaining: Any, invoice: Record) -> Any:
    """What somebody still owes: what remains, and nothing of an invoice that is paid or void."""
    return amount(0 if invoice.get("status") in _NOTHING_DUE else remaining, invoice)


def invoice_tax(invoice: Record, _record: Record) -> Any:
    """An invoice's tax, in any form that its API version has; null only where Stripe says so.

    Since 2025-03-31.basil taxes stand in `total_taxes`, before that in `total_tax_amounts`, and summed up in `tax`
    (docs.stripe.com/changelog/basil/2025-03-31/invoice-tax-configurations).

    Raises:
        ValueError: none of them is there, so nobody knows the tax.
    """
    if "total_taxes" in invoice:
        return _tax_sum(invoice["total_taxes"], invoice)
    if invoice.get("tax") is not None:
        return amount(invoice["tax"], invoice)
    if "total_tax_amounts" in invoice:
        return _tax_sum(invoice["total_tax_amounts"], invoice)
    if "tax" in invoice:
        return None
    raise ValueError("no tax in any known form")


def _tax_sum(taxes: Any, invoice: Record) -> Any:
    """The sum of taxes that each have an `amount` in the invoice's currency; null stays null."""
    if taxes is None:
        return None
    return amount(sum(to.whole(tax["amount"], invoice) for tax in taxes), invoice)
