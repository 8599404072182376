"""What is known of one report at one account: what is open, what is done, which subjects are due."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tap_billing_reports.reports.state.layout import (
    VERSION,
    BalanceSpan,
    DonePeriod,
    EntryState,
    OpenPeriod,
    decoded,
    encoded,
)
from tap_billing_reports.reports.state.subjects import Subjects

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass
class Entry:
    """One account's part of a ledger.

    Attributes:
        account: the account's id.
        identity: what the report was when its state began; other values are refused.
        first, through: every window with first <= key < through is closed.
        seen: the newest date of a subject that was listed (reports of one run an invoice), `listed_from` the first
            day that was.
        forgotten_from, forgotten_until: the days, the last one left out, whose done subjects are not kept any more.
        open: by period, what was ordered and is not done.
        done: by period, what is done outside the closed range, or may be read again.
        subjects_due, subjects_done: by date; done ones only while they may be listed again.
        unsent: periods were called done while nobody took their rows, for the sake of their files alone.
        gone: the account is not listed any more, and that was said.
        balances: what stood before and behind the periods that were read, of rows that hold balances.
        list_memory: what earlier lists of the account's subjects had; their reader's own.
        realm: where its data come from; empty in a state that was written before that was recorded.
        is_swept: in this sync `done` has been gone through for what is not kept any more. No part of STATE.
    """

    account: str
    identity: dict[str, object] = field(default_factory=dict)
    first: str | None = None
    through: str | None = None
    seen: str | None = None
    listed_from: str | None = None
    forgotten_from: str | None = None
    forgotten_until: str | None = None
    open: dict[str, OpenPeriod] = field(default_factory=dict)
    done: dict[str, DonePeriod] = field(default_factory=dict)
    subjects_due: Subjects = field(default_factory=Subjects)
    subjects_done: Subjects = field(default_factory=Subjects)
    unsent: bool = False
    gone: bool = False
    list_memory: dict[str, object] = field(default_factory=dict)
    balances: list[BalanceSpan] = field(default_factory=list)
    realm: dict[str, str] = field(default_factory=dict)
    is_swept: bool = field(default=False, compare=False)

    @classmethod
    def from_state(cls, value: Mapping[str, object]) -> Entry:
        """The entry of a STATE.

        Raises:
            ValueError: it is damaged.
        """
        state = decoded(value)
        return cls(
            account=state.account,
            identity=state.identity,
            first=state.first,
            through=state.through,
            seen=state.seen,
            listed_from=state.listed_from,
            forgotten_from=state.forgotten_from,
            forgotten_until=state.forgotten_until,
            open={item.period: item for item in state.open},
            done={item.period: item for item in state.done},
            subjects_due=Subjects(state.subjects_due),
            subjects_done=Subjects(state.subjects_done),
            unsent=state.unsent,
            gone=state.gone,
            list_memory=state.list_memory,
            balances=state.balances,
            realm=state.realm,
        )

    def as_state(self) -> dict[str, object]:
        """The entry as it stands in STATE; shares nothing with this one that changes."""
        state = EntryState(
            version=VERSION,
            account=self.account,
            identity=self.identity,
            first=self.first,
            through=self.through,
            seen=self.seen,
            listed_from=self.listed_from,
            forgotten_from=self.forgotten_from,
            forgotten_until=self.forgotten_until,
            open=list(self.open.values()),
            done=list(self.done.values()),
            subjects_due=self.subjects_due.as_state(),
            subjects_done=self.subjects_done.as_state(),
            unsent=self.unsent,
            gone=self.gone,
            list_memory=self.list_memory,
            balances=self.balances,
            realm=self.realm,
        )
        return encoded(state)

    def opened(self, key: str) -> OpenPeriod:
        """What is known of a period that is not done; nothing yet where it is not open."""
        return self.open.get(key) or OpenPeriod(period=key)

    # -- windows ---------------------------------------------------------------------------------------

    def is_closed(self, key: str) -> bool:
        """Whether a window is in the closed range."""
        return self.first is not None and self.through is not None and self.first <= key < self.through

    def close(self, key: str) -> list[str]:
        """A window that is done, whole, joins the closed range if it touches it, and all that then touch it.

        Returns:
            Those that have joined.
        """
        window, joined = self.done[key], list[str]()
        if window.next is None or self.is_closed(key):
            return joined
        if self.first is None or self.through is None:
            # The range begins with the oldest.
            whole = [item for item in self.done.values() if item.next is not None]
            self.first = self.through = min(item.period for item in whole)
        elif window.next == self.first:
            before = {item.next: item.period for item in self.done.values()}
            while self.first in before:
                self.first = before[self.first]
                joined.append(self.first)
        while (following := self.done.get(self.through)) is not None and following.next is not None:
            self.through = following.next
            joined.append(following.period)
        return joined

    # -- all -------------------------------------------------------------------------------------------

    def begin_again(self) -> None:
        """Nothing is done any more: rows that nobody took are wanted now. Rows that may be out stay known."""
        for key, done in self.done.items():
            self.open.setdefault(key, OpenPeriod(period=key, attempt=1, rows=done.rows or 0))
        self.first = self.through = self.seen = self.listed_from = self.forgotten_from = self.forgotten_until = None
        self.done, self.subjects_done, self.unsent, self.balances = {}, Subjects(), False, []
