"""Failures of one cause as one line: what it is, which accounts, streams and periods it hit, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_billing_reports.singer.outcome import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_billing_reports.singer.outcome import Summary


def causes(summary: Summary) -> list[Cause]:
    """The failures of a sync, those of the same source, words and remedy together, in the order of their first."""
    found: dict[tuple[str, str, str], Cause] = {}
    for failure, streams in summary.failures.items():
        cause = found.setdefault((failure.source, failure.said, failure.remedy), Cause(failure))
        cause.count += 1
        if failure.account:
            cause.accounts[failure.account] = None
        if failure.call:
            cause.calls[failure.call] = None
        for stream in streams:
            cause.streams.setdefault(stream, [])
        if failure.period:
            cause.streams.setdefault(failure.stream, []).append(failure.period)
    return [*found.values()]


def failed_lines(summary: Summary) -> Iterable[str]:
    """One line for each cause, with what to do about it."""
    return (f"failed: {cause}" for cause in causes(summary))
