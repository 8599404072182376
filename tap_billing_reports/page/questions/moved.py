"""What moved in the month, in money: the page opens with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tap_billing_reports.page.months import following
from tap_billing_reports.page.shapes import table
from tap_billing_reports.page.values import Money, Table
from tap_billing_reports.page.words import month_of

if TYPE_CHECKING:
    from datetime import date

    from tap_billing_reports.page.read import Reading


@dataclass(frozen=True)
class Column:
    """One kind of money.

    Attributes:
        head: what it is.
        amount: its sum.
        rows: of which view and which rows; `{month}` and `{next}` are the month and the one after.
    """

    head: str
    amount: str
    rows: str


COLUMNS: Final = (
    Column("Charged", "gross_amount", "{schema}.processing_fees where month = '{month}' and category = 'charge'"),
    # By the bookings where no balance is loaded.
    Column(
        "Refunded, disputed",
        "amount",
        "(select currency, refunds + disputes as amount from {schema}.balance_rollforward where month = '{month}' "
        "union all select currency, credit - debit as amount from {schema}.journal_lines "
        "where category in ('refund', 'refund_failure', 'dispute', 'dispute_reversal') "
        "and booking_date >= '{month}' and booking_date < '{next}' "
        "and source not in (select source from {schema}.balance_rollforward)) as given_back",
    ),
    Column("Payment fees", "cost_amount", "{schema}.processing_fees where month = '{month}'"),
    Column(
        "Paid out to the bank",
        "paid_amount",
        "{schema}.payout_reconciliation where not is_returned and coalesce(status, '') <> 'invoiced' "
        "and effective_date >= '{month}' and effective_date < '{next}'",
    ),
    Column("Balance at the end", "ending_balance", "{schema}.balance_rollforward where month = '{month}'"),
    Column(
        "Freight, without tax",
        "net_amount",
        "{schema}.vat_by_month where month = '{month}' and source in (select source from {schema}.freight_by_shipment)",
    ),
    Column(
        "Owed to you, overdue today",
        "open_amount",
        "{schema}.open_items where direction = 'receivable' and days_overdue > 0",
    ),
)


def moved(reading: Reading, month: date) -> Table | None:
    """A row a currency; a column that no currency has is left out."""
    found: dict[str, dict[str, Money]] = {}
    for column in COLUMNS:
        rows = column.rows.replace("{month}", f"{month}").replace("{next}", f"{following(month)}")
        for currency, amount in reading.rows(f"select currency, sum({column.amount}) from {rows} group by currency"):
            if currency is not None and amount is not None:
                found.setdefault(column.head, {})[currency] = Money(amount, currency)
    currencies = sorted({currency for amounts in found.values() for currency in amounts})
    if not currencies:
        return None
    cells = [(currency, *(amounts.get(currency) for amounts in found.values())) for currency in currencies]
    return table(f"{month_of(month)} in money", ("Currency", *found), cells)
