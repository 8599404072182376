"""The facts as one HTML file: readable on a phone, in print, in light and dark, without a network or a script."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tap_billing_reports.page.facts import Light, Money, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_billing_reports.page.facts import Answer, Cell, Facts, Flow, Table

STYLE: Final = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
_NUMBER: Final = ' class="number"'
# Words beside the colour: it is lost in print, and to some eyes.
_LIGHTS: Final = {Light.GOOD: "in order", Light.LOOK: "to look at", Light.NONE: ""}


def page(facts: Facts, *, note: str = "") -> str:
    """The file.

    Args:
        facts: what it says.
        note: what a reader must know first, such as that the data are invented.
    """
    return "\n".join([
        "<!doctype html>", '<html lang="en">', "<head>", '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        "<title>Billing at month\u2019s end</title>", f"<style>{STYLE}</style>", "</head>", "<body>",
        *_head(facts, note), *(line for answer in facts.answers for line in _answer(answer)),
        "</body>", "</html>", "",
    ])  # fmt: skip


def _head(facts: Facts, note: str) -> Iterator[str]:
    yield "<header>"
    if note:
        yield f'<p class="note">{escape(note)}</p>'
    yield f"<h1>Billing at the end of {facts.month:%B %Y}</h1>"
    yield f"<p>As of {facts.today:%-d %B %Y}. Amounts are exact; currencies are never added up.</p>"
    if not facts.answers:
        yield "<p>The warehouse holds nothing yet: run billing-reports sync.</p>"
    yield '<nav><ul class="lights">'
    for answer in facts.answers:
        link = f'<a href="#{answer.key}">{escape(answer.question)}</a>'
        yield f'<li class="{answer.light.value}">{link}{_word(answer.light)}</li>'
    yield "</ul></nav></header>"


def _word(light: Light) -> str:
    return f' <span class="light">{_LIGHTS[light]}</span>' if _LIGHTS[light] else ""


def _answer(answer: Answer) -> Iterator[str]:
    yield f'<section id="{answer.key}" class="{answer.light.value}">'
    yield f"<h2>{escape(answer.question)}{_word(answer.light)}</h2>"
    yield f'<p class="said">{escape(answer.said)}</p>'
    for flow in answer.flows:
        yield from _flow(flow)
    for caption, table in answer.tables:
        yield from _table(caption, table)
    yield "</section>"


def _flow(flow: Flow) -> Iterator[str]:
    yield f'<figure><figcaption>{escape(flow.title)}</figcaption><dl class="bars">'
    for bar in flow.bars:
        sign = "minus" if bar.money.amount < 0 else "plus"
        yield (
            f'<dt>{escape(bar.label)}</dt><dd><span class="bar {sign}" style="width:{bar.share * 100:.2f}%"></span>'
            f'<span class="amount">{escape(shown(bar.money))}</span></dd>'
        )
    yield "</dl></figure>"


def _table(caption: str, table: Table) -> Iterator[str]:
    more = f" (the first {len(table.rows)} of {table.count})" if table.count > len(table.rows) else ""
    is_open = "" if table.is_aside else " open"
    yield f'<details{is_open}><summary>{escape(caption)}{more}</summary><div class="wide"><table><thead><tr>'
    yield "".join(
        f'<th scope="col"{_NUMBER if _is_number(column) else ""}>{escape(head)}</th>'
        for head, column in zip(table.heads, zip(*table.rows, strict=True), strict=True)
    )
    yield "</tr></thead><tbody>"
    for row in table.rows:
        yield f"<tr>{''.join(map(_cell, row))}</tr>"
    yield "</tbody></table></div></details>"


def _is_number(column: Sequence[Cell]) -> bool:
    return any(isinstance(cell, Money | int | Decimal) and not isinstance(cell, bool) for cell in column)


def _cell(cell: Cell) -> str:
    if cell is None:
        return "<td></td>"
    if isinstance(cell, bool):
        return f"<td>{'yes' if cell else 'no'}</td>"
    if isinstance(cell, Money):
        return f"<td{_NUMBER}>{escape(shown(cell))}</td>"
    if isinstance(cell, int | Decimal):
        return f"<td{_NUMBER}>{cell}</td>"
    if isinstance(cell, date):
        return f'<td class="date">{cell.isoformat()}</td>'
    return f"<td>{escape(cell)}</td>"
