"""Hostile files: 10,000 generated ones for each test of CSV, XML and NDJSON, and for the lane's pass."""

from __future__ import annotations

import resource
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING

from tests.faults.cases import Case, Verdict
from tests.faults.part_model import ROOT, pytest

if TYPE_CHECKING:
    from contextlib import ExitStack

FILES = 10_000
MAX_MIB = 768  # most of it is the plain parsers, which take files whole; what unfolds takes gigabytes
MODULES = ("tests/reports/readers/test_hostile.py", "tests/reports/readers/test_hostile_ndjson.py")
# The pass of the bulk lane reads what our reader reads, or leaves it to that.
OF_THE_LANE = "tests/reports/bulk/test_plain_csv.py::test_a_hostile_file_is_read_the_same_or_not_at_all"


def cases(_stack: ExitStack) -> list[Case]:
    """Each test of the modules by itself, and the bulk lane's."""
    listed = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *MODULES],
        capture_output=True, text=True, cwd=ROOT, check=True,
    ).stdout.splitlines()  # fmt: skip
    tests = [line for line in listed if line.startswith(MODULES)]
    assert tests, "no test was found"
    return [
        Case(
            f"{FILES} files: {test.partition('::')[2].removeprefix('test_').replace('_', ' ')}",
            partial(read, test),
        )
        for test in (*tests, OF_THE_LANE)
    ]


def read(test: str, verdict: Verdict) -> None:
    """Run one test, and look at how much memory it took: entities that unfold would take gigabytes."""
    pytest(test, 1, "HOSTILE_EXAMPLES", FILES, verdict)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
    verdict.ended += f", {peak} MiB"
    if peak > MAX_MIB:
        verdict.remarks.append(f"it took {peak} MiB of memory")
