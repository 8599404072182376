"""The facts as one HTML file: readable on a phone, in print, in light and dark, without a network or a script."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from html import escape
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tap_billing_reports.page.values import Light, Mark, Money
from tap_billing_reports.page.words import month_of, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tap_billing_reports.page.values import Answer, Cell, Facts, Flow, Table

STYLE: Final = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
INVENTED: Final = "All data on this page are invented: they come from the emulated vendors."
# Characters of a text that is read in lines, not at a glance.
LONG: Final = 30
_NUMBER: Final = ' class="number"'
# Words beside the colour: it is lost to some eyes and printers.
_LIGHTS: Final = {Light.GOOD: "in order", Light.LOOK: "to look at", Light.UNCHECKED: "not checked", Light.NONE: ""}


def page(facts: Facts, *, note: str = "") -> str:
    """The file.

    Args:
        facts: what it says.
        note: what a reader must know first; unset, invented data are named as such.
    """
    sections = (line for answer in facts.answers for line in _answer(answer))
    return framed(f"Billing at the end of {month_of(facts.month)}", chain(_head(facts, note), sections))


def framed(title: str, lines: Iterable[str]) -> str:
    """A file with these lines between its head and its end."""
    head = (
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        "</head>",
        "<body>",
    )
    return "\n".join([*head, *lines, "</body>", "</html>", ""])


def _head(facts: Facts, note: str) -> Iterator[str]:
    yield "<header>"
    if said := note or (INVENTED if facts.is_invented else ""):
        yield f'<p class="note">{escape(said)}</p>'
    yield f"<h1>Billing at the end of {month_of(facts.month)}</h1>"
    yield f"<p>As of {facts.today:%-d %B %Y}. Amounts are exact; currencies are never added up.</p>"
    if facts.read:
        yield f'<p class="read">{escape(" ".join(facts.read))}</p>'
    if not facts.answers:
        yield "<p>The warehouse holds nothing yet: run billing-reports sync.</p>"
    yield "</header>"
    if facts.money is not None:
        yield '<section id="money" class="none">'
        yield f"<h2>{escape(facts.money.caption)}</h2>"
        yield from _grid(facts.money)
        yield "</section>"
    yield '<nav><ul class="lights">'
    for answer in facts.answers:
        link = f'<a href="#{answer.key}">{escape(answer.question)}</a>'
        yield f'<li class="{answer.light.value}">{link}{_word(answer.light)}<p>{escape(answer.said)}</p></li>'
    yield "</ul></nav>"


def _word(light: Light) -> str:
    return f' <span class="light">{_LIGHTS[light]}</span>' if _LIGHTS[light] else ""


def _answer(answer: Answer) -> Iterator[str]:
    yield f'<section id="{answer.key}" class="{answer.light.value}">'
    yield f"<h2>{escape(answer.question)}{_word(answer.light)}</h2>"
    yield f'<p class="said">{escape(answer.said)}</p>'
    if answer.flows:
        yield '<div class="flows">'
        for flow in answer.flows:
            yield from _flow(flow)
        yield "</div>"
    for table in answer.tables:
        yield from _table(table)
    yield "</section>"


def _flow(flow: Flow) -> Iterator[str]:
    yield f'<figure><figcaption>{escape(flow.title)}</figcaption><dl class="bars">'
    for bar in flow.bars:
        sign = "minus" if bar.money.amount < 0 else "plus"
        style = f"margin-left:{bar.start * 100:.2f}%;width:{bar.share * 100:.2f}%"
        yield (
            f'<dt>{escape(bar.label)}</dt><dd class="track"><span class="bar {sign}" style="{style}"></span></dd>'
            f'<dd class="amount">{escape(shown(bar.money))}</dd>'
        )
    yield "</dl></figure>"


def _table(table: Table) -> Iterator[str]:
    more = f" (the first {len(table.rows)} of {table.count})" if table.count > len(table.rows) else ""
    is_open = "" if table.is_aside else " open"
    yield f"<details{is_open}><summary>{escape(table.caption)}{more}</summary>"
    yield from _grid(table)
    yield "</details>"


def _grid(table: Table) -> Iterator[str]:
    """Rows below their heads; a column that no row has anything in is left out."""
    columns = [*zip(*table.rows, strict=True)]
    kept = [place for place, column in enumerate(columns) if any(cell is not None for cell in column)]
    yield '<div class="wide"><table><thead><tr>'
    yield "".join(
        f'<th scope="col"{_NUMBER if _is_number(columns[place]) else ""}>{escape(table.heads[place])}</th>'
        for place in kept
    )
    yield "</tr></thead><tbody>"
    for row in table.rows:
        yield f"<tr>{''.join(_cell(row[place]) for place in kept)}</tr>"
    yield "</tbody></table></div>"


def _is_number(column: Sequence[Cell]) -> bool:
    return any(isinstance(cell, Money | int | Decimal) and not isinstance(cell, bool) for cell in column)


def _cell(cell: Cell) -> str:
    kind, said = _kind(cell), _text(cell)
    return f'<td class="{kind}">{said}</td>' if kind else f"<td>{said}</td>"


def _kind(cell: Cell) -> str:
    """Its class."""
    if isinstance(cell, Mark):
        return cell.light.value
    if isinstance(cell, Money | int | Decimal) and not isinstance(cell, bool):
        return "number"
    if isinstance(cell, date):
        return "date"
    return "long" if isinstance(cell, str) and len(cell) > LONG else ""


def _text(cell: Cell) -> str:
    """What stands in it."""
    if isinstance(cell, Mark):
        return f'<span class="light">{escape(cell.word)}</span>'
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, Money):
        return escape(shown(cell))
    return "" if cell is None else escape(str(cell))
