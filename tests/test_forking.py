"""A command in a fork of a warm process ends as its program would, and never outlives whoever has called it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.forking import Program, forking
from tests.waiting import HANG_SECONDS, until


def says() -> str:
    """Goes by what it is given: an exit status, or what `sys.exit` takes for a failure."""
    sys.stdout.write(f"{sys.stdin.read()} {os.environ['GIVEN']} {Path.cwd().name}")
    if sys.argv[1].isdigit():
        sys.exit(int(sys.argv[1]))
    if sys.argv[1] == "raise":
        raise ValueError("no such thing")
    return sys.argv[1]


def waits() -> None:
    """Until it is ended; the file that it is given then holds its process id."""
    Path(sys.argv[1]).write_text(str(os.getpid()))
    signal.pause()


@pytest.fixture(scope="module")
def warm():
    with forking("tests.test_forking") as warm:
        yield warm


SAYS, WAITS = (Program(name, f"tests.test_forking:{name}") for name in ("says", "waits"))


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [("0", 0, ""), ("3", 3, ""), ("oops", 1, "oops\n"), ("raise", 1, "ValueError: no such thing\n")],
)
def test_it_ends_and_says_as_its_program(warm, tmp_path, given, status, said):
    program = warm.put(SAYS, tmp_path)
    environment = {"GIVEN": "Å"}
    done = subprocess.run(
        [program, given], input="read", env=environment, cwd=tmp_path, capture_output=True, text=True, check=False,
        timeout=HANG_SECONDS,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (status, f"read Å {tmp_path.name}")
    assert done.stderr.endswith(said)
    directly = warm.run(SAYS, [given], tmp_path, environment)
    assert (directly.returncode, directly.stdout) == (status, f" Å {tmp_path.name}")
    assert directly.stderr.endswith(said)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_it_with_its_caller(warm, tmp_path, number):
    mark = tmp_path / "process"
    with subprocess.Popen([warm.put(WAITS, tmp_path), mark]) as caller:
        until(lambda: mark.exists() and mark.read_text())
        caller.send_signal(number)
        assert caller.wait(HANG_SECONDS) == -number
    until(lambda: not Path("/proc", mark.read_text()).exists(), mark.read_text)
