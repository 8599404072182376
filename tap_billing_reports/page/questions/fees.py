"""What did payment fees cost?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_billing_reports.page.months import previous
from tap_billing_reports.page.shapes import table
from tap_billing_reports.page.values import Answer, Light, Money
from tap_billing_reports.page.words import listed, month_of, percent, shown

if TYPE_CHECKING:
    from datetime import date

    from tap_billing_reports.page.read import Reading


def fees_cost(reading: Reading, month: date) -> Answer | None:
    """Costs of processing, by currency, against the month before."""
    before = previous(month)
    rows = reading.rows(
        f"select currency, coalesce(sum(cost_amount) filter (where month = '{month}'), 0), "
        f"coalesce(sum(cost_amount) filter (where month = '{before}'), 0), "
        f"sum(case when month = '{month}' then cost_amount else -cost_amount end), "
        f"sum(withheld_tax_amount) filter (where month = '{month}'), "
        f"coalesce(sum(gross_amount) filter (where month = '{month}' and category = 'charge'), 0) "
        f"from {{schema}}.processing_fees where month in ('{month}', '{before}') "
        f"group by currency order by currency"
    )
    if not rows:
        return None
    cells = [
        (
            *(Money(amount, currency) for amount in (cost, earlier, change)),
            None if tax is None else Money(tax, currency),
            Money(charged, currency),
            percent(cost, charged),
        )
        for currency, cost, earlier, change, tax, charged in rows
    ]
    heads = (month_of(month), month_of(before), "Change", "Of it tax", "Charges", "Cost of charges")
    said = listed(
        shown(Money(cost, currency)) + (f" ({share} of charges)" if (share := percent(cost, charged)) else "")
        for currency, cost, *_, charged in rows
    )
    asked = f"What did payment fees cost in {month_of(month)}?"
    return Answer("fees", asked, Light.NONE, f"{said}.", (table("By currency", heads, cells),))
