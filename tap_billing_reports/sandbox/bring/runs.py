"""Report runs: ordered, worked on for a while by the sandbox's clock, then done, failed or lost."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_billing_reports.sandbox.world import World

    from .catalogue import ReportType
    from .ledger import Customer

OUTCOMES = ("done", "failed", "never", "unknown", "lost")
CONCURRENT_RUNS = 20


@dataclass(frozen=True)
class Run:
    """One ordered report.

    Attributes:
        customer: whose report it is; `parameters` are as sent.
        outcome: one of OUTCOMES, settled when the order is taken.
        ready_at: the end of the work (UTC).
    """

    id: str
    customer: Customer
    kind: ReportType
    parameters: Mapping[str, str]
    outcome: str
    ready_at: datetime

    def pending(self, now: datetime) -> bool:
        """Whether the run still counts against the limit of concurrent runs."""
        return self.outcome == "never" or now < self.ready_at

    def status(self, now: datetime) -> str:
        """The word that the vendor answers: NOT_DONE, DONE, FAILED, or one that no document knows."""
        if self.pending(now):
            return "NOT_DONE"
        return {"done": "DONE", "failed": "FAILED"}.get(self.outcome, "ARCHIVED")


class Runs:
    """Every run ordered since the world started.

    Options, read when a run is ordered: `bring_run_seconds`; `bring_run_outcomes`, a mapping of invoice
    number, report type or `*` to one of OUTCOMES; `bring_run_outcome_times`, how many runs each entry strikes
    (unset: all).
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._rng = world.rng("bring-runs")
        self._runs: dict[str, Run] = {}
        self._struck: dict[str, int] = {}

    def pending(self) -> int:
        """How many runs are being worked on right now."""
        now = self._world.clock.now()
        return sum(run.pending(now) for run in self._runs.values())

    def find(self, run_id: str) -> Run | None:
        """A run that the vendor still knows."""
        run = self._runs.get(run_id)
        return None if run is None or run.outcome == "lost" else run

    def order(self, customer: Customer, kind: ReportType, parameters: Mapping[str, str], *, fails: bool) -> Run:
        """Start one more run, even if an identical one exists."""
        run_id = str(uuid.UUID(int=self._rng.getrandbits(128), version=4))
        seconds = float(self._world.options.get("bring_run_seconds", 0.2))
        outcome = self._outcome(kind, parameters)
        if fails and outcome == "done":
            outcome = "failed"
        ready_at = self._world.clock.now() + timedelta(seconds=seconds)
        run = self._runs[run_id] = Run(run_id, customer, kind, dict(parameters), outcome, ready_at)
        facts = json.dumps({"customer": customer.number, **parameters}, sort_keys=True)
        self._world.note(
            "order", vendor="bring", key=f"{kind.id} {facts}", run_id=run_id, type=kind.id, parameters=facts
        )
        self.note_pending()
        return run

    def note_pending(self) -> None:
        self._world.note("pending", vendor="bring", count=self.pending())

    def _outcome(self, kind: ReportType, parameters: Mapping[str, str]) -> str:
        outcomes = self._world.options.get("bring_run_outcomes") or {}
        times = self._world.options.get("bring_run_outcome_times")
        for key in (parameters.get("invoiceNumber", ""), kind.id, "*"):
            if key in outcomes and (times is None or self._struck.get(key, 0) < times):
                self._struck[key] = self._struck.get(key, 0) + 1
                outcome = str(outcomes[key])
                if outcome not in OUTCOMES:
                    raise ValueError(f"bring_run_outcomes: {outcome!r} is none of {', '.join(OUTCOMES)}")
                return outcome
        return "done"
