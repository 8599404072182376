"""The warehouses of the loader's tests, and emulated vendors."""

from __future__ import annotations

import logging
import tempfile
from functools import partial

import pytest

from tap_billing_reports.sandbox.core import Sandbox
from tap_billing_reports.singer.tap import TapBillingReports
from tests.fakes import SandboxClock
from tests.sync.moment import NOW
from tests.sync.one_vendor import settings_of_stripe
from tests.warehouse.fixtures import file_place, place, server, server_place

__all__ = ["file_place", "place", "server", "server_place"]


@pytest.fixture(scope="module")
def box():
    with Sandbox(NOW, stripe_run_seconds=1, bring_run_seconds=1) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(box, monkeypatch):
    """The vendors as they were at `NOW`, whose clock is the tap's."""
    box.control.reset(at=NOW)
    monkeypatch.setattr(TapBillingReports, "clock", SandboxClock(box.control))
    return box


@pytest.fixture(autouse=True)
def log():
    """A command sets the log up for its process, which is the tests' own here."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


@pytest.fixture
def settings(tmp_path, sandbox):
    """Writes a settings file of one vendor; its path."""
    return partial(settings_of_stripe, tmp_path, sandbox)


@pytest.fixture
def own_temporary_folder(request, tmp_path, monkeypatch):
    """Other tests' syncs leave theirs elsewhere; so does a server, which is another user's."""
    for name in {"place", "server_place"}.intersection(request.fixturenames):
        request.getfixturevalue(name)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
