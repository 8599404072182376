"""Amounts, counts and names are written as people write them; a plural comes from one place."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from tap_billing_reports import page
from tap_billing_reports.page.months import following, previous
from tap_billing_reports.page.shapes import bars, steps
from tap_billing_reports.page.values import Money
from tap_billing_reports.page.words import agreed, amounts, counted, listed, percent, rate, shown, vendor


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("1234567.5", "1\u202f234\u202f567.50 NOK"), ("-0.125", "-0.125 NOK"), ("0", "0.00 NOK"),
        ("1E+3", "1\u202f000.00 NOK"),
        (
            "12345678901234567890.123456789012",
            "12\u202f345\u202f678\u202f901\u202f234\u202f567\u202f890.123456789012 NOK"),
        ("12345678901234567890.12", "12\u202f345\u202f678\u202f901\u202f234\u202f567\u202f890.12 NOK"),
        ("100.000000000000", "100.00 NOK"),
    ],
)  # fmt: skip
def test_an_amount_keeps_its_digits(amount, text):
    assert shown(Money(Decimal(amount), "NOK")) == text


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("9110190.000000000000", "JPY", "9\u202f110\u202f190 JPY"), ("0", "JPY", "0 JPY"), ("1.5", "JPY", "1.5 JPY"),
        ("72.13", "KWD", "72.130 KWD"), ("1", "no code", "1.00 no code"),
    ],
)  # fmt: skip
def test_an_amount_has_the_decimals_of_its_currency(amount, currency, text):
    assert shown(Money(Decimal(amount), currency)) == text


def test_a_count_agrees_with_its_noun_and_its_verb():
    assert [counted(n, "payout") for n in (0, 1, 2, 1234)] == [
        "0 payouts", "1 payout", "2 payouts", "1\u202f234 payouts",
    ]  # fmt: skip
    assert [counted(n, "currency", "currencies") for n in (1, 2)] == ["1 currency", "2 currencies"]
    assert [agreed(n, "does", "do") for n in (0, 1, 2)] == ["do", "does", "do"]


def test_plurals_are_made_in_one_place():
    """No other module of the page hangs an s on a noun behind a number."""
    folder = Path(page.__file__).parent
    nouns = "payouts|balances|invoices|checks|accounts|shipments|orders|documents|rows|currencies"
    own = re.compile(rf"\{{[^{{}}]*\}} ({nouns})\b|\(s\)|\}}s\b")
    assert own.search("{number} payouts")
    found = {
        path.name: own.findall(path.read_text())
        for path in folder.rglob("*.py")
        if path.name != "words.py" and own.search(path.read_text())
    }
    assert found == {}


def test_lists_rates_and_names():
    assert [listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])] == ["a", "a and b", "a, b and c"]
    assert amounts([Money(Decimal(1), "NOK"), Money(Decimal(2), "SEK")]) == "1.00 NOK and 2.00 SEK"
    assert [percent(Decimal(1), Decimal(3)), percent(Decimal(1), Decimal(0))] == ["33.33 %", None]
    assert [rate(Decimal("25.0")), rate(Decimal("0.0")), rate(None)] == ["25 %", "0 %", None]
    assert [vendor("stripe"), vendor("brp"), vendor("acme")] == ["Stripe", "BRP", "Acme"]


def test_the_months_beside_one():
    assert previous(date(2026, 1, 1)) == date(2025, 12, 1)
    assert previous(date(2026, 10, 1)) == date(2026, 9, 1)
    assert following(date(2026, 12, 1)) == date(2027, 1, 1)
    assert following(date(2026, 10, 1)) == date(2026, 11, 1)


def test_bars_are_as_long_as_their_amounts():
    drawn = bars([("a", Decimal(-4)), ("b", Decimal(1))], "NOK")
    assert [(bar.start, bar.share) for bar in drawn] == [(0, 1), (0, 0.25)]
    assert bars([("a", Decimal(0))], "NOK")[0].share == 0


def test_steps_below_zero_have_room_too():
    drawn = steps([("in", Decimal(2)), ("nothing", Decimal(0)), ("out", Decimal(-6))], ("left", Decimal(-4)), "NOK")
    assert [(bar.label, round(bar.start * 6), round(bar.share * 6)) for bar in drawn] == [
        ("in", 4, 2), ("out", 0, 6), ("left", 0, 4),
    ]  # fmt: skip
