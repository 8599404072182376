"""The rows of every report, drawn from the ledgers: all families see the same books, so they agree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING

from .cells import Row, entry_cells, payout_cells
from .components import activity_rows, fee_rows, tax_rows
from .money import Money

if TYPE_CHECKING:
    from .world.balance import Entry, Ledger


@dataclass(frozen=True)
class Question:
    """What a run asks: the ledgers it reads and its filters; `start` counts only where a type takes one."""

    ledgers: tuple[Ledger, ...]
    start: datetime
    end: datetime
    currency: str | None = None
    category: str | None = None
    payout: str | None = None
    zone: tzinfo = timezone.utc

    def wants(self, entry: Entry) -> bool:
        movement = entry.movement
        return (self.currency or movement.currency) == movement.currency and (
            self.category or movement.category
        ) == movement.category


_SECOND = timedelta(seconds=1)

Family = Callable[[Question], Iterator[Row]]
Chosen = Callable[[Question, "Ledger"], Iterable["Entry"]]


def rows(family: str, question: Question) -> Iterator[Row]:
    """The rows of a report of this family (see `ReportType.family`), in the order of its file."""
    return _FAMILIES[family](question)


def _activity(question: Question, ledger: Ledger) -> Iterator[Entry]:
    for entry in ledger.between(question.start, question.end):
        if entry.movement.payout is None and question.wants(entry):
            yield entry


def _payouts(question: Question, ledger: Ledger) -> Iterator[Entry]:
    for entry in ledger.between(question.start, question.end):
        if entry.movement.payout is not None and question.wants(entry):
            yield entry


def _paid_out(question: Question, ledger: Ledger) -> Iterator[Entry]:
    for payout in ledger.payouts(question.start, question.end):
        yield from filter(question.wants, ledger.paid_in(payout))


def _paid_by_one(question: Question, ledger: Ledger) -> Iterator[Entry]:
    payout = ledger.payout(question.payout or "")
    if payout is not None:
        yield from filter(question.wants, ledger.paid_in(payout))


def _still_there(question: Question, ledger: Ledger) -> Iterator[Entry]:
    yield from filter(question.wants, ledger.unsettled(question.end))


def _itemized(chosen: Chosen) -> Family:
    def family(question: Question) -> Iterator[Row]:
        for ledger in question.ledgers:
            for entry in chosen(question, ledger):
                yield entry_cells(entry, ledger.account)

    return family


def _summary(chosen: Chosen) -> Family:
    def family(question: Question) -> Iterator[Row]:
        groups: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
        for ledger in question.ledgers:
            for entry in chosen(question, ledger):
                movement = entry.movement
                group = groups[movement.category, movement.currency]
                group[0] += 1
                group[1] += movement.gross
                group[2] += movement.fee
        for (category, currency), (count, gross, fee) in sorted(groups.items()):
            yield {
                "reporting_category": category,
                "currency": currency,
                "count": count,
                "gross": Money(gross, currency),
                "fee": Money(fee, currency),
                "net": Money(gross - fee, currency),
            }

    return family


def _payouts_itemized(question: Question) -> Iterator[Row]:
    for ledger in question.ledgers:
        for entry in _payouts(question, ledger):
            movement = entry.movement
            if movement.payout is not None:
                yield payout_cells(movement, movement.payout, ledger.account)


def _failed_payouts(question: Question) -> Iterator[Row]:
    for row in _payouts_itemized(question):
        if row["reporting_category"] == "payout_reversal":
            yield row


def _balance_summary(question: Question) -> Iterator[Row]:
    """Four lines a currency: https://docs.stripe.com/reports/report-types/balance names their categories and texts.

    CData's help quotes both (cdn.cdata.com/help/BOK, BalanceSummaryReport). Neither page says that payouts are
    negative, nor which days the texts of the balances show: here the window's first and last, in the run's zone.
    """
    nets: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(("start", "activity", "payouts"), 0))
    for ledger in question.ledgers:
        for entry in ledger.before(question.end):
            movement = entry.movement
            if question.wants(entry):
                moved = "activity" if movement.payout is None else "payouts"
                nets[movement.currency]["start" if movement.created < question.start else moved] += movement.net
    first, last = (moment.astimezone(question.zone).date() for moment in (question.start, question.end - _SECOND))
    for currency, found in sorted(nets.items()):
        yield _balance_line("starting_balance", f"Starting balance ({first})", found["start"], currency)
        yield _balance_line("activity", "Activity", found["activity"], currency)
        yield _balance_line("payouts", "Less payouts", found["payouts"], currency)
        yield _balance_line("ending_balance", f"Ending balance ({last})", sum(found.values()), currency)


def _balance_line(category: str, description: str, net: int, currency: str) -> Row:
    return {
        "category": category,
        "description": description,
        "net_amount": Money(net, currency),
        "currency": currency,
    }


def _components(made: Callable[[Entry, Ledger], Iterable[Row]]) -> Family:
    def family(question: Question) -> Iterator[Row]:
        for ledger in question.ledgers:
            for entry in _activity(question, ledger):
                for row in made(entry, ledger):
                    yield {**row, "connected_account": ledger.account.id}

    return family


def _activity_summary(question: Question) -> Iterator[Row]:
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for ledger in question.ledgers:
        for entry in _activity(question, ledger):
            sums[entry.movement.category, entry.movement.currency] += entry.movement.net
    for (category, currency), amount in sorted(sums.items()):
        yield {"reporting_category": category, "currency": currency, "amount": Money(amount, currency)}


def _connect_overview(question: Question) -> Iterator[Row]:
    """One line per connected account and currency: its balance, and a week's refunds and disputes."""
    week = timedelta(days=7)
    for ledger in question.ledgers:
        balances: dict[str, int] = defaultdict(int)
        for entry in ledger.before(question.end):
            balances[entry.movement.currency] += entry.movement.net
        for currency, balance in sorted(balances.items()):
            now, previous = (
                {
                    category: sum(
                        -entry.movement.gross
                        for entry in ledger.between(question.end - week * back, question.end - week * (back - 1))
                        if (entry.movement.category, entry.movement.currency) == (category, currency)
                    )
                    for category in ("refund", "dispute")
                }
                for back in (1, 2)
            )
            day = sum(
                entry.movement.net
                for entry in ledger.between(question.end - timedelta(days=1), question.end)
                if entry.movement.currency == currency
            )
            yield {
                "account_id": ledger.account.id,
                "business_name": ledger.account.name,
                "country": ledger.account.country,
                "currency": currency,
                "balance": Money(balance, currency),
                "pending_debits": Money(0, currency),
                "balance_excluding_pending_debits": Money(balance, currency),
                "balance_24hr_net_change": Money(day, currency),
                "refunded_amount_7d": Money(now["refund"], currency),
                "refunded_amount_7d_prev": Money(previous["refund"], currency),
                "disputed_amount_7d": Money(now["dispute"], currency),
                "disputed_amount_7d_prev": Money(previous["dispute"], currency),
                "has_24hr_negative_balance_change": day < 0,
                "has_high_disputes": False,
                "has_high_refunds": now["refund"] > 2 * previous["refund"],
            }


_FAMILIES: dict[str, Family] = {
    "balance_change_from_activity.itemized": _itemized(_activity),
    "balance_change_from_activity.summary": _summary(_activity),
    "payouts.itemized": _payouts_itemized,
    "payouts.summary": _summary(_payouts),
    "failed_payouts.itemized": _failed_payouts,
    "balance.summary": _balance_summary,
    "payout_reconciliation.itemized": _itemized(_paid_out),
    "payout_reconciliation.summary": _summary(_paid_out),
    "payout_reconciliation.by_id.itemized": _itemized(_paid_by_one),
    "payout_reconciliation.by_id.summary": _summary(_paid_by_one),
    "ending_balance_reconciliation.itemized": _itemized(_still_there),
    "ending_balance_reconciliation.summary": _summary(_still_there),
    "activity.itemized": _components(activity_rows),
    "activity.summary": _activity_summary,
    "all_fees.balance_transaction_created.itemized": _components(fee_rows),
    "tax.transactions.itemized": _components(tax_rows),
    "connect.negative_balance_refunds_disputes_overview": _connect_overview,
}
