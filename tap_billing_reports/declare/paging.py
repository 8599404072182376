"""Pages of a vendor's list: how one leads to the next, and what to do when the record to go on from is gone."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from tap_billing_reports.core.errors import AccountError, Refused, Unreadable
from tap_billing_reports.declare import CursorPaging, LinkPaging, NumberPaging, OffsetPaging, TokenPaging
from tap_billing_reports.declare.numbered_pages import Page, linked, numbered
from tap_billing_reports.declare.paths import local_name, value_at

if TYPE_CHECKING:
    from tap_billing_reports.declare import Endpoint, Paging, Query, Record
    from tap_billing_reports.http.responses import Answer

# Records of a list whose keys are kept: so many in a row may be deleted while it is read.
_TRAIL_RECORDS: Final = 1000
# A list that loses its records faster than it can be read is given up.
_DETOURS: Final = 100


def pages(
    paging: Paging | None,
    ask: Callable[[Query], Page],
    follow: Callable[[str, Page], Page],
    params: Query,
) -> Iterator[Record]:
    """The records of all pages, as the vendor orders them.

    Args:
        paging: how the list is cut; None for one page.
        ask: gets the page of a query.
        follow: gets the page that a link of another one leads to.
        params: of every page's query.

    Raises:
        AccountError: an answer does not say whether or where there is more, or its pages do not advance.
    """
    if isinstance(paging, LinkPaging):
        return linked(paging, ask, follow, params)
    if isinstance(paging, OffsetPaging | NumberPaging):
        return numbered(paging, ask, params)
    return _continued(paging, ask, params)


def _continued(
    paging: CursorPaging | TokenPaging | None, ask: Callable[[Query], Page], params: Query
) -> Iterator[Record]:
    """The same, for pages that go on from a record or a token."""
    cursor = None
    seen: set[str | None] = {None}
    trail = _Trail(paging) if isinstance(paging, CursorPaging) else None
    for number in count(1):
        query = [*params, *([paging.size] if paging is not None and paging.size is not None else [])]
        if paging is not None and cursor is not None:
            query.append((paging.parameter, cursor))
        try:
            page = ask(query)
        except Refused as error:
            if trail is None or cursor is None or not trail.is_lost(error):
                raise
            cursor = trail.earlier(error)
            seen = {None, cursor}
            continue
        yield from page.records if trail is None else trail.new(page.records)
        more = None if paging is None else value_at(page.whole, _more_at(paging))
        if more is None and paging is not None and paging.more:
            raise Unreadable(
                "does not say whether there is more: the vendor's format has changed", about=page.answer.about
            )
        if paging is None or not more:
            return
        following = (
            value_at(page.whole, paging.next) if isinstance(paging, TokenPaging) else _last_key(page.records, paging)
        )
        if following is None:
            raise _no_way_on(page, number, paging)
        cursor = str(following)
        if cursor in seen:
            raise Unreadable(
                f"says that there is more after {cursor}, but sends nothing new; nothing of this list can be trusted",
                about=page.answer.about,
            )
        seen.add(cursor)


class _Trail:
    """The keys of the last records of a list: where to go on once the record at the cursor is gone."""

    def __init__(self, paging: CursorPaging) -> None:
        self._paging = paging
        self._keys: deque[str] = deque(maxlen=_TRAIL_RECORDS)
        self._count = 0
        self._back = 1
        self._detours = 0
        self._old: frozenset[str] = frozenset()

    def new(self, page: list[Record]) -> Iterator[Record]:
        """Those of a page that have not been read, noted as read."""
        for record in page:
            key = value_at(record, self._paging.key)
            if key is not None:
                if str(key) in self._old:
                    continue
                self._keys.append(str(key))
                self._count += 1
            # One without a key is passed on as well: its reader refuses it by name.
            yield record
        self._back = 1

    def is_lost(self, error: Refused) -> bool:
        """Whether this refusal means that the record at the cursor is gone."""
        return self._paging.lost(error)

    def earlier(self, error: Refused) -> str | None:
        """The key before the last ones, in steps that double; None: from the start of the list.

        Raises:
            AccountError: none of those that are kept is there any more.
        """
        # What follows the place has been read, as far as it is still there.
        self._old = frozenset(self._keys)
        self._detours += 1
        last, self._back = self._back, self._back * 2
        if self._detours > _DETOURS or last > len(self._keys):
            raise AccountError(
                f"{error.message}: too much of this list is deleted while it is read: sync again later",
                about=error.about,
            ) from None
        if self._back <= len(self._keys):
            return self._keys[-self._back]
        self._back = len(self._keys) + 1
        return None if self._count == len(self._keys) else self._keys[0]


def records_of(answer: Answer, whole: Any, endpoint: Endpoint) -> list[Record]:
    """The answer's records: a bare list, a list under a known key, or a single one; nulls among them are skipped.

    Raises:
        AccountError: it has none of them, or null stands for a page's list: that does not say that there are none.
    """
    if isinstance(whole, list):
        return _listed(whole, answer)
    shapes = [whole]
    if answer.is_xml:
        # The root's own name may be the list's or the record's: an empty list has no other.
        shapes.append({local_name(answer.xml()): whole})
    for shape in shapes:
        if not isinstance(shape, Mapping):
            continue
        for key in endpoint.records:
            if key in shape:
                found = shape[key]
                # An XML element without content is an empty list, also as null where JSON was made of it: in one piece.
                if found is None and endpoint.paging is not None and not answer.is_xml:
                    raise Unreadable(f"the answer's {key} is null, and no list", about=answer.about)
                if isinstance(found, Mapping) and endpoint.record in found:
                    found = found[endpoint.record]
                return _listed(found, answer)
        if endpoint.record and endpoint.record in shape:
            return _listed(shape[endpoint.record], answer)
    names = ", ".join(filter(None, (*endpoint.records, endpoint.record)))
    raise Unreadable(f"the answer has none of {names}: the vendor's format has changed", about=answer.about)


def _listed(found: Any, answer: Answer) -> list[Record]:
    """Raises AccountError for what is no object: read as a record, it would be one of nulls."""
    items = found if isinstance(found, list) else [found]
    records = [item for item in items if item is not None]
    if not all(isinstance(record, Mapping) for record in records):
        raise Unreadable("a record is no object: the vendor's format has changed", about=answer.about)
    return records


def _no_way_on(page: Page, number: int, paging: CursorPaging | TokenPaging) -> Unreadable:
    """A page says that there is more, but not where: nothing after it can be read."""
    found = f"page {number} of the list says that there is more"
    if not page.records:
        why = "and has no records"
    elif isinstance(paging, TokenPaging):
        why = f"and nothing at {paging.next} to go on with"
    else:
        why = f"and its last record has no {paging.key} to go on from"
    error = Unreadable(f"{found}, {why}: nothing of this list can be trusted", about=page.answer.about)
    error.remedy = f"sync again; if it stays so, ask the vendor's support. {Unreadable.remedy}"
    return error


def _more_at(paging: CursorPaging | TokenPaging) -> str:
    """Where an answer says whether there is more."""
    return paging.more or (paging.next if isinstance(paging, TokenPaging) else "")


def _last_key(page: list[Record], paging: CursorPaging) -> Any:
    return value_at(page[-1], paging.key) if page else None
