"""What the long verbs share: their command line, what they say meanwhile, and how they end."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scripts.demo.processes import leave_on_sigterm
from scripts.totals import table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scripts.totals import Line


@dataclass
class Work:
    """One run of a verb; `problems` is what a reader has to know before trusting its tables."""

    verb: str
    problems: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def say(self, text: str) -> None:
        print(f"[{self.seconds:5.1f} s] {text}", flush=True)

    def judge(self, lines: Sequence[Line], differ: str, title: str = "") -> None:
        """Comparisons, as a table below their title if they have one; those that differ are a problem."""
        if title:
            print(f"\n{title}:\n\n{table(lines)}")
        off = sum(not line.equal for line in lines)
        if off:
            self.problems.append(f"{off} of {len(lines)} {differ}")

    def ended(self, *good: str) -> int:
        """Say how it ended, in these words if there is no problem; the exit status."""
        print()
        for said in self.problems or good:
            print(f"{self.verb}: {said}" if said else "")
        return 1 if self.problems else 0


def command(module: str, about: str) -> argparse.ArgumentParser:
    """The parser of a verb's module, described by the first line of its docstring."""
    return argparse.ArgumentParser(prog=f"python -m {module}", description=about.partition("\n")[0])


def ends(verb: str, run: Callable[[], int]) -> int:
    """The exit status of a verb; expected failures end in their message, not in a traceback."""
    leave_on_sigterm()
    try:
        return run()
    except (RuntimeError, OSError, ValueError) as error:
        print(f"{verb}: {error}", file=sys.stderr)
        return 1
