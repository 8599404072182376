"""Child processes that never outlive the verb that has started them."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

PATIENCE_SECONDS = 10
TIME_LIMIT_SECONDS = 600  # for one sync or one installation
READY_SECONDS = 60
FOREIGN = (
    "AIRFLOW", "BILLING_", "TAP_BILLING_REPORTS_", "TARGET_", "MELTANO_", "VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME",
)  # fmt: skip


@contextlib.contextmanager
def child(
    command: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    output: IO[str],
    said: IO[str] | None = None,
    told: IO[str] | int = subprocess.DEVNULL,
    user: int | None = None,
) -> Iterator[subprocess.Popen[str]]:
    """A process in a group of its own, whose whole group is gone when the block is left.

    It is told what `told` holds, and what it writes to stdout goes to `said`, all else to `output`. With `user` it runs
    under that user id (which only root may ask for).
    """
    process = subprocess.Popen(
        command, cwd=cwd, env=env, stdin=told, stdout=said or output, stderr=output,
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


def status_of(
    command: Sequence[str],
    log: Path,
    *,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    said: Path | None = None,
    told: Path | None = None,
) -> int:
    """The exit status of a child; -1 if it did not end in time. Its output is added to `log`, its stdout to `said`."""
    with contextlib.ExitStack() as files:
        output = files.enter_context(log.open("a"))
        stdout = files.enter_context(said.open("a")) if said else None
        stdin = files.enter_context(told.open()) if told else subprocess.DEVNULL
        with child(command, cwd=cwd, env=env, output=output, said=stdout, told=stdin) as process:
            try:
                return process.wait(TIME_LIMIT_SECONDS)
            except subprocess.TimeoutExpired:
                return -1


@contextlib.contextmanager
def serving(
    name: str,
    command: Sequence[str],
    log: Path,
    answers: Callable[[], bool],
    *,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    user: int | None = None,
) -> Iterator[None]:
    """A child that answers by now; its words are in `log`.

    Raises:
        RuntimeError: it ended or did not answer in time; the message holds its last words.
    """
    with log.open("a") as output, child(command, cwd=cwd, env=env, output=output, user=user) as process:
        deadline = time.monotonic() + READY_SECONDS
        while not answers():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{name} did not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.05)
        yield


def free_port() -> int:
    """A loopback port that nobody listens on at the moment."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _signal_group(process: subprocess.Popen[str], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def sheltered(inherited: Mapping[str, str]) -> dict[str, str]:
    """An environment without the settings of the user's shell for what runs here, and no proxy before this machine."""
    env = {name: text for name, text in inherited.items() if not name.startswith(FOREIGN)}
    direct = ",".join(filter(None, [env.get("NO_PROXY") or env.get("no_proxy"), "127.0.0.1", "localhost"]))
    return env | {"NO_PROXY": direct, "no_proxy": direct, "NO_COLOR": "1"}


def leave_on_sigterm() -> None:
    """Let SIGTERM unwind the stack as Ctrl-C does, so that every `child` is ended."""
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
