"""The page of numbers: each promise, the test that holds it, and the figure that was seen last."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from scripts import schema_snapshot
from scripts.docs.tables import codes, table

ROOT: Final = Path(__file__).resolve().parents[2]
_TEST: Final = re.compile(r"`(tests/[\w/.]+\.py|benchmarks/[\w/.]+\.py)`")
_FAULTS: Final = re.compile(
    r"^faults: (\d+) cells \(\d+ n/a\), (\d+) lost, (\d+) doubled, (\d+) leaked, (\d+) silent$", re.MULTILINE
)


@dataclass(frozen=True)
class Faults:
    """The last line of `make faults`, as docs/reliability.md has it."""

    cells: int
    lost: int
    doubled: int
    leaked: int
    silent: int


def faults() -> Faults:
    """Raises ValueError where the page has lost the line."""
    page = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    found = _FAULTS.search(page)
    if found is None:
        raise ValueError("docs/reliability.md has no line of `make faults`")
    return Faults(*map(int, found.groups()))


def promises() -> list[tuple[str, list[str]]]:
    """The promises of docs/reliability.md, each with its tests."""
    page = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    _, _, rest = page.partition("\n| promise | held by |\n")
    lines = rest.partition("\n\n")[0].splitlines()[1:]
    return [(line.split(" | ")[0].strip("| "), _TEST.findall(line)) for line in lines]


def _measured() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "benchmarks" / "results.json").read_text(encoding="utf-8"))
    return found


def rows() -> list[tuple[str, tuple[str, ...], str]]:
    """Promise, what tests or measures it, the last figure."""
    seen, measured = faults(), _measured()
    snapshot = json.loads(schema_snapshot.SNAPSHOT.read_text(encoding="utf-8"))
    memory, sync, bulk = measured["rss_mib"], measured["whole_sync"]["rss_mib"], measured["bulk"]["rss_mib"]
    csv = measured["csv"]
    columns = sum(len(stream["columns"]) for stream in snapshot.values())
    tests = {name for _promise, names in promises() for name in names}
    return [
        (
            "A sync that is killed or meets a fault loses no row and doubles none",
            ("tests/faults/part_kills.py", "tests/faults/part_matrix.py"),
            f"{seen.lost} lost and {seen.doubled} doubled in {seen.cells:,} tried faults",
        ),
        (
            "A sync that did not deliver everything says so: its exit status is not 0",
            ("tests/faults/part_matrix.py",),
            f"{seen.silent} silent in {seen.cells:,}",
        ),
        (
            "No secret is in an output, a log, a record or a file",
            ("tests/faults/part_secrets.py", "tests/http/test_secrets.py"),
            f"{seen.leaked} leaked in {seen.cells:,}",
        ),
        (
            "Stripe is never asked twice for the same window; Bring not again once its answer has been noted",
            ("tests/vendors/stripe/test_orders.py", "tests/vendors/bring/test_bring_orders.py"),
            "holds in each `make test`",
        ),
        (
            "A damaged file is read exactly as a plain reader reads it, or refused",
            ("tests/reports/readers/test_hostile.py",),
            "holds in each `make test`",
        ),
        (
            "Amounts have the vendor's digits in the warehouse, and both ways to load it leave the same cells",
            ("tests/sync/test_same_tables.py", "tests/warehouse/test_values.py"),
            "holds in each `make test`; `make demo` compares every sum with the vendors' books",
        ),
        (
            "Every figure of the page for finance is what SQL says of the views",
            ("tests/page/test_facts.py", "tests/views/test_answers.py"),
            "holds in each `make test`",
        ),
        (
            "Memory does not grow with a report's size",
            ("benchmarks/rss.py",),
            f"{memory['100mb']} MiB at 100 MB, {memory['5gb']} MiB at 5 GB",
        ),
        (
            "Nor does that of a whole sync, nor that of the bulk lane",
            ("benchmarks/whole_sync.py", "benchmarks/bulk.py"),
            f"{sync['100mb']} and {sync['1gb']} MiB; {bulk['100mb']} and {bulk['1gb']} MiB (100 MB and 1 GB)",
        ),
        (
            "Report rows are read many times faster than by a plain tap of the SDK",
            ("benchmarks/csv_rows.py",),
            f"{csv['ratio_to_sdk']:.1f} times, {csv['rows_per_second']:,} rows a second on one core",
        ),
        (
            "Waiting for reports takes little longer than the vendor does",
            ("benchmarks/waiting.py",),
            f"{measured['waiting']['ratio_to_ideal']:.2f} times the ideal, 40 runs of 20 s",
        ),
        (
            "Names and types of streams and columns are kept within a major version",
            ("tests/packaging/test_schemas.py",),
            f"{len(snapshot)} streams with {columns:,} columns",
        ),
        (
            "Every promise of [reliability](reliability.md#promises) names its test",
            ("tests/docs/test_numbers.py",),
            f"{len(promises())} promises, {len(tests)} test files",
        ),
    ]


def numbers() -> str:
    """The table."""
    return table(
        ("promise", "held by", "last figure"), [(said, codes(names), figure) for said, names, figure in rows()]
    )
