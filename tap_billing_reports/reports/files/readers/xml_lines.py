"""Finished `<Line>` elements into columns of cells.

The quick way serialises the container once and lets a regular expression, built from the fields met so far,
eat one line after the other without a gap: what it accepts is exactly a line with leaf fields, each at most
once. When it stops short of the last finished line, the batch is read the slow way, which knows why.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lxml import etree

from tap_billing_reports.core.redaction import clipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MAX_FIELDS: Final = 500
_LESS_THAN: Final = "\x01"  # no character of XML; a real one would look like a tag
# What libxml2 escapes in text when it serialises.
_ESCAPES: Final = {"&amp;": "&", "&lt;": _LESS_THAN, "&gt;": ">", "&#13;": "\r"}
_escape: Final = re.compile("|".join(map(re.escape, _ESCAPES))).sub


class LineFault(Exception):  # noqa: N818 - not an error yet: the reader adds the line and raises FileError
    """An element that is not a line of fields."""

    def __init__(self, message: str, element: Any) -> None:
        super().__init__(message)
        self.line: int | None = element.sourceline


class Block(NamedTuple):
    """Lines of one layout.

    Attributes:
        header: the fields' names; the same object as long as none was added.
        cells: the text of each field, by place in the header; empty where a line has no such field.
        elements: which child of the container each row is.
    """

    header: tuple[str, ...]
    cells: Sequence[Sequence[str]]
    elements: Sequence[int]


class Lines:
    """Reads the lines of one file.

    Attributes:
        header: names of the fields met so far, without namespace.
        blank: how many lines had no text but blanks; they are no rows.
    """

    def __init__(self, line_tag: str) -> None:
        self.header: tuple[str, ...] = ()
        self.blank = 0
        self._line_tag = line_tag
        self._order: list[str] = []  # names as serialised, with prefix, in document order
        self._match_next: Any = None
        self._columns: list[int] = []  # the pattern's group of each header cell

    def read(self, container: Any, finished: int) -> Iterator[Block]:
        """The first `finished` children of the container; LineFault for anything that is not a line."""
        if not finished:
            return
        rows = self._quick(container, finished) if self._match_next else None
        if rows is None:
            yield from self._slow(container, finished)
            return
        elements: Sequence[int] = range(finished)
        # A blank line has a blank first field; few other lines have one.
        first = self._columns[0]
        blank = {place for place, row in enumerate(rows) if not row[first].strip() and not "".join(row).strip()}
        if blank:
            self.blank += len(blank)
            elements = [place for place in elements if place not in blank]
            rows = [rows[place] for place in elements]
        if rows:
            groups = list(zip(*rows, strict=True))
            yield Block(self.header, [groups[group] for group in self._columns], elements)

    def _quick(self, container: Any, finished: int) -> list[tuple[str, ...]] | None:
        """The cells of each line in the pattern's order, or None if the pattern does not fit them all."""
        text = etree.tostring(container, encoding="unicode", with_tail=False)
        if "&" in text:
            text = _escape(_unescaped, text)
        start = text.index(">") + 1
        while text[start].isspace():
            start += 1
        # The scanner's match goes on where the last one ended, and nowhere else.
        found = list(islice(iter(self._match_next(text, start).match, None), finished))
        if len(found) < finished or text[found[-1].end()] != "<":
            return None  # something else, or text between the lines
        rows = [match.groups("") for match in found]
        if _LESS_THAN in text:
            return [tuple(cell.replace(_LESS_THAN, "<") for cell in row) for row in rows]
        return rows

    def _slow(self, container: Any, finished: int) -> Iterator[Block]:
        if (container.text or "").strip():
            raise LineFault("text outside the lines", container)
        layouts: dict[tuple[str, ...], None] = {}
        rows: list[dict[str, str]] = []
        elements: list[int] = []
        for place in range(finished):
            names, row = self._fields(container[place])
            if not any(map(str.strip, row.values())):
                self.blank += 1
                continue
            layouts[names] = None  # of rows only: the pattern must not know a field that the header has not
            if not row.keys() <= set(self.header):
                if rows:
                    yield self._block(rows, elements)
                    rows, elements = [], []
                self.header = (*self.header, *(name for name in row if name not in self.header))
                if len(self.header) > MAX_FIELDS:
                    raise LineFault(f"more than {MAX_FIELDS} different fields", container[place])
            rows.append(row)
            elements.append(place)
        if rows:
            yield self._block(rows, elements)
        self._learn(layouts, container.prefix)

    def _block(self, rows: list[dict[str, str]], elements: list[int]) -> Block:
        return Block(self.header, [[row.get(name, "") for row in rows] for name in self.header], elements)

    def _fields(self, element: Any) -> tuple[tuple[str, ...], dict[str, str]]:
        """The fields' names as serialised, and their text by name."""
        if not isinstance(element.tag, str) or etree.QName(element).localname != self._line_tag:
            raise LineFault(f"an element that is no {self._line_tag}", element)
        if (element.text or "").strip() or (element.tail or "").strip():
            raise LineFault("text outside the fields", element)
        names = []
        row: dict[str, str] = {}
        for field in element:
            if not isinstance(field.tag, str) or len(field) or (field.tail or "").strip():
                raise LineFault("something else than fields of text in a line", field)
            name = etree.QName(field).localname
            if name in row:
                raise LineFault(f"the field {clipped(name, 80)} twice in one line", field)
            row[name] = field.text or ""
            names.append(f"{field.prefix}:{name}" if field.prefix else name)
        return tuple(names), row

    def _learn(self, layouts: Iterable[tuple[str, ...]], prefix: str | None) -> None:
        """Extend the pattern so that it fits these lines too; contradictions stay with the slow way."""
        for names in layouts:
            self._order = _merged(self._order, names) or self._order
        places = {name.rpartition(":")[2]: place for place, name in enumerate(self._order)}
        if not self.header or len(places) < len(self._order) or not places.keys() >= set(self.header):
            self._match_next = None  # nothing known yet, one name in two namespaces, or no fixed order
            return
        self._columns = [places[name] for name in self.header]
        line = re.escape(f"{prefix}:{self._line_tag}" if prefix else self._line_tag)
        tags = map(re.escape, self._order)
        fields = "".join(rf"(?:<{tag}>([^<]*)</{tag}>|<{tag}/>|)" for tag in tags)
        self._match_next = _scanner(rf"(?:<{line}>{fields}</{line}>|<{line}/>)\s*")


def _scanner(pattern: str) -> Any:
    compiled: Any = re.compile(pattern)
    return compiled.scanner


def _merged(order: list[str], names: Iterable[str]) -> list[str] | None:
    """The order with the names in it, or None if they come in another order there."""
    merged, at = list(order), 0
    for name in names:
        if name not in merged:
            merged.insert(at, name)
        elif merged.index(name) < at:
            return None
        at = merged.index(name) + 1
    return merged


def _unescaped(found: re.Match[str]) -> str:
    return _ESCAPES[found[0]]
