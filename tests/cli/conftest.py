"""All three emulated vendors at a fixed day; the commands for people run in this process, syncs too."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from tap_billing_reports.cli.main import main
from tap_billing_reports.http.client import Limits
from tap_billing_reports.sandbox.core import Sandbox
from tap_billing_reports.singer.tap import TapBillingReports
from tests.fakes import SandboxClock
from tests.running import Result, run_tap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from click.testing import Result as Printed

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


@pytest.fixture(scope="session")
def served() -> Iterator[Sandbox]:
    with Sandbox(NOW, seed=7) as box:
        yield box


@pytest.fixture
def desk(served, tmp_path, monkeypatch, caplog) -> Desk:
    caplog.set_level("INFO", logger="tap-billing-reports")
    served.control.reset(at=NOW)
    found = Desk(served, tmp_path)
    monkeypatch.setattr(TapBillingReports, "clock", found.clock)
    monkeypatch.setattr(TapBillingReports, "limits", Limits(tries=2))
    return found
