"""The bodies of answers as values: every digit, no key that means two things, nothing that no target takes.

What had to be changed, or is there twice, is counted in `Remarks`, for the closing lines of a sync to tell.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import simplejson

from tap_billing_reports.core.errors import AccountError, Unavailable, Unreadable
from tap_billing_reports.core.json_text import to_json
from tap_billing_reports.core.redaction import clipped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

    from tap_billing_reports.core.about import About

# Objects and lists within each other; no vendor's records come near. libxml2 has its own limit of 256.
DEEPEST: Final = 100

_BOM: Final = b"\xef\xbb\xbf"
# Only where such an escape stands can text come out that is not Unicode, or holds a NUL.
_UNFIT: Final = re.compile(rb"\\u(?:[dD][89a-fA-F]|0000)")


@dataclass
class Remarks:
    """What was noticed in the answers of one source."""

    mended: int = 0
    """Texts with a NUL or half a character."""
    doubled: Counter[str] = field(default_factory=Counter)
    """Key -> objects that had it twice, with different values."""
    unread: Counter[int] = field(default_factory=Counter)
    """HTTP status -> errors in JSON that held nothing where the declaration looks for the vendor's words."""

    def lines(self, about: About) -> Iterator[str]:
        """One line for each kind of remark."""
        if self.mended:
            yield (
                f"{about}: {self.mended} texts held a NUL or half a character, which no target takes: U+FFFD stands "
                f"in its place"
            )
        if self.unread:
            statuses = ", ".join(f"HTTP {status}" for status in sorted(self.unread))
            yield (
                f"{about}: {self.unread.total()} errors in JSON ({statuses}) held nothing where the vendor's words are "
                f"looked for (read_problem): they were judged by their status alone"
            )
        for key, count in sorted(self.doubled.items()):
            yield (
                f"{about}: {count} objects have the key {clipped(key, 80)} twice with different values: "
                f"source_record has the last one, and no column is filled from it"
            )


class DoubledKey(Unreadable, ValueError):  # noqa: N818 - named for what the answer has
    """A key was asked for that an object has twice, with different values."""


class Doubled(dict[str, Any]):
    """A JSON object with keys that stand twice with different values, or with such objects in it.

    Asking for such a key is refused. As a whole, as for `source_record`, it has the last of the values.

    Attributes:
        keys_twice: of this object itself.
        holds_numbers: whether any number is in doubt, here or in an object within.
    """

    def __init__(
        self, found: dict[str, Any], about: About, keys_twice: frozenset[str] = frozenset(), holds_numbers: bool = False
    ) -> None:
        super().__init__(found)
        self.about = about
        self.keys_twice = keys_twice
        self.holds_numbers = holds_numbers

    def __getitem__(self, key: str) -> Any:
        if key in self.keys_twice:
            raise DoubledKey(
                f"the key {clipped(key, 80)} stands twice in one object, with different values", about=self.about
            )
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        return self[key] if key in self.keys_twice else super().get(key, default)


def read_json(body: bytes, about: About, remarks: Remarks) -> Any:
    """The body as JSON; fractional numbers as Decimal with the digits that the vendor wrote.

    Raises:
        Unavailable: it is no complete JSON.
        Unreadable: it is nested deeper than anything that a vendor sends.
    """
    doubled = False

    def to_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal doubled
        found = _object(pairs, about, remarks)
        doubled = doubled or isinstance(found, Doubled)
        return found

    try:
        value = simplejson.loads(without_bom(body).decode(), use_decimal=True, object_pairs_hook=to_object)
    except (ValueError, RecursionError):
        raise Unavailable("the answer is no complete JSON", about=about) from None
    if body.count(b"{") + body.count(b"[") > DEEPEST and _is_deeper(value):
        raise Unreadable(f"the answer is nested deeper than {DEEPEST} levels", about=about)
    if doubled or _UNFIT.search(body):
        value = _rebuilt(value, about, remarks)
    return value


def without_bom(data: bytes) -> bytes:
    """The bytes without the byte-order marks that they begin with; some tools write one before another."""
    while data.startswith(_BOM):
        data = data[len(_BOM) :]
    return data


def _object(pairs: list[tuple[str, Any]], about: About, remarks: Remarks) -> dict[str, Any]:
    """The pairs as an object; a key that has the same value each time stands there once."""
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    values: dict[str, list[Any]] = {}
    for key, value in pairs:
        values.setdefault(key, []).append(value)
    twice = {key: several for key, several in values.items() if len({to_json(value) for value in several}) > 1}
    if not twice:
        return found
    remarks.doubled.update(twice.keys())
    return Doubled(found, about, frozenset(twice), any(map(_is_number, chain.from_iterable(twice.values()))))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _is_deeper(value: Any) -> bool:
    """Whether objects and lists are nested deeper than `DEEPEST`; a loop, since recursion has a limit of its own."""
    level = [value]
    for _ in range(DEEPEST):
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


def _rebuilt(value: Any, about: About, remarks: Remarks) -> Any:
    """The same value with U+FFFD for what no target takes, and objects that know of doubtful numbers within."""
    if isinstance(value, str):
        text = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")
        remarks.mended += text != value
        return text
    if isinstance(value, list):
        return [_rebuilt(item, about, remarks) for item in value]
    if not isinstance(value, dict):
        return value
    pairs = [(_rebuilt(key, about, remarks), _rebuilt(item, about, remarks)) for key, item in value.items()]
    # Keys that differed may have become equal.
    found = _object(pairs, about, remarks)
    twice = frozenset(_rebuilt(key, about, Remarks()) for key in getattr(value, "keys_twice", ()))
    numbers = getattr(value, "holds_numbers", False) or any(_holds_numbers(item) for _, item in pairs)
    if not twice and not numbers:
        return found
    more = found if isinstance(found, Doubled) else Doubled(found, about)
    return Doubled(found, about, twice | more.keys_twice, numbers or more.holds_numbers)


def _holds_numbers(value: Any) -> bool:
    """Whether a number is in doubt in an object, or in any of a list."""
    if isinstance(value, list):
        return any(map(_holds_numbers, value))
    return isinstance(value, Doubled) and value.holds_numbers


def read_xml(body: bytes, about: About) -> etree._Element:
    """The body as XML without comments; entities and external references are never resolved.

    Raises:
        Unavailable: it is no complete XML.
        AccountError: it declares a document type, which could stand for anything.
    """
    from lxml import etree  # noqa: PLC0415 - most answers are JSON, and discovery has none

    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        # A comment would split an element's text, and only the first part would be read.
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(without_bom(body), parser)
    except (etree.XMLSyntaxError, ValueError):
        raise Unavailable("the answer is no complete XML", about=about) from None
    declared: Any = root.getroottree().docinfo
    if declared.doctype:
        raise AccountError("the answer declares a document type, which is never trusted", about=about)
    return root
