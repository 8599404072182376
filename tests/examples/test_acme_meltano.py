"""The example vendor through Meltano, from its own package. Collected where .tools/meltano is (see conftest)."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from scripts import example
from scripts.demo.meltano import LOADER
from tests.forking import TAP, TARGET, Program, forking
from tests.imported import MODULES


@pytest.fixture
def forking_plugins(monkeypatch):
    """Tap and target of the example's project, from one process with the built package on its path."""
    project = example.project
    with ExitStack() as ended_here:

        def with_forks(folder):
            project(folder)
            warm = ended_here.enter_context(forking(*MODULES, packages=[folder / "wheel"]))
            assert (folder / "tap").exists()
            warm.put(Program("tap", TAP.entry), folder)
            installed, file = str(Path(sys.executable).with_name(LOADER)), folder / "meltano.yml"
            assert installed in file.read_text()
            file.write_text(file.read_text().replace(installed, str(warm.put(TARGET, folder))))

        monkeypatch.setattr(example, "project", with_forks)
        yield


@pytest.mark.usefixtures("started_once", "forking_plugins")
def test_two_syncs_bring_everything_once(monkeypatch, capsys):
    # The example is on the path of this process until the end of the test alone.
    monkeypatch.setattr(sys, "path", [*sys.path])
    status = example.run()
    said = capsys.readouterr().out
    assert status == 0, said
    assert said.count("  ok\n") == 6
