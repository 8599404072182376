"""docs/recovery.md speaks of messages that the tap has, and of every kind of trouble that has a class of its own."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import ROOT, anchors, rows

PAGE = (ROOT / "docs" / "recovery.md").read_text()
CODE = "".join(path.read_text() for path in sorted((ROOT / "tap_billing_reports").rglob("*.py")))
SEEN = [cells[0] for cells in rows(PAGE, "seen")]
# What stands for a value that differs from case to case.
VALUE = re.compile(r"\.\.\.|\b\d+\b|\bN\b")


@pytest.mark.parametrize("cell", SEEN)
def test_a_message_of_the_table_is_one_of_the_taps(cell):
    for message in re.findall(r"`([^`]+)`", cell):
        for piece in filter(None, map(str.strip, VALUE.split(message))):
            assert piece in CODE, message


def test_each_line_of_the_table_leads_to_a_section_and_each_section_is_led_to():
    linked = {anchor for cell in SEEN for anchor in re.findall(r"\]\(#([\w-]+)\)", cell)}
    sections = anchors(PAGE) - {"recovery"}
    assert linked <= sections
    # A restored warehouse shows no message: only its owner knows.
    assert sections - linked == {"a-warehouse-that-was-restored"}
