"""How much work something is, counted and never timed: calls, lines, and looks at ids."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Counted(str):
    """An id that counts how often it is looked at: looking through a list takes a comparison for each of its items."""

    __slots__ = ()
    steps = 0

    def __eq__(self, other: object) -> bool:
        Counted.steps += 1
        return str.__eq__(self, other)

    def __hash__(self) -> int:
        Counted.steps += 1
        return str.__hash__(self)


def steps(work: Callable[[], object]) -> int:
    """Calls of functions, of C's too, lines of the package and its tests, and looks at `Counted` ids."""
    count, before = 0, Counted.steps

    def called(*_: Any) -> None:
        nonlocal count
        count += 1

    def line(*_: Any) -> Any:
        nonlocal count
        count += 1
        return line

    profiled, traced = sys.getprofile(), sys.gettrace()
    # Hypothesis has functions called when garbage is collected.
    gc.disable()
    sys.setprofile(called)
    sys.settrace(line)
    try:
        work()
    finally:
        gc.enable()
        sys.settrace(traced)
        sys.setprofile(profiled)
    return count + Counted.steps - before
