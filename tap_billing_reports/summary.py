"""The last lines of a sync: what was sent, what became of the runs, what was left, what failed and what to do."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from tap_billing_reports.redaction import sentence
from tap_billing_reports.reports.events import Step
from tap_billing_reports.streams.report_rows import ReportRows
from tap_billing_reports.terminal import duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk import Stream
    from singer_sdk.singerlib import Catalog

    from tap_billing_reports.progress import Board
    from tap_billing_reports.streams.base import Summary
    from tap_billing_reports.tap import TapBillingReports

NAMED_COLUMNS = 5
_COUNTED = (Step.ORDERED, Step.RESUMED, Step.ADOPTED, Step.KEPT, Step.DONE, Step.DEFERRED, Step.FAILED)


def closing(summary: Summary, board: Board, *, waited: float, took: float) -> Iterator[tuple[int, str]]:
    """The lines, each with its logging level.

    Args:
        summary: records, notes and failures.
        board: where the periods ended.
        waited: seconds of the sync in which it only waited: for runs, rate limits, the next try.
        took: seconds of the whole sync.
    """
    sent = ", ".join(f"{stream} {count}" for stream, count in sorted(summary.records.items()) if count)
    yield logging.INFO, f"records sent: {sent or 'none'}"
    runs = ", ".join(f"{board.steps[step]} {step.value}" for step in _COUNTED)
    yield (
        logging.INFO,
        f"runs: {runs}; {board.files} files, {board.size} bytes; waited {duration(waited)} of {duration(took)}",
    )
    left = [*left_periods(board), *summary.notes]
    for note in left:
        yield logging.WARNING, f"left: {note}"
    for failure in summary.failures:
        remedy = summary.remedies.get(failure)
        yield logging.ERROR, f"failed: {failure}; to do: {remedy}" if remedy else f"failed: {failure}"
    level = logging.ERROR if summary.failures else logging.INFO
    yield level, f"{len(summary.failures)} failed, {len(left)} left"


def left_periods(board: Board) -> Iterator[str]:
    """The periods that are due and were not read, one line for each report, account and reason."""
    for (stream, account, _step, reason), periods in sorted(board.left.items()):
        several = f"{len(periods)} periods, {periods[0]} to {periods[-1]}"
        which = several if len(periods) > 1 else f"period {periods[0]}"
        yield sentence(f"{stream} account {account}: {which}: {reason}")


def skipped_reports(tap: TapBillingReports) -> Iterator[str]:
    """The configured reports and the columns that the catalogue keeps away; the SDK passes them over in silence.

    One that is new since the catalogue was made is not in it; one that selection patterns made before it was
    configured do not match is there, but deselected.
    """
    catalog = tap.input_catalog
    if catalog is None:
        return
    wanted = {report.stream for report in tap.cycle.wanted()}
    for stream in tap.streams.values():
        if stream.selected:
            yield from _left_out(stream, catalog)
        elif not isinstance(stream, ReportRows):
            continue
        elif catalog.get_stream(stream.name) is None:
            yield (
                f"{stream.name} is configured but not in the catalogue, so none of its rows were sent: make the "
                f"catalogue anew with --discover (Meltano: --refresh-catalog)"
            )
        elif stream.name not in wanted:
            yield (
                f"{stream.name} is configured but deselected in the catalogue, so nothing of it was ordered or sent: "
                f"select it (Meltano: meltano select {tap.name} {stream.name} '*') or take it out of the settings"
            )


def _left_out(stream: Stream, catalog: Catalog) -> Iterator[str]:
    """The columns that a catalogue from before an update, or from before a change of the settings, does not have."""
    entry = catalog.get_stream(stream.name)
    known = entry.schema.properties if entry is not None else None
    missing = [name for name in stream.schema["properties"] if known and name not in known]
    if missing:
        more = f" and {len(missing) - NAMED_COLUMNS} more" if len(missing) > NAMED_COLUMNS else ""
        yield (
            f"{stream.name}: not in the catalogue, so not sent: {', '.join(missing[:NAMED_COLUMNS])}{more}: make the "
            f"catalogue anew with --discover (Meltano: --refresh-catalog)"
        )
