"""The columns of a report: how a header becomes a column's name, type and schema."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

ColumnType = Literal["text", "currency", "integer", "decimal", "boolean", "date", "timestamp", "timestamp_utc"]
DecimalsAs = Literal["string", "number"]

MAX_NAME: Final = 63  # PostgreSQL cuts longer names
_WORD_ENDS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NOT_IN_NAMES: Final = re.compile(r"[^a-z0-9]+")
_SCHEMAS: Final[dict[str, dict[str, Any]]] = {
    "text": {"type": ["string", "null"]},
    "currency": {"type": ["string", "null"]},
    "integer": {"type": ["integer", "null"]},
    "decimal": {"type": ["string", "null"], "format": "x-singer.decimal"},
    "boolean": {"type": ["boolean", "null"]},
    "date": {"type": ["string", "null"], "format": "date"},
    "timestamp": {"type": ["string", "null"], "format": "date-time"},
    "timestamp_utc": {"type": ["string", "null"], "format": "date-time"},
}
EXAMPLES: Final[dict[ColumnType, str]] = {
    "integer": "10",
    "decimal": "10.00",
    "boolean": "true",
    "date": "2026-01-31 or 31.01.2026",
    "timestamp": "2026-01-31 09:30:00",
    "timestamp_utc": "2026-01-31 09:30:00",
}
"""How a CSV writes the values of types that refuse text, unless its declaration says otherwise."""
# What a column's type tells beside what the column holds.
_TOLD_BY_TYPE: Final[dict[ColumnType, str]] = {
    "currency": " A code of three capitals.",
    "timestamp": " Written in the run's zone, and sent in UTC.",
    "timestamp_utc": " In UTC.",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column that a reader gives out.

    Attributes:
        header: as the file writes it.
        name: as records carry it; unique in its stream.
        type: `timestamp` is wall-clock time of the run's zone, `timestamp_utc` of UTC; both go out as UTC. A `date`
            is a day, whatever the zone. A `currency` is a code in text, which goes out in capitals.
    """

    header: str
    name: str
    type: ColumnType = "text"

    def __post_init__(self) -> None:
        if self.type not in get_args(ColumnType):
            raise ValueError(f"column {self.name!r} has the unknown type {self.type!r}")
        if not self.name.isidentifier():
            raise ValueError(f"column {self.header!r} has a name that no record can carry: {self.name!r}")


def _shortened(name: str, full: str, length: int = MAX_NAME) -> str:
    """`name` in `length` characters; the hash of `full` keeps apart what is equal up to the cut."""
    if len(name) <= length:
        return name
    return f"{name[: length - 9]}_{_digest(full)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def column_name(header: str) -> str:
    """The header in snake_case: `[a-z_][a-z0-9_]*`, at most 63 characters, never empty.

    `WeightKg` is `weight_kg`, `payment_metadata[order_id]` is `payment_metadata_order_id`. Letters outside
    ASCII become `_`; a header of nothing else gets a name from its hash.
    """
    name = _NOT_IN_NAMES.sub("_", _WORD_ENDS.sub("_", header).lower()).strip("_")
    if not name:
        return f"column_{_digest(header)}"
    return _shortened(name if name[0].isalpha() else f"_{name}", header)


def common_header(name: str) -> str:
    """The header of a column that is merged of several of a file's: nothing in a file can be called so."""
    return f"={name}"


def unique_names(headers: Iterable[str], reserved: Collection[str] = ()) -> list[str]:
    """`column_name` of each header, in order; a name that is taken or reserved gets `_2`, `_3`, ..."""
    taken = set(reserved)
    names = []
    for header in headers:
        base = name = column_name(header)
        count = 1
        while name in taken:
            count += 1
            suffix = f"_{count}"
            name = _shortened(base, base, MAX_NAME - len(suffix)) + suffix
        taken.add(name)
        names.append(name)
    return names


def assigned_names(
    headers: Iterable[str], taken: Collection[str] = (), reserved: Collection[str] = ()
) -> dict[str, str]:
    """A name for each header, whatever their order: header -> name.

    Each gets its `unique_names` name as if it were alone. Where that name is taken, or headers meet in it, or the
    header has characters beyond ASCII, which no name can show, the header's hash keeps it apart. Of headers that meet,
    one that is spelt as the name itself, but for signs, goes without.

    Args:
        headers: those that are new together.
        taken: names that other headers of the stream have.
        reserved: names that the stream itself has: they never change, so `_2` is as good as a hash.
    """
    alone = {header: unique_names([header], reserved)[0] for header in headers}
    meeting = Counter(alone.values())
    plain = Counter(name for header, name in alone.items() if _is_plain(header))
    names: dict[str, str] = {}
    used = {*taken, *reserved}
    for header in sorted(alone):
        name = alone[header]
        is_unclear = meeting[name] > 1 and not (plain[name] == 1 and _is_plain(header))
        if name in taken or is_unclear or (not header.isascii() and _has_letters(header)):
            name = f"{name[: MAX_NAME - 9]}_{_digest(header)}"
        names[header] = unique_names([name], used)[0]
        used.add(names[header])
    return names


def _is_plain(header: str) -> bool:
    """Whether the name shows all of the header but its signs: no capitals, and none but ASCII letters."""
    return header.isascii() and _NOT_IN_NAMES.sub("_", header).strip("_") == column_name(header)


def _has_letters(header: str) -> bool:
    """Whether anything of the header is in its name: a name of nothing else than its hash is its own already."""
    return bool(_NOT_IN_NAMES.sub("", header.lower()))


def json_schema(type_: ColumnType, *, decimals_as: DecimalsAs = "string", description: str = "") -> dict[str, Any]:
    """A fresh nullable JSON Schema of a column; only keywords that survive the SDK's catalogue.

    Args:
        type_: the column's.
        decimals_as: how amounts go out.
        description: what it holds and when it is null, in sentences; what the type adds is put behind. None: empty.
    """
    schema = {"type": ["number", "null"]} if (type_, decimals_as) == ("decimal", "number") else _SCHEMAS[type_]
    told = {"description": f"{description}{_TOLD_BY_TYPE.get(type_, '')}"} if description else {}
    return {**schema, "type": [*schema["type"]], **told}
