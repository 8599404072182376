"""Syncs that end by SIGKILL after a call, and the next one from what a target has kept: nothing is lost or doubled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.faults.forks import kept
from tests.killing import Ended, sync
from tests.sampling import calls_to_kill_after, tries_all

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from tap_billing_reports.sandbox.core import Sandbox

# Whether files are kept, whether the next sync begins from the last STATE: a sync with least to go by, one with most.
WAYS = {"journal, last STATE": (True, True), "no journal, no STATE": (False, False)}


class Killed:
    """Kills syncs of one vendor without orders, each in a process of its own.

    Attributes:
        now: the instant at which all of them begin.
        options: switches of its emulator.
    """

    def __init__(self, box: Sandbox, config: dict[str, Any], now: datetime, folder: Path, **options: Any) -> None:
        self._box, self._config, self._folder = box, config, folder
        self.now, self.options = now, options

    def try_all(self, *, stores: bool, keeps_state: bool) -> int:
        """Kill a sync after each of some calls, and hold what a target has after the next one against a whole sync.

        Returns:
            how many points were tried.
        """
        whole = self._begin("whole", stores=stores)
        assert whole.code == 0, whole.log
        expected, files = kept(whole.messages), self._files("whole")
        assert expected
        points = calls_to_kill_after(self._box)
        if not tries_all():
            # The other ones are tried the other way.
            points = points[stores::2]
        for call in points:
            killed = self._begin(str(call), stores=stores, kill_after=call)
            assert (killed.code, killed.torn) == (-9, 0), call
            self._box.control.clear_faults()
            state = killed.state if keeps_state else None
            again = self._sync(str(call), stores=stores, state=state)
            assert again.code == 0, f"call {call}: {again.log}"
            assert kept([*killed.messages, *again.messages]) == expected, f"call {call}"
            assert self._files(str(call)) == files, f"call {call}"
        return len(points)

    def _begin(self, name: str, *, stores: bool, kill_after: int | None = None) -> Ended:
        """A sync at the vendor as it is at the start."""
        control = self._box.control
        control.reset(at=self.now)
        control.options.update(self.options)
        if kill_after is None:
            return self._sync(name, stores=stores)

        def arrange(pid: int) -> None:
            control.fault({"signal": {"pid": pid, "signal": "KILL", "when": "after"}}, skip=kill_after, times=1)

        return self._sync(name, stores=stores, kill_after=arrange)

    def _sync(self, name: str, *, stores: bool, **more: Any) -> Ended:
        storage = {"storage_url": str(self._folder / f"kept-{name}")} if stores else {}
        return sync({**self._config, **storage}, self._folder, now=self.now, **more)

    def _files(self, name: str) -> set[tuple[str, str]]:
        """The kept files that nobody reads: where each lies, and its form."""
        root = self._folder / f"kept-{name}" / "files"
        found = root.rglob("*") if root.exists() else ()
        return {(str(path.parent.relative_to(root)), path.suffix) for path in found if path.suffix in {".csv", ".pdf"}}
