"""The emulated vendors as a process, and the calls to its control host that the demo makes."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scripts.demo.processes import child
from tap_billing_reports.sandbox.emulation import VENDORS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

READY_SECONDS = 60

# A proxy of the user's must not be asked for an address of this machine.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class RunningSandbox:
    """A sandbox that answers: its control host, and the tap settings that point at it."""

    control_url: str
    settings: Mapping[str, Any]

    def totals(self, settings: Mapping[str, Any]) -> dict[str, dict[str, dict[str, Any]]]:
        """{stream: {source: {"rows": n, "sums": {column: exact decimal as text}}}} for a full sync."""
        totals: dict[str, dict[str, dict[str, Any]]] = self._ask("POST", "/totals", settings)
        return totals

    def next_day(self) -> None:
        self._ask("POST", "/next-day", {})

    def switch(self, options: Mapping[str, Any]) -> None:
        """Sets switches of the emulated vendors; each vendor's module says which it has."""
        self._ask("POST", "/options", options)

    def fault(self, rule: Mapping[str, Any]) -> None:
        self._ask("POST", "/faults", rule)

    def fault_uses(self) -> int:
        """How many answers have been changed by fault rules."""
        return sum(int(rule["used"]) for rule in self._ask("GET", "/faults", None))

    def shop_orders(self) -> list[dict[str, str]]:
        """The orders of a shop that sends its goods with the emulated carrier, a row each."""
        orders: list[dict[str, str]] = self._ask("GET", "/orders", None)
        return orders

    def orders(self) -> dict[str, int]:
        """Report runs ordered so far, a vendor each."""
        orders = self._ask("GET", "/counters", None)["orders"]
        return {vendor: int(count["total"]) for vendor, count in orders.items()}

    def ordered_twice(self) -> list[str]:
        """What was ordered more than once: account, type and parameters, as text."""
        orders = self._ask("GET", "/counters", None)["orders"].values()
        return sorted(key for counts in orders for key, count in counts["by_key"].items() if count > 1)

    def _ask(self, method: str, path: str, body: Any) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.control_url + path, data=data, headers=headers, method=method)
        with _direct.open(request, timeout=60) as answer:
            return json.load(answer)


# As `billing-reports sandbox`, which knows no other start than so many days ago.
SERVE_AT = (
    "import sys, datetime; from tap_billing_reports.sandbox.server import serve; "
    "serve(now=datetime.datetime.fromisoformat(sys.argv[1]), ready_file=sys.argv[2], vendors=sys.argv[3:])"
)


@contextlib.contextmanager
def running_sandbox(
    folder: Path,
    *,
    root: Path,
    vendors: Sequence[str] = tuple(VENDORS),
    hidden_faults: bool = False,
    now: datetime | None = None,
) -> Iterator[RunningSandbox]:
    """A sandbox whose clock stands one day back, or starts at `now`; it stops when the block is left.

    Its output is in `folder`. With `hidden_faults` it hides three for people to find (see
    `tap_billing_reports.sandbox.world`).

    Raises:
        RuntimeError: it ended or was not ready in time; the message holds its last words.
    """
    ready = folder / "sandbox.json"
    log = folder / "sandbox.log"
    arguments = ["sandbox", "--days-ago", "1", "--ready-file", str(ready)]
    for vendor in vendors:
        arguments += ["--vendor", vendor]
    if hidden_faults:
        arguments.append("--hidden-faults")
    command = [sys.executable, "-m", "tap_billing_reports.cli.main", *arguments]
    if now is not None:
        command = [sys.executable, "-c", SERVE_AT, now.isoformat(), str(ready), *vendors]
    with log.open("w") as output, child(command, cwd=root, env=os.environ, output=output) as process:
        deadline = time.monotonic() + READY_SECONDS
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the sandbox did not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.05)
        found = json.loads(ready.read_text())
        yield RunningSandbox(control_url=found["urls"]["control"], settings=found["settings"])
