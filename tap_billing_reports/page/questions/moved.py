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
    Column("Charged", "gross_amount", "processing_fees where month = '{month}' and category = 'charge'"),
    Column("Refunded, disputed", "refunds + disputes", "balance_rollforward where month = '{month}'"),
    Column("Payment fees", "cost_amount", "processing_fees where month = '{month}'"),
    Column(
        "Paid out to the bank",
        "paid_amount",
        "payout_reconciliation where not is_returned and effective_date >= '{month}' and effective_date < '{next}'",
    ),
    Column("Balance at the end", "ending_balance", "balance_rollforward where month = '{month}'"),
    Column(
        "Freight, without tax",
        "net_amount",
        "vat_by_month where month = '{month}' and source in (select source from {schema}.freight_by_shipment)",
    ),
    Column(
        "Owed to you, overdue today", "open_amount", "open_items where direction = 'receivable' and days_overdue > 0"
    ),
)


def moved(reading: Reading, month: date) -> Table | None:
    """A row a currency; a column that no currency has is left out."""
    found: dict[str, dict[str, Money]] = {}
    for column in COLUMNS:
        rows = column.rows.replace("{month}", f"{month}").replace("{next}", f"{following(month)}")
        for currency, amount in reading.rows(
            f"select currency, sum({column.amount}) from {{schema}}.{rows} group by currency"
        ):
            if currency is not None and amount is not None:
                found.setdefault(column.head, {})[currency] = Money(amount, currency)
    currencies = sorted({currency for amounts in found.values() for currency in amounts})
    if not currencies:
        return None
    cells = [(currency, *(amounts.get(currency) for amounts in found.values())) for currency in currencies]
    return table(f"{month_of(month)} in money", ("Currency", *found), cells)
