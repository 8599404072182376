"""One vendor is down and one account of another is refused: the rest arrives. One sync at a time."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tap_billing_reports.sandbox.core import Sandbox
from tests.faults.bench import VENDORS, Bench, Held, failures, held
from tests.faults.cases import Case, Verdict
from tests.faults.worlds import NOW
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
UNKNOWN = "acct_of_nobody"
FORBIDDEN = "20000770033"
COMPANY = "2"


def cases(stack: ExitStack) -> list[Case]:
    """Each vendor down in each way, with one account of each other vendor refused; and the lock."""
    box = stack.enter_context(Sandbox(NOW, stripe_run_seconds=0.2, bring_run_seconds=0.2))
    bench = Bench(box)
    stack.callback(bench.close)
    found = [
        Case(f"{down} {how}, an account of {refusing} is refused", partial(run, bench, down, how, refusing))
        for down in VENDORS
        for how in DOWN
        for refusing in VENDORS
        if refusing != down
    ]
    found += [
        Case(f"fail_fast, {down} {how}", partial(fail_fast, bench, down, how)) for down in VENDORS for how in DOWN
    ]
    found.append(Case("a second sync of the same storage", partial(second_sync, bench)))
    return found


def refuse(bench: Bench, vendor: str) -> tuple[str, dict[str, Any]]:
    """Have one account of a vendor refused: its id, and the settings that go with it."""
    if vendor == "stripe":
        # One that the key has no access to, beside the platform.
        return UNKNOWN, {"stripe_connected_accounts": [UNKNOWN]}
    if vendor == "bring":
        bench.control.options["bring_forbidden_customer"] = FORBIDDEN
        return FORBIDDEN, {}
    body = {"errors": [{"code": 4, "message": "no right", "debuginfo": "field=companyid"}]}
    bench.control.fault(
        {"status": 403, "body": body},
        {"vendor": "brp", "path": r"/invoices\.", "query": {"companyid": COMPANY}},
    )
    return COMPANY, {}


def run(bench: Bench, down: str, how: str, refusing: str, verdict: Verdict) -> None:
    bench.reset()
    account, settings = refuse(bench, refusing)
    bench.control.fault(DOWN[how], {"vendor": down})
    result = bench.sync(**settings)
    verdict.ended = f"exit {result.status}"
    if result.status == 0:
        verdict.silent = 1
    expected = without(bench.whole, down, (refusing, account))
    got = held(result)
    for stream, records in expected.items():
        verdict.lost += sum(got.get(stream, {}).get(key) != record for key, record in records.items())
    said = failures(result)
    lines = [line for line in said.splitlines() if "failed: " in line]
    for vendor, name in ((down, ""), (refusing, account)):
        named = [line for line in lines if f"{vendor} account" in line and name in line]
        if not named:
            verdict.remarks.append(f"the summary does not name {vendor} {name}: {said}")
        if not all("to do:" in line or "check " in line for line in named):
            verdict.remarks.append(f"the summary does not say what to do about {vendor} {name}: {named}")
    if not any(line.endswith(" left") and "failed" in line for line in said.splitlines()):
        verdict.remarks.append("no closing line")
    check_bookmarks(verdict, result, expected)
    bench.control.clear_faults()
    bench.control.options.pop("bring_forbidden_customer", None)
    after = bench.sync(state=result.state)
    if after.status:
        verdict.remarks.append(f"the next sync failed: {failures(after)}")
    bench.judge_whole(verdict, result, after)
    bench.judge_leaks(verdict, result, after)
    twice = {what: n for what, n in bench.orders().get("stripe", {}).items() if n > 1}
    if twice:
        verdict.remarks.append(f"ordered twice: {twice}")


def without(whole: Held, vendor: str, refused: tuple[str, str]) -> Held:
    """What must arrive all the same."""
    return {
        stream: {
            key: record
            for key, record in records.items()
            if record["source"] != vendor and (record["source"], record["account_id"]) != refused
        }
        for stream, records in whole.items()
    }


def check_bookmarks(verdict: Verdict, result: Result, expected: Held) -> None:
    """Each account that arrived has its bookmark, and no other has one."""
    arrived = {(r["source"], r["account_id"]) for r in expected["invoices"].values()}
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
