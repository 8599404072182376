"""The hand on the sandbox: for tests in the same process, and through `control_http` for all others."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from .requestlog import counters

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .clock import Clock
    from .emulation import Emulation

DAY_SECONDS = 86_400
DEFAULT_HISTORY = timedelta(days=90)


class Control:
    """Moves the clock, breaks requests, counts what was asked and says what a warehouse must hold."""

    def __init__(self, emulation: Callable[[], Emulation], restart: Callable[[], None]) -> None:
        self._emulation = emulation
        self._restart = restart

    @property
    def clock(self) -> Clock:
        return self._emulation().clock

    @property
    def options(self) -> dict[str, Any]:
        """The switches, to be changed in place."""
        return self._emulation().world.options

    def vendor(self, name: str) -> Any:
        """One emulated vendor, to change its books; only within this process."""
        return self._emulation().vendors[name]

    def now(self) -> datetime:
        return self.clock.now()

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def freeze(self) -> None:
        self.clock.freeze()

    def unfreeze(self) -> None:
        self.clock.unfreeze()

    def next_day(self) -> None:
        """Move the clock by a day and let every vendor have the day's events."""
        self.clock.advance(DAY_SECONDS)
        for vendor in self._emulation().vendors.values():
            vendor.next_day()

    def fault(
        self,
        do: Mapping[str, Any],
        match: Mapping[str, Any] | None = None,
        *,
        skip: int = 0,
        times: int | None = None,
    ) -> int:
        """Add a rule (see `faults`) after those that are there; its number.

        Raises:
            ValueError: the rule has a part that is not known.
        """
        return self._emulation().faults.add(do, match, skip=skip, times=times)

    def faults(self) -> list[dict[str, Any]]:
        return self._emulation().faults.as_json()

    def clear_faults(self) -> None:
        self._emulation().faults.clear()

    def latency(self, seconds: float) -> None:
        """Let every answer of a vendor wait that long in real time."""
        self._emulation().latency = seconds

    def requests(self) -> list[dict[str, Any]]:
        """One entry a request, in order of arrival.

        Keys: n, time, host, vendor, method, path, route, query, form, status, bytes, secrets (name, where)
        and, where a rule was used, fault (its number). `status` is null when nothing was answered in the
        ordinary way (a lost, cut or stalled answer).
        """
        return self._emulation().log.entries()

    def counters(self) -> dict[str, Any]:
        emulation = self._emulation()
        return counters(emulation.log.entries(), emulation.world.events())

    def forget(self) -> None:
        """Empty the request log and the event log; data, clock and rules stay."""
        emulation = self._emulation()
        emulation.log.clear()
        emulation.world.forget()

    def settings(self, start_date: str | None = None) -> dict[str, Any]:
        """Flat settings of the tap for every vendor; by default from 90 days before the start."""
        emulation = self._emulation()
        begin = start_date or (emulation.clock.start - DEFAULT_HISTORY).date().isoformat()
        found: dict[str, Any] = {"start_date": begin}
        for vendor in emulation.vendors.values():
            found.update(vendor.settings(emulation.world.urls))
        return found

    def totals(self, settings: Mapping[str, Any]) -> dict[str, dict[str, dict[str, Any]]]:
        """What a warehouse holds after a full sync with these settings.

        {stream: {source: {"rows": n, "sums": {column: exact decimal as text}}}}; vendors that the settings
        do not configure are left out.
        """
        merged: dict[str, dict[str, dict[str, Any]]] = {}
        emulation = self._emulation()
        for name, vendor in emulation.vendors.items():
            if any(str(settings.get(key) or "") for key in vendor.settings(emulation.world.urls)):
                for stream, found in vendor.totals(settings).items():
                    merged.setdefault(stream, {})[name] = found
        return merged

    def orders(self) -> list[dict[str, str]]:
        """The orders of a shop that sends its goods with the emulated carrier; one row each, all cells text."""
        return [order for vendor in self._emulation().vendors.values() for order in vendor.orders()]

    def reset(self, *, at: datetime | None = None) -> None:
        """Everything as at the start: data, clock, options, rules, logs. The ports stay.

        Args:
            at: aware; the clock then stands still there.
        """
        self._restart()
        if at is not None:
            self.freeze()
            self.clock.set(at)
