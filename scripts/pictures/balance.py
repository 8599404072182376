"""The change of Stripe's balance week by week, by kind of transaction, in each currency."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from scripts.pictures import plots, words
from scripts.pictures.parts import Figure, Section, Table, View
from tap_billing_reports.core.money import exact_sum

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from scripts.pictures.facts import BalanceSum

# Stripe's reporting categories, as few colours; one that is not named here is among the others.
KINDS: Final = {
    "charges": ("charge", "charge_failure"),
    "refunds": ("refund", "refund_failure", "partial_capture_reversal"),
    "disputes": ("dispute", "dispute_reversal"),
    "fees and tax": ("fee", "tax", "network_cost", "platform_earning", "platform_earning_refund"),
    "transfers": ("transfer", "transfer_reversal", "connect_collection_transfer"),
}
OTHER: Final = "others"
COLOURS: Final = {
    "charges": "paid",
    "refunds": "collection",
    "disputes": "uncollectible",
    "fees and tax": "unknown",
    "transfers": "open",
    OTHER: "draft",
}
KIND_OF: Final = {category: kind for kind, categories in KINDS.items() for category in categories}
HEIGHT: Final = 300


def balance_section(sums: Sequence[BalanceSum], stream: str | None) -> Section:
    used: dict[str, int] = {}
    for found in sums:
        used[found.currency] = used.get(found.currency, 0) + found.transactions
    weeks = _weeks(sums)
    return Section(
        key="balance",
        title="Balance change over time",
        intro=(
            "What Stripe's balance transactions added to the balance and took from it, net of fees, by the week "
            "in which they were made (UTC, from Monday; the last week may not be over), all accounts together. "
            f"Read from the stream {stream}."
            if stream
            else "What Stripe's balance transactions added to the balance and took from it."
        ),
        views=[
            _view(currency, [found for found in sums if found.currency == currency], weeks)
            for currency in sorted(used, key=lambda name: (-used[name], name))
        ],
    )


def _weeks(sums: Sequence[BalanceSum]) -> list[date]:
    """Every Monday from the first to the last, whether anything happened then or not."""
    if not sums:
        return []
    first, last = min(found.week for found in sums), max(found.week for found in sums)
    return [first + timedelta(weeks=number) for number in range((last - first).days // 7 + 1)]


def _view(currency: str, sums: Sequence[BalanceSum], weeks: Sequence[date]) -> View:
    kinds = [kind for kind in COLOURS if any(_kind(found) == kind for found in sums)]
    drawn = {(week, kind): _drawn(sums, week, kind) for week in weeks for kind in kinds}
    net = [exact_sum(drawn[week, kind] for kind in kinds) for week in weeks]
    days = [week.isoformat() for week in weeks]
    traces = [
        plots.bars(
            kind,
            COLOURS[kind],
            days,
            [drawn[week, kind] for week in weeks],
            [_hover(week, kind, drawn[week, kind], currency) for week in weeks],
        )
        for kind in kinds
    ]
    traces.append(
        plots.line(
            "net", "ink", days, net,
            [_hover(week, "net", value, currency) for week, value in zip(weeks, net, strict=True)],
        )
    )  # fmt: skip
    above = [exact_sum(drawn[week, kind] for kind in kinds if drawn[week, kind] > 0) for week in weeks]
    transactions = sum(found.transactions for found in sums)
    weekly = Figure(
        f"Each week · {words.counted(transactions, 'transaction', 'transactions')}",
        f"Balance change in {currency} each week by kind of transaction, with the net change as a line.",
        {"data": traces, "layout": _layout(weeks, above)},
    )
    so_far = [exact_sum(net[: place + 1]) for place in range(len(net))]
    complete = not any(found.net.undrawn for found in sums)
    end = f"{words.amount(so_far[-1], currency)} {currency}{'' if complete else ' of what is drawn,'} by the end"
    summed = Figure(
        f"Added up · {end}",
        f"Balance change in {currency} since the first week, added up: {end}.",
        {
            "data": [
                plots.line(
                    "so far", "series-1", days, so_far, filled=True,
                    hover=[_hover(week, "so far", value, currency) for week, value in zip(weeks, so_far, strict=True)],
                )
            ],
            "layout": _layout(weeks, so_far),
        },
    )  # fmt: skip
    return View(
        currency,
        figures=[weekly, summed],
        tables=[_table(currency, sums, weeks, kinds), _categories(currency, sums)],
        notes=words.undrawn([found.net for found in sums], currency),
        legend=[*((COLOURS[kind], kind) for kind in kinds), ("ink", "net")],
    )


def _layout(weeks: Sequence[date], values: Sequence[Decimal]) -> dict[str, object]:
    half = timedelta(days=4)
    time_axis = plots.day_axis(weeks[0] - half, weeks[-1] + half, showgrid=False)
    return plots.layout(HEIGHT, xaxis=time_axis, yaxis=plots.value_axis(values), bargap=0.15)


def _table(currency: str, sums: Sequence[BalanceSum], weeks: Sequence[date], kinds: Sequence[str]) -> Table:
    def cells(found: Sequence[BalanceSum]) -> list[str]:
        each = [[one.net.total for one in found if _kind(one) == kind] for kind in kinds]
        return [
            *(words.amount(exact_sum(amounts), currency) if amounts else "" for amounts in each),
            words.amount(exact_sum(one.net.total for one in found), currency),
        ]

    rows = [[week.isoformat(), *cells([found for found in sums if found.week == week])] for week in weeks]
    return Table(f"Table: by week in {currency}", ["Week from", *kinds, "net"], rows, foot=["All weeks", *cells(sums)])


def _categories(currency: str, sums: Sequence[BalanceSum]) -> Table:
    rows = []
    for category in sorted({found.category for found in sums}):
        mine = [found for found in sums if found.category == category]
        transactions = sum(found.transactions for found in mine)
        net = exact_sum(found.net.total for found in mine)
        rows.append([words.words(category), words.count(transactions), words.amount(net, currency)])
    total = words.amount(exact_sum(found.net.total for found in sums), currency)
    return Table(
        f"Table: by reporting category in {currency}",
        ["Reporting category", "Transactions", f"Net, {currency}"],
        rows,
        foot=["All", words.count(sum(found.transactions for found in sums)), total],
    )


def _kind(found: BalanceSum) -> str:
    return KIND_OF.get(found.category, OTHER)


def _drawn(sums: Sequence[BalanceSum], week: date, kind: str) -> Decimal:
    return exact_sum(found.net.drawn for found in sums if found.week == week and _kind(found) == kind)


def _hover(week: date, what: str, value: Decimal, currency: str) -> str:
    return f"Week from {week}<br>{what}: <b>{words.amount(value, currency)} {currency}</b>"
