"""Which invoices' documents are kept: `invoice_documents`' own bookmark, by requested account.

A list of accounts, each with a list of documents, because Meltano merges dicts of two states key by key and
replaces lists whole. Documents that the look-back can not list again are forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from tap_billing_reports.core.errors import StateError
from tap_billing_reports.reports.per_invoice import first_listed
from tap_billing_reports.reports.realm import KEY as REALM
from tap_billing_reports.reports.realm import is_realm
from tap_billing_reports.singer.invoices.list_memory import KEY as LIST_MEMORY

if TYPE_CHECKING:
    from tap_billing_reports.reports.per_invoice import Bounds
    from tap_billing_reports.singer.invoices.reader import Brief

VERSION = 1
KEY = "documents"

Item = list[Any]
"""Invoice date (or an empty text), invoice number, bytes, and the billed account if it is not the one asked."""


@dataclass
class Progress:
    """One requested account's part.

    Attributes:
        seen: the newest invoice date whose list was gone through to its end.
        retry_from: the oldest invoice whose document could not be had for a passing reason.
        done: the documents that are kept.
        realm: where they come from; empty where that was not recorded.
        listed_from: the first day from which on all was gone through.
        list_memory: what earlier lists had.
    """

    source: str
    account_id: str
    seen: str | None = None
    retry_from: str | None = None
    done: list[Item] = field(default_factory=list)
    listed_from: str | None = None
    realm: Mapping[str, str] = field(default_factory=dict)
    list_memory: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_state(cls, part: Mapping[str, Any]) -> Progress:
        """The part of a bookmark that `check_state` has accepted."""
        facts = (part.get("seen"), part.get("retry_from"), list(part["done"]), part.get("listed_from"))
        memory = dict(part.get(LIST_MEMORY, {}))
        return cls(part["source"], part["account_id"], *facts, realm=part.get(REALM, {}), list_memory=memory)

    def as_state(self) -> dict[str, Any]:
        """The part as it stands in the bookmark. `done` is shared with it: it grows in place."""
        return {
            "version": VERSION,
            "source": self.source,
            "account_id": self.account_id,
            "seen": self.seen,
            "listed_from": self.listed_from,
            "retry_from": self.retry_from,
            "done": self.done,
            **({REALM: dict(self.realm)} if self.realm else {}),
            **({LIST_MEMORY: dict(self.list_memory)} if self.list_memory else {}),
        }

    def list_from(self, bounds: Bounds) -> date:
        """The first day to list: the look-back, and back to what must be tried again while it can be listed."""
        since = bounds.since(self.seen, self.listed_from)
        if self.retry_from is None:
            return since
        oldest = date.fromisoformat(self.retry_from)
        return min(since, max(oldest, bounds.horizon or oldest))

    def note(self, brief: Brief, size: int) -> None:
        """The invoice's document is kept, and its record is out."""
        item: Item = [brief.invoice_date or "", brief.invoice_id, size]
        if brief.account_id != self.account_id:
            item.append(brief.account_id)
        self.done.append(item)

    def pass_ended(self, bounds: Bounds, until: date, *, newest: str | None, retry_from: str | None) -> None:
        """The account's list was gone through, up to `until`: move on, and forget what cannot be listed again.

        Args:
            bounds: what was listed, from which day on.
            until: up to which day.
            newest: the newest invoice that is known.
            retry_from: the oldest of this list that is to be tried again.
        """
        listed = self.list_from(bounds).isoformat()
        if newest is not None:
            seen = max(self.seen or "", min(newest, bounds.today.isoformat()))
            self.listed_from = first_listed(self.listed_from, self.seen, bounds.earliest, until, seen)
            self.seen = seen
        self.retry_from = self._still_waiting(bounds, listed, until, retry_from)
        keep = self.list_from(bounds).isoformat()
        if self.seen is not None:
            keep = min(keep, bounds.look_back(self.seen).isoformat())
        self.done = [item for item in self.done if not item[0] or item[0] >= keep]

    def _still_waiting(self, bounds: Bounds, listed: str, until: date, retry_from: str | None) -> str | None:
        """The oldest that waits, also outside the days that were listed: a wrong clock, or `end_date`, cuts them."""
        if self.retry_from is None:
            return retry_from
        waiting = [retry_from]
        if self.retry_from < listed:
            waiting.append(bounds.retried_from(self.retry_from, self.seen))
        if self.seen is not None and until.isoformat() < self.seen:
            waiting.append(max(self.retry_from, (until + timedelta(days=1)).isoformat()))
        return min(filter(None, waiting), default=None)


class DocumentMemory:
    """All accounts' parts. They live in the stream's bookmark, as a list that `write` replaces whole for each STATE.

    Args:
        bookmark: where they live, accepted by `check_state`; asked each time, because the SDK may replace it.
    """

    def __init__(self, bookmark: Callable[[], MutableMapping[str, Any]]) -> None:
        self._bookmark = bookmark
        self._parts = {(part["source"], part["account_id"]): part for part in bookmark().get(KEY, ())}
        self._is_changed = False

    def load(self, source: str, account_id: str) -> Progress:
        """The account's progress, as it was saved last."""
        part = self._parts.get((source, account_id))
        return Progress(source, account_id) if part is None else Progress.from_state(part)

    def save(self, progress: Progress) -> None:
        """The account's progress is this from now on: each STATE has it, with what `done` has grown to by then."""
        self._parts[progress.source, progress.account_id] = progress.as_state()
        self._is_changed = True

    def lost(self, there: Collection[tuple[str, str]]) -> list[tuple[str, str]]:
        """The accounts (source, id) that earlier syncs had and that are not `there`; each is told once and for all.

        A source of which no account is there was not read: nothing is known of it.
        """
        read = {source for source, _account_id in there}
        found = []
        for key, part in self._parts.items():
            if key[0] in read and key not in there and not part.get("gone"):
                self._parts[key] = {**part, "gone": True}
                self._is_changed = True
                found.append(key)
        return found

    def write(self) -> None:
        """Bring what has changed into the bookmark, in one assignment."""
        if self._is_changed:
            self._bookmark()[KEY] = list(self._parts.values())
            self._is_changed = False


def kept_sizes(bookmark: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str, str], int]]:
    """All documents of a bookmark: (source, billed account, invoice) and their bytes."""
    for part in bookmark.get(KEY, ()):
        for _day, invoice_id, size, *billed in part["done"]:
            yield (part["source"], billed[0] if billed else part["account_id"], invoice_id), size


def check_state(stream: str, bookmark: Mapping[str, Any]) -> None:
    """Refuse progress that this version cannot go on from.

    Raises:
        StateError: it is foreign, cut, or written by a newer version.
    """
    parts = bookmark.get(KEY, [])
    for part in parts if isinstance(parts, list) else [None]:
        if not isinstance(part, Mapping):
            raise StateError.of(stream, "holds damaged progress")
        if part.get("version") != VERSION:
            raise StateError.newer(stream, part.get("version"), VERSION)
    try:
        for part in parts:
            if not is_realm(part.get(REALM, {})):
                raise TypeError
            dict(kept_sizes({KEY: [part]}))
            for day in (part.get("seen"), part.get("listed_from"), part.get("retry_from")):
                if day is not None:
                    date.fromisoformat(day)
    except (KeyError, TypeError, ValueError):
        raise StateError.of(stream, "holds damaged progress") from None
