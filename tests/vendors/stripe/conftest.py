"""Stripe's emulator at a fixed day, and syncs against it."""

from __future__ import annotations

import pytest

from tap_billing_reports.sandbox.core import Sandbox
from tests.vendors.stripe.emulated import NOW, Stripe


@pytest.fixture(scope="session")
def stripe_box():
    with Sandbox(NOW, vendors=("stripe",), stripe_run_seconds=0) as box:
        yield box


@pytest.fixture
def stripe(stripe_box, tmp_path):
    options = dict(stripe_box.control.options)
    stripe_box.control.reset()
    yield Stripe(stripe_box, tmp_path)
    stripe_box.control.options.clear()
    stripe_box.control.options.update(options)
