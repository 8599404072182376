"""Plotly figures as its JSON: bars and lines over categories or times, every hover text ready-made and exact.

Colours are not here: a figure is drawn in the colours that page.css has for light and dark (`meta.colour`).
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

HOVER: Final = "%{hovertext}<extra></extra>"


# Colours that are drawn in stripes, because too many greys are alike.
STRIPED: Final = frozenset({"void", "deleted"})


def bars(name: str, colour: str, x: Sequence[str], y: Sequence[Decimal | int], hover: Sequence[str]) -> dict[str, Any]:
    """Upright bars. Heights are doubles: the place for exact numbers is `hover` and the table."""
    return {
        "type": "bar",
        "name": name,
        "x": list(x),
        "y": [float(value) for value in y],
        "hovertext": list(hover),
        "hovertemplate": HOVER,
        "meta": {"colour": colour, "striped": colour in STRIPED},
    }


def lying_bars(
    name: str, colour: str, labels: Sequence[str], x: Sequence[Decimal], hover: Sequence[str]
) -> dict[str, Any]:
    """Bars from left to right, the first label on top."""
    return {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "y": list(labels),
        "x": [float(value) for value in x],
        "hovertext": list(hover),
        "hovertemplate": HOVER,
        "meta": {"colour": colour},
    }


def line(
    name: str, colour: str, x: Sequence[str], y: Sequence[Decimal], hover: Sequence[str], *, filled: bool = False
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines" if filled else "lines+markers",
        "name": name,
        "x": list(x),
        "y": [float(value) for value in y],
        "hovertext": list(hover),
        "hovertemplate": HOVER,
        "meta": {"colour": colour},
        "line": {"width": 2},
        "marker": {"size": 5},
        **({"fill": "tozeroy"} if filled else {}),
    }


def layout(height: int, *, below: int = 40, **more: Any) -> dict[str, Any]:
    """What every figure has in common; nothing can be dragged, so that a finger scrolls the page.

    `below` is the room for the labels of the lower axis, 40 for two lines; at the sides labels make their own.
    """
    return {
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 8, "b": below},
        "showlegend": False,
        "dragmode": False,
        "hovermode": "closest",
        "bargap": 0.28,
        "barmode": "relative",
        **more,
    }


def axis(**more: Any) -> dict[str, Any]:
    return {"fixedrange": True, "automargin": "left+right", "title": {"text": ""}, "tickangle": 0, **more}


def day_axis(first: date, last: date, **more: Any) -> dict[str, Any]:
    """Days from the first to the last: their months by name, or in a short time the days themselves."""
    short = last - first < timedelta(days=90)
    return axis(
        type="date",
        range=[first.isoformat(), last.isoformat()],
        nticks=6 if short else 7,
        tickformat="%-d %b\n%Y" if short else "%b\n%Y",
        **more,
    )


def value_axis(values: Sequence[Decimal | int], **more: Any) -> dict[str, Any]:
    """Ticks as 50k and 2M from ten thousand on, as plain numbers below; whole ones for a few things."""
    largest = max((Decimal(value).copy_abs() for value in values), default=Decimal(0))
    ticks: Mapping[str, Any] = {"tickformat": "~s" if largest >= 10_000 else ",~f"}
    if largest <= 5 and all(value == int(value) for value in values):
        ticks = {"tickformat": ",d", "dtick": 1}
    return axis(**{"nticks": 6, **ticks, **more})


def month_axis(months: Sequence[str], labels: Sequence[str]) -> dict[str, Any]:
    """One place for each month, in this order, whether it has a bar or not."""
    return axis(
        type="category",
        categoryorder="array",
        categoryarray=list(months),
        range=[-0.5, len(months) - 0.5],
        # A label for every month as long as they stand beside each other on a phone.
        tickmode="array",
        tickvals=list(months)[:: len(months) // 9 + 1],
        ticktext=list(labels)[:: len(months) // 9 + 1],
        showgrid=False,
    )
