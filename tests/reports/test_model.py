"""The life of reports as a state machine: whatever happens in whatever order, and wherever a sync is killed,
nothing is lost, nothing is doubled, and no order goes out that was not promised.

`MODEL_EXAMPLES` sets how many lives are tried; `make faults` tries 20,000.
"""

from __future__ import annotations

import json
import os
import tempfile
import uuid
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tap_billing_reports.core.errors import Throttled, Unavailable
from tap_billing_reports.declare import Windowed
from tap_billing_reports.storage.files import Storage
from tests.fakes import FakeClock
from tests.reports.moment import NOW
from tests.reports.syncs import DAILY, KilledError, Sync, Target
from tests.reports.vendor import Made, Vendor

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "80"))
DAY = 86_400
KILLS = st.one_of(
    st.none(),
    st.tuples(st.just("any"), st.integers(1, 90)),
    st.tuples(
        st.sampled_from(["order", "ordered", "status", "downloaded", "note", "noted", "row", "surplus", "state"]),
        st.integers(1, 9),
    ),
)
"""Where a sync is killed: the how manieth event of a kind; 90 are more than a sync of a few windows has."""


class ReportLife(RuleBasedStateMachine):
    """One account's daily report, read by syncs that may be killed at any event and restarted from any STATE."""

    @initialize(keyed=st.booleans(), stored=st.booleans(), faithful=st.booleans(), lookback=st.sampled_from([0, 2]))
    def begin(self, keyed: bool, stored: bool, faithful: bool, lookback: int) -> None:
        self.clock = FakeClock(NOW)
        self.keyed = keyed
        self.faithful = faithful
        """The target keeps the last STATE. Only then may a vendor's second file be shorter than its first."""
        self.report = DAILY if keyed else replace(DAILY, cadence=Windowed(lookback_days=lookback))
        self.vendor = Vendor(self.clock, keyed=keyed, run_seconds=2.0, hook=self.happen)
        self.storage = Storage(f"memory://{uuid.uuid4().hex}") if stored else None
        self.folder = Path(tempfile.mkdtemp())
        self.target = Target()
        self.state: str | None = None
        self.told: set[str] = set()
        """Runs whose ids have reached the journal."""
        self.in_state: set[str] = set()
        """Runs that the STATE knows which the sync went on from, and those of the sync itself."""
        self.outdated: set[str] = set()
        self.read_before: set[str] = set()
        """Runs that this STATE has as read: their windows may be read again on purpose."""
        self.read: dict[str, int] = {}
        """Period -> rows of its last good reading."""
        self.ordered: set[str] = set()
        """Runs that the sync has ordered, their answers read."""
        self.kill_at: tuple[str, int] | None = None
        self.events: Counter[str] = Counter()
        self.answer_lost = False

    def happen(self, event: str) -> None:
        if event == "ordered":
            self.check_order()
        elif event == "status":
            told = "".join(state for state, _ in self.target.states[self.states_before :])
            missing = [run_id for run_id in self.ordered if f'"{run_id}"' not in told]
            assert not missing, f"{missing} are asked about before a STATE tells of them"
        if self.storage is not None and event not in {"ordered", "note"}:
            assert self.ordered <= self.told, "an id is not written down at once"
        self.events[event] += 1
        self.events["any"] += 1
        if self.kill_at is not None and self.events[self.kill_at[0]] == self.kill_at[1]:
            raise KilledError
        if event == "ordered" and self.answer_lost:
            self.answer_lost = False
            raise Unavailable("the answer was lost")
        if event == "ordered":
            assert self.vendor.last_ordered is not None
            self.ordered.add(self.vendor.last_ordered.run_id)

    def check_order(self) -> None:
        """No order but the first of its window, or one that dead, unknown or outdated runs make necessary."""
        newest = self.vendor.last_ordered
        assert newest is not None
        if newest is not list(self.vendor.runs.values())[-1]:
            return  # the same order again, by its key
        same = [made for made in self.vendor.runs.values() if made.parameters == newest.parameters]
        again = self.read_before | self.outdated
        read = max((place for place, made in enumerate(same) if made.run_id in again), default=-1)
        for made in same[read + 1 : -1]:
            known = self.keyed or made.run_id in self.in_state or made.run_id in self.told
            assert made.is_dead or not known, f"{newest.run_id} was ordered, but {made.run_id} lives"
        if not self.answer_lost:
            self.in_state.add(newest.run_id)

    # -- what happens ----------------------------------------------------------------------------------

    @rule(days=st.integers(1, 2))
    def time_passes(self, days: int) -> None:
        self.clock.advance(days * DAY)

    @rule()
    def the_next_run_fails(self) -> None:
        self.vendor.next_fates.append("failed")

    @precondition(lambda self: self.faithful)
    @rule(rows=st.integers(0, 7))
    def the_next_run_has_other_rows(self, rows: int) -> None:
        self.vendor.next_rows.append(rows)

    @precondition(lambda self: any(not made.is_dead for made in self.vendor.runs.values()))
    @rule(data=st.data(), attribute=st.sampled_from(["gone", "file_gone"]))
    def a_run_is_lost(self, data: st.DataObject, attribute: str) -> None:
        setattr(data.draw(st.sampled_from(self.alive()[-4:])), attribute, True)

    @precondition(lambda self: any(not made.is_dead for made in self.vendor.runs.values()))
    @rule(data=st.data())
    def a_file_is_garbled(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(self.alive()[-4:])).garbled = True

    @rule()
    def files_are_mended(self) -> None:
        for made in self.vendor.runs.values():
            made.garbled = False

    @rule()
    def the_vendor_is_busy(self) -> None:
        self.vendor.errors["order"].append(Throttled("too many at once", retry_after=3.0))

    @rule(call=st.sampled_from(["status", "download", "list", "order"]))
    def the_vendor_stumbles(self, call: str) -> None:
        self.vendor.errors[call].append(Unavailable("HTTP 503"))

    @rule()
    def the_answer_to_an_order_is_lost(self) -> None:
        self.answer_lost = True

    @precondition(lambda self: self.storage is not None)
    @rule(data=st.data())
    def a_kept_file_is_lost(self, data: st.DataObject) -> None:
        assert self.storage is not None
        found = [path for path in self.storage._fs.find(self.storage._root) if path.endswith(".csv")]
        if found:
            self.storage._fs.rm_file(data.draw(st.sampled_from(found)))

    @rule(kill_at=KILLS, which=st.integers(0, 1000), rolled_back=st.booleans())
    def a_sync_runs(self, kill_at: tuple[str, int] | None, which: int, rolled_back: bool) -> None:
        self.restart_from(which, rolled_back=rolled_back)
        self.kill_at = kill_at
        self.events.clear()
        try:
            self.sync()
        except KilledError:
            for file in self.folder.iterdir():
                file.unlink()
        finally:
            self.kill_at = None

    @precondition(lambda self: self.faithful)
    @rule(row=st.integers(1, 9), which=st.integers(0, 1000), fewer=st.integers(0, 2))
    def a_sync_dies_while_it_sends_rows_and_its_runs_are_lost(self, row: int, which: int, fewer: int) -> None:
        self.vendor.next_rows.extend([5, 6, 7])
        self.a_sync_runs(("row", row), which, rolled_back=False)
        for made in self.alive()[-3:]:
            made.gone = True
        self.vendor.next_rows.clear()
        self.vendor.next_rows.extend([fewer] * 3)

    def restart_from(self, which: int, *, rolled_back: bool) -> None:
        """What the target has kept: a STATE, with the rows before it or with all that came since as well."""
        states = self.target.states
        kept = len(states) if self.faithful else which % (len(states) + 1)
        self.state, rows = states[kept - 1] if kept else (None, {})
        if rolled_back:
            self.target.rows = dict(rows)
            del states[kept:]

    def sync(self) -> Sync:
        self.in_state, self.read_before = _runs_in(self.state)
        self.ordered = set()
        self.states_before = len(self.target.states)
        run = Sync(
            self.vendor,
            self.folder,
            target=self.target,
            reports=(self.report,),
            storage=self.storage,
            state=self.state,
            hook=self.happen,
            told=self.told,
            outdated=self.outdated,
        )
        try:
            return run.run()
        finally:
            self.read |= run.read
            if len(self.target.states) > self.states_before:
                self.state = self.target.state

    def alive(self) -> list[Made]:
        return [made for made in self.vendor.runs.values() if not made.is_dead]

    # -- what must hold --------------------------------------------------------------------------------

    def teardown(self) -> None:
        if not hasattr(self, "vendor"):
            return
        try:
            self.check_end()
        finally:
            for file in self.folder.iterdir():
                file.unlink()
            self.folder.rmdir()
            if self.storage is not None:
                self.storage._fs.rm(self.storage._root, recursive=True) if self.storage._fs.exists(
                    self.storage._root
                ) else None

    def check_end(self) -> None:
        """Undisturbed from now on, all that is due arrives: whole, once, and with nothing left over."""
        self.files_are_mended()
        self.vendor.next_fates.clear()
        self.vendor.errors.clear()
        self.answer_lost = False
        for _ in range(4):
            last = self.sync()
            if not last.errors:
                break
        assert not last.errors
        ended = Sync(self.vendor, self.folder, reports=(self.report,), state=self.state)
        assert all(job.known_run for job in ended.jobs()), "something is still due"
        days = (self.clock.now() - NOW).days + 3
        expected = {f"2026-03-{day:02d}T00:00:00Z" for day in range(1, days + 1)}
        assert self.read.keys() == expected
        for period, rows in self.read.items():
            numbers = sorted(number for _, key, number in self.target.live() if key == period)
            assert numbers == list(range(1, rows + 1)), period


def _runs_in(state: str | None) -> tuple[set[str], set[str]]:
    known: set[str] = set()
    read: set[str] = set()
    bookmarks: dict[str, Any] = json.loads(state) if state else {}
    for bookmark in bookmarks.values():
        for entry in bookmark.get("ledger", ()):
            known |= {facts["run"] for facts in entry.get("open", ()) if "run" in facts}
            read |= {facts["run"] for facts in entry.get("done", ()) if "run" in facts}
    return known | read, read


TestReportLife = ReportLife.TestCase
TestReportLife.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=12,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
