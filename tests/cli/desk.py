"""The commands for people and syncs, run in this process against all three emulated vendors."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from tap_billing_reports.cli.main import main
from tests.fakes import SandboxClock
from tests.running import Result, run_tap

if TYPE_CHECKING:
    from click.testing import Result as Printed

    from tap_billing_reports.sandbox.core import Sandbox

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=timezone.utc)
DAILY = {"report_type": "payouts.itemized.3", "name": "daily"}


class Desk:
    """Somebody at a terminal with the emulated vendors."""

    def __init__(self, box: Sandbox, folder: Any) -> None:
        self.box = box
        self.control = box.control
        self.folder = folder
        self.clock = SandboxClock(box.control)

    def config(self, *reports: dict[str, Any], start_date: str = "2026-11-15", **more: Any) -> dict[str, Any]:
        return {
            **self.box.settings(start_date),
            "stripe_connected_accounts": [],
            "stripe_reports": list(reports),
            "bring_customers": ["20000770011"],
            "brp_company_ids": ["1"],
            **more,
        }

    def only(self, source: str, *reports: dict[str, Any], **more: Any) -> dict[str, Any]:
        """The settings of one vendor alone."""
        config = self.config(*reports, **more)
        others = {"stripe", "bring", "brp"} - {source}
        return {name: value for name, value in config.items() if name.partition("_")[0] not in others}

    def command(
        self, word: str, config: dict[str, Any], *, state: Any = None, catalog: Any = None, **more: Any
    ) -> Printed:
        """`billing-reports <word>` with these settings."""
        given = {"config": config, "state": state, "catalog": catalog}
        arguments = [word]
        for name, content in given.items():
            if content is not None:
                path = self.folder / f"{name}.json"
                path.write_text(json.dumps(content))
                arguments += [f"--{name}", str(path)]
        self.control.forget()
        return CliRunner().invoke(main, arguments, **more)

    def sync(self, config: dict[str, Any], **more: Any) -> Result:
        return run_tap(config, clock=self.clock, **more)

    def orders(self) -> int:
        return sum(found["total"] for found in self.control.counters()["orders"].values())

    def methods(self) -> set[str]:
        return {entry["method"] for entry in self.control.requests()}
