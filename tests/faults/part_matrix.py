"""Runs the matrix: a disturbed sync, then an undisturbed one from the STATE that was kept, and compares."""

from __future__ import annotations

import json
import re
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from tap_billing_reports.core.redaction import MASK
from tests.faults.bench import Bench, Impatient, compare, failures, held, opened, part_of
from tests.faults.breaking import break_output
from tests.faults.cases import Case, Verdict
from tests.faults.diverting import Places, divert, places
from tests.faults.echoing import filled, sweep, tireless, without_source
from tests.faults.matrix import Cell, cells
from tests.faults.worlds import WORLDS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import ExitStack
    from pathlib import Path

    from tap_billing_reports.http.sent import FileRequest
    from tap_billing_reports.singer.tap import TapBillingReports
    from tests.faults.bench import Held
    from tests.faults.worlds import World
    from tests.running import Result

# No sync may wait longer than this for a vendor that does not recover (seconds of the injected clock): the bench's
# `run_deadline_minutes`, and a little for the tries of the last call.
PATIENCE = 30 * 60 + 300


def cases(stack: ExitStack) -> list[Case]:
    """All cells; what they share lives as long as the stack."""
    worlds = _Worlds(stack)
    return [
        Case(cell.name, why_not=cell.why_not) if cell.why_not else Case(cell.name, partial(worlds.run, cell))
        for cell in cells()
    ]


class _Worlds:
    """A matrix for the vendors of each world, opened when a cell of theirs is first run."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._places = stack.enter_context(places())
        self._opened: dict[World, Matrix] = {}

    def run(self, cell: Cell, verdict: Verdict) -> None:
        world = next(world for world in WORLDS if cell.vendor.name in world.vendors)
        if world not in self._opened:
            self._opened[world] = Matrix(opened(self._stack, world), self._places)
        self._opened[world].run(cell, verdict)


def is_called_done(state: dict[str, Any], stream: str, source: str, account: str, period: str | None) -> bool:
    """Whether a STATE says that this is delivered; of a first sync of a bench."""
    bookmark = state["bookmarks"].get(stream, {})
    for part in bookmark.get("partitions", ()):
        of = (part["context"]["source"], part["context"]["account_id"])
        if period is None and part.get("replication_key_value") and of == (source, account):
            return True
    for entry in bookmark.get("ledger", ()):
        if entry["account"] != account or period is None:
            continue
        done = [subject.partition("@")[0] for day in entry.get("subjects_done", ()) for subject in day[1:]]
        done += [item["period"] for item in entry.get("done", ())]
        # Windows follow each other without a gap, and what is open is beyond `through`.
        first, through = entry.get("first", ""), entry.get("through", "")
        if period in done or (_INSTANT.fullmatch(period) and first <= period < through):
            return True
    return False


_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def resolved(bench: Bench, do: dict[str, Any]) -> dict[str, Any]:
    """A rule with the sandbox's own URLs filled in."""
    text = json.dumps(do)
    text = text.replace("@foreign", bench.box.urls["foreign"] + "/away")
    text = text.replace("@self", _first_url(bench) + "/v1/around")
    found: dict[str, Any] = json.loads(text)
    return found


def _first_url(bench: Bench) -> str:
    return next(url for name, url in bench.box.urls.items() if name not in {"control", "foreign"})


