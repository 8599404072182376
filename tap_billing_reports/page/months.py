"""The months beside one, each by its first day."""

from __future__ import annotations

from datetime import date


def previous(month: date) -> date:
    """The one before."""
    return date(month.year - (month.month == 1), (month.month - 2) % 12 + 1, 1)


def following(month: date) -> date:
    """The one after."""
    return date(month.year + (month.month == 12), month.month % 12 + 1, 1)
