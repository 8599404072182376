"""Vendors that share a sandbox, and the moment at which they stand: each vendor of the proof is in one of these."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from tap_billing_reports.sandbox.core import Sandbox

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=timezone.utc)


@dataclass(frozen=True, eq=False)
class World:
    """A sandbox and the syncs that read it.

    Attributes:
        vendors: whose emulators are in it, in the order of the parts' cells.
        start_date: of the syncs. `killed_since`: of those that are killed or signalled.
        now: what the vendors' clock shows when a cell begins.
        options: switches of the sandbox, for every cell. `at_once`: those with which nobody waits for a run.
        prefix: before the names of cells that are of no single vendor.
    """

    vendors: tuple[str, ...]
    start_date: str
    killed_since: str
    now: datetime = NOW
    options: dict[str, Any] = field(default_factory=dict)
    at_once: dict[str, Any] = field(default_factory=dict)
    prefix: str = ""

    def sandbox(self, **options: Any) -> Sandbox:
        """One of these vendors, not started yet. Their data are the same in all of them."""
        return Sandbox(NOW, vendors=self.vendors, **{**self.options, **options})

    def cell(self, name: str) -> str:
        """The name of a cell of all these vendors together."""
        return f"{self.prefix}: {name}" if self.prefix else name


ORDERED = World(
    ("stripe", "bring", "brp"),
    start_date="2026-10-01",
    killed_since="2026-09-01",
    options={"stripe_run_seconds": 0.2, "bring_run_seconds": 0.2},
    at_once={"stripe_run_seconds": 0, "bring_run_seconds": 0},
)
LISTED = World(
    ("vipps", "klarna"),
    # A day of four ledgers, one of which is not closed; two payouts, one of them on two pages.
    start_date="2026-10-13",
    killed_since="2026-10-13",
    now=datetime(2026, 10, 14, 10, 0, tzinfo=timezone.utc),
    # So few that a sync has a second page, and a second token.
    options={"vipps_page_size": 25, "vipps_token_calls": 6},
    prefix="Vipps and Klarna",
)
WORLDS = (ORDERED, LISTED)
