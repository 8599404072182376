"""Singer messages as lines, for tests of the loader."""

from __future__ import annotations

import json
from typing import Any


def line(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode() + b"\n"


def schema(stream: str = "orders", keys: tuple[str, ...] = ("id",), **properties: Any) -> bytes:
    return line({"type": "SCHEMA", "stream": stream, "schema": {"properties": properties}, "key_properties": [*keys]})


def record(stream: str = "orders", version: int | None = None, **values: Any) -> bytes:
    more = {} if version is None else {"version": version}
    return line({"type": "RECORD", "stream": stream, "record": values, **more})


def state(value: Any) -> bytes:
    return line({"type": "STATE", "value": value})


TEXT = {"type": ["string", "null"]}
INTEGER = {"type": ["integer", "null"]}
AMOUNT = {"type": ["string", "null"], "format": "x-singer.decimal"}
NUMBER = {"type": ["number", "null"]}
DAY = {"type": ["string", "null"], "format": "date"}
INSTANT = {"type": ["string", "null"], "format": "date-time"}
BOOLEAN = {"type": ["boolean", "null"]}
OBJECT = {"type": ["object", "null"]}
