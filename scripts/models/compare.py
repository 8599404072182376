"""What must be equal beside the marts themselves: control totals of the sandbox, and what holds of every row."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from scripts.totals import Line

if TYPE_CHECKING:
    from scripts.models.stores import Store
    from scripts.totals import Totals


def stream_of(report_type: str) -> str:
    """The stream of a report type under the tap's own name for it."""
    return f"stripe_{report_type.replace('.', '_')}"


ACTIVITY_STREAM = stream_of("balance_change_from_activity.itemized.3")
PAYOUT_STREAM = stream_of("payouts.itemized.3")
SETTLED_STREAM = stream_of("payout_reconciliation.itemized.5")


@dataclass(frozen=True)
class Total:
    """A sum over a mart that the sandbox's ledger knows too.

    Attributes:
        mart: which one.
        sql: one number of it.
        told: the columns whose control totals add up to it: stream, source, column.
    """

    mart: str
    sql: str
    told: tuple[tuple[str, str, str], ...]


TOTALS = (
    Total("processing_fees", "sum(fee_amount)", ((ACTIVITY_STREAM, "stripe", "fee"),)),
    Total(
        "payout_reconciliation",
        "sum(returned_amount) - sum(paid_amount) - sum(payout_fee)",
        ((PAYOUT_STREAM, "stripe", "net"),),
    ),
    Total("payout_reconciliation", "sum(transactions_net)", ((SETTLED_STREAM, "stripe", "net"),)),
    Total(
        "balance_rollforward",
        "sum(charges) + sum(refunds) + sum(disputes) + sum(fees) + sum(other) + sum(payouts)",
        ((ACTIVITY_STREAM, "stripe", "net"), (PAYOUT_STREAM, "stripe", "net")),
    ),
    Total(
        "journal_lines",
        "sum(debit - credit) filter (where category = 'balance')",
        ((ACTIVITY_STREAM, "stripe", "net"), (PAYOUT_STREAM, "stripe", "net")),
    ),
    *(
        Total(
            "invoice_settlement",
            f"sum(total_amount) filter (where source = '{source}')",
            (("invoices", source, "total_amount"),),
        )
        for source in ("bring", "brp", "stripe")
    ),
    Total(
        "freight_by_shipment",
        "sum(net_amount)",
        (("bring_invoice_lines", "bring", "agreement_price"), ("bring_invoice_lines", "bring", "amount")),
    ),
)

# Rows that a world that hangs together has none of.
IDENTITIES = {
    "every payout is the sum of its transactions": "select count(*) from {0}.payout_reconciliation where not ties",
    "every balance is its opening and its movements": "select count(*) from {0}.balance_rollforward where not ties",
    "every balance is explained by single transactions": (
        "select count(*) from {0}.balance_rollforward where not itemized_agrees"
    ),
    "every balance opens where the last one ended": (
        "select count(*) from {0}.balance_rollforward where not follows_previous"
    ),
    "every paid invoice has its cash": "select count(*) from {0}.invoice_settlement where not cash_agrees",
    "every booking balances": (
        "select count(*) from (select 1 from {0}.journal_lines group by source, account_id, booking_id, currency "
        "having sum(debit) <> sum(credit)) as off"
    ),
}


def totals(store: Store, schema: str, told: Totals) -> list[Line]:
    """The marts of a warehouse against the sandbox's control totals.

    Raises:
        ValueError: a total is not told.
    """
    lines = []
    for one in TOTALS:
        try:
            amounts = [Decimal(told[stream][source]["sums"][column]) for stream, source, column in one.told]
        except KeyError as missing:
            raise ValueError(f"the sandbox tells no total of {one.told}: {missing}") from None
        ((actual,),) = store.rows(f"select {one.sql} from {schema}.{one.mart}")
        lines.append(Line(one.mart, one.told[0][1], one.sql, sum(amounts, Decimal(0)), Decimal(actual or 0)))
    return lines


def identities(store: Store, schema: str) -> list[Line]:
    """What must hold of every row, as the number of rows of which it does not."""
    found = {what: store.rows(sql.format(schema))[0][0] for what, sql in IDENTITIES.items()}
    return [Line("", "", what, Decimal(0), Decimal(count)) for what, count in found.items()]
