"""Child processes that never outlive the demo."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

PATIENCE_SECONDS = 10
TIME_LIMIT_SECONDS = 600  # for one sync or one installation


@contextlib.contextmanager
def child(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str], output: IO[str], user: int | None = None
) -> Iterator[subprocess.Popen[str]]:
    """A process in a group of its own, whose whole group is gone when the block is left.

    With `user` it runs under that user id (which only root may ask for).
    """
    process = subprocess.Popen(
        command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
        text=True, start_new_session=True, user=user,
    )  # fmt: skip
    try:
        yield process
    finally:
        _signal_group(process, signal.SIGTERM)
        try:
            process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        finally:
            # The group may hold children that are slower to go than their parent.
            _signal_group(process, signal.SIGKILL)
            process.wait()


def status_of(command: Sequence[str], log: Path, *, cwd: Path, env: Mapping[str, str]) -> int:
    """The exit status of a child whose output goes to `log`; -1 if it did not end in time."""
    with log.open("w") as output, child(command, cwd=cwd, env=env, output=output) as process:
        try:
            return process.wait(TIME_LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            return -1


def _signal_group(process: subprocess.Popen[str], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def leave_on_sigterm() -> None:
    """Let SIGTERM unwind the stack as Ctrl-C does, so that every `child` is ended."""
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
