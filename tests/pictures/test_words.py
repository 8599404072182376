"""Amounts keep every digit; months and legends need no warehouse."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from scripts.pictures import words
from scripts.pictures.facts import CheckCount, Facts, Run
from scripts.pictures.lights import MOST_LAMPS
from scripts.pictures.page import page


@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        ("1234.5", "EUR", "1,234.50"),
        ("-0.005", "EUR", "\N{MINUS SIGN}0.005"),
        ("1200", "JPY", "1,200"),
        ("1.5", "KWD", "1.500"),
        ("12345678901234567890123456789012345678.12", "NOK", "12,345,678,901,234,567,890,123,456,789,012,345,678.12"),
        ("7", "no currency", "7.00"),
    ],
)
def test_an_amount_keeps_its_digits(value, currency, text):
    assert words.amount(Decimal(value), currency) == text


def test_months_between_two_are_without_gap():
    assert words.months("2025-11", "2026-02") == ["2025-11", "2025-12", "2026-01", "2026-02"]
    assert words.months("2026-03", "2026-03") == ["2026-03"]


def drawn(**more):
    nothing: dict[str, Any] = {name: [] for name in ("invoices", "products", "balance", "checks", "failed", "runs")}
    return page(Facts(**{**nothing, "activity": None, "loaded": None, **more}), database="a<b", library=lambda _: "")


def test_many_checks_share_lamps_and_a_failure_stays_in_sight():
    checks = [CheckCount("new_check", "stripe", ok, times, None) for ok, times in ((False, 1), (True, 5000))]
    html = drawn(checks=checks)
    assert html.count('class="lamp failed"') == 1
    assert html.count('class="lamp holds"') <= MOST_LAMPS
    assert "new check" in html
    assert "1 fails, 5,000 hold · a lamp is up to 84" in html


def test_what_was_not_loaded_is_said_section_by_section():
    html = drawn()
    assert html.count("Nothing of this was loaded.") == 5
    assert "a&lt;b" in html


def test_a_text_cannot_end_the_script_that_it_is_in():
    run = Run("stripe", "</script><b>", "r", "p", None, "pending", "ordered", None, None)
    assert "</script><b>" not in drawn(runs=[run])
