"""What a program writes: Markdown tables, the part of a page between two marks, files of YAML."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

BEGIN, END = "<!-- generated: {name}; written by `make docs`, edits are lost -->\n", "<!-- end of {name} -->\n"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a `|` within a cell is escaped."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def code(text: str) -> str:
    return f"`{text}`"


def codes(texts: Iterable[str]) -> str:
    return ", ".join(map(code, texts))


def between(text: str, name: str, page: str) -> tuple[str, str, str]:
    """The text up to and with the first marker, between the markers, and from the second one on."""
    begin, end = BEGIN.format(name=name), END.format(name=name)
    before, found, rest = text.partition(begin)
    inside, ended, after = rest.partition(end)
    if not (found and ended):
        sys.exit(f"{page} has lost the lines {begin.strip()} and {end.strip()}")
    return before + begin, inside, end + after


def as_yaml(content: Any, origin: str) -> str:
    """A file of YAML that is drawn from somewhere else."""
    said = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)
    return f"# Written by `make docs` from {origin}; edits are lost.\n{said}"
