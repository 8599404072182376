"""What must be equal beside the marts themselves: control totals of the sandbox, and what holds of every row."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from scripts.totals import Line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scripts.models.stores import Store
    from scripts.totals import Totals

_INSTANT = re.compile(r"^(\d{4}-\d\d-\d\d)T\d\d:\d\d:\d\d\S*$")


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
        less: those whose control totals are taken off.
    """

    mart: str
    sql: str
    told: tuple[tuple[str, str, str], ...]
    less: tuple[tuple[str, str, str], ...] = ()


OF_STRIPE, OF_KLARNA = (f"filter (where source = '{one}')" for one in ("stripe", "klarna"))


def _klarna(*totals: str) -> tuple[tuple[str, str, str], ...]:
    return tuple(("klarna_payouts", "klarna", f"totals_{name}_amount") for name in totals)


TOTALS = (
    Total("processing_fees", f"sum(fee_amount) {OF_STRIPE}", ((ACTIVITY_STREAM, "stripe", "fee"),)),
    Total(
        "processing_fees",
        f"sum(fee_amount) {OF_KLARNA}",
        _klarna("fee", "tax"),
        less=_klarna("fee_refund", "tax_refund"),
    ),
    Total(
        "payout_reconciliation",
        f"sum(returned_amount - paid_amount - payout_fee) {OF_STRIPE}",
        ((PAYOUT_STREAM, "stripe", "net"),),
    ),
    Total("payout_reconciliation", f"sum(paid_amount) {OF_KLARNA}", _klarna("settlement")),
    Total("payout_reconciliation", f"sum(transactions_net) {OF_STRIPE}", ((SETTLED_STREAM, "stripe", "net"),)),
    Total("payout_reconciliation", f"sum(transactions_net) {OF_KLARNA}", _klarna("settlement")),
    Total("payout_reconciliation", f"sum(charges) {OF_KLARNA}", _klarna("sale")),
    Total(
        "balance_rollforward",
        "sum(charges) + sum(refunds) + sum(disputes) + sum(fees) + sum(other) + sum(payouts)",
        ((ACTIVITY_STREAM, "stripe", "net"), (PAYOUT_STREAM, "stripe", "net")),
    ),
    Total(
        "journal_lines",
        "sum(debit - credit) filter (where category = 'balance' and source = 'stripe')",
        ((ACTIVITY_STREAM, "stripe", "net"), (PAYOUT_STREAM, "stripe", "net")),
    ),
    Total(
        "journal_lines",
        "sum(debit - credit) filter (where category = 'balance' and source = 'vipps')",
        (("vipps_funds", "vipps", "amount"), ("vipps_fees", "vipps", "amount")),
    ),
    Total(
        "journal_lines",
        "sum(debit - credit) filter (where category in ('payout', 'fees_invoiced') and source = 'klarna')",
        _klarna("settlement"),
    ),
    Total(
        "journal_lines",
        "sum(debit - credit) filter (where account = '7770' and source = 'klarna')",
        _klarna("fee", "charge"),
        less=_klarna("fee_refund", "fee_correction"),
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
    "the fees of Vipps MobilePay are those of its ledgers of fees": (
        "select count(*) from (select sum(cost) as cost from ("
        "select account_id, cost_amount as cost from {0}.processing_fees where source = 'vipps' union all "
        "select account_id, debit - credit from {0}.journal_lines where source = 'vipps' and category = 'balance' "
        "and booking_id like 'fees.%' union all "
        "select account_id, debit - credit from {0}.journal_lines where source = 'vipps' "
        "and category in ('fees_retained', 'fees_invoiced') and booking_id like 'fees.%'"
        ") as of_ledgers group by account_id having sum(cost) <> 0) as off"
    ),
    "what Klarna states of its payouts is explained": (
        "select count(*) from {0}.journal_lines where category = 'not_stated'"
    ),
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
        expected = sum((_told(told, *where) for where in one.told), Decimal(0))
        expected -= sum((_told(told, *where) for where in one.less), Decimal(0))
        ((actual,),) = store.rows(f"select {one.sql} from {schema}.{one.mart}")
        lines.append(Line(one.mart, one.told[0][1], one.sql, expected, Decimal(actual or 0)))
    return lines


def identities(store: Store, schema: str) -> list[Line]:
    """What must hold of every row, as the number of rows of which it does not."""
    found = {what: store.rows(sql.format(schema))[0][0] for what, sql in IDENTITIES.items()}
    return [Line("", "", what, Decimal(0), Decimal(count)) for what, count in found.items()]


def by_days(rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The rows with days for instants: what nobody orders is finished when a sync reads it, each at another second."""
    cut = (tuple(_INSTANT.sub(r"\1", cell) if isinstance(cell, str) else cell for cell in row) for row in rows)
    return sorted(cut, key=str)


def _told(told: Totals, stream: str, source: str, column: str) -> Decimal:
    try:
        return Decimal(told[stream][source]["sums"][column])
    except KeyError as missing:
        raise ValueError(f"the sandbox tells no total of {stream}, {source}, {column}: {missing}") from None
