"""Reports of one run a subject, such as an invoice or a payout: which are due, by what the list of subjects says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from tap_billing_reports.reports.keys import split_key, subject_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_billing_reports.reports.state.entry import Entry
    from tap_billing_reports.reports.state.ledger import Ledger

LISTED_FROM = "listed_from"
"""In the bookmark of `invoices`: the first day from which on all of an account's has been listed."""


class Subject(NamedTuple):
    """One subject of a list.

    Attributes:
        number: what the vendor knows it by.
        account: whose it is: the account that is billed, where that is another one than was asked.
        day: its date; None where the vendor gives it none.
        has_report: whether a run of it can be ordered now.
    """

    number: str
    account: str
    day: str | None
    has_report: bool = True

    @property
    def id(self) -> tuple[str, str]:
        """As `Ledger.subjects` knows it."""
        return self.number, self.account


@dataclass(frozen=True)
class Bounds:
    """From which day on an account's subjects are listed. All dates in the source's zone."""

    start_date: date
    today: date
    lookback_days: int
    horizon_days: int | None

    def since(self, seen: str | None, listed_from: str | None = None) -> date:
        """The first day to list after subjects up to `seen` are known, from `listed_from` on.

        A day before `listed_from` that can be listed goes back to all there is: the start date is earlier than it
        was, or a wrong clock has cut the list off.
        """
        if seen is None or reaches_back(listed_from, self.earliest):
            return self.earliest
        # With a clock that is behind, the look-back begins at its own day.
        return max(self.earliest, min(self.look_back(seen), self.today - timedelta(days=self.lookback_days)))

    @property
    def horizon(self) -> date | None:
        """The first day that the vendor keeps as seen from today; None: it keeps all."""
        return None if self.horizon_days is None else self.today - timedelta(days=self.horizon_days)

    @property
    def earliest(self) -> date:
        """The first day that can be listed. What lies before it never counts as listed: the clock may be wrong."""
        return self.start_date if self.horizon is None else max(self.start_date, self.horizon)

    def look_back(self, seen: str) -> date:
        """The first day of the look-back once subjects up to `seen` are known."""
        return date.fromisoformat(seen) - timedelta(days=self.lookback_days)

    def retried_from(self, waiting: str | None, seen: str | None) -> str | None:
        """A day from which on something is to be tried again; None once the vendor keeps it for certain no more.

        Certain is what the vendor itself has dated: today's date may come from a wrong clock.
        """
        if waiting is None or seen is None or self.horizon_days is None:
            return waiting
        kept = timedelta(days=self.horizon_days)
        return waiting if date.fromisoformat(seen) - date.fromisoformat(waiting) <= kept else None


def reaches_back(listed_from: str | None, earliest: date) -> bool:
    """Whether a day that can be listed lies before all that has been; nobody knows of a state without that day."""
    return listed_from is not None and earliest.isoformat() < listed_from


def first_listed(listed_from: str | None, seen: str | None, earliest: date, until: date, newest: str | None) -> str:
    """The first day from which on all has been listed, now that one more list has.

    Args:
        listed_from: that day before, None if nobody knows it.
        seen: up to which day all had been listed before, None if nothing had.
        earliest: the first day of the list if it went back to all there is; see `Bounds.earliest`.
        until: its last day.
        newest: up to which day all has been listed now; the same as `seen` where the list had nothing newer.

    Between two lists that do not meet lies a gap. The later one counts: what can still be listed of it is read by
    the next one. A later list without anything new makes no gap: the next one begins where this one should have.
    """
    start, day = earliest.isoformat(), timedelta(days=1)
    apart = seen is not None and earliest - day > date.fromisoformat(seen)
    if listed_from is not None and apart and newest == seen:
        return listed_from
    if listed_from is None or apart:
        return start
    if start >= listed_from or until + day < date.fromisoformat(listed_from):
        return listed_from
    return start


def list_from(entry: Entry, bounds: Bounds, ledger: Ledger | None = None) -> date:
    """The first day to list: the look-back, and back to the oldest subject that still waits for its run.

    With the ledger, also back to those that wait for an account that is read no more: this one may list them.
    """
    waiting = [*entry.subjects_due.days[:1], *(ledger.left_days[:1] if ledger is not None else [])]
    since = bounds.since(entry.seen, entry.listed_from)
    if waiting:
        oldest = date.fromisoformat(min(waiting))
        since = min(since, max(oldest, bounds.horizon or oldest))
    return since


