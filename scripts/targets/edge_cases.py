"""A stream of values that targets get wrong, told to them beside the tap's own data.

The tap never sends an empty text (it sends null), so the first case is about other taps' data in the same place.
"""

from __future__ import annotations

import json
from typing import Any

STREAM = "edge_cases"

# What is tried -> (column, value).
CASES: dict[str, tuple[str, Any]] = {
    "empty text": ("words", ""),
    "spaces around": ("words", "  inside  "),
    "line feed": ("words", "one\ntwo"),
    "carriage return and line feed": ("words", "one\r\ntwo"),
    "tab": ("words", "one\ttwo"),
    "double quotes": ("words", 'the "best" one'),
    "comma and semicolon": ("words", "one, two; three"),
    "backslash": ("words", "C:\\new\\table"),
    "the text \\N": ("words", "\\N"),
    "the text NULL": ("words", "NULL"),
    "emoji": ("words", "receipt 🧾"),
    "combining accent": ("words", "cafe\u0301"),
    "text of digits, zero first": ("words", "007"),
    "38 digits": ("amount", "12345678901234567890123456.123456789012"),
    "20 digits, negative": ("amount", "-12345678901234567.890"),
    "three decimals": ("amount", "-0.001"),
    "zero at the end": ("amount", "0.10"),
    "integer above 2^53": ("number", 9007199254740993),
    "false": ("flag", False),
    "microseconds": ("at", "2026-01-01T00:00:00.123456Z"),
    "last day of a century": ("day", "1999-12-31"),
    "everything null": ("words", None),
}

_SCHEMA = {
    "type": "object",
    "properties": {
        "case": {"type": "string"},
        "words": {"type": ["string", "null"]},
        "amount": {"type": ["string", "null"], "format": "x-singer.decimal"},
        "number": {"type": ["integer", "null"]},
        "flag": {"type": ["boolean", "null"]},
        "at": {"type": ["string", "null"], "format": "date-time"},
        "day": {"type": ["string", "null"], "format": "date"},
    },
}


def messages() -> list[str]:
    """The stream's SCHEMA and a RECORD for each case, as lines."""
    empty = dict.fromkeys(_SCHEMA["properties"])
    records = [{**empty, "case": case, column: value} for case, (column, value) in CASES.items()]
    said: list[dict[str, Any]] = [
        {"type": "SCHEMA", "stream": STREAM, "schema": _SCHEMA, "key_properties": ["case"]},
        *({"type": "RECORD", "stream": STREAM, "record": record} for record in records),
    ]
    return [json.dumps(message, ensure_ascii=False) + "\n" for message in said]
