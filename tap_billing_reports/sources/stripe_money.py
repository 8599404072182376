"""Stripe's amounts: integers in minor units, by a table of currencies that is not quite ISO 4217."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from tap_billing_reports import converters as to
from tap_billing_reports.money import ISO_4217

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_billing_reports.declarations import Record

# The ariary has no minor unit at Stripe, while the krona and the Ugandan shilling are sent with two digits
# although nothing smaller than 1 exists. HUF and TWD are whole only in payouts, and still written with two.
EXPONENTS: Final[Mapping[str, int]] = MappingProxyType({**ISO_4217, "MGA": 0, "ISK": 2, "UGX": 2})

amount = to.minor("currency", exponents=EXPONENTS)
"""An amount of an object that names its `currency`."""


def tax_sum(taxes: Any, record: Record) -> Any:
    """The sum of an invoice's taxes, each with an `amount` in the invoice's currency."""
    return amount(sum(to.whole(tax["amount"], record) for tax in taxes), record)