def note_subjects(
    ledger: Ledger,
    account: str,
    listed: Iterable[Subject],
    bounds: Bounds,
    *,
    before: date | None,
    whole: bool = True,
) -> None:
    """Enter what is newly due, move the date that was seen, forget done subjects that can not come again.

    A list that is not `whole`, because one of its subjects cannot be read, moves no date: that one may come later.
    An invoice that the vendor lists under two accounts (an old and a new customer number) is due once.
    """
    with ledger.changing(account) as entry:
        _note(ledger, entry, listed, bounds, before=before, whole=whole)


def _note(
    ledger: Ledger,
    entry: Entry,
    listed: Iterable[Subject],
    bounds: Bounds,
    *,
    before: date | None,
    whole: bool,
) -> None:
    known = ledger.subjects
    newest, regular = entry.seen, list_from(entry, bounds).isoformat()
    forgotten = _forgotten(entry, bounds)
    for subject in listed:
        day = subject.day
        if day is None:
            # It was listed, so its lines are wanted; it stands with what is newest.
            day = bounds.today.isoformat()
        elif before is not None and day >= before.isoformat():
            continue
        else:
            newest = day if newest is None or day > newest else newest
        pair = subject.id
        if not subject.has_report or pair in known:
            continue
        if (day < regular or forgotten[0] <= day < forgotten[1]) and pair not in ledger.left:
            # Listed for the sake of another one; whether it was done long ago is not known any more.
            continue
        known.add(pair)
        ledger.take_over(pair, entry.account)
        entry.subjects_due.add(day, subject_key(*pair, entry.account))
    if newest is not None and whole:
        until = bounds.today if before is None else min(bounds.today, before - timedelta(days=1))
        seen = max(entry.seen or "", min(newest, bounds.today.isoformat()))
        entry.listed_from = first_listed(entry.listed_from, entry.seen, bounds.earliest, until, seen)
        entry.seen = seen
        _forget(ledger, entry, seen, bounds)


def never_reported(
    ledger: Ledger, account: str, listed: Iterable[Subject], bounds: Bounds, *, before: date | None
) -> list[Subject]:
    """Of subjects that have no report now those that never had one as far as is known.

    To be asked before `note_subjects` moves the date that was seen.
    """
    entry = ledger.entry(account)
    regular, forgotten = list_from(entry, bounds).isoformat(), _forgotten(entry, bounds)
    found = []
    for subject in listed:
        day = subject.day
        if subject.id in ledger.subjects or subject.id in ledger.left:
            continue
        if day is None or not (
            (before is not None and day >= before.isoformat()) or day < regular or forgotten[0] <= day < forgotten[1]
        ):
            found.append(subject)
    return found


def _forgotten(entry: Entry, bounds: Bounds) -> tuple[str, str]:
    """The days, the last one left out, of which an unknown subject counts as done long ago.

    Within the look-back none does, also where that has grown: a report too many is better than one that is missing.
    """
    if entry.seen is None or entry.forgotten_from is None or entry.forgotten_until is None:
        return "", ""
    return entry.forgotten_from, min(entry.forgotten_until, bounds.look_back(entry.seen).isoformat())


def _forget(ledger: Ledger, entry: Entry, seen: str, bounds: Bounds) -> None:
    """Drop the done subjects that no list must have, and note of which days they were."""
    # Within the look-back all are kept, whatever the start date: a later one may become an earlier one again.
    keep = min(list_from(entry, bounds), bounds.look_back(seen)).isoformat()
    start, until = entry.listed_from, entry.forgotten_until
    if start is None or keep <= start:
        return
    if until is not None and entry.forgotten_from is not None and start <= until:
        if keep < entry.forgotten_from:
            return  # two ranges with remembered days between them could not be told
        start, keep_until = min(start, entry.forgotten_from), max(keep, until)
    else:
        keep_until = keep
    entry.forgotten_from, entry.forgotten_until = start, keep_until
    for day in [day for day in entry.subjects_done.days if day < keep]:
        for key in entry.subjects_done.of(day):
            entry.subjects_done.remove(key)
            ledger.subjects.discard(split_key(key, entry.account))


def subject_done(entry: Entry, key: str) -> None:
    """Move a subject from due to done."""
    day = entry.subjects_due.remove(key)
    if day is not None:
        entry.subjects_done.add(day, key)
