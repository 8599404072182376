"""All three emulated vendors at a fixed day; the commands for people run in this process, syncs too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tap_billing_reports.http.client import Limits
from tap_billing_reports.sandbox.core import Sandbox
from tap_billing_reports.singer.tap import TapBillingReports
from tests.cli.desk import NOW, Desk

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def served() -> Iterator[Sandbox]:
    with Sandbox(NOW, seed=7) as box:
        yield box


@pytest.fixture
def desk(served, tmp_path, monkeypatch, caplog) -> Desk:
    caplog.set_level("DEBUG", logger="tap-billing-reports")
    served.control.reset(at=NOW)
    found = Desk(served, tmp_path)
    monkeypatch.setattr(TapBillingReports, "clock", found.clock)
    monkeypatch.setattr(TapBillingReports, "limits", Limits(tries=2))
    return found
