"""The last lines of a sync: what was sent, what became of the runs, what was left, what failed and what to do."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from tap_billing_reports.core.redaction import sentence
from tap_billing_reports.reports.jobs import Step
from tap_billing_reports.singer.console.failures import failed_lines
from tap_billing_reports.singer.console.live_view import duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_billing_reports.singer.console.progress import Board
    from tap_billing_reports.singer.outcome import Summary

_COUNTED = (Step.ORDERED, Step.RESUMED, Step.ADOPTED, Step.KEPT, Step.FETCHED, Step.DONE, Step.DEFERRED, Step.FAILED)


def closing(summary: Summary, board: Board, *, waited: float, took: float) -> Iterator[tuple[int, str]]:
    """The lines, each with its logging level.

    Args:
        summary: records, notes, remarks and failures.
        board: where the periods ended.
        waited: seconds of the sync in which it only waited: for runs, rate limits, the next try.
        took: seconds of the whole sync.
    """
    waiting = board.steps[Step.DEFERRED]
    if waiting:
        due = f"{waiting} period{'s' * (waiting > 1)}"
        yield (
            logging.WARNING,
            f"not all was read yet: {due} more are due, and come with the next sync; see `left` below",
        )
    sent = ", ".join(f"{stream} {count}" for stream, count in sorted(summary.records.items()) if count)
    yield logging.INFO, f"records sent: {sent or 'none'}"
    # Few vendors have what is there without an order.
    counted = [step for step in _COUNTED if step is not Step.FETCHED or board.steps[step]]
    runs = ", ".join(f"{board.steps[step]} {step.value}" for step in counted)
    yield (
        logging.INFO,
        f"runs: {runs}; {board.files} files, {board.size} bytes; waited {duration(waited)} of {duration(took)}",
    )
    left = [*left_periods(board), *summary.notes]
    for note in left:
        yield logging.WARNING, f"left: {note}"
    for remark in summary.remarks:
        yield logging.WARNING, f"changed: {remark}"
    failed = list(failed_lines(summary))
    for line in failed:
        yield logging.ERROR, line
    count = len(summary.failures)
    folded = f" of {len(failed)} cause{'s' * (len(failed) > 1)}" if len(failed) < count else ""
    yield logging.ERROR if failed else logging.INFO, f"{count} failed{folded}, {len(left)} left"


def left_periods(board: Board) -> Iterator[str]:
    """The periods that are due and were not read, one line for each report, account and reason."""
    for (stream, account, _step, reason), periods in sorted(board.left.items()):
        several = f"{len(periods)} periods, {periods[0]} to {periods[-1]}"
        which = several if len(periods) > 1 else f"period {periods[0]}"
        yield sentence(f"{stream} account {account}: {which}: {reason}")
