"""The project's pages as the tests read them: links, anchors, code blocks, tables."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def prose(text):
    """A page without its code blocks."""
    return _FENCED.sub("", text)


def blocks(text, language):
    """The code blocks in one language."""
    return [body for found, body in _FENCED.findall(text) if found == language]


def links(text):
    return _LINK.findall(prose(text))


def anchors(text):
    """The anchors that a page's headings get."""
    return {
        re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in _HEADING.findall(prose(text))
    }


def rows(text, first_cell):
    """The rows of the first table whose header begins with that cell, as lists of cells."""
    lines = text.splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith(f"| {first_cell} |"))
    found = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in line.strip("|").split("|")])
    return found
