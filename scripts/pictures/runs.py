"""The report runs on two time lines: when each was ordered and finished, and what days it reports on."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from scripts.pictures import plots, words
from scripts.pictures.parts import Figure, Section, Table, View

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from scripts.pictures.facts import Run

PAUSE: Final = timedelta(minutes=15)
"""Orders further apart than this are of different syncs: each gets a time line of its own."""
NEWEST: Final = 300
"""Older runs than so many are not on the page."""
LANES: Final = 40
HEAD: Final = 0.55
"""Room for a report's name, in lanes."""
SERIES: Final = 8
MILLISECOND: Final = timedelta(milliseconds=1)


def runs_section(runs: Sequence[Run]) -> Section:
    shown = runs[-NEWEST:]
    colours = _colours(shown)
    notes = []
    if len(shown) < len(runs):
        notes.append(f"The newest {len(shown)} of {words.count(len(runs))} runs are shown.")
    figures = [_orders(bout, colours) for bout in _bouts([run for run in shown if run.created])]
    covering = _covering(shown, colours)
    view = View(
        "All",
        figures=[*figures, *([covering] if covering else [])],
        tables=[_table(shown)] if shown else [],
        notes=notes,
        legend=_legend(shown, colours),
    )
    return Section(
        key="runs",
        title="Timeline of the report runs",
        intro=(
            "Reports are ordered, made by the vendor and fetched. First each sync on its own clock: a row is a run, "
            "a dot its order, a line the time until it was finished, where the vendor says so. Last, which days the "
            "runs report on: a bar is a period, a diamond the day of an invoice whose lines were ordered. "
            "All times are UTC, as the vendors state them; Bring states none, so its orders have the tap's own time."
        ),
        views=[view] if shown else [],
    )


def _colours(runs: Iterable[Run]) -> dict[str, str]:
    """Report -> colour; with more reports than colours they begin anew."""
    return {name: f"series-{place % SERIES + 1}" for place, name in enumerate(sorted({run.report for run in runs}))}


def _colour(run: Run, colours: dict[str, str]) -> str:
    return {"failed": "failed", "pending": "unsure"}.get(run.status, colours[run.report])


def _legend(runs: Sequence[Run], colours: dict[str, str]) -> list[tuple[str, str]]:
    special = [(css, status) for status, css in (("failed", "failed"), ("pending", "unsure"))]
    found = {run.status for run in runs}
    return [*((css, name) for name, css in colours.items()), *(one for one in special if one[1] in found)]


def _bouts(runs: Sequence[Run]) -> list[list[Run]]:
    """Runs in the order of their orders, cut where nothing was ordered for a while."""
    bouts: list[list[Run]] = []
    for run in runs:
        last = bouts[-1][-1].created if bouts else None
        if last and run.created and run.created - last <= PAUSE:
            bouts[-1].append(run)
        else:
            bouts.append([run])
    return bouts


def _orders(bout: Sequence[Run], colours: dict[str, str]) -> Figure:
    begin = min(run.created for run in bout if run.created)
    end = max(moment for run in bout for moment in (run.created, run.finished) if moment)
    edge = max((end - begin) / 25, timedelta(seconds=1))
    lines: list[dict[str, Any]] = []
    dots: list[dict[str, Any]] = []
    for colour in dict.fromkeys(_colour(run, colours) for run in bout):
        mine = [(place, run) for place, run in enumerate(bout) if _colour(run, colours) == colour]
        ends = [(place, run) for place, run in mine if run.finished]
        lines.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": [moment for _, run in ends for moment in (_clock(run.created), _clock(run.finished), None)],
                "y": [value for place, _ in ends for value in (place, place, None)],
                "line": {"width": 5},
                "hoverinfo": "skip",
                "meta": {"colour": colour},
            }
        )
        dots.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [_clock(run.created) for _, run in mine],
                "y": [place for place, _ in mine],
                "marker": {"size": 8, "symbol": ["x" if run.status == "failed" else "circle" for _, run in mine]},
                "hovertext": [_hover(run) for _, run in mine],
                "hovertemplate": plots.HOVER,
                "meta": {"colour": colour},
            }
        )
    layout = plots.layout(
        min(80 + 10 * len(bout), 560),
        xaxis=plots.axis(type="date", range=[_clock(begin - edge), _clock(end + edge)], nticks=5),
        yaxis=plots.axis(visible=False, range=[len(bout) - 0.25, -0.75]),
    )
    asked = words.counted(len(bout), "run", "runs")
    return Figure(
        f"Ordered {begin:%Y-%m-%d}, {begin:%H:%M:%S} to {end:%H:%M:%S} · {asked}",
        f"{asked} ordered from {words.moment(begin)}, the last event at {words.moment(end)}.",
        {"data": [*lines, *dots], "layout": layout},
    )


