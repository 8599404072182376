"""What must be equal: marts and views, one warehouse and another, marts and the sandbox's control totals."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from scripts.models.settings import ACTIVITY, PAYOUTS, SETTLED, stream_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scripts.models.stores import Store

Totals = dict[str, dict[str, dict[str, Any]]]

ACTIVITY_STREAM, PAYOUT_STREAM, SETTLED_STREAM = map(stream_of, (ACTIVITY, PAYOUTS, SETTLED))


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


@dataclass(frozen=True)
class Line:
    """One comparison, for the table."""

    what: str
    expected: Decimal
    actual: Decimal

    @property
    def equal(self) -> bool:
        return self.expected == self.actual


def totals(store: Store, schema: str, told: Totals) -> list[Line]:
    """The marts of a warehouse against the sandbox's control totals.

    Raises:
        ValueError: a total is not told.
    """
    lines = []
    for one in TOTALS:
        expected = sum((_told(told, *where) for where in one.told), Decimal(0))
        ((actual,),) = store.rows(f"select {one.sql} from {schema}.{one.mart}")
        lines.append(Line(f"{one.mart}: {one.sql}", expected, Decimal(actual or 0)))
    return lines


def _told(told: Mapping[str, Any], stream: str, source: str, column: str) -> Decimal:
    try:
        return Decimal(told[stream][source]["sums"][column])
    except KeyError as missing:
        raise ValueError(f"the sandbox tells no total of {stream}, {source}, {column}: {missing}") from None


def identities(store: Store, schema: str) -> list[Line]:
    """What must hold of every row, as the number of rows of which it does not."""
    lines = []
    for what, sql in IDENTITIES.items():
        ((found,),) = store.rows(sql.format(schema))
        lines.append(Line(what, Decimal(0), Decimal(found)))
    return lines


def differing(marts: Sequence[str], one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """The marts whose rows are not the same."""
    return [name for name in marts if one[name] != other[name]]
