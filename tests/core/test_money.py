"""Money keeps every digit."""

from __future__ import annotations

from decimal import Decimal, Inexact

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_billing_reports.core.money import EXACT, ISO_4217, decimal_text, exact_sum, minor_to_major, parse_decimal
from tap_billing_reports.vendors.stripe_money import EXPONENTS

DECIMALS = st.from_regex(r"[+-]?[0-9]{1,40}(\.[0-9]{1,20})?", fullmatch=True, alphabet=st.characters(max_codepoint=127))


@pytest.mark.parametrize("text", ["0", "10.00", "-0.00", "+1.5", "007", "1" * 60 + "." + "0" * 60])
def test_text_stays_as_written(text):
    assert decimal_text(text) == text
    assert decimal_text(f" {text}\t\n") == text


@pytest.mark.parametrize(
    "value",
    ["", " ", ".5", "5.", "1e3", "1,000.00", "NaN", "Infinity", "--1", "1 000", "\u0661", "1\n2", "0x1", "1_0"],
)
def test_anything_else_is_refused(value):
    with pytest.raises(ValueError):
        decimal_text(value)


@pytest.mark.parametrize("value", [1.5, True, None, Decimal("NaN"), Decimal("Infinity")])
def test_no_float_no_boolean_no_nan(value):
    with pytest.raises(ValueError):
        decimal_text(value)


def test_a_decimal_has_no_exponent():
    assert decimal_text(Decimal("1E+3")) == "1000"
    assert decimal_text(Decimal("1E-7")) == "0.0000001"
    assert decimal_text(-5) == "-5"


@given(DECIMALS)
def test_parsing_loses_nothing(text):
    assert parse_decimal(text) == Decimal(text)
    assert decimal_text(parse_decimal(text)).lstrip("-0") == text.lstrip("+-0")


@pytest.mark.parametrize(
    ("amount", "currency", "major"),
    [
        (0, "usd", "0.00"),
        (5, "USD", "0.05"),
        ("-5", "nok", "-0.05"),
        (-17_000, "SEK", "-170.00"),
        (500, "JPY", "500"),
        (0, "jpy", "0"),
        (1234, "KWD", "1.234"),
        ("12345678901234567890123", "BHD", "12345678901234567890.123"),
        (10**40 + 1, "EUR", "1" + "0" * 38 + ".01"),
        (-(10**40) - 1, "EUR", "-1" + "0" * 38 + ".01"),
        (12345, "CLF", "1.2345"),
    ],
)
def test_minor_units(amount, currency, major):
    assert minor_to_major(amount, currency) == major


@pytest.mark.parametrize(
    ("currency", "iso", "stripe"),
    [
        ("ISK", "500", "5.00"),
        ("UGX", "500", "5.00"),
        ("MGA", "5.00", "500"),
        ("HUF", "5.00", "5.00"),
        ("TWD", "5.00", "5.00"),
    ],
)
def test_stripe_differs_from_iso(currency, iso, stripe):
    assert minor_to_major(500, currency, ISO_4217) == iso
    assert minor_to_major(500, currency.lower(), EXPONENTS) == stripe


@pytest.mark.parametrize("amount", ["1.5", "", "1e3", True, "\u0661"])
def test_minor_units_are_integers(amount):
    with pytest.raises(ValueError):
        minor_to_major(amount, "USD")


@pytest.mark.parametrize("currency", ["", "US", "USDX", "U5D", "\u00e6\u00f8\u00e5"])
def test_currencies_are_codes(currency):
    with pytest.raises(ValueError):
        minor_to_major(1, currency)


@given(st.integers(), st.sampled_from(["USD", "JPY", "KWD", "CLF", "ISK"]))
def test_minor_units_are_exact(amount, currency):
    digits = ISO_4217.get(currency, 2)
    text = minor_to_major(amount, currency)
    assert Decimal(text).scaleb(digits, EXACT) == amount
    assert len(text.partition(".")[2]) == digits


@given(st.lists(st.integers(min_value=-(10**30), max_value=10**30)))
def test_sums_are_exact(cents):
    assert exact_sum(minor_to_major(amount, "EUR") for amount in cents).scaleb(2, EXACT) == sum(cents)


def test_a_sum_is_exact_or_an_error():
    assert exact_sum(["1" + "0" * 60, "0." + "0" * 60 + "1"]) == Decimal("1" + "0" * 60 + "." + "0" * 60 + "1")
    with pytest.raises(Inexact):
        exact_sum(["1" + "0" * 300, "0." + "0" * 300 + "1"])
