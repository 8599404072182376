"""Subjects by the date of what they stand for: each step costs the same, however many there are of a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Subjects:
    """Keys of subjects, each with its date, in the order in which they came.

    Args:
        days: as `as_state` gives them.
    """

    def __init__(self, days: Iterable[list[str]] = ()) -> None:
        self._day_of: dict[str, str] = {}
        # The values are nothing: a dict is a set that keeps its order.
        self._days: dict[str, dict[str, None]] = {}
        for day, *keys in days:
            for key in keys:
                self.add(day, key)

    def __contains__(self, key: str) -> bool:
        return key in self._day_of

    def __iter__(self) -> Iterator[str]:
        """All keys, the oldest day's first."""
        for day in self.days:
            yield from self._days[day]

    def __bool__(self) -> bool:
        return bool(self._day_of)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Subjects) and self.as_state() == other.as_state()

    __hash__ = None  # type: ignore[assignment] # it changes

    @property
    def days(self) -> list[str]:
        """The days of which there are any, the oldest first."""
        return sorted(self._days)

    def of(self, day: str) -> list[str]:
        """The keys of one day."""
        return list(self._days.get(day, ()))

    def add(self, day: str, key: str) -> None:
        """Enter a key; one that is there keeps its day."""
        if key not in self._day_of:
            self._day_of[key] = day
            self._days.setdefault(day, {})[key] = None

    def remove(self, key: str) -> str | None:
        """Take a key out: its day, None where it was not there."""
        day = self._day_of.pop(key, None)
        if day is not None:
            del self._days[day][key]
            if not self._days[day]:
                del self._days[day]
        return day

    def as_state(self) -> list[list[str]]:
        """One list a day: the date, then the keys."""
        return [[day, *self._days[day]] for day in self.days]
