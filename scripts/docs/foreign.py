"""Finds what a built site would load from another host: scripts, styles, fonts, images, frames."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_ADDRESS = re.compile(r"^(?:https?:)?//", re.IGNORECASE)
_IN_STYLE = re.compile(r"(?:url\(\s*|@import\s+)['\"]?((?:https?:)?//[^'\")\s]+)", re.IGNORECASE)
# Of all links these alone make a browser fetch something.
_FETCHED = {"stylesheet", "icon", "preload", "prefetch", "preconnect", "dns-prefetch", "modulepreload", "manifest"}


class _Loads(HTMLParser):
    """Collects the foreign addresses of one page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        addresses = [given.get("src", ""), given.get("poster", ""), given.get("data", "")]
        addresses += [part.split()[0] for part in given.get("srcset", "").split(",") if part.strip()]
        if tag == "link" and set(given.get("rel", "").lower().split()) & _FETCHED:
            addresses.append(given.get("href", ""))
        self.found += [address for address in addresses if _ADDRESS.match(address)]
        self.found += _IN_STYLE.findall(given.get("style", ""))


def foreign(site: Path) -> list[str]:
    """`page: address` for everything that is fetched from elsewhere when a page is opened."""
    found = []
    for path in sorted(site.rglob("*")):
        if path.suffix == ".html":
            parser = _Loads()
            text = path.read_text(encoding="utf-8")
            parser.feed(text)
            addresses = parser.found + [
                address for style in re.findall(r"<style[^>]*>(.*?)</style>", text, re.DOTALL)
                for address in _IN_STYLE.findall(style)
            ]  # fmt: skip
        elif path.suffix == ".css":
            addresses = _IN_STYLE.findall(path.read_text(encoding="utf-8"))
        else:
            continue
        found += [f"{path.relative_to(site).as_posix()}: {address}" for address in addresses]
    return found
