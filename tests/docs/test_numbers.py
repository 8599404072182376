"""The page of numbers names tests that are there, and figures that the runs have left."""

from __future__ import annotations

import pytest

from scripts.docs import numbers
from tests.docs.pages import ROOT


@pytest.mark.parametrize("promise", numbers.promises("docs/numbers.md"), ids=lambda row: row[0])
def test_what_holds_a_promise_is_there(promise):
    _said, names = promise
    assert names
    for name in names:
        assert (ROOT / name).is_file(), name


@pytest.mark.parametrize("promise", numbers.promises("docs/reliability.md"), ids=lambda row: row[0][:60])
def test_every_promise_of_the_page_on_reliability_names_its_tests(promise):
    said, names = promise
    assert names or "secret" in said, "those are named in SECURITY.md"
    for name in names:
        assert (ROOT / name).is_file(), name


def test_nothing_was_lost_doubled_leaked_or_silent():
    seen = numbers.faults()
    assert seen.pop("cells") > 8000
    assert seen == {"lost": 0, "doubled": 0, "leaked": 0, "silent": 0}


def test_a_page_without_the_line_of_the_faults_is_refused(tmp_path, monkeypatch):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "reliability.md").write_text("faults: none\n")
    monkeypatch.setattr(numbers, "ROOT", tmp_path)
    with pytest.raises(ValueError, match="no line"):
        numbers.faults()
