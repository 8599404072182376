"""The report types: which parameters and columns each takes, and which data are there by now."""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .accounts import Account

HISTORY = timedelta(days=190)
"""How long before the clock's start the first day with data lies."""

LAG = timedelta(hours=8)
"""How long after 00:00 and 12:00 UTC the data up to then are prepared."""

_HALF_DAY = timedelta(hours=12)
_METADATA = re.compile(r"^(\w+)\[[^\[\]]+\]$")
_ONLY_PLATFORM = re.compile(r"^connect")


@dataclass(frozen=True)
class ReportType:
    """One report type; `columns` holds metadata columns as `payment_metadata[key]`.

    `default_columns` are those of a run that asks for none. Which of them a witness outside this project has seen,
    and which stand by analogy, `report_types.json` says.
    """

    id: str
    required: frozenset[str]
    optional: frozenset[str]
    columns: tuple[str, ...]
    default_columns: tuple[str, ...]

    @property
    def family(self) -> str:
        """The id without its version and without the prefix of the twins that read connected accounts."""
        return self.id.rpartition(".")[0].removeprefix("connected_account_")

    @property
    def version(self) -> int:
        return int(self.id.rpartition(".")[2])

    @property
    def over_connected(self) -> bool:
        """True for the twins that a platform reads its connected accounts with."""
        return self.id.startswith("connected_account_")

    @property
    def name(self) -> str:
        words = self.id.rpartition(".")[0].replace(".", " ").replace("_", " ")
        return words[:1].upper() + words[1:]

    def has(self, column: str) -> bool:
        """Whether a run may ask for this column; a metadata column with any key."""
        match = _METADATA.match(column)
        return (column in self.columns and "[" not in column) or bool(match and f"{match[1]}[key]" in self.columns)


def _facts() -> dict[str, Any]:
    text = Path(__file__).with_name("report_types.json").read_text(encoding="utf-8")
    facts: dict[str, Any] = json.loads(text)
    return facts


@functools.cache
def report_types() -> dict[str, ReportType]:
    """All known types by id."""
    return {
        name: ReportType(
            name,
            frozenset(facts["required"].split()),
            frozenset(facts["optional"].split()),
            tuple(facts["columns"].split()),
            tuple(_default_columns(name, facts)),
        )
        for name, facts in _facts()["types"].items()
    }


def not_offered() -> dict[str, str]:
    """Documented types that an account of this world never sees, each with the reason why."""
    reasons: dict[str, str] = _facts()["not_offered"]
    return reasons


def _default_columns(name: str, facts: dict[str, str]) -> list[str]:
    """Those of the type's set; of a type without one, all but metadata."""
    if "default" not in facts:
        return [column for column in facts["columns"].split() if "[" not in column]
    columns: list[str] = _facts()["default_sets"][facts["default"]].split()
    return [*columns, "connected_account"] if name.startswith("connected_account_") else columns


@functools.cache
def decimal_columns() -> frozenset[str]:
    """The columns that hold exact amounts or rates."""
    return frozenset(_facts()["not_text"]["decimal"].split())


def visible(account: Account) -> dict[str, ReportType]:
    """The types that an account sees: a connected account has none that look over other accounts."""
    return {name: found for name, found in report_types().items() if account.platform or not _ONLY_PLATFORM.match(name)}


def available(start: datetime, now: datetime) -> tuple[datetime, datetime, datetime]:
    """First instant with data, end of the data (exclusive), and when they were last prepared; all UTC.

    `start` is the clock's start; it fixes the first instant.
    """
    first = start.replace(hour=0, minute=0, second=0, microsecond=0) - HISTORY
    ready = now - LAG
    end = ready.replace(hour=0, minute=0, second=0, microsecond=0)
    if ready - end >= _HALF_DAY:
        end += _HALF_DAY
    return first, end, end + LAG
