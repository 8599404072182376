"""What was ordered, is pending, is done, for one report. Lives in the row stream's own Singer bookmark.

The bookmark's `ledger` is a list with one entry an account: a list, because Meltano merges dicts of two states
key by key, which would bring finished runs back, but replaces lists whole. It is replaced in one assignment,
so that a signal between two instructions leaves the old ledger or the new one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from tap_billing_reports.core.dates import parse_utc
from tap_billing_reports.core.errors import ConfigError, StateError
from tap_billing_reports.reports.keys import split_key, subject_key
from tap_billing_reports.reports.realm import KEY as KEY_REALM
from tap_billing_reports.reports.realm import REMEDY, hold, is_realm
from tap_billing_reports.reports.windows import ALL

VERSION = 1
KEY = "ledger"

Facts = dict[str, Any]
_TEXTS = ("first", "through", "seen", "listed_from", "forgotten_from", "forgotten_until")  # of an entry, or absent


@dataclass
class Entry:
    """One account's part of a ledger.

    Attributes:
        account: the account's id.
        identity: what the report was when its state began; other values are refused.
        first, through: every window with first <= key < through is closed.
        open: ordered and not done: period -> {run, attempt, at, start, end}; with `bad` and `bad_since` how often that
            run was no good, with `failed` and `failed_at` how many runs before it came to nothing, with `refused` how
            many orders.
        done: period -> {start, end, rows} of what is done outside the closed range, or may be read again; `start`
            where it was not the period's own.
        seen: the newest date of a subject that was listed (reports of one run an invoice), `listed_from` the first
            day that was.
        subjects_due, subjects_done: date -> subjects; done ones only while they may be listed again.
        forgotten_from, forgotten_until: the days, the last one left out, whose done subjects are not kept any more.
        realm: where its data come from; empty in a state that was written before that was recorded.
        list_memory: what earlier lists of the account's subjects had.
        gone: the account is not listed any more, and that was said.
        unsent: periods were called done while nobody took their rows, for the sake of their files alone.
    """

    account: str
    identity: Mapping[str, Any] = field(default_factory=dict)
    first: str | None = None
    through: str | None = None
    open: dict[str, Facts] = field(default_factory=dict)
    done: dict[str, Facts] = field(default_factory=dict)
    seen: str | None = None
    listed_from: str | None = None
    subjects_due: dict[str, list[str]] = field(default_factory=dict)
    subjects_done: dict[str, list[str]] = field(default_factory=dict)
    forgotten_from: str | None = None
    forgotten_until: str | None = None
    unsent: bool = False
    realm: Mapping[str, str] = field(default_factory=dict)
    list_memory: dict[str, Any] = field(default_factory=dict)
    gone: bool = False

    def as_state(self) -> Facts:
        """The entry as it stands in STATE: lists inside, never dicts keyed by an id."""
        state: Facts = {"version": VERSION, "account": self.account, "identity": dict(self.identity)}
        for name in _TEXTS:
            if (value := getattr(self, name)) is not None:
                state[name] = value
        for name, periods in (("open", self.open), ("done", self.done)):
            if periods:
                state[name] = [{"period": key, **facts} for key, facts in periods.items()]
        for name, days in (("subjects_due", self.subjects_due), ("subjects_done", self.subjects_done)):
            if days:
                state[name] = [[day, *subjects] for day, subjects in sorted(days.items()) if subjects]
        rest = {
            "unsent": self.unsent,
            "gone": self.gone,
            "list_memory": dict(self.list_memory),
            KEY_REALM: dict(self.realm),
        }
        return state | {name: value for name, value in rest.items() if value}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Entry:
        """The entry of a STATE that `check_state` has accepted."""

        def periods(name: str) -> dict[str, Facts]:
            return {
                item["period"]: {key: value for key, value in item.items() if key != "period"}
                for item in state.get(name, ())
            }

        return cls(
            account=state["account"],
            identity=state.get("identity", {}),
            open=periods("open"),
            done=periods("done"),
            subjects_due={day: list(subjects) for day, *subjects in state.get("subjects_due", ())},
            subjects_done={day: list(subjects) for day, *subjects in state.get("subjects_done", ())},
            unsent=state.get("unsent", False),
            gone=state.get("gone", False),
            list_memory=dict(state.get("list_memory", {})),
            realm=state.get(KEY_REALM, {}),
            **{name: state.get(name) for name in _TEXTS},
        )

    def is_closed(self, key: str) -> bool:
        """Whether a window is in the closed range."""
        return self.first is not None and self.through is not None and self.first <= key < self.through

    def close(self, key: str, next_key: str) -> None:
        """Extend the closed range by a complete window if it touches it, or begin it there."""
        if self.first is None or self.through is None:
            self.first, self.through = key, next_key
        elif key == self.through:
            self.through = next_key
        elif next_key == self.first:
            self.first = key

    def begin_again(self) -> None:
        """Nothing is done any more: rows that nobody took are wanted now. Rows that may be out stay known."""
        for key, facts in self.done.items():
            self.open.setdefault(key, {"attempt": 1, "rows": facts.get("rows", 0)})
        self.first = self.through = self.seen = self.listed_from = self.forgotten_from = self.forgotten_until = None
        self.done, self.subjects_done, self.unsent = {}, {}, False


class Ledger:
    """The ledger of one report over all its accounts.

    Args:
        bookmark: gives the row stream's writable bookmark. All changes are made in the main thread.
    """

    def __init__(self, bookmark: Callable[[], MutableMapping[str, Any]]) -> None:
        self._bookmark = bookmark
        self._entries = {item["account"]: Entry.from_state(item) for item in bookmark().get(KEY, ())}
        self._states: dict[str, Facts] = {}
        self._touched = dict.fromkeys(self._entries)
        self.left: dict[tuple[str, str], tuple[str, str, str]] = {}
        """Subjects that wait in entries of accounts that are read no more: day, account, key there."""

    def entry(self, account: str) -> Entry:
        """The account's entry, new if it has none; to be got anew for each change, and `save`d after it."""
        if account not in self._entries:
            self._entries[account] = Entry(account)
        self._touched[account] = None
        return self._entries[account]

    def entries(self) -> Iterable[Entry]:
        """All accounts' entries, to be looked at alone."""
        return self._entries.values()

    @cached_property
    def subjects(self) -> set[tuple[str, str]]:
        """All accounts' subjects, due and done: number and billed account. Whoever enters or forgets one tells it."""
        return self._subjects_of(self._entries) - self.left.keys()

    def _subjects_of(self, accounts: Collection[str]) -> set[tuple[str, str]]:
        return {
            split_key(key, entry.account)
            for entry in self._entries.values()
            if entry.account in accounts
            for days in (entry.subjects_due, entry.subjects_done)
            for keys in days.values()
            for key in keys
        }

    def leave(self, read: Collection[str]) -> None:
        """The accounts beyond these are read no more: a subject that waits there is free for another that lists it."""
        waiting = {
            split_key(key, account): (day, account, key)
            for account, entry in self._entries.items()
            if account not in read
            for day, keys in entry.subjects_due.items()
            for key in keys
        }
        held = self._subjects_of(read) if waiting else set()
        self.left = {subject: place for subject, place in waiting.items() if subject not in held}
        self.subjects.difference_update(self.left)

    def take_over(self, subject: tuple[str, str], account: str) -> None:
        """A subject is due in this account's entry: with its run, if it has waited in that of one left."""
        if subject not in self.left:
            return
        day, left, key = self.left.pop(subject)
        old = self.entry(left)
        old.subjects_due[day].remove(key)
        if key in old.open:
            self.entry(account).open[subject_key(*subject, account)] = old.open.pop(key)

    def begin_again(self, account: str) -> None:
        """As `Entry.begin_again`; not saved yet."""
        self.entry(account).begin_again()
        self.__dict__.pop("subjects", None)

    def save(self) -> None:
        """Write the entries to the bookmark, in one assignment; only those that may have changed are made anew."""
        for account in self._touched:
            self._states[account] = self._entries[account].as_state()
        self._touched.clear()
        self._bookmark()[KEY] = list(self._states.values())

    def identify(
        self, account: str, stream: str, identity: Mapping[str, Any], realm: MutableMapping[str, str] | None = None
    ) -> None:
        """Remember what the report is and where it comes from, or refuse what it has become.

        Raises:
            ConfigError: the report has state for other settings, or of another realm.
        """
        entry = self.entry(account)
        if realm is not None:
            remedy = f"{REMEDY}, or run a full refresh of {stream}"
            hold(entry.realm, realm, f"the state of {stream} account {account}", remedy)
            entry.realm = dict(realm)
        identity = json.loads(json.dumps(identity))
        if not entry.identity:
            entry.identity = identity
        elif entry.identity != identity:
            changed = sorted(
                key for key in {*identity, *entry.identity} if identity.get(key) != entry.identity.get(key)
            )
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
        if not isinstance(item, Mapping) or not isinstance(item.get("account"), str):
            raise StateError.of(stream, "holds a ledger entry without an account")
        if item.get("version") != VERSION:
            raise StateError.newer(stream, item.get("version"), VERSION)
        try:
            _check_shape(item)
            _check_entry(Entry.from_state(item))
        except (KeyError, TypeError, ValueError, AttributeError):
            raise StateError.of(stream, "holds a damaged ledger entry") from None


