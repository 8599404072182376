"""The stateful model of `tests/reports/test_model.py`, with many more lives than `make test` has time for."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests.faults.cases import Case, Verdict

if TYPE_CHECKING:
    from contextlib import ExitStack

ROOT = Path(__file__).resolve().parents[2]
LIVES, BATCH = 20_000, 2_000


def cases(_stack: ExitStack) -> list[Case]:
    """Batches of lives, each from a seed of its own."""
    return [
        Case(
            f"{BATCH} lives from seed {seed}",
            partial(pytest, "tests/reports/test_model.py", seed, "MODEL_EXAMPLES", BATCH),
        )
        for seed in range(1, LIVES // BATCH + 1)
    ]


def pytest(where: str, seed: int, variable: str, examples: int, verdict: Verdict) -> None:
    """Run tests with so many examples; a failure is the verdict's, as pytest told it."""
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.no_skips", where,
         f"--hypothesis-seed={seed}"],
        env={**os.environ, variable: str(examples), "HYPOTHESIS_STORAGE_DIRECTORY": os.devnull + "-none"},
        capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    verdict.ended = (run.stdout.strip().splitlines() or ["nothing"])[-1]
    if run.returncode or not re.search(r"\b[1-9]\d* passed", run.stdout):
        # Which of the two it was stands in what follows; either way something is not as it must be.
        verdict.lost = 1
        verdict.remarks.append(run.stdout[-3000:])
