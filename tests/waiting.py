"""Waits until something is so, however long a busy machine takes; a bound only ends what hangs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# Far beyond what anything here takes on a busy machine. Whoever waits that long waits for something that hangs.
HANG_SECONDS = 600
LOOK_SECONDS = 0.01


def pause() -> None:
    """Let others come; nothing may depend on whether they do."""
    time.sleep(0.001)


def until(condition: Callable[[], object], said: Callable[[], object] = str) -> None:
    """Return once the condition is true.

    Args:
        condition: asked again and again.
        said: what to show of a wait that does not end.
    """
    hangs_at = time.monotonic() + HANG_SECONDS
    while not condition():
        assert time.monotonic() < hangs_at, f"waited in vain: {said()}"
        time.sleep(LOOK_SECONDS)
