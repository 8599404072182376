"""What must be equal: control totals and what somebody holds, one warehouse and another; as a table for people."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from typing import TYPE_CHECKING, Any

from tap_billing_reports.cli.aligned import aligned

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from scripts.warehouse import Row, Table

Totals = dict[str, dict[str, dict[str, Any]]]
"""Stream -> source -> {"rows": how many, "sums": {column: exact decimal as text}}."""

ROWS = "rows"
DIGITS = 100
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
    """`rows`, or what is summed."""
    expected: Decimal | None
    actual: Decimal | None

    @property
    def equal(self) -> bool:
        return self.expected is not None and self.expected == self.actual


def compare(totals: Mapping[str, Mapping[str, Mapping[str, Any]]], tables: Mapping[str, Table]) -> list[Line]:
    """A line for each count and each sum, in the order of streams and sources; rows marked as deleted do not count.

    A stream or column that nobody holds, and a source that only the warehouse has, differ. In streams of syncs a source
    may be the warehouse's alone: what a vendor lists is read as often as it may have changed, and the vendor has no
    count of that.

    Raises:
        ValueError: there is nothing to compare, which must not pass for equal.
    """
    lines: list[Line] = []
    for stream, sources in sorted(totals.items()):
        table = tables.get(stream)
        living = table.living() if table else []
        for source in sorted({*sources, *(() if stream in OF_SYNCS else (row["source"] for row in living))}):
            told = sources.get(source)
            rows = [row for row in living if row["source"] == source]
            count = Decimal(len(rows)) if table else None
            lines.append(Line(stream, source, ROWS, None if told is None else Decimal(told["rows"]), count))
            for column, text in (told or {}).get("sums", {}).items():
                held = table is not None and column in table.columns
                lines.append(Line(stream, source, column, Decimal(text), exact_sum(rows, column) if held else None))
    if not lines:
        raise ValueError("the control totals name no stream")
    return lines


def exact_sum(rows: Iterable[Row], column: str) -> Decimal:
    """Without any rounding; no value counts as 0.

    Raises:
        InvalidOperation: a cell is no number.
    """
    with localcontext(Context(prec=DIGITS)):
        return sum((Decimal(str(cell)) for row in rows if (cell := row.get(column)) is not None), Decimal(0))


def differences(one: Mapping[str, Table], other: Mapping[str, Table]) -> list[str]:
    """What two warehouses of the same vendors do not have in common, a line for each stream.

    Every cell of every row that is not marked as deleted is compared, but for those of `OF_A_SYNC`.
    """
    found = [f"only one warehouse has {stream}" for stream in sorted(one.keys() ^ other.keys())]
    for stream in sorted((one.keys() & other.keys()) - OF_SYNCS):
        columns = {*one[stream].columns}
        if columns != {*other[stream].columns}:
            found.append(f"{stream} has other columns in the two warehouses")
            continue
        names = sorted(columns - OF_A_SYNC)
        first, second = (
            Counter(tuple(row[name] for name in names) for row in side[stream].living()) for side in (one, other)
        )
        if first != second:
            found.append(f"{stream} has other rows in the two warehouses")
    return found


def table(lines: Sequence[Line]) -> str:
    """The lines as text in columns, a mark where the two sides differ."""
    cells = [
        (line.stream, line.source, line.what, _number(line.expected), _number(line.actual),
         "ok" if line.equal else "DIFFERS")
        for line in lines
    ]  # fmt: skip
    return columns_of([("stream", "source", "what", "expected", "warehouse", ""), *cells], right=(3, 4))


def columns_of(rows: Sequence[Sequence[str]], right: Iterable[int] = ()) -> str:
    """Rows of cells as text, each column as wide as its widest cell; those in `right` flush right."""
    flush = {*right}
    return "\n".join(aligned(rows, [index in flush for index in range(len(rows[0]))]))


def _number(value: Decimal | None) -> str:
    if value is None:
        return "missing"
    text = f"{value:f}"
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text
