"""What a STATE keeps of a day's invoices shows each that is missing later, whatever came new meanwhile."""

from __future__ import annotations

import pytest

from tap_billing_reports.singer.invoices.day_marks import BUCKETS, FEW, MOST, is_marks, mark, marks_text, still_there


def marks(names):
    return [mark(name) for name in names]


def ids(first, count):
    return [f"in_{number:06d}" for number in range(first, first + count)]


@pytest.mark.parametrize("count", [0, 1, 2, FEW - 1, FEW, FEW + 1, 100, 5000])
def test_a_list_fits_itself_in_any_order_and_with_what_is_new(count):
    before = ids(0, count)
    text = marks_text(marks(before))
    assert is_marks(count, text)
    assert text == marks_text(marks(reversed(before)))
    assert still_there(count, text, marks(before)) == count
    assert still_there(count, text, marks([*before, *ids(10_000, 50)])) == count


@pytest.mark.parametrize("count", [1, 2, FEW])
@pytest.mark.parametrize("new", [1, 5, 500])
def test_each_of_a_few_that_vanishes_is_missed_whatever_comes(count, new):
    before = ids(0, count)
    text = marks_text(marks(before))
    for gone in before:
        now = [name for name in before if name != gone] + ids(10_000, new)
        assert still_there(count, text, marks(now)) == count - 1


def test_of_a_busy_day_one_is_missed_unless_what_comes_is_of_its_group():
    before, (new,) = ids(0, 200), ids(10_000, 1)
    text = marks_text(marks(before))
    for gone in before:
        now = [name for name in before if name != gone]
        assert still_there(200, text, marks(now)) == 199
        hidden = mark(gone) % BUCKETS == mark(new) % BUCKETS
        assert still_there(200, text, marks([*now, new])) == (200 if hidden else 199)


def test_a_group_with_more_than_a_letter_holds_never_claims_that_one_is_missing():
    before = ids(0, BUCKETS * MOST * 2)
    text = marks_text(marks(before))
    assert still_there(len(before), text, marks(before)) == len(before)
    assert still_there(len(before), text, marks(before[1:])) == len(before) - 1


def test_a_busy_day_that_has_become_a_small_one_is_missed():
    before = ids(0, FEW + 4)
    assert still_there(len(before), marks_text(marks(before)), marks(before[:3])) == 3


@pytest.mark.parametrize(("now", "left"), [(2, 2), (3, 3), (4, 3)])
def test_without_marks_the_number_alone_tells(now, left):
    assert still_there(3, "", marks(ids(50, now))) == left


@pytest.mark.parametrize(
    ("count", "text"), [(1, "AB"), (1, "ABCD"), (2, "ABC"), (1, "AB="), (17, "ABC"), (1, 3), (1, None), (1, ["ABC"])]
)
def test_other_texts_are_no_marks(count, text):
    assert not is_marks(count, text)
