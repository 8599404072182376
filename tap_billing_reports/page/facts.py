"""What the page says: one function a question, each from one view, amounts exact and never of two currencies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tap_billing_reports.page.read import Reading

# Rows that a person reads; the rest is a number and a query.
LONGEST = 25
THIN_SPACE = "\u202f"
"""Between thousands; a line does not break at it."""


class Light(Enum):
    """What a person is to make of an answer."""

    GOOD = "good"
    LOOK = "look"
    NONE = "none"


@dataclass(frozen=True)
class Money:
    """An amount with its currency."""

    amount: Decimal
    currency: str


Cell = Money | Decimal | date | int | str | bool | None


@dataclass(frozen=True)
class Table:
    """Rows below an answer.

    Attributes:
        heads: of the columns.
        rows: at most `LONGEST` of them.
        count: how many there are in all.
        is_aside: worth a look, but not at first.
    """

    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    count: int
    is_aside: bool = False


@dataclass(frozen=True)
class Bar:
    """One amount of a row of bars; `share` is its length, from 0 to 1, of the longest one."""

    label: str
    money: Money
    share: float


@dataclass(frozen=True)
class Flow:
    """How one amount became another, as bars."""

    title: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Answer:
    """One question with its answer.

    Attributes:
        key: names it in the page's links.
        question: as finance asks it.
        light: what to make of it.
        said: the answer in one sentence.
        tables: what it rests on, each with a caption.
        flows: amounts that a drawing tells better.
    """

    key: str
    question: str
    light: Light
    said: str
    tables: tuple[tuple[str, Table], ...] = ()
    flows: tuple[Flow, ...] = ()


@dataclass(frozen=True)
class Facts:
    """All that the page says.

    Attributes:
        today: by the warehouse's clock.
        month: the last one that is over.
        answers: to the questions that the data have something to say on.
    """

    today: date
    month: date
    answers: tuple[Answer, ...]


def facts(reading: Reading) -> Facts:
    """Ask everything.

    Raises:
        LoadError: the warehouse refuses.
    """
    ((today, month),) = reading.rows(
        "select current_date, cast(date_trunc('month', current_date - extract(day from current_date)::int) as date)"
    )
    found = [
        may_close(reading, month), does_not_tie(reading), is_overdue(reading), payouts_way(reading, month),
        fees_cost(reading, month), freight_cost(reading, month), tax(reading),
    ]  # fmt: skip
    return Facts(today, month, tuple(answer for answer in found if answer is not None))


def may_close(reading: Reading, month: date) -> Answer | None:
    """By account, for the last month that is over."""
    rows = reading.rows(
        f"select source, account_id, verdict, concat_ws('; ', why_not, 'not checked: ' || not_checked) "
        f"from {{schema}}.close_checklist where month = '{month}' order by verdict, source, account_id"
    )
    if not rows:
        return None
    open_accounts = sum(verdict != "yes" for _, _, verdict, _ in rows)
    said = (
        f"Yes: nothing speaks against closing {_month(month)}."
        if not open_accounts
        else f"Not yet: {_count(open_accounts, 'account')} of {len(rows)} cannot be closed for {_month(month)}."
    )
    table = _table(("Vendor", "Account", "May be closed", "What speaks against it"), rows)
    return Answer(
        "close", f"May I close {_month(month)}?", Light.LOOK if open_accounts else Light.GOOD, said,
        (("By account", table),),
    )  # fmt: skip


def does_not_tie(reading: Reading) -> Answer | None:
    """Payouts, balances and invoices where two sides differ; payouts that came back are told too."""
    ((payouts, checked),) = reading.rows("select count(*), count(ties) from {schema}.payout_reconciliation")
    ((balances,),) = reading.rows("select count(*) from {schema}.balance_rollforward")
    ((invoices,),) = reading.rows("select count(cash_agrees) from {schema}.invoice_settlement")
    if not payouts and not balances and not invoices:
        return None
    off = reading.rows(
        "select account_id, payout_id, effective_date, paid_amount, transactions_net, difference, currency, verdict "
        "from {schema}.payout_reconciliation where not ties order by effective_date desc, payout_id"
    )
    back = reading.rows(
        "select account_id, payout_id, returned_date, returned_amount, currency "
        "from {schema}.payout_reconciliation where is_returned order by returned_date desc, payout_id"
    )
    unbalanced = reading.rows(
        "select account_id, month, difference, currency from {schema}.balance_rollforward "
        "where not ties or not itemized_agrees or not follows_previous order by month desc, account_id, currency"
    )
    cash = reading.rows(
        "select account_id, invoice_number, invoice_date, total_amount, currency, verdict "
        "from {schema}.invoice_settlement where not cash_agrees order by invoice_date desc, invoice_number"
    )
    tables = [
        ("Payouts that are not the sum of their transactions", _table(
            ("Account", "Payout", "Day", "Paid out", "Transactions", "Difference", "Why"),
            [(account, payout, day, Money(paid, c), Money(net, c), Money(gap, c), why)
             for account, payout, day, paid, net, gap, c, why in off])),
        ("Balances that do not add up or do not follow the month before", _table(
            ("Account", "Month", "Difference"),
            [(account, month, None if gap is None else Money(gap, c)) for account, month, gap, c in unbalanced])),
        ("Invoices whose status and cash differ", _table(
            ("Account", "Invoice", "Date", "Total", "Why"),
            [(account, number, day, Money(total, c), why) for account, number, day, total, c, why in cash])),
        ("Payouts that the bank sent back (they tie; the money comes again)", _table(
            ("Account", "Payout", "Came back on", "Amount"),
            [(account, payout, day, Money(amount, c)) for account, payout, day, amount, c in back],
            is_aside=True)),
    ]  # fmt: skip
    wrong = len(off) + len(unbalanced) + len(cash)
    said = (
        f"Everything that can be checked ties: {_count(checked, 'payout')}, {_count(balances, 'balance')}, "
        f"{_count(invoices, 'invoice')}."
        if not wrong
        else f"{_count(len(off), 'payout')}, {_count(len(unbalanced), 'balance')} and {_count(len(cash), 'invoice')} "
        f"do not tie."
    )
    for count, why in reading.rows(
        "select count(*), verdict from {schema}.payout_reconciliation where ties is null group by verdict order by 2"
    ):
        said += f" {_count(count, 'payout')} {why}."
    light = Light.LOOK if wrong or (payouts and not checked) else Light.GOOD  # nothing seen is not in order
    return Answer("ties", "What does not tie, and why?", light, said, _filled(tables))


def is_overdue(reading: Reading) -> Answer | None:
    """Open amounts by currency and age, then the invoices that have been due longest."""
    ages = reading.rows(
        "select source, currency, age, count(*), sum(open_amount), min(days_overdue) from {schema}.open_items "
        "group by source, currency, age order by source, currency, min(days_overdue), age"
    )
    if not ages:
        return None
    late = reading.rows(
        "select source, invoice_number, due_date, days_overdue, open_amount, currency, is_with_collector "
        "from {schema}.open_items where days_overdue > 0 order by days_overdue desc, invoice_number"
    )
    sums = ", ".join(
        shown(Money(amount, currency))
        for currency, amount in reading.rows(
            "select currency, sum(open_amount) from {schema}.open_items where days_overdue > 0 "
            "and open_amount is not null group by currency order by currency"
        )
    )
    said = f"{_count(len(late), 'invoice')} overdue: {sums}." if late else "Nothing is overdue."
    tables = [
        ("Open by vendor, currency and age", _table(
            ("Vendor", "Age", "Invoices", "Open"),
            [(source, age, count, None if amount is None else Money(amount, currency))
             for source, currency, age, count, amount, _ in ages])),
        ("Overdue, longest first", _table(
            ("Vendor", "Invoice", "Due", "Days overdue", "Open", "With a collector"),
            [(source, number, due, days, None if amount is None else Money(amount, currency), collector)
             for source, number, due, days, amount, currency, collector in late])),
    ]  # fmt: skip
    return Answer("overdue", "What is overdue?", Light.LOOK if late else Light.GOOD, said, _filled(tables))


def payouts_way(reading: Reading, month: date) -> Answer | None:
    """From charges to the bank: what the payouts of the last month are made of, a drawing a currency."""
    rows = reading.rows(
        f"select currency, count(*), sum(charges), sum(refunds), sum(disputes), sum(fees), sum(other), "
        f"sum(transactions_net) from {{schema}}.payout_reconciliation "
        f"where transactions is not null and not is_returned "
        f"and effective_date >= '{month}' and effective_date < '{_next(month)}' group by currency order by currency"
    )
    if not rows:
        return None
    labels = ("Charges", "Refunds", "Disputes", "Fees", "Other", "Paid out")
    flows = tuple(
        Flow(f"{currency}: {_count(count, 'payout')}", _bars(labels, amounts, currency))
        for currency, count, *amounts in rows
    )
    said = f"Of the payouts of {_month(month)} that arrived, by currency."
    return Answer("way", "How did charges become money at the bank?", Light.NONE, said, flows=flows)


def fees_cost(reading: Reading, month: date) -> Answer | None:
    """Costs of processing, by currency, against the month before."""
    rows = reading.rows(
        f"select currency, coalesce(sum(cost_amount) filter (where month = '{month}'), 0), "
        f"coalesce(sum(cost_amount) filter (where month = '{_previous(month)}'), 0), "
        f"sum(case when month = '{month}' then cost_amount else -cost_amount end), "
        f"coalesce(sum(withheld_tax_amount) filter (where month = '{month}'), 0), "
        f"coalesce(sum(gross_amount) filter (where month = '{month}' and category = 'charge'), 0) "
        f"from {{schema}}.processing_fees where month in ('{month}', '{_previous(month)}') "
        f"group by currency order by currency"
    )
    if not rows:
        return None
    table = _table(
        ("Currency", _month(month), _month(_previous(month)), "Change", "Tax withheld", "Charges", "Of charges"),
        [(c, *(Money(amount, c) for amount in (now, before, change, withheld, charged)), _percent(now, charged))
         for c, now, before, change, withheld, charged in rows],
    )  # fmt: skip
    said = "; ".join(shown(Money(now, currency)) for currency, now, *_ in rows) + "."
    return Answer(
        "fees", f"What did payment fees cost in {_month(month)}?", Light.NONE, said, (("By currency", table),)
    )


def freight_cost(reading: Reading, month: date) -> Answer | None:
    """Costs of freight by kind of charge, by currency, against the month before."""
    rows = reading.rows(
        f"select currency, case when invoice_date >= '{month}' then 1 else 0 end as is_last, count(*), "
        f"sum(base_amount), sum(fuel_amount), sum(toll_amount), sum(other_amount), sum(rebate_amount), sum(net_amount) "
        f"from {{schema}}.freight_by_shipment where invoice_date >= '{_previous(month)}' "
        f"and invoice_date < '{_next(month)}' "
        f"group by currency, case when invoice_date >= '{month}' then 1 else 0 end order by currency, 2 desc"
    )
    if not rows:
        return None
    table = _table(
        ("Month", "Shipments", "Freight", "Fuel", "Toll", "Other", "Rebates", "In all", "A shipment"),
        [(_month(month if is_last else _previous(month)), count,
          *(Money(amount, currency) for amount in amounts), Money(_each(amounts[-1], count), currency))
         for currency, is_last, count, *amounts in rows],
    )  # fmt: skip
    last = [Money(row[-1], row[0]) for row in rows if row[1]]
    said = "; ".join(map(shown, last)) + "." if last else "No shipment was invoiced."
    tables = [("By currency and month, without tax", table)]
    loose = reading.rows(
        "select kind, currency, count(*), sum(freight_amount) from {schema}.freight_per_order "
        "group by kind, currency order by kind, currency"
    )
    if loose:
        tables.append(("Against your own orders", _table(("What", "Count", "Freight"), [
            (kind, count, None if amount is None or currency is None else Money(amount, currency))
            for kind, currency, count, amount in loose
        ])))  # fmt: skip
    astray = reading.rows(
        "select account_id, tracking_number, invoice_date, freight_amount, currency from {schema}.freight_per_order "
        "where kind = 'shipment without an order' order by invoice_date desc, tracking_number"
    )
    tables.append(("Shipments without an order", _table(("Account", "Shipment", "Invoiced", "Freight"), [
        (account, shipment, day, Money(amount, currency)) for account, shipment, day, amount, currency in astray
    ])))  # fmt: skip
    asked, flows = f"What did freight cost in {_month(month)}?", _freight_by_month(reading, month)
    return Answer("freight", asked, Light.LOOK if astray else Light.NONE, said, _filled(tables), flows)


def _freight_by_month(reading: Reading, month: date) -> tuple[Flow, ...]:
    """The last half year, a drawing a currency; a month without freight has no bar."""
    months: dict[str, dict[str, Decimal]] = {}
    for currency, first, amount in reading.rows(
        f"select currency, cast(date_trunc('month', invoice_date) as date) as month, sum(net_amount) "
        f"from {{schema}}.freight_by_shipment where invoice_date < '{_next(month)}' "
        f"and invoice_date >= cast('{month}' as date) - interval '5 months' group by 1, 2 order by 1, 2"
    ):
        months.setdefault(currency, {})[f"{first:%b %Y}"] = amount
    return tuple(
        Flow(f"{currency}: freight by month, without tax", _bars((*found,), [*found.values()], currency))
        for currency, found in months.items()
    )


def tax(reading: Reading) -> Answer | None:
    """Invoiced tax of the last six months that have any."""
    rows = reading.rows(
        "select month, source, document_type, rate_percent, documents, net_amount, tax_amount, total_amount, currency "
        "from {schema}.vat_by_month where month in "
        "(select distinct month from {schema}.vat_by_month where month is not null order by month desc limit 6) "
        "order by month desc, source, currency, document_type, rate_percent"
    )
    if not rows:
        return None
    table = _table(
        ("Month", "Vendor", "Document", "Rate", "Documents", "Net", "Tax", "Total"),
        [(month, source, kind.replace("_", " "), None if rate is None else f"{rate.normalize():f} %", count,
          *(None if amount is None else Money(amount, currency) for amount in amounts))
         for month, source, kind, rate, count, *amounts, currency in rows],
    )  # fmt: skip
    said = "What is on the invoices, by rate; no tax return."
    return Answer("tax", "Which tax is on the invoices?", Light.NONE, said, (("By month", table),))


def shown(money: Money) -> str:
    """An amount as people write it: at least two decimals, none lost, with its currency."""
    # No arithmetic: a context of decimal's would round what has more digits than it.
    whole, _, fraction = f"{money.amount:,f}".replace(",", THIN_SPACE).partition(".")
    return f"{whole}.{fraction.rstrip('0'):0<2} {money.currency}"


def _bars(labels: tuple[str, ...], amounts: list[Any], currency: str) -> tuple[Bar, ...]:
    longest = max((abs(amount) for amount in amounts), default=Decimal(0)) or Decimal(1)
    return tuple(
        Bar(label, Money(amount, currency), float(abs(amount) / longest))
        for label, amount in zip(labels, amounts, strict=True)
        if amount or label == labels[-1]
    )


def _table(heads: tuple[str, ...], rows: list[tuple[Any, ...]], *, is_aside: bool = False) -> Table:
    return Table(heads, tuple(rows[:LONGEST]), len(rows), is_aside)


def _filled(tables: list[tuple[str, Table]]) -> tuple[tuple[str, Table], ...]:
    return tuple((caption, table) for caption, table in tables if table.count)


def _percent(part: Decimal, whole: Decimal) -> str | None:
    return f"{(100 * part / whole).quantize(Decimal('0.01'))} %" if whole > 0 else None


def _each(amount: Decimal, count: int) -> Decimal:
    return (amount / count).quantize(Decimal("0.01"))


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _month(first: date) -> str:
    return f"{first:%B %Y}"


def _previous(month: date) -> date:
    return date(month.year - (month.month == 1), (month.month - 2) % 12 + 1, 1)


def _next(month: date) -> date:
    return date(month.year + (month.month == 12), month.month % 12 + 1, 1)
