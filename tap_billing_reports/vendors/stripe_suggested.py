"""The reports that `billing-reports init` proposes for Stripe: those that the models read, with what they read of them.

Card, customer and invoice ids, and the payout's, are no default columns of Stripe's: a report that does not ask for
them has them empty. All in months: a model holds one report against another of the same window.
"""

from __future__ import annotations

from typing import Any

# One list for the reports that itemise balance transactions.
_TRANSACTION = (
    "balance_transaction_id", "created", "available_on", "currency", "gross", "fee", "net", "reporting_category",
    "source_id", "description", "automatic_payout_id", "automatic_payout_effective_at", "charge_id",
    "payment_intent_id", "invoice_id", "customer_id",
)  # fmt: skip
_COLUMNS: dict[str, tuple[str, ...]] = {
    "balance_change_from_activity.itemized.3": (
        *_TRANSACTION, "payment_method_type", "card_brand", "card_country", "dispute_reason",
    ),
    "payouts.itemized.3": (
        "payout_id", "effective_at", "currency", "gross", "fee", "net", "reporting_category", "balance_transaction_id",
        "description", "payout_expected_arrival_date", "payout_status", "payout_reversed_at", "payout_type",
        "payout_description",
    ),
    "payout_reconciliation.itemized.5": _TRANSACTION,
    "balance.summary.1": (),
    "ending_balance_reconciliation.itemized.4": _TRANSACTION,
}  # fmt: skip


def _entry(report_type: str, columns: tuple[str, ...]) -> dict[str, Any]:
    entry: dict[str, Any] = {"report_type": report_type, "window": "month"}
    return {**entry, "columns": [*columns]} if columns else entry


REPORTS = [_entry(report_type, columns) for report_type, columns in _COLUMNS.items()]
"""As entries of `stripe_reports`."""
