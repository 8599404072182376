"""What was ordered, is pending, is done, for one report. Lives in the row stream's own Singer bookmark.

The bookmark's `ledger` is a list with one entry an account: a list, because Meltano merges dicts of two states
key by key, which would bring finished runs back, but replaces lists whole. It is replaced in one assignment,
so that a signal between two instructions leaves the old ledger or the new one.
"""

from __future__ import annotations

import json
from collections import Counter
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from tap_billing_reports.core.errors import ConfigError, StateError
from tap_billing_reports.reports.keys import split_key, subject_key
from tap_billing_reports.reports.realm import REMEDY, hold
from tap_billing_reports.reports.state.entry import Entry
from tap_billing_reports.reports.state.layout import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, MutableMapping
    from contextlib import AbstractContextManager

KEY = "ledger"


class Ledger:
    """The ledger of one report over all its accounts.

    Changes are made in memory and `write` brings them into the bookmark, once for each STATE: made anew at each change,
    an account's part would cost the square of its subjects.

    Args:
        bookmark: gives the row stream's writable bookmark. All changes are made in the main thread.
        uninterrupted: a signal that ends the sync waits until it is left; what it finds is to be whole.
    """

    def __init__(
        self,
        bookmark: Callable[[], MutableMapping[str, Any]],
        uninterrupted: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self._bookmark = bookmark
        self._uninterrupted = uninterrupted
        self._entries = {item["account"]: Entry.from_state(item) for item in bookmark().get(KEY, ())}
        self._states: dict[str, dict[str, object]] = {}
        self._changed = dict.fromkeys(self._entries)
        self._subjects: set[tuple[str, str]] | None = None
        self.left: dict[tuple[str, str], tuple[str, str, str]] = {}
        """Subjects that wait in entries of accounts that are read no more: day, account, key there."""
        self._left_days: Counter[str] = Counter()

    def entry(self, account: str) -> Entry:
        """The account's entry, to be looked at; an empty one if it has none. Changes are made in `changing`."""
        if account not in self._entries:
            self._entries[account] = Entry(account)
        return self._entries[account]

    @contextmanager
    def changing(self, account: str) -> Iterator[Entry]:
        """The account's entry, to be changed; no signal ends the sync in between."""
        with self._uninterrupted():
            self._changed[account] = None
            yield self.entry(account)

    def entries(self) -> Iterable[Entry]:
        """All accounts' entries, to be looked at alone."""
        return self._entries.values()

    def write(self) -> None:
        """Bring what has changed into the bookmark, in one assignment."""
        if not self._changed:
            return
        states = {account: self._entries[account].as_state() for account in self._changed}
        self._states |= states
        self._bookmark()[KEY] = list(self._states.values())
        self._changed.clear()

    @property
    def subjects(self) -> set[tuple[str, str]]:
        """All accounts' subjects, due and done: number and billed account. Who adds or removes one updates this set."""
        if self._subjects is None:
            self._subjects = self._subjects_of(self._entries) - self.left.keys()
        return self._subjects

    def _subjects_of(self, accounts: Collection[str]) -> set[tuple[str, str]]:
        return {
            split_key(key, entry.account)
            for entry in self._entries.values()
            if entry.account in accounts
            for keys in (entry.subjects_due, entry.subjects_done)
            for key in keys
        }

    def leave(self, read: Collection[str]) -> None:
        """The accounts beyond these are read no more: a subject that waits there is free for another that lists it."""
        waiting = {
            split_key(key, account): (day, account, key)
            for account, entry in self._entries.items()
            if account not in read
            for day in entry.subjects_due.days
            for key in entry.subjects_due.of(day)
        }
        held = self._subjects_of(read) if waiting else set()
        self.left = {subject: place for subject, place in waiting.items() if subject not in held}
        self._left_days = Counter(day for day, _account, _key in self.left.values())
        self.subjects.difference_update(self.left)

    @property
    def left_days(self) -> list[str]:
        """The days of the subjects that are `left`, the oldest first."""
        return sorted(self._left_days)

    def take_over(self, subject: tuple[str, str], account: str) -> None:
        """A subject is due in this account's entry: with its run, if it has waited in that of one left."""
        if subject not in self.left:
            return
        day, left, key = self.left.pop(subject)
        self._left_days[day] -= 1
        if not self._left_days[day]:
            del self._left_days[day]
        with self.changing(left) as old, self.changing(account) as new:
            old.subjects_due.remove(key)
            if key in old.open:
                there = subject_key(*subject, account)
                new.open[there] = replace(old.open.pop(key), period=there)

    def begin_again(self, account: str) -> None:
        """As `Entry.begin_again`."""
        with self.changing(account) as entry:
            entry.begin_again()
            self._subjects = None

    def identify(
        self, account: str, stream: str, identity: Mapping[str, Any], realm: MutableMapping[str, str] | None = None
    ) -> None:
        """Remember what the report is and where it comes from, or refuse what it has become.

        Raises:
            ConfigError: the report has state for other settings, or of another realm.
        """
        with self.changing(account) as entry:
            if realm is not None:
                remedy = f"{REMEDY}, or run a full refresh of {stream}"
                hold(entry.realm, realm, f"the state of {stream} account {account}", remedy)
                entry.realm = dict(realm)
            known: dict[str, object] = json.loads(json.dumps(identity))
            if not entry.identity:
                entry.identity = known
                return
        if entry.identity != known:
            changed = sorted(key for key in {*known, *entry.identity} if known.get(key) != entry.identity.get(key))
            raise ConfigError(
                f"{stream} account {account}: {', '.join(changed)} changed, but the report has state for the old "
                f"value: give the report a new name, or run a full refresh of {stream}"
            )


def check_state(stream: str, bookmark: Mapping[str, Any]) -> None:
    """Refuse a ledger that this version cannot go on from.

    Raises:
        StateError: it is foreign, cut, or written by a newer version.
    """
    ledger = bookmark.get(KEY, [])
    if not isinstance(ledger, list):
        raise StateError.of(stream, "holds a ledger that is no list")
    for item in ledger:
        if not isinstance(item, dict) or not isinstance(item.get("account"), str):
            raise StateError.of(stream, "holds a ledger entry without an account")
        if item.get("version") != VERSION:
            raise StateError.newer(stream, item.get("version"), VERSION)
        try:
            Entry.from_state(item)
        except ValueError as error:
            raise StateError.of(stream, f"holds a damaged ledger entry ({error})") from None
