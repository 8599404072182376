"""What a row stream remembers of its columns: the name of each header, and what each account's last files had."""

from __future__ import annotations

from contextlib import nullcontext
from itertools import count
from typing import TYPE_CHECKING, Any

from tap_billing_reports.core.columns import MAX_NAME, column_name, unique_names
from tap_billing_reports.core.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, MutableMapping
    from contextlib import AbstractContextManager

NAMES = "columns"
LAST = "last_columns"

Kind = tuple[str, ...]
"""The headers of one kind of file, sorted."""


class ColumnMemory:
    """Lives in the stream's bookmark; every change replaces a list whole, because Meltano merges objects.

    What files had is changed in memory, and `write` brings it into the bookmark, once for each STATE: made anew for
    each account, the list of all accounts would cost the square of their number.

    Args:
        bookmark: where it lives; asked each time, because the SDK may replace it.
        uninterrupted: a signal that ends the sync waits until it is left; what it finds is to be whole.
    """

    def __init__(
        self,
        bookmark: Callable[[], MutableMapping[str, Any]],
        uninterrupted: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self._bookmark = bookmark
        self._uninterrupted = uninterrupted
        self._accounts: dict[Kind, set[str]] = {}
        self._kinds: dict[str, set[Kind]] = {}
        self._places: dict[Kind, int] = {}
        self._next_place = count()
        for group in bookmark().get(LAST, ()):
            for account in group["accounts"]:
                self._add(account, tuple(sorted(group["columns"])))
        self._is_changed = False

    # -- names -----------------------------------------------------------------------------------------

    def names(self, known: Mapping[str, str], reserved: Collection[str]) -> dict[str, str]:
        """Header -> name, for headers that no catalogue knows.

        An older STATE holds the headers alone, in the order in which they came: then each has the name that the
        version of that time gave it.

        Args:
            known: the names of the headers that the catalogue or the settings know.
            reserved: names that the stream itself has.
        """
        names: dict[str, str] = {}
        for kept in self._bookmark().get(NAMES, ()):
            if isinstance(kept, str):
                taken = {*reserved, *known.values(), *names.values()}
                names.setdefault(kept, known.get(kept) or unique_names([kept], taken)[0])
            else:
                header, name = kept
                # A name that the stream itself has taken since.
                names[header] = unique_names([header], {*reserved, *names.values()})[0] if name in reserved else name
        return names

    def is_older(self) -> bool:
        """Whether a version that kept no names has made progress here."""
        bookmark = self._bookmark()
        has_names = any(not isinstance(kept, str) for kept in bookmark.get(NAMES, ()))
        return "ledger" in bookmark and LAST not in bookmark and not has_names

    def keep_names(self, names: Mapping[str, str]) -> None:
        """All names, those that were kept before among them."""
        kept = [[header, name] for header, name in names.items()]
        if kept and self._bookmark().get(NAMES) != kept:
            self._bookmark()[NAMES] = kept

    # -- what files had --------------------------------------------------------------------------------

    def last(self, account: str) -> list[frozenset[str]]:
        """The headers of the account's last good readings: one set for each kind of file, none before the first."""
        kinds = sorted(self._kinds.get(account, ()), key=self._places.__getitem__)
        return [frozenset(kind) for kind in kinds]

    def note(self, account: str, kinds: Iterable[Collection[str]]) -> None:
        """These are the account's from now on: one set of headers for each kind of file."""
        wanted = dict.fromkeys(tuple(sorted({*headers})) for headers in kinds if headers)
        before = self._kinds.get(account, set())
        if wanted.keys() == before:
            return
        with self._uninterrupted():
            for kind in before - wanted.keys():
                self._remove(account, kind)
            for kind in wanted:
                self._add(account, kind)
            self._is_changed = True

    def _add(self, account: str, kind: Kind) -> None:
        if kind not in self._places:
            self._places[kind] = next(self._next_place)
        self._accounts.setdefault(kind, set()).add(account)
        self._kinds.setdefault(account, set()).add(kind)

    def _remove(self, account: str, kind: Kind) -> None:
        self._kinds[account].discard(kind)
        self._accounts[kind].discard(account)
        if not self._accounts[kind]:
            del self._accounts[kind], self._places[kind]

    def write(self) -> None:
        """Bring what files had into the bookmark, in one assignment."""
        if self._is_changed:
            self._bookmark()[LAST] = [
                {"accounts": sorted(accounts), "columns": list(kind)} for kind, accounts in self._accounts.items()
            ]
            self._is_changed = False


def check_state(stream: str, bookmark: Mapping[str, Any]) -> None:
    """Refuse columns that this version cannot go on with.

    Raises:
        StateError: they are foreign or cut.
    """
    names, last = bookmark.get(NAMES, []), bookmark.get(LAST, [])
    sound = (
        isinstance(names, list)
        and all(isinstance(kept, str) or (_are_texts(kept) and len(kept) == 2) for kept in names)
        and all(isinstance(kept, str) or _can_be_of(*kept) for kept in names)
        and isinstance(last, list)
        and all(isinstance(group, dict) and group.keys() == {"accounts", "columns"} for group in last)
        and all(_are_texts(part) for group in last for part in group.values())
    )
    if not sound:
        raise StateError(
            f"the state of {stream} holds damaged columns: restore an older state, or run a full refresh of it"
        )


def _can_be_of(header: str, name: str) -> bool:
    """Whether a header can have had this name, whatever others there were: that they meet shows at its end alone.

    One that cannot would put the cells of a column into another, without a word.
    """
    return name.isidentifier() and name.startswith(column_name(header)[: MAX_NAME // 2])


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)
