"""When the reports of each vendor's last day were ordered and made: a page for whoever watches the syncs."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Any

from tap_billing_reports.page.html import framed
from tap_billing_reports.page.shapes import LONGEST
from tap_billing_reports.page.words import counted, vendor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from tap_billing_reports.page.read import Reading

_MINUTE, _HOUR = 60, 3600


@dataclass(frozen=True)
class Run:
    """One run of a report.

    Attributes:
        label: its account and period.
        status: of the tap.
        ordered_at: by the vendor's clock, in UTC.
        finished_at: likewise; None where the vendor does not say it, or while the run is not made.
        seconds: from one to the other.
    """

    label: str
    status: str
    ordered_at: datetime
    finished_at: datetime | None
    seconds: int | None


@dataclass(frozen=True)
class Reports:
    """The runs of one report, in the order in which they were ordered."""

    source: str
    name: str
    runs: tuple[Run, ...]


def timeline(reading: Reading) -> str:
    """The file.

    Raises:
        LoadError: the warehouse refuses.
    """
    rows = reading.rows(
        "select runs.source, coalesce(report_name, report_type), account_id, period, status, ordered_at, finished_at, "
        "seconds from {schema}.report_timeline as runs inner join (select source, max(ordered_at) as newest "
        "from {schema}.report_timeline group by source) as last on runs.source = last.source "
        "where ordered_at >= date_trunc('day', newest) order by 1, 2, ordered_at, account_id, period"
    )
    reports = [
        Reports(source, name, tuple(_run(row[2:]) for row in group))
        for (source, name), group in groupby(rows, key=lambda row: row[:2])
    ]
    return framed("When the reports were made", _lines(reports))


def _run(row: tuple[Any, ...]) -> Run:
    account, period, status, ordered_at, finished_at, seconds = row
    return Run(" ".join(filter(None, (account, period))), status or "unknown", ordered_at, finished_at, seconds)


def _lines(reports: list[Reports]) -> Iterator[str]:
    yield "<header><h1>When the reports were made</h1>"
    if not reports:
        yield "<p>No run of a report is loaded: select the stream report_runs, then billing-reports sync.</p></header>"
        return
    yield (
        "<p>The last day on which each vendor was asked for any, by its own clock. Of one vendor, each line has the "
        "same length of time.</p></header>"
    )
    # Each vendor has a day of its own: one that was asked for nothing today is not left out.
    for source, group in groupby(reports, key=lambda one: one.source):
        mine = list(group)
        runs = [run for report in mine for run in report.runs]
        first = min(run.ordered_at for run in runs)
        last = max(run.finished_at or run.ordered_at for run in runs)
        span = f"{first:%-d %B %Y}, {first:%H:%M:%S} to {last:%H:%M:%S} UTC"
        yield f"<h2>{escape(vendor(source))}: {counted(len(runs), 'run')} of {span}</h2>"
        for report in mine:
            yield from _section(report, first, (last - first).total_seconds() or 1)


def _section(report: Reports, first: datetime, whole: float) -> Iterator[str]:
    more = f" (the first {LONGEST} of {len(report.runs)})" if len(report.runs) > LONGEST else ""
    yield f"<section><h3>{escape(report.name)}{more}</h3>"
    yield '<dl class="bars">'
    for run in report.runs[:LONGEST]:
        start = (run.ordered_at - first).total_seconds() / whole
        style = f"margin-left:{start * 100:.2f}%;width:{(run.seconds or 0) / whole * 100:.2f}%"
        sign = "plus" if run.status == "succeeded" else "minus"
        yield (
            f'<dt>{escape(run.label)}</dt><dd class="track"><span class="bar {sign}" style="{style}"></span></dd>'
            f'<dd class="amount">{escape(_said(run))}</dd>'
        )
    yield "</dl></section>"


def _said(run: Run) -> str:
    """How long it took, and what became of it where that is not well."""
    took = "not told" if run.seconds is None else took_in_words(run.seconds)
    return took if run.status == "succeeded" else run.status if run.seconds is None else f"{run.status} after {took}"


def took_in_words(seconds: int) -> str:
    """`18 s`, `2 min 5 s`, `3 h 1 min`."""
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min {seconds % _MINUTE} s"
    return f"{seconds // _HOUR} h {seconds % _HOUR // _MINUTE} min"
