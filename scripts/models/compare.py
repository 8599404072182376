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


ACTIVITY_STREAM = "stripe_balance_change_from_activity_itemized_3"
PAYOUT_STREAM = "stripe_payouts_itemized_3"
SETTLED_STREAM = "stripe_payout_reconciliation_itemized_5"
Told = tuple[tuple[str, str, str], ...]
"""Control totals: stream, source, column."""


@dataclass(frozen=True)
class Total:
    """A sum over a mart that the sandbox's ledger knows too.

    Attributes:
        mart: which one.
        sql: one number of it.
        told: the control totals that add up to it.
        less: those that are taken off.
    """

    mart: str
    sql: str
    told: Told
    less: Told = ()


def _klarna(*totals: str) -> Told:
    return tuple(("klarna_payouts", "klarna", f"totals_{name}_amount") for name in totals)


OF_STRIPE, OF_KLARNA, OF_VIPPS = (f"filter (where source = '{one}')" for one in ("stripe", "klarna", "vipps"))
STRIPE_ACTIVITY, STRIPE_PAYOUTS, STRIPE_SETTLED = (
    ((stream, "stripe", "net"),) for stream in (ACTIVITY_STREAM, PAYOUT_STREAM, SETTLED_STREAM)
)
STRIPE_BALANCE = STRIPE_ACTIVITY + STRIPE_PAYOUTS
VIPPS_FUNDS = (("vipps_funds", "vipps", "amount"),)
VIPPS_BALANCE = (*VIPPS_FUNDS, ("vipps_fees", "vipps", "amount"))
BRING_LINES = tuple(("bring_invoice_lines", "bring", column) for column in ("agreement_price", "amount"))
MOVEMENTS = "sum(charges + refunds + disputes + fees + other + payouts)"
BOOKED = "sum(debit - credit) filter (where {})"

TOTALS = (
    Total("processing_fees", f"sum(fee_amount) {OF_STRIPE}", ((ACTIVITY_STREAM, "stripe", "fee"),)),
    Total(
        "processing_fees",
        f"sum(fee_amount) {OF_KLARNA}",
        _klarna("fee", "tax"),
        less=_klarna("fee_refund", "tax_refund"),
    ),
    Total("payout_reconciliation", f"sum(returned_amount - paid_amount - payout_fee) {OF_STRIPE}", STRIPE_PAYOUTS),
    Total("payout_reconciliation", f"sum(paid_amount) {OF_KLARNA}", _klarna("settlement")),
    Total("payout_reconciliation", f"sum(transactions_net) {OF_STRIPE}", STRIPE_SETTLED),
    Total("payout_reconciliation", f"sum(transactions_net) {OF_KLARNA}", _klarna("settlement")),
    Total("payout_reconciliation", f"sum(charges) {OF_KLARNA}", _klarna("sale")),
    Total("balance_rollforward", f"{MOVEMENTS} {OF_STRIPE}", STRIPE_BALANCE),
    Total("balance_rollforward", f"{MOVEMENTS} {OF_VIPPS}", VIPPS_FUNDS),
    Total("journal_lines", BOOKED.format("category = 'balance' and source = 'stripe'"), STRIPE_BALANCE),
    Total("journal_lines", BOOKED.format("category = 'balance' and source = 'vipps'"), VIPPS_BALANCE),
    Total(
        "journal_lines",
        BOOKED.format("category in ('payout', 'fees_invoiced') and source = 'klarna'"),
        _klarna("settlement"),
    ),
    Total(
        "journal_lines",
        BOOKED.format("account = '7770' and source = 'klarna'"),
        _klarna("fee", "charge"),
        less=_klarna("fee_refund", "fee_correction"),
    ),
    *(
        Total(
            "invoice_settlement",
            f"sum(total_amount) filter (where source = '{one}')",
            (("invoices", one, "total_amount"),),
        )
        for one in ("bring", "brp", "stripe")
    ),
    Total("freight_by_shipment", "sum(net_amount)", BRING_LINES),
)

# Rows that a world that hangs together has none of. That every booking balances is a test of dbt's, in each warehouse.
IDENTITIES = {
    "every payout is the sum of its transactions": "{0}.payout_reconciliation where not ties",
    "every balance is its opening and its movements": "{0}.balance_rollforward where not ties",
    "every balance is explained by single transactions": "{0}.balance_rollforward where not itemized_agrees",
    "every balance opens where the last one ended": "{0}.balance_rollforward where not follows_previous",
    "every paid invoice has its cash": "{0}.invoice_settlement where not cash_agrees",
    "the fees of Vipps MobilePay are those of its ledgers of fees": (
        "(select sum(cost) as cost from ("
        "select account_id, cost_amount as cost from {0}.processing_fees where source = 'vipps' union all "
        "select account_id, debit - credit from {0}.journal_lines where source = 'vipps' and category = 'balance' "
        "and booking_id like 'fees.%' union all "
        "select account_id, debit - credit from {0}.journal_lines where source = 'vipps' "
        "and category in ('fees_retained', 'fees_invoiced') and booking_id like 'fees.%'"
        ") as of_ledgers group by account_id having sum(cost) <> 0) as off"
    ),
    "what Klarna states of its payouts is explained": "{0}.journal_lines where category = 'not_stated'",
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
    found = {what: store.rows(f"select count(*) from {sql.format(schema)}")[0][0] for what, sql in IDENTITIES.items()}
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
