"""What a row stream remembers of its columns: the name of each header, and what each account's last files had."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_billing_reports.core.columns import unique_names
from tap_billing_reports.core.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, MutableMapping

NAMES = "columns"
LAST = "last_columns"


class ColumnMemory:
    """Lives in the stream's bookmark; every change replaces a list whole, because Meltano merges objects.

    Args:
        bookmark: where it lives; asked each time, because the SDK may replace it.
    """

    def __init__(self, bookmark: Callable[[], MutableMapping[str, Any]]) -> None:
        self._bookmark = bookmark

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
        return [frozenset(group["columns"]) for group in self._bookmark().get(LAST, ()) if account in group["accounts"]]

    def note(self, account: str, kinds: Iterable[Collection[str]]) -> None:
        """These are the account's from now on: one set of headers for each kind of file."""
        wanted = {frozenset(headers) for headers in kinds if headers}
        if wanted == {*self.last(account)}:
            return
        groups = {tuple(group["columns"]): {*group["accounts"]} - {account} for group in self._bookmark().get(LAST, ())}
        for headers in wanted:
            groups.setdefault(tuple(sorted(headers)), set()).add(account)
        self._bookmark()[LAST] = [
            {"accounts": sorted(accounts), "columns": list(columns)} for columns, accounts in groups.items() if accounts
        ]


def check_state(stream: str, bookmark: Mapping[str, Any]) -> None:
    """Refuse columns that this version cannot go on with.

    Raises:
        StateError: they are foreign or cut.
    """
    names, last = bookmark.get(NAMES, []), bookmark.get(LAST, [])
    sound = (
        isinstance(names, list)
        and all(isinstance(kept, str) or (_are_texts(kept) and len(kept) == 2) for kept in names)
        and all(isinstance(kept, str) or kept[1].isidentifier() for kept in names)
        and isinstance(last, list)
        and all(isinstance(group, dict) and group.keys() == {"accounts", "columns"} for group in last)
        and all(_are_texts(part) for group in last for part in group.values())
    )
    if not sound:
        raise StateError(
            f"the state of {stream} holds damaged columns: restore an older state, or run a full refresh of it"
        )


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)
