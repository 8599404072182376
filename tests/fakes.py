"""Clocks that tests hand to the tap in place of the machine's."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from tap_billing_reports.config.settings import with_defaults
from tap_billing_reports.core.about import About
from tap_billing_reports.core.clock import Clock
from tap_billing_reports.declare.client import HttpSourceClient
from tap_billing_reports.http.responses import Answer
from tests.waiting import LOOK_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from tap_billing_reports.declare import Source
    from tap_billing_reports.sandbox.control import Control


class SandboxClock(Clock):
    """The sandbox's clock: waiting moves it, so that runs are made while nobody really waits.

    Attributes:
        slept: seconds of each wait.
    """

    def __init__(self, control: Control) -> None:
        self._control = control
        self._elapsed = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._control.now()

    def monotonic(self) -> float:
        # Not the sandbox's instant: its microseconds would round a short wait to none.
        return self._elapsed

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._elapsed += seconds
        self._control.advance(seconds)


class FakeClock(Clock):
    """Stands still but for its own sleeps and for what a test moves it by.

    Attributes:
        slept: seconds of each wait.
    """

    def __init__(self, start: datetime = datetime(2026, 11, 20, 9, 30, tzinfo=timezone.utc)) -> None:
        self._start = start
        self._passed = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        return self._passed

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass without anybody waiting."""
        self._passed += seconds


class BriskClock(Clock):
    """The machine's clock as if it were another day; waits are cut to a moment, so that polls follow each other."""

    def __init__(self, start: datetime) -> None:
        self._offset = start - super().now()

    def now(self) -> datetime:
        return super().now() + self._offset

    def sleep(self, seconds: float) -> None:
        super().sleep(min(seconds, LOOK_SECONDS))


class ScriptedHttp:
    """An HTTP client that answers from a table.

    Attributes:
        asked: (path, query) of each call.
    """

    def __init__(self, bodies: Mapping[str, str | bytes]) -> None:
        self.account = "scripted"
        self.asked: list[tuple[str, dict[str, str]]] = []
        self._bodies = bodies

    def call(self, method: str, host: str, path: str, *, params: Any = (), **_: Any) -> Answer:
        self.asked.append((path, dict(params)))
        body = self._bodies[path]
        return Answer(
            About("scripted", self.account, f"{method} {path}"),
            200,
            {},
            body if isinstance(body, bytes) else body.encode(),
        )


def scripted(
    source: Source, bodies: Mapping[str, str | bytes], clock: Clock | None = None, **values: Any
) -> HttpSourceClient:
    """A source that answers from a table: path -> body."""
    settings = {"start_date": "2000-01-01", **dict.fromkeys(source.required, "x"), **values}
    if source.name == "brp":
        settings["brp_api_url"] = "https://brp.example"
    client = HttpSourceClient(source, with_defaults(settings, [source]), clock=clock or Clock())
    client.http = ScriptedHttp(bodies)  # type: ignore[assignment]
    return client
