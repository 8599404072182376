"""Long files begin first, and the list of them is true."""

from __future__ import annotations

from pathlib import Path

from tests.order import LONGEST, UNMEASURED, longest_first

ROOT = Path(__file__).resolve().parents[1]


def test_the_files_are_there():
    assert [name for name in (*LONGEST, *UNMEASURED) if not (ROOT / name).is_file()] == []
    assert len(set(LONGEST)) == len(LONGEST)


def test_long_files_come_first_and_each_in_its_own_order():
    names = ["tests/a.py::one", f"{LONGEST[1]}::one", f"{LONGEST[0]}::one", "tests/b.py::two", f"{LONGEST[1]}::two"]
    assert longest_first(names) == [2, 1, 4, 0, 3]
