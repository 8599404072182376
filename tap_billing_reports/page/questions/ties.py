"""What does not tie, and why?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_billing_reports.page.shapes import filled, money, table
from tap_billing_reports.page.values import Answer, Light, Table
from tap_billing_reports.page.words import agreed, counted, listed, month_of, shown, vendor

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

    from tap_billing_reports.page.read import Reading


def does_not_tie(reading: Reading, month: date) -> Answer | None:
    """Payouts, balances, invoices and checks where two sides differ, of whatever month.

    Good only if all of the last month could be checked. Payouts that came back are told too.
    """
    ((payouts, paid_and_checked),) = reading.rows("select count(*), count(ties) from {schema}.payout_reconciliation")
    ((balances,),) = reading.rows("select count(itemized_agrees) from {schema}.balance_rollforward")
    ((invoices,),) = reading.rows("select count(cash_agrees) from {schema}.invoice_settlement")
    ((checks,),) = reading.rows("select count(*) from {schema}.check_results where outcome <> 'not made'")
    if not (payouts or balances or invoices or checks):
        return None
    wrong = (_payouts(reading), _balances(reading), _invoices(reading), _checks(reading))
    unchecked = _unchecked(reading, month)
    seen = [
        counted(number, *noun)
        for number, noun in (
            (paid_and_checked, ("payout",)),
            (balances, ("balance",)),
            (invoices, ("invoice",)),
            (checks, ("check of files and lists", "checks of files and lists")),
        )
        if number
    ]
    all_well = f"Everything that was checked ties: {listed(seen)}." if seen else "Nothing could be checked yet."
    said = _wrong(wrong) or all_well
    if unchecked.count:
        where = counted(unchecked.count, "account")
        said += f" Not all of {month_of(month)} could be checked: {where}, with what would help, below."
    found = any(one.count for one in wrong)
    light = Light.of(wrong=found, unchecked=unchecked.count)
    tables = filled([*wrong, unchecked, _unmade(reading), _returned(reading)])
    return Answer("ties", "What does not tie, and why?", light, said, tables)


def _wrong(tables: tuple[Table, ...]) -> str:
    """What is wrong, in one sentence; empty if nothing is."""
    nouns = ("payout", "balance", "invoice", "check")
    parts = [counted(table.count, noun) for table, noun in zip(tables, nouns, strict=True) if table.count]
    number = sum(table.count for table in tables)
    return f"{listed(parts)} {agreed(number, 'does', 'do')} not tie." if parts else ""


def _payouts(reading: Reading) -> Table:
    rows = reading.rows(
        "select account_id, payout_id, effective_date, paid_amount, transactions_net, difference, currency, "
        "unassigned_transactions, unassigned_net, verdict "
        "from {schema}.payout_reconciliation where not ties order by effective_date desc, payout_id"
    )
    heads = ("Account", "Payout", "Day", "Paid out", "Transactions", "Difference", "In no payout, made before", "Why")
    return table(
        "Payouts that are not the sum of their transactions",
        heads,
        [
            (account, payout, day, money(paid, c), money(net, c), money(gap, c), _unassigned(count, rest, c), why)
            for account, payout, day, paid, net, gap, c, count, rest, why in rows
        ],
    )


def _unassigned(count: int | None, net: Decimal | None, currency: str) -> str | None:
    """Transactions that no payout names: `1 transaction: 49.00 NOK`."""
    found = money(net, currency)
    return f"{counted(count, 'transaction')}: {shown(found)}" if count and found is not None else None


def _balances(reading: Reading) -> Table:
    rows = reading.rows(
        "select account_id, month, opening_balance, ending_balance, difference, itemized_net, currency, "
        "ties, itemized_agrees from {schema}.balance_rollforward "
        "where not ties or not itemized_agrees or not follows_previous order by month desc, account_id, currency"
    )
    return table(
        "Balances that do not add up or do not follow the month before",
        ("Account", "Month", "Opening balance", "Ending balance", "Why"),
        [(row[0], f"{row[1]:%B %Y}", money(row[2], row[6]), money(row[3], row[6]), _why(row)) for row in rows],
    )


def _why(row: tuple[Any, ...]) -> str:
    ties, agrees = row[7:]
    if ties is False:
        return "opening balance and movements are not the ending balance"
    return "it does not follow the month before" if agrees is not False else "its transactions do not explain it"


def _invoices(reading: Reading) -> Table:
    rows = reading.rows(
        "select account_id, invoice_number, invoice_date, total_amount, charged_amount, currency, verdict "
        "from {schema}.invoice_settlement where not cash_agrees order by invoice_date desc, invoice_number"
    )
    return table(
        "Invoices whose status and cash differ",
        ("Account", "Invoice", "Date", "Total", "Charged", "Why"),
        [
            (account, number, day, money(total, c), money(charged, c), why)
            for account, number, day, total, charged, c, why in rows
        ],
    )


def _checks(reading: Reading) -> Table:
    rows = reading.rows(
        "select source, account_id, subject, title, expected, actual, currency, reason "
        "from {schema}.check_results where outcome = 'failed' order by month desc, source, account_id, subject, title"
    )
    return table(
        "Checks of files and lists that failed",
        ("Vendor", "Account", "Of what", "What should hold", "Should be", "Is", "Why"),
        [
            (vendor(source), account, subject, title, money(due, c) or due, money(found, c) or found, why)
            for source, account, subject, title, due, found, c, why in rows
        ],
    )


def _unchecked(reading: Reading, month: date) -> Table:
    """Of the vendors that money goes through, what nobody could check in the month."""
    rows = reading.rows(
        f"select source, account_id, not_checked from {{schema}}.close_checklist "
        f"where month = '{month}' and not_checked is not null and source in ("
        f"select source from {{schema}}.payout_reconciliation "
        f"union select source from {{schema}}.balance_rollforward "
        f"union select source from {{schema}}.invoice_settlement where cash_agrees is not null) "
        f"order by source, account_id"
    )
    return table(
        f"What could not be checked in {month_of(month)}",
        ("Vendor", "Account", "What, and what would help"),
        [(vendor(source), *rest) for source, *rest in rows],
    )


def _unmade(reading: Reading) -> Table:
    rows = reading.rows(
        "select source, title, reason, count(*) from {schema}.check_results "
        "where outcome = 'not made' and check_name is not null "
        "group by source, title, reason order by count(*) desc, source, title, reason"
    )
    return table(
        "Single checks that could not be made, and why",
        ("Vendor", "What would be checked", "Why it could not", "How often"),
        [(vendor(source), *rest) for source, *rest in rows],
        is_aside=True,
    )


def _returned(reading: Reading) -> Table:
    rows = reading.rows(
        "select account_id, payout_id, returned_date, returned_amount, currency "
        "from {schema}.payout_reconciliation where is_returned order by returned_date desc, payout_id"
    )
    return table(
        "Payouts that the bank sent back (they tie; the money is paid out again)",
        ("Account", "Payout", "Came back on", "Amount"),
        [(account, payout, day, money(amount, c)) for account, payout, day, amount, c in rows],
        is_aside=True,
    )
