"""Failures of one cause as one line: what it is, which accounts, streams and periods it hit, and what to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tap_billing_reports.singer.outcome import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_billing_reports.singer.outcome import Summary

# How messages begin: with the period that failed, with the call that failed, or with both.
_of_a_period = re.compile(r"(?P<stream>[a-z][a-z0-9_]*) account (?P<account>.+?) period (?P<period>.+?): ").match
_of_a_call = re.compile(r"(?P<source>[a-z0-9]+) account (?P<account>.+?): (?P<call>(?:GET|POST) \S+): ").match


def causes(summary: Summary) -> list[Cause]:
    """The failures of a sync, those of the same source, words and remedy together, in the order of their first."""
    found: dict[tuple[str, ...], Cause] = {}
    for failure in summary.failures:
        remedy = summary.remedies.get(failure, "")
        period = _of_a_period(failure)
        rest = failure if period is None else failure[period.end() :]
        call = _of_a_call(rest)
        said = rest if call is None else rest[call.end() :]
        # Without a call it is not known which vendor that was: then only the periods of one stream go together.
        whose = call["source"] if call else period["stream"] if period else ""
        source = call["source"] if call else ""
        cause = found.setdefault((whose, said, remedy), Cause(said, remedy, source, failure))
        cause.count += 1
        cause.accounts.update((place["account"], None) for place in (call or period,) if place)
        if call:
            cause.calls[call["call"]] = None
        for stream in summary.streams.get(failure, ()):
            cause.streams.setdefault(stream, [])
        if period:
            cause.streams.setdefault(period["stream"], []).append(period["period"])
    return [*found.values()]


def failed_lines(summary: Summary) -> Iterable[str]:
    """One line for each cause, with what to do about it."""
    return (f"failed: {cause}" for cause in causes(summary))
