"""The sandbox's control totals against what the warehouse holds: every stream, every source, every sum."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scripts.demo.warehouse import DuckDb, Held, Warehouse

ROWS = "rows"
# What is another one for each sync: runs of vendors that list none are ordered anew, and instants of this sync.
OF_A_SYNC = frozenset({"run_id", "file_id", "checked_at"})
# Streams of what the vendors have; the others tell of syncs.
OF_SYNCS = frozenset({"report_runs", "report_files", "reconciliations", "invoice_documents"})


@dataclass(frozen=True)
class Line:
    """One number that must be equal on both sides; None where a side does not have it at all."""

    stream: str
    source: str
    what: str
    """`rows`, or the column that is summed."""
    expected: Decimal | None
    actual: Decimal | None

    @property
    def equal(self) -> bool:
        return self.expected is not None and self.expected == self.actual


def compare(totals: Mapping[str, Mapping[str, Mapping[str, Any]]], warehouse: Warehouse) -> list[Line]:
    """A line for each count and each sum, in the order of streams and sources.

    A stream or column that the warehouse lacks, and a source that only the warehouse has, differ. In streams of syncs
    a source may be the warehouse's alone: what a vendor lists is read as often as it may have changed, and the vendor
    has no count of that.

    Raises:
        ValueError: there is nothing to compare, which must not pass for equal.
    """
    columns = warehouse.columns()
    lines: list[Line] = []
    for stream, sources in sorted(totals.items()):
        wanted = list(dict.fromkeys(name for side in sources.values() for name in side.get("sums", {})))
        present = [name for name in wanted if name in columns.get(stream, ())]
        held = warehouse.held(stream, present) if stream in columns else {}
        for source in sorted({*sources} if stream in OF_SYNCS else {*sources, *held}):
            lines += _source(stream, source, sources.get(source), held.get(source), loaded=stream in columns)
    if not lines:
        raise ValueError("the control totals name no stream")
    return lines


def _source(
    stream: str, source: str, expected: Mapping[str, Any] | None, held: Held | None, *, loaded: bool
) -> list[Line]:
    """The lines of one source; one without any row is not in the warehouse's answer: it holds zero."""
    rows = Decimal(held.rows if held else 0)
    wanted = None if expected is None else Decimal(expected["rows"])
    lines = [Line(stream, source, ROWS, wanted, rows if loaded else None)]
    for column, text in (expected or {}).get("sums", {}).items():
        actual = held.sums.get(column) if held else Decimal(0)
        lines.append(Line(stream, source, column, Decimal(text), actual if loaded else None))
    return lines


def differences(one: DuckDb, other: DuckDb) -> list[str]:
    """What two warehouses of the same vendors do not have in common, a line for each stream.

    Every cell of every row that is not marked as deleted is compared, but for those of `OF_A_SYNC`.
    """
    columns, others = one.columns(), other.columns()
    found = [f"only one warehouse has {stream}" for stream in sorted(columns.keys() ^ others.keys())]
    for stream in sorted((columns.keys() & others.keys()) - OF_SYNCS):
        if {*columns[stream]} != {*others[stream]}:
            found.append(f"{stream} has other columns in the two warehouses")
            continue
        names = sorted({*columns[stream]} - OF_A_SYNC)
        if one.living_rows(stream, names) != other.living_rows(stream, names):
            found.append(f"{stream} has other rows in the two warehouses")
    return found


def table(lines: Sequence[Line]) -> str:
    """The lines as text in columns, a mark where the two sides differ."""
    heads = ("stream", "source", "what", "sandbox", "warehouse", "")
    cells = [
        (line.stream, line.source, line.what, _number(line.expected), _number(line.actual), _mark(line))
        for line in lines
    ]
    return columns_of([heads, *cells], right=(3, 4))


def columns_of(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Rows of cells as text, each column as wide as its widest cell; those in `right` flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if index in right else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _number(value: Decimal | None) -> str:
    if value is None:
        return "missing"
    text = f"{value:f}"
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


def _mark(line: Line) -> str:
    return "ok" if line.equal else "DIFFERS"
