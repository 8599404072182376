"""One running emulator of Vipps MobilePay, as new before each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tap_billing_reports.sandbox.core import Sandbox
from tests.vendors.vipps.emulated import NOW, Vipps

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def running_vipps() -> Iterator[Sandbox]:
    with Sandbox(NOW, seed=7, vendors=("vipps",)) as sandbox:
        yield sandbox


@pytest.fixture
def vipps(running_vipps: Sandbox) -> Vipps:
    """With its clock stopped at NOW."""
    running_vipps.control.reset(at=NOW)
    return Vipps(running_vipps)
