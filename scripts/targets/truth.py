"""What a target was told: the tap's messages, read as exactly as they were written."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from scripts.warehouse import DELETED_AT, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

DECIMAL = "decimal"
TEXT = "text"
KINDS = (TEXT, DECIMAL, "integer", "boolean", "date-time", "date")

Key = tuple[str, ...]
Record = dict[str, Any]


@dataclass
class Stream:
    """One stream's SCHEMA and RECORD messages; `columns` maps a column to its kind, one of `KINDS`."""

    name: str
    keys: tuple[str, ...]
    columns: dict[str, str]
    records: list[Record] = field(default_factory=list)

    def key(self, row: Mapping[str, Any]) -> Key:
        return tuple(str(row.get(name)) for name in self.keys)

    def last(self) -> dict[Key, Record]:
        """What an upserting target holds: the last record of each key, deleted ones among them."""
        return {self.key(record): record for record in self.records}

    def living(self) -> dict[Key, Record]:
        return {key: record for key, record in self.last().items() if not record.get(DELETED_AT)}


@dataclass
class Told:
    """All messages of one or more files, in order."""

    streams: dict[str, Stream] = field(default_factory=dict)
    state: Any = None

    def tables(self) -> dict[str, Table]:
        """What an upserting target holds of them."""
        return {name: Table(stream.columns, list(stream.last().values())) for name, stream in self.streams.items()}


def kind_of(schema: Mapping[str, Any]) -> str:
    """The kind of a column from its JSON Schema."""
    types = {schema["type"]} if isinstance(schema["type"], str) else set(schema["type"])
    form = schema.get("format", "")
    if "number" in types or form.endswith("singer.decimal"):
        return DECIMAL
    return form if form in KINDS else next((kind for kind in KINDS if kind in types), TEXT)


def read_messages(files: Iterable[Path]) -> Told:
    """The messages of these files, one after the other as a target would get them.

    A number becomes the Decimal that was written, never a float.
    """
    told = Told()
    for file in files:
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                message = json.loads(line, parse_float=Decimal)
                name = message.get("stream", "")
                if message["type"] == "STATE":
                    told.state = message["value"]
                elif message["type"] == "SCHEMA":
                    stream = told.streams.setdefault(name, Stream(name, tuple(message["key_properties"]), {}))
                    stream.columns |= {name: kind_of(one) for name, one in message["schema"]["properties"].items()}
                elif message["type"] == "RECORD":
                    told.streams[name].records.append(message["record"])
    return told
