"""Invoices of different issuers under one number: each keeps an id of its own, whichever comes first or alone.

Where the vendor's key is the number, the older one by date and issuer has it for its id. The id of any other one is
the number, `~` and its issuer. What is asked of the vendor is the number alone, so there is one report and one PDF.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_billing_reports.core.about import About
from tap_billing_reports.core.errors import Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, MutableMapping

KEY = "shared_numbers"
APART = "~"


class Shared(NamedTuple):
    """A number that two issuers have used; as a list in STATE.

    Attributes:
        owner: the issuer whose invoice has the number for its id.
        specified: the issuer whose lines the report of that number is taken for; None: none had a specification.
    """

    source: str
    account_id: str
    number: str
    owner: str
    specified: str | None

    @property
    def key(self) -> tuple[str, str, str]:
        """Which number of which account it is."""
        return self.source, self.account_id, self.number


class SharedNumbers:
    """All numbers that more than one issuer has used, for ever, in the bookmark of `invoices`.

    Args:
        bookmark: gives that bookmark.

    Attributes:
        is_unstated: whether a STATE must go out before the first record that depends on what is new.
    """

    def __init__(self, bookmark: Callable[[], MutableMapping[str, Any]]) -> None:
        self._bookmark = bookmark
        self._read: list[list[Any]] = []
        self._known: dict[tuple[str, str, str], Shared] = {}
        self.is_unstated = False

    def _all(self) -> dict[tuple[str, str, str], Shared]:
        """What is known of each number; the bookmark's list, which is replaced whole, is read once."""
        items: list[list[Any]] = self._bookmark().get(KEY, [])
        if items is not self._read:
            self._read = items
            self._known = {shared.key: shared for shared in (Shared(*item) for item in items)}
        return self._known

    def get(self, source: str, account_id: str, number: str) -> Shared | None:
        """What is known of a number."""
        return self._all().get((source, account_id, number))

    def rename(self, listed: Iterable[dict[str, Any]], column: str) -> list[Unreadable]:
        """Give the invoices of one list ids of their own, in place.

        Args:
            listed: the invoices' columns.
            column: which one says whose an invoice is.

        Returns:
            Why some can be given none: an invoice without an issuer, under a number that several have used. Their
            `invoice_id` is empty then.
        """
        groups: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
        for columns in listed:
            groups[columns["source"], columns["account_id"], columns["invoice_id"]].append(columns)
        known = self._all()
        new: dict[tuple[str, str, str], Shared] = {}
        unclear: list[Unreadable] = []
        for key, group in groups.items():
            shared = _judged(key, group, column, known.get(key))
            if shared is None:
                continue
            if shared != known.get(key):
                new[key] = shared
            for columns in group:
                if not columns.get(column):
                    columns["invoice_id"] = ""
                    source, account_id, number = key
                    said = f"several issuers have used its number, and it has no {column}"
                    said = f"invoice {number}: {said}: it could not be told apart from others"
                    unclear.append(Unreadable(said, about=About(source, account_id)))
                elif columns[column] != shared.owner:
                    columns["invoice_id"] = f"{columns['invoice_id']}{APART}{columns[column]}"
        if new:
            self._bookmark()[KEY] = [list(shared) for shared in {**known, **new}.values()]
            self.is_unstated = True
        return unclear


def _judged(
    key: tuple[str, str, str], group: Iterable[dict[str, Any]], column: str, shared: Shared | None
) -> Shared | None:
    """What is known of a number, now that the invoices of one list that have it are; None: one issuer has used it."""
    named = [columns for columns in group if columns.get(column)]
    if shared is None and len({columns[column] for columns in named}) > 1:
        first = min(named, key=lambda one: (one["invoice_date"] is None, one["invoice_date"], one[column]))
        shared = Shared(*key, first[column], None)
    if shared is not None and shared.specified is None:
        with_lines = {one[column] for one in named if one.get("specification_available")}
        shared = shared._replace(
            specified=shared.owner if shared.owner in with_lines else min(with_lines, default=None)
        )
    return shared


def check_shared(bookmark: Mapping[str, Any]) -> None:
    """Raises ValueError or TypeError for what is no list of shared numbers; an older bookmark has none."""
    for item in bookmark.get(KEY, ()):
        *texts, specified = Shared(*item)
        if not isinstance(item, list) or not all(isinstance(text, str) for text in texts):
            raise TypeError
        if specified is not None and not isinstance(specified, str):
            raise TypeError
