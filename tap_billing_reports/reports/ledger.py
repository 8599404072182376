"""What was ordered, is pending, is done, for one report. Lives in the row stream's own Singer bookmark.

The bookmark's `ledger` is a list with one entry an account: a list, because Meltano merges dicts of two states
key by key, which would bring finished runs back, but replaces lists whole. It is replaced in one assignment,
so that a signal between two instructions leaves the old ledger or the new one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from tap_billing_reports.dates import parse_utc
from tap_billing_reports.errors import ConfigError, StateError
from tap_billing_reports.reports.subjects import split_key
from tap_billing_reports.reports.windows import ALL

VERSION = 1
KEY = "ledger"

Facts = dict[str, Any]


@dataclass
class Entry:
    """One account's part of a ledger.

    Attributes:
        account: the account's id.
        identity: what the report was when its state began; other values are refused.
        first, through: every window with first <= key < through is closed.
        open: ordered and not done: period -> {run, attempt, at, start, end}.
        done: period -> {end, rows} of what is done outside the closed range, or may be read again.
        seen: the newest date of a subject that was listed (reports of one run an invoice).
        subjects_due, subjects_done: date -> subjects; done ones only while they may be listed again.
        unsent: periods were called done while nobody took their rows, for the sake of their files alone.
    """

    account: str
    identity: Mapping[str, Any] = field(default_factory=dict)
    first: str | None = None
    through: str | None = None
    open: dict[str, Facts] = field(default_factory=dict)
    done: dict[str, Facts] = field(default_factory=dict)
    seen: str | None = None
    subjects_due: dict[str, list[str]] = field(default_factory=dict)
    subjects_done: dict[str, list[str]] = field(default_factory=dict)
    unsent: bool = False

    def as_state(self) -> Facts:
        """The entry as it stands in STATE: lists inside, never dicts keyed by an id."""
        state: Facts = {"version": VERSION, "account": self.account, "identity": dict(self.identity)}
        for name, value in (("first", self.first), ("through", self.through), ("seen", self.seen)):
            if value is not None:
                state[name] = value
        for name, periods in (("open", self.open), ("done", self.done)):
            if periods:
                state[name] = [{"period": key, **facts} for key, facts in periods.items()]
        for name, days in (("subjects_due", self.subjects_due), ("subjects_done", self.subjects_done)):
            if days:
                state[name] = [[day, *subjects] for day, subjects in sorted(days.items()) if subjects]
        if self.unsent:
            state["unsent"] = True
        return state

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
            first=state.get("first"),
            through=state.get("through"),
            open=periods("open"),
            done=periods("done"),
            seen=state.get("seen"),
            subjects_due={day: list(subjects) for day, *subjects in state.get("subjects_due", ())},
            subjects_done={day: list(subjects) for day, *subjects in state.get("subjects_done", ())},
            unsent=state.get("unsent", False),
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
        self.first = self.through = self.seen = None
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
        return {
            split_key(key, entry.account)
            for entry in self._entries.values()
            for days in (entry.subjects_due, entry.subjects_done)
            for keys in days.values()
            for key in keys
        }

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

    def identify(self, account: str, stream: str, identity: Mapping[str, Any]) -> None:
        """Remember what the report is, or refuse what it has become.

        Raises:
            ConfigError: the report has state for other settings.
        """
        entry = self.entry(account)
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
    advice = "restore an older state, or run a full refresh of that stream"
    if not isinstance(ledger, list):
        raise StateError(f"the state of {stream} holds a ledger that is no list: {advice}")
    for item in ledger:
        if not isinstance(item, Mapping) or not isinstance(item.get("account"), str):
            raise StateError(f"the state of {stream} holds a ledger entry without an account: {advice}")
        version = item.get("version")
        if version != VERSION:
            raise StateError(
                f"the state of {stream} has ledger version {version!r}, this tap reads version {VERSION}: "
                f"update the tap, or {advice}"
            )
        try:
            _check_entry(Entry.from_state(item))
        except (KeyError, TypeError, ValueError, AttributeError):
            raise StateError(f"the state of {stream} holds a damaged ledger entry: {advice}") from None


def _check_entry(entry: Entry) -> None:
    """What a sync would stumble over half-way. Raises KeyError, TypeError, ValueError or AttributeError."""
    instants: list[Any] = [moment for moment in (entry.first, entry.through) if moment is not None]
    for key, facts in entry.open.items():
        instants += [facts[name] for name in ("at", "start", "end") if name in facts]
        if "run" in facts and (key == ALL or _is_instant(key)):
            instants += [facts["start"], facts["end"]]
    for facts in entry.done.values():
        # A subject that is done has no facts.
        instants += [facts["end"], *(facts[name] for name in ("next", "at") if name in facts)] if facts else []
    for moment in instants:
        parse_utc(moment)
    for facts in (*entry.open.values(), *entry.done.values()):
        for name in ("attempt", "rows", "out_rows"):
            int(facts.get(name, 0))
    days = [*entry.subjects_due, *entry.subjects_done, *([] if entry.seen is None else [entry.seen])]
    for day in days:
        date.fromisoformat(day)


def _is_instant(key: str) -> bool:
    try:
        parse_utc(key)
    except ValueError:
        return False
    return True
