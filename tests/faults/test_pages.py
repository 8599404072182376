"""The pages that say what is proven name tests and parts that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts.faults import PARTS

ROOT = Path(__file__).resolve().parents[2]
RELIABILITY = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["docs/reliability.md", "SECURITY.md"])
def test_every_test_that_is_named_exists(page):
    named = set(re.findall(r"`(tests/[^`]+)`", (ROOT / page).read_text(encoding="utf-8")))
    assert named
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_every_part_is_described_and_there():
    described = set(re.findall(r"^\| `([a-z]+)` \|", RELIABILITY, re.MULTILINE))
    assert described == set(PARTS)
    assert [part for part in PARTS if not (ROOT / "tests" / "faults" / f"part_{part}.py").exists()] == []


def test_each_promise_has_a_test_beside_it():
    promises = RELIABILITY.partition("## Promises")[2].partition("## ")[0]
    rows = [line for line in promises.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 10
    assert [row for row in rows if "`tests/" not in row and "SECURITY.md" not in row] == []
