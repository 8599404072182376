"""When to ask again about runs that are being made."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SHORTEST_SECONDS = 1.0
LONGEST_SECONDS = 60.0
SHARE_OF_WAITED = 0.1
SPREAD = 0.1


def pause(waited: float, spread: Callable[[float, float], float] = random.uniform) -> float:
    """Seconds until the next poll: a tenth of the time waited, between 1 s and 60 s, plus or minus 10 %."""
    seconds = min(max(SHORTEST_SECONDS, waited * SHARE_OF_WAITED), LONGEST_SECONDS)
    return seconds * (1 + spread(-SPREAD, SPREAD))
