"""Answers that repeat what was asked: one to another question is seen, one that says nothing is not objected to."""

from __future__ import annotations

import pytest

from tap_billing_reports import declare as d


def said_of(objection, record, path=(), **params):
    judge = objection(d.Asked(dict(path), params, None))
    assert judge is not None
    return judge([record])


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"day": "2026-11-16"}, None),
        ({}, None),
        ({"day": None}, None),
        ({"day": "2026-11-17"}, "its day is 2026-11-17, and 2026-11-16 was asked"),
    ],
)
def test_a_value_is_the_one_that_was_asked_for(record, said):
    assert said_of(d.same("day", path="day"), record, {"day": "2026-11-16"}) == said
    assert said_of(d.same("day", param="date"), record, date="2026-11-16") == said


def test_a_value_that_was_not_asked_for_is_any():
    assert d.same("day", param="date")(d.Asked({}, {}, None)) is None
    assert d.within("at", "from", "to")(d.Asked({}, {"from": "2026-11-01"}, None)) is None
    # A number is what its digits say; a value may stand within another one.
    assert said_of(d.same("run.id", path="id"), {"run": {"id": 7}}, {"id": "7"}) is None


@pytest.mark.parametrize(
    ("at", "is_other"),
    [
        ("2026-11-01T00:00:00Z", False),
        ("2026-10-31T00:00:00Z", False),
        ("2026-10-30T23:59:59Z", True),
        ("2026-12-01T23:00:00Z", False),
        ("2026-12-02T00:00:00Z", True),
        ("2026-11-30T23:59:59-12:00", False),
        ("2026-11-15", False),
        ("2025-11-15", True),
        ("no date", False),
        (None, False),
    ],
)
def test_a_date_is_within_what_was_asked_for_or_a_day_of_it(at, is_other):
    span = {"from": "2026-11-01", "to": "2026-11-30T23:59:59Z"}
    said = said_of(d.within("at", "from", "to"), {"at": at}, **span)
    assert (said is not None) == is_other
    assert said is None or said.endswith("and 2026-11-01 to 2026-11-30 was asked")
