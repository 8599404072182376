"""The emulated vendors as a process, and the calls to its control host that the demo makes."""

from __future__ import annotations

import contextlib
import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests

from scripts.demo.processes import serving
from scripts.venvs import ROOT
from tap_billing_reports.sandbox.emulation import VENDORS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from scripts.totals import Totals


def ask(method: str, url: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
    """The JSON that a server of this machine answers.

    Raises:
        OSError: it does not answer, or refuses: then the message holds its words.
    """
    with requests.Session() as direct:
        # A proxy of the user's must not be asked for an address of this machine.
        direct.trust_env = False
        answer = direct.request(method, url, json=body, headers=headers, timeout=60)
    if not answer.ok:
        raise OSError(f"{method} {url}: {answer.status_code} {answer.text[:2000]}")
    return answer.json()


@dataclass(frozen=True)
class RunningSandbox:
    """A sandbox that answers: its control host, and the tap settings that point at it."""

    control_url: str
    settings: Mapping[str, Any]

    def totals(self, settings: Mapping[str, Any]) -> Totals:
        """Of a full sync."""
        totals: Totals = self._ask("POST", "/totals", settings)
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
        return sum(int(rule["used"]) for rule in self._ask("GET", "/faults"))

    def shop_orders(self) -> list[dict[str, str]]:
        """The orders of a shop that sends its goods with the emulated carrier, a row each."""
        orders: list[dict[str, str]] = self._ask("GET", "/orders")
        return orders

    def orders(self) -> dict[str, int]:
        """Report runs ordered so far, a vendor each."""
        orders = self._ask("GET", "/counters")["orders"]
        return {vendor: int(count["total"]) for vendor, count in orders.items()}

    def ordered_twice(self) -> list[str]:
        """What was ordered more than once: account, type and parameters, as text."""
        orders = self._ask("GET", "/counters")["orders"].values()
        return sorted(key for counts in orders for key, count in counts["by_key"].items() if count > 1)

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        return ask(method, self.control_url + path, body)


@contextlib.contextmanager
def running_sandbox(
    folder: Path, *words: str, vendors: Sequence[str] = tuple(VENDORS), program: str = ""
) -> Iterator[RunningSandbox]:
    """`billing-reports sandbox` with its clock one day back and these words more; it stops when the block is left.

    Or `program`, which is told where to write how it is reached, and the words. Its output is in `folder`.

    Raises:
        RuntimeError: it ended or was not ready in time; the message holds its last words.
    """
    ready = folder / "sandbox.json"
    ready.unlink(missing_ok=True)
    served = [word for vendor in vendors for word in ("--vendor", vendor)]
    start = ["-m", "tap_billing_reports.cli.main", "sandbox", "--days-ago", "1", *served, "--ready-file"]
    command = [sys.executable, *(["-c", program] if program else start), str(ready), *words]
    with serving("the sandbox", command, folder / "sandbox.log", ready.exists, cwd=ROOT):
        found = json.loads(ready.read_text())
        yield RunningSandbox(control_url=found["urls"]["control"], settings=found["settings"])
