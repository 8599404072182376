"""Lists that are read by offset, by page number, or by the vendor's own link to the next page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urljoin, urlsplit

from tap_billing_reports.core.errors import ListMoved, Unreadable
from tap_billing_reports.declare.endpoints import LinkPaging, NumberPaging, OffsetPaging
from tap_billing_reports.declare.paths import value_at
from tap_billing_reports.http.transport import origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tap_billing_reports.declare.endpoints import Query, Record
    from tap_billing_reports.http.responses import Answer

# One link of an RFC 8288 header, and its relation.
_LINK: Final = re.compile(r"<([^>]*)>((?:\s*;\s*[\w*-]+\s*=\s*(?:\"[^\"]*\"|[^\s\",;]+))*)")
_REL: Final = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s\",;]+))", re.IGNORECASE)


@dataclass(frozen=True)
class Page:
    """One answer of a list: as it came, its whole body, its records."""

    answer: Answer
    whole: Any
    records: list[Record]


@dataclass(frozen=True)
class Place:
    """Where a link leads: a declared host, the path below its base URL, the query."""

    host: str
    path: str
    query: Query


def numbered(paging: OffsetPaging | NumberPaging, ask: Callable[[Query], Page], params: Query) -> Iterator[Record]:
    """The records of all pages; arguments as for `paging.pages`.

    Raises:
        Unreadable: a page comes again, or does not state the total that the declaration names.
        ListMoved: the list has become shorter meanwhile: what moved to pages that were read already is not known.
    """
    place, read, total, before = paging.first, 0, None, None
    while True:
        size = [] if paging.size is None else [paging.size]
        page = ask([*params, *size, (paging.parameter, str(place))])
        about = page.answer.about
        if page.records and page.records == before:
            raise Unreadable(f"the page at {paging.parameter} {place} is the one before it once more", about=about)
        yield from page.records
        read, before = read + len(page.records), page.records
        if paging.total:
            stated = _whole(value_at(page.whole, paging.total))
            if stated is None:
                raise Unreadable(f"does not say at {paging.total} how many there are", about=about)
            if total is not None and stated < total:
                raise ListMoved(f"the list became shorter while it was read: {stated} of {total}", about=about)
            total = stated
            if isinstance(paging, OffsetPaging) and page.records == [] and read < total:
                raise ListMoved(f"the list ends after {read} records, but says that it has {total}", about=about)
        reached = read if isinstance(paging, OffsetPaging) else place - paging.first + 1
        if not page.records or (total is not None and reached >= total):
            return
        place = place + len(page.records) if isinstance(paging, OffsetPaging) else place + 1


def _whole(value: Any) -> int | None:
    """A count, as a number or its digits; None for anything else."""
    digits = str(value)
    return int(digits) if not isinstance(value, bool) and digits.isascii() and digits.isdigit() else None


def linked(
    paging: LinkPaging,
    ask: Callable[[Query], Page],
    follow: Callable[[str, Page], Page],
    params: Query,
) -> Iterator[Record]:
    """The records of all pages.

    Args:
        paging: where an answer has its link.
        ask: gets the first page.
        follow: gets the page that a link leads to; refuses one that leads to no declared host.
        params: the query of the first page: a link has its own.

    Raises:
        Unreadable: a link is no text, or leads to a page that was read.
    """
    page = ask([*params, *([] if paging.size is None else [paging.size])])
    seen: set[str] = set()
    for number in count(1):
        yield from page.records
        link = _in_header(page.answer) if paging.next is None else value_at(page.whole, paging.next)
        if link is None or link == "":
            return
        if not isinstance(link, str) or link in seen:
            raise Unreadable(
                f"page {number} of the list has no usable link to the next one: nothing of this list can be trusted",
                about=page.answer.about,
            )
        seen.add(link)
        page = follow(link, page)


def _in_header(answer: Answer) -> str | None:
    """The link of the relation `next` in the header `Link`."""
    for target, attributes in _LINK.findall(answer.headers.get("Link") or ""):
        found = _REL.search(attributes)
        if found is not None and "next" in (found[1] or found[2] or "").lower().split():
            return str(target)
    return None


def place_of(link: str, page_url: str, bases: Mapping[str, str], page: Page) -> Place:
    """Where a link leads.

    Args:
        link: absolute, or relative to the page that has it.
        page_url: of the page.
        bases: host of the declaration -> its base URL.
        page: the one that has it.

    Raises:
        Unreadable: to no host of the declaration. The link itself is not shown: it may hold a key.
    """
    try:
        target = urljoin(page_url, link)
        there = origin(target)
        host, base = next(
            (name, url)
            for name, url in bases.items()
            if origin(url) == there and urlsplit(target).path.startswith(urlsplit(url).path.rstrip("/") + "/")
        )
    except (ValueError, StopIteration):
        raise Unreadable(
            "its link to the next page leads to no host of the declaration; nothing was sent there",
            about=page.answer.about,
        ) from None
    parts = urlsplit(target)
    path = parts.path[len(urlsplit(base).path.rstrip("/")) :]
    return Place(host, path, parse_qsl(parts.query, keep_blank_values=True))
