"""Invoices by month, vendor and status: how many, and how much in each currency."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scripts.pictures import plots, words
from scripts.pictures.parts import Figure, Section, Table, View
from tap_billing_reports.core.money import exact_sum

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from decimal import Decimal

    from scripts.pictures.facts import InvoiceSum

STATUSES: Final = (
    *("paid", "closed", "open", "collection", "draft"),
    *("uncollectible", "void", "unknown", "deleted"),
)
HEIGHT: Final = 250


def invoices_section(sums: Sequence[InvoiceSum]) -> Section:
    """One view of the numbers of invoices, then one for each currency, the most used first."""
    views = []
    if sums:
        views.append(_numbers(sums))
        used: dict[str, int] = {}
        for found in sums:
            if found.currency:
                used[found.currency] = used.get(found.currency, 0) + found.invoices
        views += [
            _amounts(currency, [found for found in sums if found.currency == currency], _months(sums))
            for currency in sorted(used, key=lambda name: (-used[name], name))
        ]
    return Section(
        key="invoices",
        title="Invoices by month, vendor and status",
        intro=(
            "Each bar is a month, each colour a status as it was last seen. Amounts are with tax; money back counts "
            "below zero. Currencies are never added together: choose one."
        ),
        views=views,
        choice="Show",
    )


def _numbers(sums: Sequence[InvoiceSum]) -> View:
    months = _months(sums)
    figures = []
    for source in sorted({found.source for found in sums}):
        mine = [found for found in sums if found.source == source]
        deleted = sum(found.invoices for found in mine if found.status == "deleted")
        total = sum(found.invoices for found in mine) - deleted
        counted = words.counted(total, "invoice", "invoices") + (f", {words.count(deleted)} deleted" if deleted else "")
        traces = []
        for status in _statuses(mine):
            each = {
                month: sum(found.invoices for found in mine if (found.month, found.status) == (month, status))
                for month in months
            }
            hover = [
                f"{words.month(month)}<br>{status}: <b>{words.counted(number, 'invoice', 'invoices')}</b>"
                for month, number in each.items()
            ]
            traces.append(plots.bars(status, status, months, list(each.values()), hover))
        highest = [sum(found.invoices for found in mine if found.month == month) for month in months]
        figures.append(
            _figure(
                f"{words.vendor(source)} · {counted}",
                f"Number of invoices of {words.vendor(source)} by month and status: {counted}.",
                traces,
                months,
                highest,
            )
        )
    table = _table(
        "Table: number of invoices",
        sums,
        months,
        lambda found: words.count(sum(one.invoices for one in found)) if found else "",
    )
    return View("Number", figures=figures, tables=[table], legend=_legend(sums))


def _amounts(currency: str, sums: Sequence[InvoiceSum], months: Sequence[str]) -> View:
    figures = []
    for source in sorted({found.source for found in sums}):
        mine = [found for found in sums if found.source == source]
        drawn = exact_sum(found.money.drawn for found in mine)
        traces = []
        for status in _statuses(mine):
            each = {
                month: exact_sum(found.money.drawn for found in mine if (found.month, found.status) == (month, status))
                for month in months
            }
            hover = [
                f"{words.month(month)}<br>{status}: <b>{words.amount(value, currency)} {currency}</b>"
                for month, value in each.items()
            ]
            traces.append(plots.bars(status, status, months, list(each.values()), hover))
        highest = [exact_sum(found.money.drawn for found in mine if found.month == month) for month in months]
        undrawn = sum(found.money.undrawn for found in mine)
        figures.append(
            _figure(
                f"{words.vendor(source)} · {words.amount(drawn, currency)} {currency}{' drawn' if undrawn else ''}",
                f"Invoiced by {words.vendor(source)} in {currency}, by month and status.",
                traces,
                months,
                highest,
            )
        )
    table = _table(
        f"Table: amounts in {currency}",
        sums,
        months,
        lambda found: words.amount(exact_sum(one.money.total for one in found), currency) if found else "",
    )
    return View(
        currency,
        figures=figures,
        tables=[table],
        legend=_legend(sums),
        notes=words.undrawn([found.money for found in sums], currency),
    )


def _figure(
    caption: str, described: str, traces: Sequence[object], months: Sequence[str], highest: Sequence[Decimal | int]
) -> Figure:
    labels = [
        f"{words.month(month, year=False)}<br>{month[:4]}"
        if month != words.UNDATED and (not place or month.endswith("-01"))
        else words.month(month, year=False)
        for place, month in enumerate(months)
    ]
    layout = plots.layout(HEIGHT, xaxis=plots.month_axis(months, labels), yaxis=plots.value_axis(highest))
    return Figure(caption, described, {"data": list(traces), "layout": layout})


def _table(
    caption: str, sums: Sequence[InvoiceSum], months: Sequence[str], cell: Callable[[Sequence[InvoiceSum]], str]
) -> Table:
    """A row for each vendor and status, a column for each month, and the sums of both."""
    rows = []
    for source in sorted({found.source for found in sums}):
        for status in _statuses([found for found in sums if found.source == source]):
            mine = [found for found in sums if (found.source, found.status) == (source, status)]
            cells = [cell([found for found in mine if found.month == month]) for month in months]
            rows.append([f"{words.vendor(source)} · {status}", *cells, cell(mine)])
    foot = ["All", *(cell([found for found in sums if found.month == month]) for month in months), cell(sums)]
    head = ["Vendor and status", *map(words.month, months), "All months"]
    return Table(caption, head, rows, foot=foot)


def _months(sums: Sequence[InvoiceSum]) -> list[str]:
    """Every month between the first and the last, then invoices without a date."""
    dated = [found.month for found in sums if found.month != words.UNDATED]
    without = [words.UNDATED] if len(dated) < len(sums) else []
    return [*(words.months(min(dated), max(dated)) if dated else []), *without]


def _statuses(sums: Sequence[InvoiceSum]) -> list[str]:
    found = {one.status for one in sums}
    return [*(status for status in STATUSES if status in found), *sorted(found - set(STATUSES))]


def _legend(sums: Sequence[InvoiceSum]) -> list[tuple[str, str]]:
    return [(status, status) for status in _statuses(sums)]
