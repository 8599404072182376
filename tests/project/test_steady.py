"""No test depends on how fast or busy the machine is, or on what is on it: none reads a clock or sleeps."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings

from tests.sheltered import OF_A_SHELL, TEMPORARY
from tests.typed import some

ROOT = Path(__file__).resolve().parents[2]
PATHS = sorted([*(ROOT / "tests").rglob("*.py"), *(ROOT / "examples").glob("*/tests/*.py")])

# A bound that no healthy test comes near, on a busy machine neither.
ENOUGH_SECONDS = 300

ALLOWED = {
    "tests/waiting.py": "waits for all others",
    "tests/forking_server.py": "lets a command have the zone of its own environment",
    "tests/singer/test_termination.py": "signals at moments that only have to differ",
    "tests/faults/cases.py": "says how long a case took, and judges nothing by it",
    "tests/faults/in_s3.py": "waits until a server answers, a minute at least",
    "tests/faults/part_postgres.py": "kills a target at a moment that only has to be some moment",
}
"""Files that import `time`, with the reason."""

SHORT = {
    "tests/http/test_bodies.py": "a header that drips for ten minutes",
    "tests/sandbox/test_faults.py": "a server that never answers",
}
"""Files with a wait of a few seconds or less, with the reason."""


def problems(path: Path) -> list[str]:
    """What in a file may go another way on a busy machine."""
    name = path.relative_to(ROOT).as_posix()
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import) and any(alias.name == "time" for alias in node.names):
            if name not in ALLOWED:
                found.append(f"{name}:{node.lineno} imports time; tests.waiting waits, tests.fakes has clocks")
        elif isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            # Elsewhere a deadline is the tap's own, by a clock that a test moves.
            names = {"timeout", "deadline"} if called == "settings" else {"timeout"}
            bounds = [keyword.value for keyword in node.keywords if keyword.arg in names]
            if called in {"join", "wait", "poll", "communicate"}:
                bounds += node.args[:1]
            if name not in SHORT and any(is_short(bound) for bound in bounds):
                found.append(f"{name}:{node.lineno} has a bound that a busy machine may reach; take HANG_SECONDS")
    return found


def is_short(bound: ast.expr) -> bool:
    parts = bound.elts if isinstance(bound, ast.Tuple) else [bound]
    numbers = [part.value for part in parts if isinstance(part, ast.Constant)]
    # True and False are numbers by their class, and no bound.
    return any(
        isinstance(number, int | float) and number is not True and 0 < number < ENOUGH_SECONDS for number in numbers
    )


def test_no_test_is_a_race_against_the_machine():
    assert [problem for path in PATHS for problem in problems(path)] == []
    names = {path.relative_to(ROOT).as_posix() for path in PATHS}
    assert names >= ALLOWED.keys() | SHORT.keys()


def test_examples_of_hypothesis_may_take_as_long_as_they_take():
    assert some(settings.default).deadline is None
    assert HealthCheck.too_slow in some(settings.default).suppress_health_check


def test_a_run_has_a_temporary_folder_of_its_own(tmp_path):
    folder = Path(tempfile.gettempdir())
    assert folder.name.startswith(TEMPORARY)
    program = "import tempfile; print(tempfile.gettempdir(), end='')"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert said.stdout == str(folder), "so have its processes"
    assert folder not in tmp_path.parents, "what a failed test leaves is kept"


def test_no_setting_of_the_users_shell_is_seen():
    assert [name for name in os.environ if name.startswith(OF_A_SHELL)] == []
