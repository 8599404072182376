"""What a target holds against what it was told, value by value."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from datetime import datetime, timezone
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from scripts.targets import edge_cases
from scripts.targets.edge_cases import CASES
from scripts.targets.truth import DECIMAL, KINDS, TEXT
from scripts.totals import exact_sum
from scripts.warehouse import DELETED_AT, Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scripts.targets.truth import Key, Record, Stream, Told
    from scripts.warehouse import Row

IDENTICAL, RESPELLED, NULL, DIFFERENT = "identical", "respelled", "NULL", "different"


@dataclass
class Values:
    """How the values of one kind came through; `examples` are (told, held) of some that are not the same."""

    outcomes: dict[str, int] = field(default_factory=dict)
    examples: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Findings:
    """What is said of a target; numbers count rows, values or sums over all streams."""

    stored: int = 0
    """Rows stored, of whatever age."""
    living: int = 0
    """Rows that should be there in the end, deleted ones left out."""
    missing: dict[str, int] = field(default_factory=dict)
    """Stream -> rows that should be there and are not."""
    surplus: dict[str, int] = field(default_factory=dict)
    """Stream -> rows that are there and were never told."""
    deleted: int = 0
    marked: int = 0
    removed: int = 0
    sums: int = 0
    sums_equal: int = 0
    updates: int = 0
    """Rows whose content the second sync changed."""
    updated: int = 0
    types: dict[str, list[str]] = field(default_factory=dict)
    """Kind of column -> the target's types for it."""
    values: dict[str, Values] = field(default_factory=dict)
    """Kind of column -> how its values came through."""
    nulls: int = 0
    nulls_kept: int = 0
    new_column: str = ""
    """Type of the column that came with the second sync; empty when it is not there."""
    new_values: int = 0
    new_values_kept: int = 0
    edge_cases: dict[str, str] = field(default_factory=dict)
    """Case -> outcome; when it differs, with what is held."""

    def changed(self, outcome: str = DIFFERENT) -> dict[str, int]:
        """Kind of column -> how many of its values came through so, where there are any."""
        counts = {kind: values.outcomes.get(outcome, 0) for kind, values in self.values.items()}
        return {kind: count for kind, count in counts.items() if count}

    @property
    def alive(self) -> int:
        """Rows that the vendor no longer has and that cannot be told from living ones."""
        return self.deleted - self.marked - self.removed


def examine(told: Told, held: Mapping[str, Table], *, first: Told, new_column: str) -> Findings:
    """Everything that can be said of the tables of a target.

    `first` is what the target was told before the second sync. Where keys are stored more than once (a
    target that appends), the last row of a key counts.
    """
    found = Findings()
    types: dict[str, set[str]] = {}
    for name, stream in told.streams.items():
        table = held.get(name, Table({}, []))
        found.stored += len(table.rows)
        for column, kind in stream.columns.items():
            types.setdefault(kind, set()).update(filter(None, [table.columns.get(column)]))
        last = {stream.key(row): row for row in table.rows}
        if name == edge_cases.STREAM:
            found.edge_cases = {case: _edge_case(stream, last.get((case,)), *one) for case, one in CASES.items()}
            continue
        _rows(found, stream, last)
        _sums(found, stream, last)
        _values(found, stream, last)
        _second_sync(found, stream, last, first.streams[name].last() if name in first.streams else {})
        if new_column in stream.columns:
            found.new_column = table.columns.get(new_column, "")
            values = {key: row.get(new_column) for key, row in stream.living().items()}
            came = [last.get(key, {}).get(new_column) == value for key, value in values.items() if value is not None]
            found.new_values += len(came)
            found.new_values_kept += sum(came)
    found.types = {kind: sorted(types[kind]) for kind in KINDS if types.get(kind)}
    return found


def _rows(found: Findings, stream: Stream, last: Mapping[Key, Row]) -> None:
    expected = stream.last()
    living = stream.living()
    found.living += len(living)
    missing = sum(key not in last or bool(last[key].get(DELETED_AT)) for key in living)
    surplus = sum(key not in expected for key in last)
    if missing:
        found.missing[stream.name] = missing
    if surplus:
        found.surplus[stream.name] = surplus
    for key in expected.keys() - living.keys():
        found.deleted += 1
        found.marked += key in last and bool(last[key].get(DELETED_AT))
        found.removed += key not in last


def _sums(found: Findings, stream: Stream, last: Mapping[Key, Row]) -> None:
    for column in (name for name, kind in stream.columns.items() if kind == DECIMAL):
        # A file of text has no other way to say that there is none.
        held = [{column: row.get(column) or None} for row in last.values() if not row.get(DELETED_AT)]
        found.sums += 1
        with contextlib.suppress(InvalidOperation):
            found.sums_equal += exact_sum(stream.living().values(), column) == exact_sum(held, column)


def _values(found: Findings, stream: Stream, last: Mapping[Key, Row]) -> None:
    for key, record in stream.living().items():
        row = last.get(key)
        if row is None:
            continue
        for column, kind in stream.columns.items():
            value, cell = record.get(column), row.get(column)
            if value is None:
                found.nulls += 1
                found.nulls_kept += cell is None
                continue
            outcome = compared(kind, value, cell)
            values = found.values.setdefault(kind, Values())
            values.outcomes[outcome] = values.outcomes.get(outcome, 0) + 1
            if outcome == DIFFERENT and len(values.examples) < 2:
                values.examples.append((spelled(value), str(cell)))


def _second_sync(found: Findings, stream: Stream, last: Mapping[Key, Row], before: Mapping[Key, Record]) -> None:
    for key, record in stream.living().items():
        old = before.get(key)
        changed = [name for name in stream.columns if old and old.get(name) != record.get(name)]
        if changed:
            found.updates += 1
            row = last.get(key, {})
            found.updated += all(
                row.get(name) in {None, ""} if record.get(name) is None
                else compared(stream.columns[name], record[name], row.get(name)) in {IDENTICAL, RESPELLED}
                for name in changed
            )  # fmt: skip


def compared(kind: str, value: Any, cell: str | None) -> str:
    """How a value that is not null came through: its very spelling, another one for the same value, or not."""
    if cell is None:
        return NULL
    if cell == spelled(value):
        return IDENTICAL
    try:
        same = kind != TEXT and _meaning(kind, cell) == _meaning(kind, value)
    except (ValueError, InvalidOperation):
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
