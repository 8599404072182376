"""The page: one HTML file that loads nothing, whatever its reader's network."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any, Final

from scripts.pictures import words
from scripts.pictures.balance import balance_section
from scripts.pictures.invoices import invoices_section
from scripts.pictures.lights import lights_section
from scripts.pictures.parts import Specs, section
from scripts.pictures.products import products_section
from scripts.pictures.runs import runs_section

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from scripts.pictures.facts import Facts
    from scripts.pictures.parts import Section

HERE: Final = Path(__file__).resolve().parent


def sections(facts: Facts) -> list[Section]:
    return [
        invoices_section(facts.invoices),
        products_section(facts.products),
        balance_section(facts.balance, facts.activity),
        lights_section(facts.checks, facts.failed),
        runs_section(facts.runs),
    ]


def page(facts: Facts, *, database: str, library: Callable[[Sequence[Mapping[str, Any]]], str]) -> str:
    """The page; `library` gets the figures and answers with the script that draws them."""
    specs = Specs()
    parts = sections(facts)
    body = "\n".join(section(part, specs) for part in parts)
    links = "".join(f'<a href="#{part.key}">{escape(part.title)}</a>' for part in parts)
    return Template((HERE / "page.html").read_text(encoding="utf-8")).substitute(
        style=(HERE / "page.css").read_text(encoding="utf-8"),
        script=(HERE / "page.js").read_text(encoding="utf-8"),
        plotly=library(specs.all),
        figures=_json(specs.all),
        links=links,
        tiles="".join(_tile(*tile) for tile in _tiles(facts)),
        body=body,
        database=escape(database),
        loaded=escape(words.moment(facts.loaded)),
    )


def _tiles(facts: Facts) -> list[tuple[str, str, str, str]]:
    """(number, what, remark, colour) of the most important numbers."""
    living = [found for found in facts.invoices if found.status != "deleted"]
    vendors = [words.vendor(source) for source in sorted({found.source for found in living})]
    failed = sum(found.times for found in facts.checks if found.ok is False)
    held = sum(found.times for found in facts.checks if found.ok)
    unsure = sum(found.times for found in facts.checks if found.ok is None)
    done = sum(run.status == "succeeded" for run in facts.runs)
    currencies = {found.currency for found in living if found.currency}
    return [
        (words.count(sum(found.invoices for found in living)), "invoices", ", ".join(vendors), ""),
        (words.count(len(currencies)), "currencies", " ".join(sorted(currencies)), ""),
        (words.count(sum(found.lines for found in facts.products)), "cost lines", "Bring", ""),
        (words.count(sum(found.transactions for found in facts.balance)), "transactions", "Stripe balance", ""),
        (words.count(len(facts.runs)), "report runs", f"{words.count(done)} succeeded", ""),
        (
            words.count(failed),
            "failed check" if failed == 1 else "failed checks",
            f"{words.count(held)} hold, {words.count(unsure)} cannot be checked",
            "failed" if failed else "holds",
        ),
    ]


def _tile(number: str, what: str, remark: str, colour: str) -> str:
    return (
        f'<li class="tile {colour}"><b>{escape(number)}</b><span>{escape(what)}</span>'
        f"<small>{escape(remark)}</small></li>"
    )


def _json(figures: Sequence[Mapping[str, Any]]) -> str:
    """JSON that no text can end early inside a script element."""
    text = json.dumps(figures, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")
