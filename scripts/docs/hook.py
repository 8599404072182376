"""MkDocs hook: the pages of the tree's top and what pages link outside `docs/` become part of the site.

The pages are written for readers of the repository, so their links are paths of the tree. Here each link that leads
out of `docs/` gets its file a place in the site: README.md is the first page, other Markdown becomes a page below
`tree/`, anything else is copied there as it is. A link to a folder, or to nothing, ends the build.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
PLACES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
}
"""Page of the tree's top -> where it stands in the site."""

# Code is left alone: what looks like a link there is none.
_CODE = re.compile(r"(^```.*?^```$|`[^`\n]*`)", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<=\]\()([^)\s]+)(?=\))")


def place(path: Path) -> str:
    """Where a file of the tree stands in the site."""
    name = path.relative_to(ROOT).as_posix()
    return PLACES.get(name) or (name.removeprefix("docs/") if name.startswith("docs/") else f"tree/{name}")


def _relinked(text: str, page: Path, change: Callable[[Path, str], str]) -> str:
    """The text with each link to a file of the tree as `change` has it: (file, `#anchor`) -> link."""

    def changed(found: re.Match[str]) -> str:
        link, hash_, anchor = found[1].partition("#")
        if not link or re.match(r"[a-z][a-z0-9+.-]*:", link):
            return found[1]
        target = (page.parent / link).resolve()
        if not target.is_file() or not target.is_relative_to(ROOT):
            raise PluginError(f"{page.relative_to(ROOT)}: {found[1]} is no file of the tree")
        return change(target, hash_ + anchor)

    parts = _CODE.split(text)
    return "".join(part if number % 2 else _LINK.sub(changed, part) for number, part in enumerate(parts))


def _targets(page: Path) -> Iterator[Path]:
    """The files that a page links to."""
    found: list[Path] = []

    def note(target: Path, _anchor: str) -> str:
        found.append(target)
        return ""

    _relinked(page.read_text(encoding="utf-8"), page, note)
    yield from found


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds what lies outside `docs/`, from page to page."""
    known = {Path(file.abs_src_path) for file in files if file.abs_src_path}
    waiting = [path for path in known if path.suffix == ".md"] + [ROOT / name for name in PLACES]
    while waiting:
        path = waiting.pop()
        if path not in known:
            known.add(path)
            files.append(File.generated(config, place(path), abs_src_path=str(path)))
        if path.suffix == ".md":
            waiting += [target for target in _targets(path) if target not in known]
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 - the hook's signature
    """Turns paths of the tree into paths of the site."""
    here = page.file.src_uri

    def link(target: Path, anchor: str) -> str:
        return posixpath.relpath(place(target), posixpath.dirname(here) or ".") + anchor

    return _relinked(markdown, Path(str(page.file.abs_src_path)), link)
