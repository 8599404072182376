"""What a sync tells at its end: failures, notes, records."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_billing_reports.core.failure import Failure
    from tap_billing_reports.singer.check import Check

# Failed checks that are remembered with their facts; all are counted.
FAILED_CHECKS: Final = 500


class Place(NamedTuple):
    """Where something was read; a stream that is no single one's is empty."""

    source: str
    account: str
    stream: str


class Verdict(StrEnum):
    """What came of a check."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_MADE = "not_made"

    @classmethod
    def of(cls, check: Check) -> Verdict:
        return {True: cls.PASSED, False: cls.FAILED, None: cls.NOT_MADE}[check.ok]


@dataclass
class Checks:
    """What came of the checks of a sync.

    Attributes:
        counted: how many, by place and verdict.
        failed: the first of those that failed, with their streams.
        freshness: the check of that name, by place.
    """

    counted: Counter[tuple[Place, Verdict]] = field(default_factory=Counter)
    failed: list[tuple[str, Check]] = field(default_factory=list)
    freshness: dict[Place, Check] = field(default_factory=dict)

    def take(self, stream: str, checks: Iterable[Check]) -> None:
        """Count checks of what one stream reads."""
        for check in checks:
            place = Place(check.source, check.account_id, stream)
            self.counted[place, Verdict.of(check)] += 1
            if check.ok is False and len(self.failed) < FAILED_CHECKS:
                self.failed.append((stream, check))
            if check.check == "freshness":
                self.freshness[place] = check


@dataclass
class Summary:
    """What the closing lines tell, without secrets.

    Attributes:
        notes: what is no failure and should be seen, each once, in the order of its first time.
        failures: failure -> the streams that it kept from being read; none where the failure is of a single period.
        remarks: what was changed or left out in records, and why.
        records: stream -> records sent.
        rows: the same by source and account.
        checks: what came of them, whether anybody takes their records or not.
    """

    failures: dict[Failure, list[str]] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    records: Counter[str] = field(default_factory=Counter)
    rows: Counter[Place] = field(default_factory=Counter)
    checks: Checks = field(default_factory=Checks)

    def failed(self, failure: Failure) -> bool:
        """Remember a failure; whether it is a new one. What several streams meet in turn is one failure."""
        known = failure.without_stream
        is_new = known not in self.failures
        streams = self.failures.setdefault(known, [])
        if failure.stream and not failure.period and failure.stream not in streams:
            streams.append(failure.stream)
        return is_new

    def has_failed(self, source: str) -> bool:
        """Whether something of a source failed, or something that is no single source's, such as the sync itself."""
        return any(failure.source in {"", source} for failure in self.failures)


@dataclass
class Cause:
    """What one or more failures have in common, and what they have not.

    Attributes:
        first: the first of them: source, words and remedy are those of all.
        streams: stream -> the periods of it that failed; none where a whole list or account did.
    """

    first: Failure
    count: int = 0
    accounts: dict[str, None] = field(default_factory=dict)
    streams: dict[str, list[str]] = field(default_factory=dict)
    calls: dict[str, None] = field(default_factory=dict)

    def __str__(self) -> str:
        text = self._alone() if self.count == 1 else self._folded()
        return f"{text}; to do: {self.first.remedy}" if self.first.remedy else text

    def _alone(self) -> str:
        # A period's own words name its stream.
        hit = ", ".join(stream for stream, periods in self.streams.items() if not periods)
        return f"{self.first}; in {hit}" if hit else str(self.first)

    def _folded(self) -> str:
        whose = [self.first.source] if self.first.source else []
        if self.accounts:
            whose += ["accounts" if len(self.accounts) > 1 else "account", ", ".join(self.accounts)]
        hit = ", ".join(_with_periods(stream, periods) for stream, periods in self.streams.items())
        calls = [*self.calls]
        asked = f"; asked: {calls[0]}" if calls else ""
        if len(calls) > 1:
            asked += f" and {len(calls) - 1} more"
        where = f" in {hit}" if hit else ""
        said = f"{self.first.said}; {self.count} times{where}{asked}"
        return f"{' '.join(whose)}: {said}" if whose else said


def _with_periods(stream: str, periods: list[str]) -> str:
    if not periods:
        return stream
    if len(periods) == 1:
        return f"{stream} (period {periods[0]})"
    return f"{stream} ({len(periods)} periods, {min(periods)} to {max(periods)})"
