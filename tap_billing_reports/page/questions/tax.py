"""Which tax is on the invoices?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_billing_reports.page.shapes import money, table
from tap_billing_reports.page.values import Answer, Light
from tap_billing_reports.page.words import month_of, rate, vendor

if TYPE_CHECKING:
    from tap_billing_reports.page.read import Reading

MONTHS = 6


def tax(reading: Reading) -> Answer | None:
    """Invoiced tax of the last months that have any."""
    rows = reading.rows(
        f"select month, source, account_id, document_type, rate_percent, documents, "
        f"net_amount, tax_amount, total_amount, currency "
        f"from {{schema}}.vat_by_month where month in "
        f"(select distinct month from {{schema}}.vat_by_month where month is not null order by month desc "
        f"limit {MONTHS}) order by month desc, source, account_id, currency, document_type, rate_percent"
    )
    if not rows:
        return None
    cells = [(*_what(row[:5]), row[5], *(money(amount, row[-1]) for amount in row[6:-1])) for row in rows]
    heads = ("Month", "Vendor", "Account", "Document", "Rate", "Documents", "Net", "Tax", "Total")
    found = table("By month", heads, cells)
    said = (
        "What is on the invoices, by rate, without drafts and void ones; it is no tax return. "
        "The rate is tax by net: of an invoice with several rates, no single one."
    )
    return Answer("tax", "Which tax is on the invoices?", Light.NONE, said, (found,))


def _what(row: tuple[Any, ...]) -> tuple[str | None, ...]:
    month, source, account, kind, percent = row
    return month_of(month), vendor(source), account, kind.replace("_", " "), rate(percent)
