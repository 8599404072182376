"""A sample leaves out no kind of case, and nothing at all where everything is asked for."""

from __future__ import annotations

import pytest

from tests import sampling


@pytest.fixture(autouse=True)
def by_default(monkeypatch):
    monkeypatch.delenv(sampling.EVERY_CASE, raising=False)


def test_the_first_and_the_last_of_each_kind_in_their_order():
    assert sampling.first_and_last("abacada", lambda letter: letter) == ["a", "b", "c", "d", "a"]
    assert sampling.first_and_last([], str) == []


def test_every_so_manieth_from_the_first():
    assert sampling.each(range(8), 3) == [0, 3, 6]


def test_all_where_all_are_asked_for(monkeypatch):
    monkeypatch.setenv(sampling.EVERY_CASE, "1")
    assert sampling.first_and_last("abacada", lambda letter: letter) == list("abacada")
    assert sampling.each(range(8), 3) == list(range(8))
