"""A process with all that it has started: for the loss of a machine, and for leaving nothing behind. Linux only."""

from __future__ import annotations

import contextlib
import os
import re
import signal
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    """A process; its start time tells it from a later one with the same number."""

    pid: int
    parent: int
    started: str

    @property
    def command(self) -> str:
        """Its command line, empty when it is gone."""
        try:
            return (PROC / str(self.pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""

    def file(self, descriptor: int) -> bytes:
        """What an open file of it holds.

        Raises:
            OSError: the process or the file is gone.
        """
        return (PROC / str(self.pid) / "fd" / str(descriptor)).read_bytes()

    @property
    def mib(self) -> float:
        """Its memory, with its share of what it shares with others; 0 when it is gone."""
        try:
            found = re.search(r"^Pss:\s+(\d+) kB", (PROC / str(self.pid) / "smaps_rollup").read_text(), re.MULTILINE)
        except OSError:
            return 0.0
        return int(found[1]) / 1024 if found else 0.0

    @property
    def alive(self) -> bool:
        # Its parent may be another one by now: orphans are adopted.
        found = _process(self.pid)
        return found is not None and found.started == self.started


def family(pid: int) -> list[Process]:
    """The process and its descendants, parents first; none when it is gone."""
    children: dict[int, list[Process]] = defaultdict(list)
    for process in _processes():
        children[process.parent].append(process)
    first = _process(pid)
    found = [first] if first else []
    for process in found:
        found += children[process.pid]
    return found


def kill(processes: Iterable[Process]) -> int:
    """SIGKILL to each that still is the same process; how many got it."""
    count = 0
    for process in processes:
        if process.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
                count += 1
    return count


def _processes() -> Iterator[Process]:
    for entry in PROC.iterdir():
        if entry.name.isdigit() and (found := _process(int(entry.name))):
            yield found


def _process(pid: int) -> Process | None:
    """What /proc says; None when it is gone or only waits for its parent to notice."""
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The name stands in brackets and may hold anything; after it: state, parent, ..., start time as the 20th.
    state, parent, *rest = text.rpartition(")")[2].split()
    return None if state in {"Z", "X"} else Process(pid, int(parent), rest[17])
