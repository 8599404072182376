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


# Any: so that they can be given by `**` beside the arguments of other types.
TEXT: Any = {"type": ["string", "null"]}
INTEGER: Any = {"type": ["integer", "null"]}
AMOUNT: Any = {"type": ["string", "null"], "format": "x-singer.decimal"}
NUMBER: Any = {"type": ["number", "null"]}
DAY: Any = {"type": ["string", "null"], "format": "date"}
INSTANT: Any = {"type": ["string", "null"], "format": "date-time"}
BOOLEAN: Any = {"type": ["boolean", "null"]}
OBJECT: Any = {"type": ["object", "null"]}
