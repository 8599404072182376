"""`billing-reports doctor`: what is odd in the warehouse, its STATE, the journal and the storage, and what to do."""

from __future__ import annotations

import json
from collections import defaultdict
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from tap_billing_reports.cli.kept_state import states
from tap_billing_reports.core.dates import utc_text
from tap_billing_reports.core.errors import BillingError, StateError
from tap_billing_reports.core.redaction import sentence
from tap_billing_reports.page.read import opened
from tap_billing_reports.page.syncs import last_syncs
from tap_billing_reports.page.words import ago
from tap_billing_reports.reports.state import journal, ledger
from tap_billing_reports.reports.state.entry import Entry
from tap_billing_reports.storage import lock, workspace
from tap_billing_reports.warehouse.database import literal, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_billing_reports.page.read import Reading
    from tap_billing_reports.page.syncs import LastSync
    from tap_billing_reports.storage.files import Storage
    from tap_billing_reports.warehouse.address import Address

# A run takes minutes, seldom hours, and each sync goes on with it: one that is older has been met by no sync since.
PENDING: Final = timedelta(days=1)
# What every table of report rows has, and no other table.
_ROWS: Final = frozenset({"source", "account_id", "report_name", "period", "row_number"})


@dataclass(frozen=True)
class Odd:
    """Something that should not be so.

    Attributes:
        where: `warehouse`, `state`, `journal`, `storage` or `temporary folder`.
        what: in one line.
        remedy: what to do about it.
    """

    where: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return sentence(f"{self.where}: {self.what} -> {self.remedy}", 1000)