def _check_shape(item: Mapping[str, Any]) -> None:
    """Raises TypeError where a part of an entry is of another kind than what is written there."""
    facts = [facts for name in ("open", "done") for facts in item.get(name, ())]
    for values, kind, names in (
        ([item], Mapping, ("identity", KEY_REALM, "list_memory")),
        ([item], bool, ("unsent", "gone")),
        ([item], str, _TEXTS),
        (facts, str, ("period", "run", "at", "start", "end", "next", "bad_since", "failed_at")),
        (facts, int, ("attempt", "rows", "out_rows", "bad", "failed", "refused")),
    ):
        if not all(isinstance(value[name], kind) for value in values for name in names if name in value):
            raise TypeError
    if not is_realm(item.get(KEY_REALM, {})):
        raise TypeError
    days = [day for name in ("subjects_due", "subjects_done") for day in item.get(name, ())]
    if not all(isinstance(day, list) and all(isinstance(text, str) for text in day) for day in days):
        raise TypeError


def _check_entry(entry: Entry) -> None:
    """What a sync would stumble over half-way. Raises KeyError, TypeError, ValueError or AttributeError."""
    instants: list[Any] = [moment for moment in (entry.first, entry.through) if moment is not None]
    # One subject may be called `all`, too: then it has no window.
    has_subjects = bool(entry.identity) and "window" not in entry.identity
    if "window" in entry.identity:
        instants += [key for key in (*entry.open, *entry.done) if key != ALL]
    for key, facts in entry.open.items():
        instants += [facts[name] for name in ("at", "start", "end", "bad_since", "failed_at") if name in facts]
        if "run" in facts and (_is_instant(key) or (key == ALL and not has_subjects)):
            instants += [facts["start"], facts["end"]]
    for facts in entry.done.values():
        # A subject that is done has no facts.
        instants += [facts["end"], *(facts[name] for name in ("start", "next", "at") if name in facts)] if facts else []
    for moment in instants:
        parse_utc(moment)
    for facts in (*entry.open.values(), *entry.done.values()):
        for name in ("attempt", "rows", "out_rows"):
            int(facts.get(name, 0))
    days = (entry.seen, entry.listed_from, entry.forgotten_from, entry.forgotten_until)
    listed = [day for day in days if day is not None]
    for day in (*entry.subjects_due, *entry.subjects_done, *listed):
        date.fromisoformat(day)


def _is_instant(key: str) -> bool:
    try:
        parse_utc(key)
    except ValueError:
        return False
    return True