def _covering(runs: Sequence[Run], colours: dict[str, str]) -> Figure | None:
    """A lane for each report and account, its name above it, so that names need no room beside the chart."""
    covered = [run for run in runs if run.covers]
    lanes = sorted({(run.report, run.account) for run in covered})[:LANES]
    if not lanes:
        return None
    # The first lane of a report has the report's name above that of the account.
    heads = {place: report for place, (report, _) in enumerate(lanes) if not place or lanes[place - 1][0] != report}
    height_of = [place + HEAD * sum(head <= place for head in heads) for place in range(len(lanes))]
    bars: list[dict[str, Any]] = []
    days: list[dict[str, Any]] = []
    for place, lane in zip(height_of, lanes, strict=True):
        # What succeeded comes last, on top of an earlier attempt at the same period.
        mine = sorted(
            (run for run in covered if (run.report, run.account) == lane), key=lambda run: run.status == "succeeded"
        )
        for colour in dict.fromkeys(_colour(run, colours) for run in mine):
            same = [run for run in mine if _colour(run, colours) == colour]
            windows = [(*run.covers, run) for run in same if run.covers and run.covers[0] < run.covers[1]]
            points = [run for run in same if run.covers and run.covers[0] == run.covers[1]]
            bars.append(
                {
                    "type": "bar",
                    "orientation": "h",
                    "base": [_clock(begin) for begin, _, _ in windows],
                    "x": [(end - begin) / MILLISECOND for begin, end, _ in windows],
                    "y": [place] * len(windows),
                    "width": 0.34,
                    "hovertext": [_hover(run) for *_, run in windows],
                    "hovertemplate": plots.HOVER,
                    "meta": {"colour": colour},
                }
            )
            days.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": [_clock(run.covers[0]) for run in points if run.covers],
                    "y": [place] * len(points),
                    "marker": {"size": 9, "symbol": "diamond"},
                    "hovertext": [_hover(run) for run in points],
                    "hovertemplate": plots.HOVER,
                    "meta": {"colour": colour},
                }
            )
    names = [_name(account, place - 0.4) for place, (_, account) in zip(height_of, lanes, strict=True)]
    names += [_name(f"<b>{report}</b>", height_of[place] - 0.9) for place, report in heads.items()]
    moments = [moment for run in covered for moment in run.covers or ()]
    units = height_of[-1] + 0.5 + 0.65
    layout = plots.layout(
        48 + int(36 * units),
        barmode="overlay",
        annotations=names,
        xaxis=plots.day_axis(min(moments).date() - timedelta(days=3), max(moments).date() + timedelta(days=3)),
        yaxis=plots.axis(visible=False, range=[units - 0.65, -0.65]),
    )
    more = len({(run.report, run.account) for run in covered}) - len(lanes)
    caption = "The days that the runs report on, by report and account" + (f" ({more} more)" if more else "")
    described = f"The periods of {len(covered)} runs in {len(lanes)} lanes, one for each report and account."
    traces = [trace for trace in (*bars, *days) if trace["x"]]
    return Figure(caption, described, {"data": traces, "layout": layout}, wide=True)


def _name(text: str, height: float) -> dict[str, Any]:
    return {
        "text": text,
        "x": 0,
        "xref": "paper",
        "xanchor": "left",
        "y": height,
        "showarrow": False,
        "font": {"size": 11},
    }


def _table(runs: Sequence[Run]) -> Table:
    head = ["Report", "Account", "Period", "Status", "Origin", "Ordered (UTC)", "Finished (UTC)"]
    rows = [
        [
            run.report,
            f"{words.vendor(run.source)} {run.account}",
            run.period,
            run.status,
            run.origin,
            words.moment(run.created),
            words.moment(run.finished),
        ]
        for run in runs
    ]
    classes = {place: "bad" for place, run in enumerate(runs) if run.status == "failed"}
    return Table("Table: the runs", head, rows, names=5, classes=classes)


def _hover(run: Run) -> str:
    lines = [
        f"<b>{run.report}</b>",
        f"{words.vendor(run.source)} {run.account}",
        f"period {run.period}",
        f"{run.status}, {run.origin}",
        f"ordered {words.moment(run.created)}",
    ]
    return "<br>".join([*lines, *([f"finished {words.moment(run.finished)}"] if run.finished else [])])


def _clock(moment: datetime | None) -> str | None:
    """As Plotly reads a time: without a zone, which here is always UTC."""
    return None if moment is None else moment.strftime("%Y-%m-%d %H:%M:%S.%f")
