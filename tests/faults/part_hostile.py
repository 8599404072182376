"""Hostile files: 10,000 generated ones for each way in which `tests/readers/test_hostile.py` damages them."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING

from tests.faults.cases import Case
from tests.faults.part_model import ROOT, pytest

if TYPE_CHECKING:
    from contextlib import ExitStack

FILES = 10_000
MODULE = "tests/readers/test_hostile.py"


def cases(_stack: ExitStack) -> list[Case]:
    """Each test of the module by itself."""
    listed = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", MODULE],
        capture_output=True, text=True, cwd=ROOT, check=True,
    ).stdout.splitlines()  # fmt: skip
    tests = [line for line in listed if line.startswith(MODULE)]
    assert tests, "no test was found"
    return [
        Case(
            f"{FILES} files: {test.partition('::')[2].removeprefix('test_').replace('_', ' ')}",
            partial(pytest, test, 1, "HOSTILE_EXAMPLES", FILES),
        )
        for test in tests
    ]
