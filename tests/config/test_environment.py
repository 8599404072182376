"""`--config=ENV`: typed as the settings are, and left as text where it cannot be."""

from __future__ import annotations

import pytest

from tap_billing_reports.config.environment import settings_from

SCHEMA = {
    "properties": {
        "text": {"type": ["string", "null"]},
        "number-of-days": {"type": ["integer", "null"]},
        "ratio": {"type": "number"},
        "flag": {"type": ["boolean", "null"]},
        "words": {"type": ["array", "null"], "items": {"type": "string"}},
        "states": {"type": ["array", "null"], "items": {"type": "integer"}},
        "reports": {"type": ["array", "null"], "items": {"type": "object"}},
        "options": {"type": ["object", "null"]},
    }
}


def read(name: str, text: str):
    return settings_from({f"TAP_{name}": text, "OTHER_TEXT": "x"}, "TAP_", SCHEMA)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("TEXT", "5", "5"),
        ("TEXT", "true", "true"),
        ("NUMBER_OF_DAYS", "30", 30),
        ("NUMBER_OF_DAYS", "-1", -1),
        ("RATIO", "1.5", 1.5),
        ("RATIO", "2", 2),
        ("FLAG", "TRUE", True),
        ("FLAG", "yes", True),
        ("FLAG", "1", True),
        ("FLAG", "off", False),
        ("FLAG", "0", False),
        ("WORDS", '["a", "b"]', ["a", "b"]),
        ("WORDS", "a, b", ["a", "b"]),
        ("WORDS", "20001", ["20001"]),
        ("STATES", "[1, 2]", [1, 2]),
        ("REPORTS", '[{"a": 1}]', [{"a": 1}]),
        ("OPTIONS", '{"a": 1}', {"a": 1}),
    ],
)
def test_types(name, text, value):
    (found,) = read(name, text).values()
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("NUMBER_OF_DAYS", "many"),
        ("NUMBER_OF_DAYS", "1.5"),
        ("NUMBER_OF_DAYS", "true"),
        ("FLAG", "maybe"),
        ("WORDS", '["a", '),
        ("STATES", "1"),
        ("STATES", "1,2"),
        ("REPORTS", "a,b"),
        ("REPORTS", "[" * 100_000),
        ("OPTIONS", "[]"),
        ("OPTIONS", "nonsense"),
    ],
)
def test_what_cannot_be_read_stays_text_for_validation(name, text):
    assert list(read(name, text).values()) == [text]


def test_empty_and_foreign_variables_are_unset():
    assert read("TEXT", "") == {}
    assert settings_from({"TAP_ELSE": "1"}, "TAP_", SCHEMA) == {}