class Matrix:
    """Runs cells on a bench."""

    def __init__(self, bench: Bench, somewhere: Places) -> None:
        self.bench = bench
        self.control = bench.control
        self.places = somewhere

    def run(self, cell: Cell, verdict: Verdict) -> None:
        bench, fault = self.bench, cell.fault
        bench.reset(stored=cell.stored)
        calm = [bench.sync()] if fault.after_calm else []
        before = calm[0].states[-1] if calm else None
        self._arrange(cell)
        ahead: list[str] = []
        impatient = Impatient(cell.vendor.name, partial(self._strikes, cell), deaf=fault.divert == "deaf")
        # To hear hundreds of echoes takes longer than any sync would wait.
        longer = {"run_deadline_minutes": 24 * 60} if fault.sweeps else {}
        first = bench.sync(state=before, impatient=impatient, prepare=partial(self._prepare, cell, ahead), **longer)
        waited, asked = sum(bench.clock.slept), self.control.requests()
        unheard = [rule for rule in self.control.faults() if not rule["used"]]
        self.control.clear_faults()
        for switch in fault.options.get(cell.vendor.name, {}):
            self.control.options.pop(switch)
            self.control.options.update({k: v for k, v in bench.world.options.items() if k == switch})
        verdict.ended = f"exit {first.status} after {waited:.0f} s"
        if fault.in_records:
            self._judge_records(first, verdict)
            return
        if fault.sweeps:
            self._judge_heard(cell, first, verdict, len(unheard))
        self._judge_first(cell, first, verdict, waited, calm)
        if fault.says not in first.log:
            verdict.silent = 1
            verdict.remarks.append(f"the log does not say: {fault.says}")
        if not calm:
            self._judge_bookmarks(cell, first, verdict)
        self._judge_pauses(cell, asked, verdict)
        struck = [entry["path"] for entry in asked if "fault" in entry]
        if cell.phase == "ahead" and not any(path.endswith(tuple(ahead)) for path in struck or ahead):
            verdict.remarks.append(f"nothing was fetched ahead, or it did not strike there: {struck}")
        self.control.advance(fault.then)
        second = bench.sync(state=first.states[-1] if first.states else before)
        if fault.recovers:
            if second.status:
                verdict.remarks.append(f"the next sync failed: {failures(second)}")
            bench.judge_whole(verdict, *calm, first, second)
        else:
            self._judge_stuck(cell, verdict, first, second)
        self._judge_orders(cell, verdict)
        bench.judge_leaks(verdict, first, second)
        if noticed := self.places.noticed():
            verdict.leaked += noticed
            self.places.servers.clear()

    # -- what goes wrong -------------------------------------------------------------------------------

    def _arrange(self, cell: Cell) -> None:
        fault = cell.fault
        secrets = tuple(self.bench.config[name] for name in cell.vendor.keys)
        self.control.options.update(filled(fault.options.get(cell.vendor.name, {}), secrets))
        if fault.sweeps:
            for secret in secrets:
                for do in sweep(cell.vendor.envelope, secret):
                    self.control.fault(do, cell.match, skip=cell.calls.skip, times=1)
        do = filled(fault.by_vendor.get(cell.vendor.name, fault.do), secrets)
        if do:
            self.control.fault(resolved(self.bench, do), cell.match, skip=cell.calls.skip, times=cell.times)

    def _strikes(self, cell: Cell, method: str, path: str, query: str) -> bool:
        """Whether the rule that was arranged, if any, will strike this call."""
        return any(
            method == cell.calls.method
            and re.search(cell.calls.path, path)
            and cell.calls.query in query
            and rule["matched"] >= cell.calls.skip
            and not (cell.fault.once and rule["used"])
            for rule in self.control.faults()
        )

    def _prepare(self, cell: Cell, ahead: list[str], tap: TapBillingReports) -> None:
        fault, fetcher = cell.fault, tap.session.ahead
        begin = fetcher.begin

        def noted(client: Any, wanted: FileRequest, path: Path) -> None:
            if cell.phase != "download":
                ahead.append(wanted.path)
                begin(client, wanted, path)

        fetcher.begin = noted  # type: ignore[method-assign]
        if fault.sweeps:
            tireless(tap.session._open[cell.vendor.name].http)
        if fault.divert:
            http = tap.session._open[cell.vendor.name].http
            divert(http, self.places.urls[fault.divert], cell.match, times=cell.times, skip=cell.calls.skip)
        if fault.breaks is not None:
            number, torn = fault.breaks
            break_output(tap, number, torn=torn, once_it_holds=f'"source":"{cell.vendor.name}"'.encode())

    # -- what must hold --------------------------------------------------------------------------------

    def _judge_records(self, first: Result, verdict: Verdict) -> None:
        """The echo is masked in records, and all the rest of them is as ever."""
        if first.status:
            verdict.remarks.append(f"an echo in a field ended the sync: {failures(first)}")
        if MASK not in json.dumps(first.records):
            verdict.remarks.append("no record holds the echo's mask: it struck nothing")
        compare(verdict, without_source(self.bench.whole), without_source(held(first)))
        self.bench.judge_leaks(verdict, first)

    def _judge_heard(self, cell: Cell, first: Result, verdict: Verdict, unheard: int) -> None:
        """Every echo has been told of in the log, masked."""
        if MASK not in first.log:
            verdict.remarks.append("no line tells of an echo")
        # An order whose answer is lost is not repeated at once where the vendor knows no key for it.
        if unheard and (cell.vendor.name, cell.phase) != ("bring", "order"):
            verdict.remarks.append(f"{unheard} echoes were not heard")

    def _judge_first(self, cell: Cell, first: Result, verdict: Verdict, waited: float, calm: Sequence[Result]) -> None:
        fault, vendor, got = cell.fault, cell.vendor.name, held(*calm, first)
        self._judge_status(cell, first, got, verdict)
        if waited > PATIENCE and not fault.sweeps:
            verdict.remarks.append(f"waited {waited:.0f} s for a dead vendor")
        if fault.breaks is not None:
            if not isinstance(first.error, OSError):
                verdict.remarks.append(f"ended by {first.error!r} instead of the output's error")
            return
        said = failures(first)
        if first.status and not any(vendor in line and "account" in line for line in said.splitlines()):
            verdict.remarks.append(f"the failure does not name {vendor} and its account: {said}")
        if first.status and "Traceback" in first.log:
            verdict.remarks.append("a traceback instead of a line")
        self._judge_others(vendor, got, said, verdict)

    def _judge_others(self, vendor: str, got: Held, said: str, verdict: Verdict) -> None:
        for other in {*self.bench.world.vendors} - {vendor}:
            if part_of(got, other) != part_of(self.bench.whole, other):
                verdict.remarks.append(f"{other} suffered from {vendor}'s trouble: {said}")

    def _judge_status(self, cell: Cell, first: Result, got: Held, verdict: Verdict) -> None:
        """Success means that everything is there."""
        if cell.defers:
            self._judge_deferred(cell.vendor.name, first, verdict)
        elif first.status == 0 and got != self.bench.whole:
            verdict.silent = 1
            verdict.remarks.append("exit 0 with something missing")
        if first.status == 0 and not cell.may_heal:
            verdict.silent = 1
            verdict.remarks.append("exit 0 under a fault that lasts")

    def _judge_deferred(self, vendor: str, first: Result, verdict: Verdict) -> None:
        """What the vendor does not have yet is no failure, and is told of: nothing is missing in silence."""
        if first.status:
            verdict.remarks.append(f"what is not there yet ended the sync: {failures(first)}")
        if not re.search(rf"left: {vendor}_\w+ account .*the vendor does not have its data yet", first.log):
            verdict.silent = 1
            verdict.remarks.append("the closing lines do not say what is left")

    def _judge_bookmarks(self, cell: Cell, first: Result, verdict: Verdict) -> None:
        """Of what is missing nothing is called done: the last STATE stands where it stood before that sync."""
        if not first.states:
            return
        whole, got = self.bench.whole, held(first)
        missing = {
            (stream, record["source"], record["account_id"], record.get("period"))
            for stream, records in whole.items()
            for key, record in records.items()
            if got.get(stream, {}).get(key) != record
        }
        if wrong := {one for one in missing if is_called_done(first.state, *one)}:
            verdict.remarks.append(f"called done, but not delivered: {sorted(wrong, key=str)[:3]}")

    def _judge_pauses(self, cell: Cell, asked: list[dict[str, Any]], verdict: Verdict) -> None:
        if not cell.fault.waits:
            return
        calls, pattern = cell.calls, re.compile(cell.calls.path)
        same = [r for r in asked if r["method"] == calls.method and pattern.search(r["path"])]
        struck = next((place for place, r in enumerate(same) if "fault" in r), None)
        if struck is None:
            verdict.remarks.append("the fault struck nothing")
            return
        # An order that was refused may be followed by another one's: what counts is the next of its kind.
        again = [r for r in same[struck + 1 :] if r["path"] == same[struck]["path"]]
        if again:
            times = [datetime.fromisoformat(r["time"]) for r in (same[struck], again[0])]
            gap = (times[1] - times[0]).total_seconds()
            if gap < cell.fault.waits:
                verdict.remarks.append(f"asked again after {gap:.1f} s, before Retry-After {cell.fault.waits:g}")

    def _judge_stuck(self, cell: Cell, verdict: Verdict, *results: Result) -> None:
        """A vendor that never recovers: every sync says so, and all the rest is delivered."""
        if results[-1].status == 0:
            verdict.silent = 1
            verdict.remarks.append("the next sync ends in exit 0 although the runs are still stuck")
        delivered = held(*results)
        expected = {
            stream: records
            for stream, records in self.bench.whole.items()
            if not (stream.startswith(cell.vendor.name) and stream != "invoices")
        }
        for stream, records in expected.items():
            verdict.lost += sum(delivered.get(stream, {}).get(key) != record for key, record in records.items())
        self._judge_way_out(cell, verdict, *results)

    def _judge_way_out(self, cell: Cell, verdict: Verdict, *results: Result) -> None:
        """A full refresh of the report, with `reuse_runs_since` set to now, orders anew and brings all of it."""
        state = json.loads(json.dumps(results[-1].state))
        for stream in [name for name in state["bookmarks"] if name.startswith(f"{cell.vendor.name}_")]:
            del state["bookmarks"][stream]
        self.control.advance(1)
        now = self.control.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        last = self.bench.sync(state=state, reuse_runs_since=now)
        # Stripe goes on listing the run that nobody can read, and the sync goes on saying so.
        if last.status and "unknown shape or status" not in failures(last):
            verdict.remarks.append(f"ordering anew failed: {failures(last)}")
        self.bench.judge_whole(verdict, *results, last)

    def _judge_orders(self, cell: Cell, verdict: Verdict) -> None:
        for vendor, orders in self.bench.orders().items():
            extra = max((count - 1 for count in orders.values()), default=0)
            # A run that is gone or cannot be had is ordered again, and only then.
            is_its = vendor == cell.vendor.name
            allowed = (cell.fault.extra_orders or cell.vendor.extra_orders.get(cell.phase, 0)) if is_its else 0
            if extra > allowed:
                verdict.remarks.append(f"{vendor}: {extra} orders too many of one thing")
