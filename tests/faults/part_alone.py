"""One vendor is down and one account of another is refused: the rest arrives. One sync at a time."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.faults.bench import Bench, Held, failures, held, opened
from tests.faults.cases import Case, Verdict
from tests.faults.worlds import ORDERED, WORLDS, World
from tests.waiting import HANG_SECONDS, until

if TYPE_CHECKING:
    from contextlib import ExitStack

    from tests.running import Result

ROOT = Path(__file__).resolve().parents[2]
DOWN: dict[str, dict[str, Any]] = {
    "breaks off": {"reset": 0},
    "answers 503": {"status": 503, "body": "maintenance"},
    "refuses its key": {"status": 401, "body": {"error": {"message": "no"}}},
    "shows a login page": {"html": True},
}
PROBLEM = {"Content-Type": "application/problem+json"}


@dataclass(frozen=True)
class Refused:
    """One of several things of a vendor that is refused, while the others are not.

    Attributes:
        account: whose.
        period: only this one of its periods; empty: the whole account.
        settings: that go with it. options: of the sandbox.
        do, match: a rule of the sandbox.
    """

    source: str
    account: str
    period: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    do: dict[str, Any] = field(default_factory=dict)
    match: dict[str, Any] = field(default_factory=dict)

    def has(self, record: dict[str, Any]) -> bool:
        """Whether a record is of that."""
        is_its = (record["source"], record["account_id"]) == (self.source, self.account)
        return is_its and (not self.period or record.get("period") == self.period)


def refused(bench: Bench, vendor: str) -> Refused:
    """What is refused of a vendor."""
    if vendor == "stripe":
        # One that the key has no access to, beside the platform.
        account = "acct_of_nobody"
        return Refused(vendor, account, settings={"stripe_connected_accounts": [account]})
    if vendor == "bring":
        account = "20000770033"
        return Refused(vendor, account, options={"bring_forbidden_customer": account})
    if vendor == "brp":
        body: dict[str, Any] = {"errors": [{"code": 4, "message": "no right", "debuginfo": "field=companyid"}]}
        match = {"vendor": vendor, "path": r"/invoices\.", "query": {"companyid": "2"}}
        return Refused(vendor, "2", do={"status": 403, "body": body}, match=match)
    if vendor == "vipps":
        # One ledger of several, in the words for that of another.
        account, said = "302321", "No such ledgerId"
        body = {"title": said, "status": 404, "detail": said}
        match = {"vendor": vendor, "path": f"/ledgers/{account}/"}
        return Refused(vendor, account, do={"status": 404, "headers": PROBLEM, "body": body}, match=match)
    # Klarna has one account: one payout of two.
    row = next(iter(bench.whole["klarna_transactions"].values()))
    body = {"error_code": "FORBIDDEN", "error_messages": ["no access"], "correlation_id": "1"}
    match = {"vendor": vendor, "path": "/transactions$", "query": {"payment_reference": row["period"]}}
    return Refused(vendor, row["account_id"], row["period"], do={"status": 403, "body": body}, match=match)


def cases(stack: ExitStack) -> list[Case]:
    """Each vendor down in each way, with one account of each other vendor refused; and the lock."""
    return [case for world in WORLDS for case in of_world(stack, world)]


def of_world(stack: ExitStack, world: World) -> list[Case]:
    """The cases of the vendors that share a sandbox."""
    bench = opened(stack, world)
    found = [
        Case(f"{down} {how}, an account of {refusing} is refused", partial(run, bench, down, how, refusing))
        for down in world.vendors
        for how in DOWN
        for refusing in world.vendors
        if refusing != down
    ]
    found += [
        Case(f"fail_fast, {down} {how}", partial(fail_fast, bench, down, how)) for down in world.vendors for how in DOWN
    ]
    if world is ORDERED:
        # The lock knows no vendor.
        found.append(Case("a second sync of the same storage", partial(second_sync, bench)))
    return found


def run(bench: Bench, down: str, how: str, refusing: str, verdict: Verdict) -> None:
    bench.reset()
    what = refused(bench, refusing)
    bench.control.options.update(what.options)
    if what.do:
        bench.control.fault(what.do, what.match)
    bench.control.fault(DOWN[how], {"vendor": down})
    result = bench.sync(**what.settings)
    verdict.ended = f"exit {result.status}"
    if result.status == 0:
        verdict.silent = 1
    expected = without(bench.whole, down, what)
    got = held(result)
    for stream, records in expected.items():
        verdict.lost += sum(got.get(stream, {}).get(key) != record for key, record in records.items())
    check_summary(verdict, failures(result), ((down, ""), (refusing, what.account), (refusing, what.period)))
    check_bookmarks(verdict, result, expected)
    bench.control.clear_faults()
    for option in what.options:
        bench.control.options.pop(option)
    after = bench.sync(state=result.state)
    if after.status:
        verdict.remarks.append(f"the next sync failed: {failures(after)}")
    bench.judge_whole(verdict, result, after)
    bench.judge_leaks(verdict, result, after)
    twice = {what: n for what, n in bench.orders().get("stripe", {}).items() if n > 1}
    if twice:
        verdict.remarks.append(f"ordered twice: {twice}")


def without(whole: Held, vendor: str, what: Refused) -> Held:
    """What must arrive all the same."""
    return {
        stream: {key: record for key, record in records.items() if record["source"] != vendor and not what.has(record)}
        for stream, records in whole.items()
    }


def check_summary(verdict: Verdict, said: str, wanted: tuple[tuple[str, str], ...]) -> None:
    """The closing lines name each of them, a vendor and its account or period, and what to do about it."""
    lines = [line for line in said.splitlines() if line.startswith("ERROR failed: ")]
    for vendor, name in wanted:
        named = [line for line in lines if f"{vendor} account" in line and name in line]
        if not named:
            verdict.remarks.append(f"the summary does not name {vendor} {name}: {said}")
        if not all("to do:" in line or "check " in line for line in named):
            verdict.remarks.append(f"the summary does not say what to do about {vendor} {name}: {named}")
    if not any(line.endswith(" left") and "failed" in line for line in said.splitlines()):
        verdict.remarks.append("no closing line")


def check_bookmarks(verdict: Verdict, result: Result, expected: Held) -> None:
    """Each account that arrived has its bookmark, and no other has one."""
    arrived = {(r["source"], r["account_id"]) for r in expected.get("invoices", {}).values()}
    parts = result.state["bookmarks"].get("invoices", {}).get("partitions", [])
    moved = {
        (part["context"]["source"], part["context"]["account_id"])
        for part in parts
        if part.get("replication_key_value")
    }
    if not arrived <= moved:
        verdict.remarks.append(f"no bookmark for {arrived - moved}")
    read = {
        (stream.partition("_")[0], entry["account"])
        for stream, bookmark in result.state["bookmarks"].items()
        for entry in bookmark.get("ledger", ())
        if entry.get("through") or entry.get("subjects_done")
    }
    rows = {
        (record["source"], record["account_id"])
        for stream, records in expected.items()
        if stream != "invoices"
        for record in records.values()
    }
    if not rows <= read:
        verdict.remarks.append(f"periods of {rows - read} are not called done")


def fail_fast(bench: Bench, down: str, how: str, verdict: Verdict) -> None:
    """It ends at the first failure, says so, and goes on from its STATE."""
    bench.reset()
    bench.control.fault(DOWN[how], {"vendor": down})
    result = bench.sync(fail_fast=True)
    verdict.ended = f"exit {result.status}"
    if result.status == 0:
        verdict.silent = 1
    if down not in failures(result):
        verdict.remarks.append(f"it does not name {down}: {failures(result)}")
    bench.control.clear_faults()
    after = bench.sync(state=result.states[-1] if result.states else None)
    bench.judge_whole(verdict, result, after)
    bench.judge_leaks(verdict, result, after)


def second_sync(bench: Bench, verdict: Verdict) -> None:
    """While one sync holds the storage, another is refused before it asks or sends anything."""
    bench.reset(stored=True)
    assert bench.store is not None
    with tempfile.TemporaryDirectory() as temporary:
        config = Path(temporary) / "config.json"
        config.write_text(json.dumps({**bench.config, "storage_url": str(bench.store)}))
        bench.control.fault({"stall": True}, {"vendor": "brp"})
        command = [sys.executable, "-m", "tap_billing_reports", "--config", str(config)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as first:
            try:
                until(lambda: any(r["vendor"] == "brp" for r in bench.control.requests()))
                asked = len(bench.control.requests())
                second = subprocess.run(
                    command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=HANG_SECONDS
                )
                more = len(bench.control.requests()) - asked
            finally:
                first.kill()
        verdict.ended = f"exit {second.returncode}"
        if second.returncode != 1 or "another sync with this storage_url is running" not in second.stderr:
            verdict.remarks.append(f"it was not refused: {second.stderr[-500:]}")
        if more or '"STATE"' in second.stdout or '"RECORD"' in second.stdout:
            verdict.remarks.append(f"it made {more} calls, and sent {second.stdout[:200]}")
        bench.control.clear_faults()
        # The first was killed: its lock is gone with it.
        third = bench.sync()
        if third.status:
            verdict.remarks.append(f"the lock outlived its holder: {failures(third)}")
        bench.judge_whole(verdict, third)
