"""Cost lines by product, in each currency."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scripts.pictures import plots, words
from scripts.pictures.parts import Figure, Section, Table, View
from tap_billing_reports.core.money import exact_sum

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scripts.pictures.facts import ProductSum

DRAWN: Final = 15
"""More products than these are in the table alone."""


def products_section(sums: Sequence[ProductSum]) -> Section:
    used: dict[str, int] = {}
    for found in sums:
        used[found.currency] = used.get(found.currency, 0) + found.lines
    return Section(
        key="products",
        title="Cost lines by product",
        intro=(
            "What Bring charged, line by line, from the specified invoice of each invoice: net of tax, discounts "
            "taken off, credited lines below zero."
        ),
        views=[
            _view(currency, [found for found in sums if found.currency == currency])
            for currency in sorted(used, key=lambda name: (-used[name], name))
        ],
    )


def _view(currency: str, sums: Sequence[ProductSum]) -> View:
    ranked = sorted(sums, key=lambda found: (-found.money.drawn.copy_abs(), found.product))
    drawn = sorted(ranked[:DRAWN], key=lambda found: (-found.money.drawn, found.product))
    hover = [
        f"{found.product}<br><b>{words.amount(found.money.drawn, currency)} {currency}</b>"
        f"<br>{words.counted(found.lines, 'line', 'lines')}"
        for found in drawn
    ]
    amounts = [found.money.drawn for found in drawn]
    traces = [plots.lying_bars("net", "series-1", [found.product for found in drawn], amounts, hover)]
    layout = plots.layout(
        34 + 38 * len(drawn),
        below=26,
        xaxis=plots.value_axis(amounts, nticks=5),
        yaxis=plots.axis(autorange="reversed", showgrid=False, ticks="", ticksuffix="  "),
    )
    lines = sum(found.lines for found in sums)
    figure = Figure(
        f"Net amount in {currency} · {words.counted(lines, 'line', 'lines')}",
        f"Net amount of each product in {currency}.",
        {"data": traces, "layout": layout},
        wide=True,
    )
    rows = [
        [found.product, words.count(found.lines), words.amount(found.money.total, currency)]
        for found in sorted(sums, key=lambda found: (-found.money.total, found.product))
    ]
    total = words.amount(exact_sum(found.money.total for found in sums), currency)
    table = Table(
        f"Table: cost lines in {currency}",
        ["Product", "Lines", f"Net, {currency}"],
        rows,
        foot=["All products", words.count(lines), total],
    )
    notes = words.undrawn([found.money for found in sums], currency)
    if len(ranked) > len(drawn):
        notes.append(f"The {DRAWN} largest of {len(ranked)} products are drawn; the table has all.")
    return View(currency, figures=[figure], tables=[table], notes=notes)
