"""What a page is made of, and each part's HTML. Texts are escaped here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class Figure:
    """A chart: `spec` is a figure of Plotly, without any colour. A trace's `meta.colour` names one of page.css."""

    caption: str
    described: str
    """What a reader hears who does not see it."""
    spec: Mapping[str, Any]
    wide: bool = False
    """It takes the whole width of the page, below those that stand side by side."""


@dataclass(frozen=True)
class Table:
    """Text in columns; the first `names` columns are names and stand left, the rest are numbers."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    names: int = 1
    foot: Sequence[str] = ()
    classes: Mapping[int, str] = field(default_factory=dict)
    """Row -> class of page.css."""


@dataclass(frozen=True)
class View:
    """One choice within a section; a section with several shows one at a time, with its `label` to choose it by."""

    label: str
    figures: Sequence[Figure] = ()
    tables: Sequence[Table] = ()
    notes: Sequence[str] = ()
    legend: Sequence[tuple[str, str]] = ()
    """(colour, text)."""
    html: str = ""
    """Ready HTML between the notes and the tables."""


@dataclass(frozen=True)
class Section:
    key: str
    title: str
    intro: str
    views: Sequence[View]
    choice: str = "Currency"
    """What the views are a choice of."""


class Specs:
    """The figures of a page, in order; each gets a number that its place in the page refers to."""

    def __init__(self) -> None:
        self.all: list[Mapping[str, Any]] = []

    def add(self, spec: Mapping[str, Any]) -> int:
        self.all.append(spec)
        return len(self.all) - 1


def section(part: Section, specs: Specs) -> str:
    body = [
        f'<section id="{part.key}" class="card">',
        f"<h2>{escape(part.title)}</h2>",
        f"<p>{escape(part.intro)}</p>",
    ]
    if not part.views:
        body.append('<p class="none">Nothing of this was loaded.</p>')
    if len(part.views) > 1:
        body.append(_choice(part))
    for place, view in enumerate(part.views):
        body.append(f'<div class="view" id="{part.key}-{place}">')
        body.append(_view(view, specs))
        body.append("</div>")
    body.append("</section>")
    return "\n".join(body)


def _choice(part: Section) -> str:
    chips = "".join(
        f'<label><input type="radio" name="{part.key}" value="{part.key}-{place}"{" checked" if not place else ""}>'
        f"<span>{escape(view.label)}</span></label>"
        for place, view in enumerate(part.views)
    )
    return f'<fieldset class="choice"><legend>{escape(part.choice)}</legend>{chips}</fieldset>'


def _view(view: View, specs: Specs) -> str:
    body = []
    if view.legend:
        items = "".join(f'<li><i class="swatch {colour}"></i>{escape(text)}</li>' for colour, text in view.legend)
        body.append(f'<ul class="legend">{items}</ul>')
    for wide in (False, True):
        figures = "".join(_figure(figure, specs) for figure in view.figures if figure.wide is wide)
        if figures:
            body.append(f'<div class="figures{" wide" if wide else ""}">{figures}</div>')
    body += [f'<p class="note">{escape(note)}</p>' for note in view.notes]
    body.append(view.html)
    body += [table(part) for part in view.tables]
    return "\n".join(filter(None, body))


def _figure(figure: Figure, specs: Specs) -> str:
    number = specs.add(figure.spec)
    height = int(figure.spec["layout"]["height"])
    return (
        f"<figure><figcaption>{escape(figure.caption)}</figcaption>"
        f'<div class="plot" role="img" aria-label="{escape(figure.described)}" data-figure="{number}" '
        f'style="height:{height}px"></div></figure>'
    )


def table(part: Table) -> str:
    """A table that opens when it is asked for; its first column stays in sight when the rest is scrolled."""
    head = "".join(f'<th scope="col"{_side(place, part)}>{escape(text)}</th>' for place, text in enumerate(part.head))
    rows = "".join(
        f"<tr{_class(part.classes.get(place))}>{_cells(row, part)}</tr>" for place, row in enumerate(part.rows)
    )
    foot = f"<tfoot><tr>{_cells(part.foot, part)}</tr></tfoot>" if part.foot else ""
    return (
        f"<details><summary>{escape(part.caption)}</summary>"
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(part.caption)}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody>{foot}</table></div></details>"
    )


def _cells(row: Sequence[str], part: Table) -> str:
    first, *rest = row
    return f'<th scope="row">{escape(first)}</th>' + "".join(
        f"<td{_side(place, part)}>{escape(text)}</td>" for place, text in enumerate(rest, 1)
    )


def _side(place: int, part: Table) -> str:
    return _class("name" if place < part.names else None)


def _class(name: str | None) -> str:
    return f' class="{name}"' if name else ""
