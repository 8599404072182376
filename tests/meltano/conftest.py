"""A copy of the project that Meltano may change, and emulated vendors for it to read."""

from __future__ import annotations

import os
import shutil
from datetime import timedelta

import pytest

from scripts import venvs
from scripts.demo.meltano import EXTRACTOR
from tap_billing_reports.sandbox.core import Sandbox
from tests.forking import TAP
from tests.meltano.project import LOADER, NEEDED, NOW, Project, forking_meltano, forking_plugin

__all__ = ["forking_meltano"]


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(now=NOW - timedelta(days=1), vendors=("stripe", "brp")) as box:
        yield box


@pytest.fixture(scope="module")
def project(sandbox, forking_meltano, tmp_path_factory):
    """The project's copy with the extractor and the loader installed; nothing has been read yet."""
    root = tmp_path_factory.mktemp("project")
    for name in NEEDED:
        source = venvs.ROOT / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, root / name)
    (root / "output").mkdir()
    settings = sandbox.settings((NOW - timedelta(days=40)).date().isoformat()) | {
        "stripe_connected_accounts": [],
        "stripe_reports": [{"report_type": "balance_change_from_activity.summary.1", "window": "month"}],
    }
    made = Project(root, settings, forking_meltano)
    made.call("install", EXTRACTOR)
    # This loader pins versions of its own, which are not the project's.
    made.call("install", LOADER, UV_CONSTRAINT=os.devnull, PIP_CONSTRAINT=os.devnull)
    with forking_plugin(root, "extractors", TAP):
        yield made
