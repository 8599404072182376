"""What the emulated vendors share: the clock, the seed, the switches and the log of events."""

from __future__ import annotations

import random
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .clock import Clock


def seeded(seed: int, name: str) -> random.Random:
    """A generator that yields the same numbers for the same seed and name in every process."""
    return random.Random(f"{seed}/{name}")  # noqa: S311 - invented data, no secrets


class World:
    """One emulated world, handed to every vendor's constructor.

    Option `hidden_faults` hides three faults for people to find: a payout that is not what it settles, a paid invoice
    without cash, and shipments without an order, all of the last whole month before the clock's start.

    Attributes:
        clock: the only clock a vendor may read.
        seed: the number from which all seeded data derives.
        options: switches such as `stripe_run_seconds`, changed in place at any time, so read them late.
        urls: host name -> base URL without a trailing slash, known once the ports are open.
    """

    def __init__(self, clock: Clock, seed: int, options: Mapping[str, Any]) -> None:
        self.clock = clock
        self.seed = seed
        self.options: dict[str, Any] = dict(options)
        self.urls: dict[str, str] = {}
        self._events: list[dict[str, Any]] = []
        self._hits: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    @property
    def hidden_faults(self) -> bool:
        return bool(self.options.get("hidden_faults"))

    def rng(self, name: str) -> random.Random:
        """`seeded` with the world's seed."""
        return seeded(self.seed, name)

    def note(self, kind: str, **facts: Any) -> None:
        """Append one event to the log that the counters are made of.

        The counters know `order` (vendor, type, parameters as a JSON value, optionally account) and `pending`
        (vendor, count of its runs that are at work now).
        """
        with self._lock:
            self._events.append({"kind": kind, "at": self.clock.now().isoformat(), **facts})

    def events(self) -> list[dict[str, Any]]:
        """The log so far, oldest first."""
        with self._lock:
            return list(self._events)

    def throttle(self, key: str, per_second: int) -> bool:
        """Count one use of `key`; True when it is one too many within the last second.

        Real time counts, and steps of the clock made by hand: a caller that waits by moving it has waited. A
        refused use counts too, as a vendor that is hammered goes on refusing.
        """
        now = self.clock.elapsed()
        with self._lock:
            hits = self._hits.setdefault(key, deque())
            while hits and hits[0] <= now - 1.0:
                hits.popleft()
            hits.append(now)
            return len(hits) > per_second

    def forget(self) -> None:
        """Empty the log and the throttles."""
        with self._lock:
            self._events.clear()
            self._hits.clear()
