"""Lays the pages out as the site has them.

The pages are written for readers of the repository, so their links are paths of the tree. In the site README.md is the
first page, what lies in `docs/` stands at the top, and whatever else a page links to gets a place below `tree/`.
"""

from __future__ import annotations

import posixpath
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
PLACES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
}
"""Page of the tree's top -> where it stands in the site."""
CONTENTS = {
    "First steps": ("glossary", "quick-start", "faq"),
    "Vendors": ("sources/stripe", "sources/bring", "sources/brp", "sources/vipps", "sources/klarna"),
    "Running it": (
        "operations",
        "warehouse",
        "singer",
        "models",
        "second-sync",
        "backfill",
        "recovery",
        "targets",
        "container",
        "pictures",
        "privacy",
    ),
    "Reference": ("streams", "report-columns", "settings", "state", "compatibility"),
    "How well it works": ("numbers", "reliability", "performance", "scale"),
    "Development": (
        "architecture",
        "decisions/README",
        *(f"decisions/{path.stem}" for path in sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))),
        "add-a-source",
        "releasing",
        "contributing",
        "security",
        "changelog",
    ),
}
"""Heading of the site's contents -> its pages."""

# Code is left alone: what looks like a link there is none.
_CODE = re.compile(r"(^```.*?^```$|`[^`\n]*`)", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<=\]\()([^)\s]+)(?=\))")


class BrokenLinkError(ValueError):
    """A link leads to nothing, to a folder, or out of the tree."""


def place(path: Path) -> str:
    """Where a file of the tree stands in the site."""
    name = path.relative_to(ROOT).as_posix()
    return PLACES.get(name) or (name.removeprefix("docs/") if name.startswith("docs/") else f"tree/{name}")


def relinked(page: Path, note: Callable[[Path], None]) -> str:
    """A page's text with the links of the site; each file that it links to is told to `note`.

    Raises:
        BrokenLinkError: a link of the page is broken.
    """
    here = posixpath.dirname(place(page)) or "."

    def changed(found: re.Match[str]) -> str:
        link, hash_, anchor = found[1].partition("#")
        if not link or re.match(r"[a-z][a-z0-9+.-]*:", link):
            return found[1]
        target = (page.parent / link).resolve()
        if not target.is_file() or not target.is_relative_to(ROOT):
            raise BrokenLinkError(f"{page.relative_to(ROOT)}: {found[1]} is no file of the tree")
        note(target)
        return posixpath.relpath(place(target), here) + hash_ + anchor

    parts = _CODE.split(page.read_text(encoding="utf-8"))
    return "".join(part if number % 2 else _LINK.sub(changed, part) for number, part in enumerate(parts))


def contents() -> str:
    """The site's contents, as the first page declares them."""
    return "".join(
        f"\n```{{toctree}}\n:hidden:\n:caption: {heading}\n\n" + "".join(f"{page}\n" for page in pages) + "```\n"
        for heading, pages in CONTENTS.items()
    )


def stage(folder: Path) -> None:
    """Writes the pages, and what they link to, into an empty folder.

    Raises:
        BrokenLinkError: a link of a page is broken.
    """
    waiting = [*(ROOT / "docs").rglob("*.md"), *(ROOT / name for name in PLACES)]
    known: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path in known:
            continue
        known.add(path)
        copy = folder / place(path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix != ".md":
            shutil.copyfile(path, copy)
            continue
        text = relinked(path, waiting.append)
        if place(path).startswith("tree/"):
            # Reached by its link alone: it stands in no list of contents.
            text = f"---\norphan: true\n---\n{text}"
        copy.write_text(text + (contents() if place(path) == "index.md" else ""), encoding="utf-8")
