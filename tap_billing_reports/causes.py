"""Failures of one cause as one line: what it is, which accounts, streams and periods it hit, and what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_billing_reports.streams.base import Summary

# How messages begin: with the period that failed, with the call that failed, or with both.
_of_a_period = re.compile(r"(?P<stream>[a-z][a-z0-9_]*) account (?P<account>.+?) period (?P<period>.+?): ").match
_of_a_call = re.compile(r"(?P<source>[a-z0-9]+) account (?P<account>.+?): (?P<call>(?:GET|POST) \S+): ").match


@dataclass
class Cause:
    """What one or more failures have in common, and what they have not.

    Attributes:
        said: the failures' common words.
        first: the first failure, whole.
        streams: stream -> the periods of it that failed; none where a whole list or account did.
    """

    said: str
    remedy: str
    source: str
    first: str
    count: int = 0
    accounts: dict[str, None] = field(default_factory=dict)
    streams: dict[str, list[str]] = field(default_factory=dict)
    calls: dict[str, None] = field(default_factory=dict)

    def __str__(self) -> str:
        text = self._alone() if self.count == 1 else self._folded()
        return f"{text}; to do: {self.remedy}" if self.remedy else text

    def _alone(self) -> str:
        # A period's own words name its stream.
        hit = ", ".join(stream for stream, periods in self.streams.items() if not periods)
        return f"{self.first}; in {hit}" if hit else self.first

    def _folded(self) -> str:
        whose = f"account{'s' * (len(self.accounts) > 1)} {', '.join(self.accounts)}"
        hit = ", ".join(_with_periods(stream, periods) for stream, periods in self.streams.items())
        calls = [*self.calls]
        asked = f"; asked: {calls[0]}" if calls else ""
        if len(calls) > 1:
            asked += f" and {len(calls) - 1} more"
        where = f" in {hit}" if hit else ""
        return f"{self.source} {whose}: {self.said}; {self.count} times{where}{asked}".strip()


def _with_periods(stream: str, periods: list[str]) -> str:
    if not periods:
        return stream
    if len(periods) == 1:
        return f"{stream} (period {periods[0]})"
    return f"{stream} ({len(periods)} periods, {min(periods)} to {max(periods)})"


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
