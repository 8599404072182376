"""The example vendor through Meltano, from its own package. Collected where .tools/meltano is (see conftest)."""

from __future__ import annotations

import sys

import pytest

from scripts import example


@pytest.mark.usefixtures("started_once")
def test_two_syncs_bring_everything_once(monkeypatch, capsys):
    # The example is on the path of this process until the end of the test alone.
    monkeypatch.setattr(sys, "path", [*sys.path])
    status = example.run()
    said = capsys.readouterr().out
    assert status == 0, said
    assert said.count("  ok\n") == 6
