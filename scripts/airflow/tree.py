"""A process with all that it has started: for the loss of a machine, and for leaving nothing behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterable

Process = Any
"""Of psutil, which has no types; it knows a process by its start, not by its number alone."""


def family(pid: int) -> list[Process]:
    """The process and its descendants, the process first; none when it is gone."""
    try:
        first = psutil.Process(pid)
        return [process for process in (first, *first.children(recursive=True)) if alive(process)]
    except psutil.NoSuchProcess:
        return []


def alive(process: Process) -> bool:
    """Whether it still is there, and not only waits for its parent to notice its end."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def command(process: Process) -> str:
    """Its command line, empty when it is gone."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def mib(process: Process) -> float:
    """Its memory, with its share of what it shares with others; 0 when it is gone."""
    try:
        return float(process.memory_full_info().pss) / (1 << 20)
    except psutil.Error:
        return 0.0


def kill(processes: Iterable[Process]) -> int:
    """SIGKILL to each that still is the same process; how many got it."""
    count = 0
    for process in filter(alive, processes):
        try:
            process.kill()
            count += 1
        except psutil.NoSuchProcess:
            continue  # it has ended just now
    return count