@dataclass
class Doctor:
    """Looks at one place after the other; nothing is changed.

    Attributes:
        now: a run that was ordered more than `PENDING` before is odd.
        looked_at: the places, in words.
        odd: what was found.
        syncs: when each vendor was last read, by job.
    """

    now: datetime
    looked_at: list[str] = field(default_factory=list)
    odd: list[Odd] = field(default_factory=list)
    syncs: list[LastSync] = field(default_factory=list)
    _runs: set[str] = field(default_factory=set)
    """Runs that the warehouse or a STATE names."""
    _told: set[str] = field(default_factory=set)
    """Runs that have been told of: STATE and journal know the same ones."""

    def report(self) -> dict[str, Any]:
        """For programs."""
        return {
            "looked_at": self.looked_at,
            "odd": [asdict(one) for one in self.odd],
            "syncs": [
                {
                    "source": one.source,
                    "job": one.job,
                    "whole_at": _text(one.whole_at),
                    "failed_since": _text(one.failed_since),
                }
                for one in self.syncs
            ],
        }

    def lines(self) -> Iterator[str]:
        """For people."""
        yield from map(str, self.odd)
        for one in self.syncs:
            read = "never" if one.age is None else f"{_text(one.whole_at)}, {ago(one.age)}"
            yield f"last sync of {one.source} without a failure: {read} (job {one.job})"
        seen = ", ".join(self.looked_at) or "nothing: name a warehouse with --in, or settings with storage_url"
        yield f"looked at: {seen}; {len(self.odd)} odd"

    # -- the warehouse ---------------------------------------------------------------------------------

    def look_at_warehouse(self, address: Address, schema: str) -> None:
        """Failed checks, STATE and tables; what refuses is odd itself."""
        self.looked_at.append(f"warehouse {address.shown}")
        try:
            with opened(address, schema, with_views=False) as reading:
                tables = _columns(reading, schema)
                self._failed_checks(reading, schema, tables)
                self._known_runs(reading, tables)
                self._states(states(reading), reading, tables)
                self.syncs = [*last_syncs(reading)]
                self._failed_syncs()
        except BillingError as error:
            self.odd.append(Odd("warehouse", error.message, error.remedy or "mend that, and run this again"))

    def _failed_checks(self, reading: Reading, schema: str, tables: Mapping[str, frozenset[str]]) -> None:
        if not {"check", "ok", "subject", "reason", "difference"} <= tables.get("reconciliations", frozenset()):
            return
        rows = reading.rows(
            'select source, account_id, "check", count(*), min(subject), max(subject) '
            'from {schema}."reconciliations" where ok = false group by 1, 2, 3 order by 1, 2, 3'
        )
        for source, account, check, count, first, last in rows:
            which = first if count == 1 else f"{count} times, {first} to {last}"
            remedy = (
                f'`billing-reports query "select * from {schema}.reconciliations where ok = false"` shows the amounts'
            )
            self.odd.append(Odd("warehouse", f"{source} account {account}: check {check} failed: {which}", remedy))

    def _known_runs(self, reading: Reading, tables: Mapping[str, frozenset[str]]) -> None:
        if "run_id" in tables.get("report_runs", frozenset()):
            self._runs.update(run for (run,) in reading.rows('select distinct run_id from {schema}."report_runs"'))

    def _failed_syncs(self) -> None:
        for one in self.syncs:
            if one.failed_since is not None:
                what = f"the last sync of {one.source} (job {one.job}) failed, at {_text(one.failed_since)}"
                remedy = "sync again: its closing lines, and the file of --summary, say what failed and what to do"
                self.odd.append(Odd("warehouse", what, remedy))

    # -- STATE -----------------------------------------------------------------------------------------

    def _states(self, kept: Mapping[str, str], reading: Reading, tables: Mapping[str, frozenset[str]]) -> None:
        known: set[str] = set()
        for job, text in kept.items():
            bookmarks = _bookmarks(text)
            if bookmarks is None:
                remedy = f"run `billing-reports state reset --job {job}`: the next sync reads everything again"
                self.odd.append(Odd("state", f"that of the job {job} is none", remedy))
                continue
            for stream, bookmark in bookmarks.items():
                known.add(stream)
                entries = self._entries(job, stream, bookmark)
                for entry in entries:
                    self._open_runs(stream, entry)
                if stream not in tables and any(_has_sent(entry) for entry in entries):
                    what = f"the job {job} has read the stream {stream}, and there is no such table"
                    self.odd.append(Odd("state", what, f"`billing-reports sync --job {job} --full-refresh {stream}`"))
        unknown = [
            table
            for table, columns in sorted(tables.items())
            if columns >= _ROWS and table not in known and _has_rows(reading, table)
        ]
        if unknown:
            what = f"no STATE knows of {', '.join(unknown)}, which {'have' if len(unknown) > 1 else 'has'} rows"
            remedy = (
                "if another loader filled it, that has the STATE (`sync --import-state` takes it over); else the "
                "STATE was reset, and the next sync reads it again"
            )
            self.odd.append(Odd("warehouse", what, remedy))

    def _entries(self, job: str, stream: str, bookmark: Any) -> list[Entry]:
        """The stream's ledger; none where it has none, or a damaged one, which is odd."""
        try:
            if not isinstance(bookmark, dict):
                raise StateError.of(stream, "is no object")
            ledger.check_state(stream, bookmark)
        except StateError as error:
            remedy = f"`billing-reports sync --job {job} --full-refresh {stream}`"
            self.odd.append(Odd("state", f"job {job}: {error.message}", remedy))
            return []
        return [Entry.from_state(item) for item in bookmark.get(ledger.KEY, [])]

    def _open_runs(self, stream: str, entry: Entry) -> None:
        self._runs.update(known.run for known in entry.done.values() if known.run is not None)
        for known in entry.open.values():
            if known.run is None:
                continue
            self._runs.add(known.run)
            if known.at is not None and self.now - known.at > PENDING:
                self._pending("state", f"{stream} account {entry.account} period {known.period}", known.run, known.at)

    def _pending(self, where: str, whose: str, run: str, at: datetime) -> None:
        if run in self._told:
            return
        self._told.add(run)
        hours = int((self.now - at).total_seconds() // 3600)
        remedy = (
            "`billing-reports plan` tells what a sync does about it; a run that never ends is ordered anew by a full "
            "refresh of the stream with reuse_runs_since set to now"
        )
        self.odd.append(Odd(where, f"{whose}: run {run} was ordered {hours} hours ago and is not read", remedy))

    # -- the storage -----------------------------------------------------------------------------------

    def look_at_storage(self, storage: Storage) -> None:
        """The journal, kept files, what is half-written, and locks; what refuses is odd itself."""
        self.looked_at.append("storage_url")
        try:
            notes = self._journal(storage)
            self._kept_files(storage, notes)
            for held in lock.held(storage, self.now):
                remedy = (
                    "wait for the sync's end; a killed one's is free by itself, in an object store after 15 minutes"
                )
                self.odd.append(Odd("storage", f"the lock {held.name} is held by {held.holder}", remedy))
        except BillingError as error:
            self.odd.append(Odd("storage", error.message, error.remedy or "mend that, and run this again"))

    def _journal(self, storage: Storage) -> dict[tuple[str, ...], journal.Note]:
        notes: dict[tuple[str, ...], journal.Note] = {}
        for names, note in journal.notes(storage):
            whose = " ".join(names)
            if note is None:
                remedy = "remove it: the period is ordered anew unless STATE knows its run"
                self.odd.append(Odd("journal", f"{whose} cannot be read", remedy))
                continue
            notes[names] = note
            if note.files or self.now - note.at <= PENDING:
                continue
            if note.run is not None:
                self._pending("journal", whose, note.run.run_id, note.at)
            else:
                what = f"{whose}: an order may have gone out at {utc_text(note.at)}, and no answer to it is noted"
                remedy = "sync again: what the vendor lists is adopted, else it is ordered once more"
                self.odd.append(Odd("journal", what, remedy))
        return notes

    def _kept_files(self, storage: Storage, notes: Mapping[tuple[str, ...], journal.Note]) -> None:
        known = {name for run in self._runs for name in journal.kept_names(run)}
        orphans: dict[tuple[str, ...], list[str]] = defaultdict(list)
        aside = 0
        for *folders, name in storage.below():
            period = tuple(folders[1:])
            if name.startswith("."):
                aside += 1
            elif folders[:1] == ["files"] and name not in known:
                note = notes.get(period)
                own = journal.kept_names(note.run.run_id) if note and note.run else ()
                if name not in own:
                    orphans[period].append(name)
        for period, names in sorted(orphans.items()):
            what = f"no run is known of files/{'/'.join(period)}/{', '.join(sorted(names))}"
            self.odd.append(Odd("storage", what, "keep them if you need them for the books, else remove them"))
        if aside:
            what = f"{aside} half-written files, whose names begin with a dot, were left by syncs that were killed"
            self.odd.append(Odd("storage", what, "remove those that are older than the last sync"))

    # -- the machine -----------------------------------------------------------------------------------

    def look_at_temporary_folder(self) -> None:
        """Folders of syncs that live no longer."""
        self.looked_at.append("temporary folder")
        for path in workspace.orphans():
            remedy = "the next sync of this user removes it"
            self.odd.append(Odd("temporary folder", f"{path} was left by a sync that was killed", remedy))


def _columns(reading: Reading, schema: str) -> dict[str, frozenset[str]]:
    """The tables and views of a schema, with the names of their columns."""
    found: dict[str, set[str]] = defaultdict(set)
    for table, column in reading.rows(
        f"select table_name, column_name from information_schema.columns where table_schema = {literal(schema)}"
    ):
        found[table].add(column)
    return {table: frozenset(columns) for table, columns in found.items()}


def _has_rows(reading: Reading, table: str) -> bool:
    return bool(reading.rows(f"select 1 from {{schema}}.{quoted(table)} limit 1"))


def _bookmarks(text: str) -> dict[str, Any] | None:
    """The bookmarks of a STATE; None where it is none."""
    with suppress(ValueError):
        found = json.loads(text)
        if isinstance(found, dict) and isinstance(found.get("bookmarks", {}), dict):
            bookmarks: dict[str, Any] = found.get("bookmarks", {})
            return bookmarks
    return None


def _has_sent(entry: Entry) -> bool:
    """Whether a period was read whose rows were sent."""
    return not entry.unsent and bool(entry.done or entry.through)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else utc_text(moment.replace(microsecond=0))
