"""How did charges become money at the bank?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_billing_reports.page.months import following
from tap_billing_reports.page.shapes import steps
from tap_billing_reports.page.values import Answer, Flow, Light
from tap_billing_reports.page.words import agreed, counted, month_of

if TYPE_CHECKING:
    from datetime import date

    from tap_billing_reports.page.read import Reading


def payouts_way(reading: Reading, month: date) -> Answer | None:
    """From charges to the bank: what the payouts of the last month are made of, a drawing a currency."""
    rows = reading.rows(
        f"select currency, count(*), sum(charges), sum(refunds), sum(disputes), sum(fees), sum(other), "
        f"sum(paid_amount) - sum(transactions_net), sum(paid_amount) from {{schema}}.payout_reconciliation "
        f"where transactions is not null and {_of(month)} group by currency order by currency"
    )
    if not rows:
        return None
    ((unknown,),) = reading.rows(
        f"select count(*) from {{schema}}.payout_reconciliation where transactions is null and {_of(month)}"
    )
    labels = ("Charges", "Refunds", "Disputes", "Fees", "Other", "Not explained")
    flows = tuple(
        Flow(
            f"{currency}: {counted(count, 'payout')}",
            steps([*zip(labels, amounts, strict=True)], ("Paid out", paid), currency),
        )
        for currency, count, *amounts, paid in rows
    )
    said = f"Of the payouts of {month_of(month)} that were not sent back, by currency."
    if any(row[-2] for row in rows):
        said += " What is not explained: no transaction that is loaded says it."
    if unknown:
        said += f" {counted(unknown, 'payout')} more {agreed(unknown, 'names', 'name')} no transactions."
    return Answer("way", "How did charges become money at the bank?", Light.NONE, said, flows=flows)


def _of(month: date) -> str:
    return (
        "not is_returned and coalesce(status, '') <> 'invoiced' "
        f"and effective_date >= '{month}' and effective_date < '{following(month)}'"
    )
