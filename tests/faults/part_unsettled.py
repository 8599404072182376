"""Stripe's invoices that are not settled: what happens while they are asked for again, and drafts that are deleted."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import TYPE_CHECKING, Any

from tap_billing_reports.sandbox.core import Sandbox
from tests.faults.bench import Bench, Impatient, failures, held, upsert
from tests.faults.cases import Case, Verdict
from tests.faults.matrix import ABSENCE_FAULTS, HTTP_FAULTS
from tests.faults.part_matrix import PATIENCE, resolved
from tests.faults.worlds import NOW

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack

    from tests.faults.bench import Held
    from tests.faults.fault import Fault
    from tests.running import Result

PHASES: dict[str, dict[str, str]] = {
    "by id": {"vendor": "stripe", "path": r"^/v1/invoices/in_"},
    "by status": {"vendor": "stripe", "path": r"^/v1/invoices$", "query": "status="},
}
ALONE: dict[str, Any] = {
    **dict.fromkeys(("bring_api_uid", "bring_api_key", "bring_client_url", "brp_api_key", "brp_username")),
    **dict.fromkeys(("brp_password", "brp_api_url", "brp_currency")),
    "stripe_reports": [],
    "start_date": "2026-05-01",
    "stripe_lookback_days": 5,
}
DRAFTS = 6


def cases(stack: ExitStack) -> list[Case]:
    """Each fault in each phase; then a target that dies after each line, and drafts that are deleted thereupon."""
    box = stack.enter_context(Sandbox(NOW, stripe_run_seconds=0, bring_run_seconds=0))
    bench = Bench(box)
    stack.callback(bench.close)
    unsettled = Unsettled(bench)
    found = []
    for phase in PHASES:
        for fault in (*HTTP_FAULTS, *ABSENCE_FAULTS):
            name = f"{phase} / {fault.name}"
            if reason := _reason(fault):
                found.append(Case(name, why_not=reason))
            else:
                found.append(Case(name, partial(unsettled.disturbed, phase, fault)))
    lines = len(unsettled.drafted.messages)
    found += [Case(f"a target that dies after line {n}", partial(unsettled.cut, n)) for n in range(1, lines + 1)]
    return found


def _reason(fault: Fault) -> str:
    if fault.divert:
        return "does not depend on what is asked: see the matrix, phase list"
    if fault.phases:
        return fault.why_not
    return "" if "stripe" in (fault.vendors or ("stripe",)) else fault.why_not_there


class Unsettled:
    """A warehouse with unsettled invoices from a first sync, of which some have changed since.

    Attributes:
        drafted: what a sync writes that meets new drafts.
    """

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.control = bench.control
        self.first = self._begin()
        self._whole = self._living(self.first, self._sync(self.first))
        self._begin()
        self._add_drafts()
        self.drafted = self._sync(self.first)

    # -- what goes wrong while they are asked for ------------------------------------------------------

    def disturbed(self, phase: str, fault: Fault, verdict: Verdict) -> None:
        bench = self.bench
        self._begin()
        do = fault.by_vendor.get("stripe", fault.do)
        rule = resolved(bench, do)
        self.control.fault(rule, PHASES[phase], times=1 if fault.once else None)
        second = self._sync(self.first, impatient=Impatient("stripe", self._strikes(phase, fault), deaf=False))
        waited = sum(bench.clock.slept)
        struck = [entry for entry in self.control.requests() if "fault" in entry]
        self.control.clear_faults()
        verdict.ended = f"exit {second.status} after {waited:.0f} s"
        if not struck:
            verdict.remarks.append("the fault struck nothing")
        if second.status == 0 and (fault.heals is False or self._living(self.first, second) != self._whole):
            verdict.silent = 1
        if second.status and not re.search(r"stripe account acct_sandbox", failures(second)):
            verdict.remarks.append(f"the failure does not name the account: {failures(second)}")
        if waited > PATIENCE:
            verdict.remarks.append(f"waited {waited:.0f} s for a dead vendor")
        third = self._sync(second)
        if third.status:
            verdict.remarks.append(f"the next sync failed: {failures(third)}")
        bench.judge_whole(verdict, self.first, second, third, whole=self._whole)
        bench.judge_leaks(verdict, second, third)

    def _strikes(self, phase: str, fault: Fault) -> Callable[[str, str, str], bool]:
        """Whether a call is the rule's; of the lists, the first one asks for no status."""
        left = [1 if phase == "by status" else 0]

        def strikes(_method: str, path: str, _query: str) -> bool:
            if not re.search(PHASES[phase]["path"], path):
                return False
            if left[0]:
                left[0] -= 1
                return False
            return not (fault.once and any(rule["used"] for rule in self.control.faults()))

        return strikes

    # -- drafts that are sent, and deleted after a crash -----------------------------------------------

    def cut(self, lines: int, verdict: Verdict) -> None:
        """A target has taken so many lines, and goes on from the last STATE among them."""
        self._begin()
        new = self._add_drafts()
        state, taken = self.first.states[-1], held(self.first)
        for kind, stream, content in self.drafted.messages[:lines]:
            if kind == "STATE":
                state = content
            elif kind == "RECORD" and stream == "invoices":
                upsert(taken, stream, self.drafted.keys[stream], [content])
        self._books().delete(*new)
        last = self.bench.sync(state=state, **ALONE)
        verdict.ended = f"exit {last.status}"
        if last.status:
            verdict.remarks.append(f"the next sync failed: {failures(last)}")
        for record in last.of("invoices"):
            upsert(taken, "invoices", last.keys["invoices"], [record])
        there = {invoice.id for invoice in self._books().newest_first()}
        have = {json.loads(key)[-1] for key in taken["invoices"]}
        verdict.lost, verdict.doubled = len(there - have), len(have - there)

    # -- the vendor's side -----------------------------------------------------------------------------

    def _books(self) -> Any:
        return self.control.vendor("stripe").books["acct_sandbox"]

    def _begin(self) -> Result:
        """The vendors anew, with a first sync behind them and a day passed: one paid, some drafts deleted, one void."""
        self.bench.reset()
        # Two readings of the same events must not differ by the second in which they came.
        self.control.freeze()
        self.control.clock.set(NOW)
        books = self._books()
        old = books.add("draft", 3, days_ago=40) + books.add("open", 3, days_ago=41) + books.add("draft", 1, days_ago=2)
        first = self.bench.sync(**ALONE)
        assert first.status == 0, first.log
        self.control.next_day()
        books.delete(old[0].id, old[-1].id)
        books.change(old[1].id, "open")
        books.change(old[3].id, "paid")
        self.control.forget()
        return first

    def _add_drafts(self) -> list[str]:
        return [invoice.id for invoice in self._books().add("draft", DRAFTS, days_ago=0.2)]

    def _sync(self, before: Result, **more: Any) -> Result:
        return self.bench.sync(state=before.states[-1] if before.states else None, **ALONE, **more)

    @staticmethod
    def _living(*results: Result) -> Held:
        return held(*results)
