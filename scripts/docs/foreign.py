"""Finds what a built site would load from another host: scripts, styles, fonts, images, frames."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_ADDRESS = re.compile(r"^(?:https?:)?//", re.IGNORECASE)
_IN_STYLE = re.compile(r"(?:url\(\s*|@import\s+)['\"]?((?:https?:)?//[^'\")\s]+)", re.IGNORECASE)
# Of all links these alone make a browser fetch something.
_FETCHED = {"stylesheet", "icon", "preload", "prefetch", "preconnect", "dns-prefetch", "modulepreload", "manifest"}


class _Loads(HTMLParser):
    """Collects the foreign addresses of one page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        addresses = [given.get("src", ""), given.get("poster", ""), given.get("data", "")]
        addresses += [part.split()[0] for part in given.get("srcset", "").split(",") if part.strip()]
        if tag == "link" and set(given.get("rel", "").lower().split()) & _FETCHED:
            addresses.append(given.get("href", ""))
        self.found += [address for address in addresses if _ADDRESS.match(address)]
        self.found += _IN_STYLE.findall(given.get("style", ""))

    def handle_data(self, data: str) -> None:
        if self.lasttag == "style":
            self.found += _IN_STYLE.findall(data)


def foreign(site: Path) -> list[str]:
    """`page: address` for everything that is fetched from elsewhere when a page is opened."""
    read: dict[str, Callable[[str], list[str]]] = {".html": lambda text: _Loads(text).found, ".css": _IN_STYLE.findall}
    return [
        f"{path.relative_to(site).as_posix()}: {address}"
        for path in sorted(site.rglob("*"))
        if path.suffix in read
        for address in read[path.suffix](path.read_text(encoding="utf-8"))
    ]
