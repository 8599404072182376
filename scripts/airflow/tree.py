"""A process with all that it has started: for the loss of a machine, and for leaving nothing behind."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterable

Process = Any
"""Of psutil, which has no types; it knows a process by its start, not by its number alone."""


def family(pid: int) -> list[Process]:
    """The process and its descendants, the process first; none when it is gone."""
    with contextlib.suppress(psutil.NoSuchProcess):
        first = psutil.Process(pid)
        return [process for process in (first, *first.children(recursive=True)) if alive(process)]
    return []


def alive(process: Process) -> bool:
    """Whether it still is there, and not only waits for its parent to notice its end."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


def command(process: Process) -> str:
    """Its command line, empty when it is gone."""
    with contextlib.suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""


def mib(process: Process) -> float:
    """Its memory, with its share of what it shares with others; 0 when it is gone."""
    with contextlib.suppress(psutil.Error):
        return float(process.memory_full_info().pss) / (1 << 20)
    return 0.0


def kill(processes: Iterable[Process]) -> int:
    """SIGKILL to each that still is the same process; how many got it."""
    count = 0
    for process in filter(alive, processes):
        with contextlib.suppress(psutil.NoSuchProcess):  # it has ended just now
            process.kill()
            count += 1
    return count
