"""BRP's emulator at a fixed day, and syncs against it in this process."""

from __future__ import annotations

import pytest

from tap_billing_reports.sandbox.core import Sandbox
from tests.vendors.brp.emulated import NOW, Brp, invoice


@pytest.fixture(scope="session")
def brp_box():
    with Sandbox(NOW, vendors=("brp",)) as box:
        yield box


@pytest.fixture
def brp(brp_box):
    brp_box.control.reset()
    return Brp(brp_box)


@pytest.fixture
def an_invoice():
    return invoice
