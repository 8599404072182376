"""What a sync tells at its end: failures, notes, records."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Summary:
    """What the closing lines tell, without secrets.

    Attributes:
        remedies: failure -> what a person can do about it, where that is known.
        streams: failure -> the streams that it kept from being read.
        remarks: what was changed or left out in records, and why.
        records: stream -> records sent.
    """

    failures: list[str] = field(default_factory=list)
    remedies: dict[str, str] = field(default_factory=dict)
    streams: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    records: Counter[str] = field(default_factory=Counter)


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
