"""What a target holds against what it was told, value by value."""

from __future__ import annotations

import contextlib
import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timezone
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from scripts.targets import edge_cases
from scripts.targets.truth import DECIMAL, KINDS, TEXT
from scripts.totals import exact_sum
from scripts.warehouse import DELETED_AT, Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scripts.targets.truth import Key, Record, Stream, Told
    from scripts.warehouse import Row

IDENTICAL, RESPELLED, NULL, DIFFERENT = "identical", "respelled", "NULL", "different"
SAME = frozenset({IDENTICAL, RESPELLED})

# Of these, and of the values of each kind, it is counted how many are as they should be. Deleted: marked or removed.
ROWS, NO_OTHERS, SUMS, STATE = "rows", "no others", "exact sums", "STATE"
UPDATED, DELETED, NEW_COLUMN = "updated rows", "deleted rows", "new column"
MUST_BE_WHOLE = (ROWS, NO_OTHERS, SUMS, UPDATED, DELETED, NEW_COLUMN, STATE)
# These need not be: a file of text has no way to say NULL.
NULLS = "nulls"


@dataclass
class Share:
    """How many of some things are as they should be."""

    right: int = 0
    of: int = 0

    @property
    def is_whole(self) -> bool:
        return self.right == self.of > 0

    def __str__(self) -> str:
        return f"{self.right:,} of {self.of:,}"


@dataclass
class Findings:
    """What is said of a target, over all streams; `shares` has the names above and those of `KINDS`."""

    shares: dict[str, Share] = field(default_factory=lambda: defaultdict(Share))
    stored: int = 0
    """Rows, of whatever age: more than there should be where the target appends."""
    types: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Kind of column -> the target's types for it."""
    examples: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Kind of column -> told and held, of one value that is not the same."""
    edge_cases: dict[str, str] = field(default_factory=dict)
    """Case -> outcome; when it differs, with what is held."""
    seconds: list[float] = field(default_factory=list)
    """How long each sync took."""

    def count(self, what: str, *, right: bool) -> None:
        self.shares[what].of += 1
        self.shares[what].right += right

    def lost(self) -> list[str]:
        """What is not as it should be."""
        must = (*MUST_BE_WHOLE, *(kind for kind in KINDS if kind in self.shares))
        return [f"{what}: {self.shares[what]}" for what in must if not self.shares[what].is_whole]


def examine(told: Told, held: Mapping[str, Table], *, first: Told, new_column: str) -> Findings:
    """Everything that can be said of the tables of a target.

    `first` is what the target was told before the second sync. Where keys are stored more than once (a
    target that appends), the last row of a key counts.
    """
    found = Findings()
    for name, stream in told.streams.items():
        table = held.get(name, Table({}, []))
        found.stored += len(table.rows)
        for column, kind in stream.columns.items():
            # A file in which all values are null has no type of them.
            found.types[kind].update(filter(None, [table.columns.get(column)]))
        last = {stream.key(row): row for row in table.rows}
        if name == edge_cases.STREAM:
            cases = edge_cases.CASES.items()
            found.edge_cases = {case: _edge_case(stream, last.get((case,)), *one) for case, one in cases}
            continue
        _rows(found, stream, last)
        before = first.streams[name].last() if name in first.streams else {}
        for key, record in stream.living().items():
            _values(found, stream, record, last.get(key), before.get(key), new_column)
    return found


def _rows(found: Findings, stream: Stream, last: Mapping[Key, Row]) -> None:
    expected, living = stream.last(), stream.living()
    alive = {key: row for key, row in last.items() if not row.get(DELETED_AT)}
    for key in last:
        found.count(NO_OTHERS, right=key in expected)
    for key in expected:
        found.count(ROWS if key in living else DELETED, right=(key in alive) == (key in living))
    for column in (name for name, kind in stream.columns.items() if kind == DECIMAL):
        # A file of text has no other way to say that there is none.
        held = [{column: row.get(column) or None} for row in alive.values()]
        equal = False
        with contextlib.suppress(InvalidOperation):
            equal = exact_sum(living.values(), column) == exact_sum(held, column)
        found.count(SUMS, right=equal)


def _values(
    found: Findings, stream: Stream, record: Record, row: Row | None, before: Record | None, new_column: str
) -> None:
    held = row or {}
    came = {column: compared(kind, record.get(column), held.get(column)) for column, kind in stream.columns.items()}
    changed = {came[column] for column in came if before and before.get(column) != record.get(column)}
    if changed:
        found.count(UPDATED, right=changed <= SAME)
    if record.get(new_column) is not None:
        found.count(NEW_COLUMN, right=came[new_column] == IDENTICAL)
    if row is None:
        return
    for column, outcome in came.items():
        value, kind = record.get(column), stream.columns[column]
        if value is None:
            found.count(NULLS, right=outcome == IDENTICAL)
            continue
        found.count(kind, right=outcome in SAME)
        if outcome not in SAME:
            found.examples.setdefault(kind, (spelled(value), str(row.get(column))))


def compared(kind: str, value: Any, cell: str | None) -> str:
    """How a value came through: its very spelling, another one for the same value, as NULL, or not."""
    if value is None:
        return {None: IDENTICAL, "": RESPELLED}.get(cell, DIFFERENT)
    if cell is None:
        return NULL
    if cell == spelled(value):
        return IDENTICAL
    try:
        same = kind != TEXT and _meaning(kind, cell) == _meaning(kind, value)
    except (KeyError, ValueError, InvalidOperation):
        same = False
    return RESPELLED if same else DIFFERENT


def spelled(value: Any) -> str:
    """A value as the tap spells it."""
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _meaning(kind: str, value: Any) -> Any:
    text = str(value)
    if kind == "boolean":
        return {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}[text.lower()]
    if kind == "date-time":
        return instant(text)
    return text if kind == "date" else Decimal(text)


def instant(text: str) -> datetime:
    """A point in time from RFC 3339 or a database's spelling; without a zone it is taken as UTC."""
    found = datetime.fromisoformat(text.strip())
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)


def _edge_case(stream: Stream, row: Row | None, column: str, value: Any) -> str:
    if row is None:
        return "row missing"
    if value is None:
        others = {cell for name, cell in row.items() if name in stream.columns and name not in stream.keys}
        return IDENTICAL if others == {None} else f"held as {sorted(map(repr, others))}"
    outcome = compared(stream.columns[column], value, row.get(column))
    return outcome if outcome in {IDENTICAL, NULL} else f"{outcome}: {row.get(column)!r}"
