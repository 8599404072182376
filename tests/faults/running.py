"""Runs one cell: a disturbed sync, then an undisturbed one from the STATE that was kept, and compares."""

from __future__ import annotations

import base64
import json
import logging
import re
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tap_billing_reports.http import Limits
from tests.fakes import SandboxClock
from tests.faults.matrix import Cell, Verdict
from tests.running import Result, run_tap

if TYPE_CHECKING:
    from tap_billing_reports.sandbox.core import Sandbox

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=timezone.utc)
LIMITS = Limits(connect_seconds=1, read_seconds=0.25, answer_seconds=0.5, download_seconds=2)
CUSTOMER = "20000770022"
SECRETS = ("stripe_api_key", "bring_api_key", "brp_api_key")
# What differs between two readings of the same thing: runs are made anew, checks and fetches have their time.
VOLATILE = frozenset({"run_id", "file_id", "checked_at", "fetched_at", "created_at", "expires_at", "finished_at"})
# Streams whose records stand for money; those of the others name runs, which may be made anew.
MONEY = ("invoices",)
# No sync may wait longer than this for a vendor that does not recover (seconds of the injected clock).
PATIENCE = 3 * 3600 + 900


class Bench:
    """All three vendors in one sandbox, and what an undisturbed sync delivers."""

    def __init__(self, box: Sandbox) -> None:
        self.box = box
        self.control = box.control
        self.config: dict[str, Any] = {
            **box.settings(start_date="2026-10-01"),
            "stripe_connected_accounts": [],
            "stripe_reports": [{"report_type": "balance_change_from_activity.summary.1", "window": "month"}],
            "bring_customers": None,
            "brp_company_ids": None,
            "run_deadline_minutes": 30,
        }
        self.whole = self.held(self.sync())

    def sync(self, state: dict[str, Any] | None = None, **changes: Any) -> Result:
        """One sync on the sandbox's clock, logging everything."""
        logging.getLogger().setLevel(logging.DEBUG)
        self.clock = SandboxClock(self.control)
        config = {name: value for name, value in {**self.config, **changes}.items() if value is not None}
        return run_tap(config, state=state, clock=self.clock, limits=LIMITS)

    @staticmethod
    def held(*results: Result) -> dict[str, dict[str, dict[str, Any]]]:
        """What an upserting target holds: stream -> key -> record, of the streams that stand for money."""
        target: dict[str, dict[str, dict[str, Any]]] = {}
        for result in results:
            for stream, records in result.records.items():
                if stream not in MONEY and "row_number" not in result.schemas[stream]["properties"]:
                    continue
                for record in records:
                    key = json.dumps([record[name] for name in result.keys[stream]])
                    stable = {k: v for k, v in record.items() if k not in VOLATILE and v is not None}
                    target.setdefault(stream, {})[key] = stable
        return target

    def run(self, cell: Cell) -> Verdict:
        """The cell's verdict."""
        verdict = Verdict(cell.name)
        self.control.reset()
        self.control.clock.set(NOW)
        self.control.fault(self._resolved(cell.fault.do), cell.match, times=1 if cell.fault.once else None)
        try:
            first = self.sync()
        except Exception as error:  # noqa: BLE001 - whatever escapes is this cell's finding
            verdict.remarks.append(f"escaped: {type(error).__name__}: {error}")
            verdict.silent = 1
            return verdict
        waited = sum(self.clock.slept)
        asked = self.control.requests()
        self.control.clear_faults()
        verdict.ended = f"exit {first.status}"
        self._judge_first(cell, first, verdict, waited)
        self._judge_pauses(cell, asked, verdict)
        second = self.sync(state=first.states[-1] if first.states else None)
        if second.status:
            verdict.remarks.append(f"the next sync failed: {_failures(second)}")
        self._judge_whole(verdict, first, second)
        self._judge_orders(cell, verdict)
        self._judge_leaks(verdict, first, second)
        return verdict

    def _resolved(self, do: dict[str, Any]) -> dict[str, Any]:
        text = json.dumps(do)
        text = text.replace("@foreign", self.box.urls["foreign"] + "/away")
        text = text.replace("@self", self.box.urls["stripe_api"] + "/v1/around")
        in_seconds = re.search(r"@in (\d+)", text)
        if in_seconds:
            # The vendor's own Date header is the machine's: the tap reckons from that.
            moment = datetime.now(timezone.utc) + timedelta(seconds=int(in_seconds[1]) + 1)
            text = text.replace(in_seconds[0], format_datetime(moment, usegmt=True))
        found: dict[str, Any] = json.loads(text)
        return found

    def _judge_first(self, cell: Cell, first: Result, verdict: Verdict, waited: float) -> None:
        delivered = self.held(first) == self.whole
        if first.status == 0 and not delivered:
            verdict.silent = 1
            verdict.remarks.append("exit 0 with something missing")
        if first.status == 0 and not cell.fault.heals:
            verdict.silent = 1
            verdict.remarks.append("exit 0 under a fault that lasts")
        names = any(cell.vendor in line and "account" in line for line in _failures(first).splitlines())
        if first.status and not names:
            verdict.remarks.append(f"the failure does not name {cell.vendor} and its account: {_failures(first)}")
        if first.status and "Traceback" in _failures(first):
            verdict.remarks.append("a traceback instead of a line")
        if waited > PATIENCE:
            verdict.remarks.append(f"waited {waited:.0f} s for a dead vendor")
        others = {"stripe", "bring", "brp"} - {cell.vendor}
        for other in others:
            mine = {k: v for stream in self.whole.values() for k, v in stream.items() if v["source"] == other}
            got = {k: v for stream in self.held(first).values() for k, v in stream.items() if v["source"] == other}
            if mine != got:
                verdict.remarks.append(f"{other} suffered from {cell.vendor}'s trouble")

    def _judge_pauses(self, cell: Cell, asked: list[dict[str, Any]], verdict: Verdict) -> None:
        if not cell.fault.waits:
            return
        pattern = re.compile(cell.match["path"])
        same = [r for r in asked if r["method"] == cell.match["method"] and pattern.search(r["path"])]
        for place, request in enumerate(same):
            if request["status"] != 429:
                continue
            again = [r for r in same[place + 1 :] if r["path"] == request["path"]]
            if again:
                gap = (
                    datetime.fromisoformat(again[0]["time"]) - datetime.fromisoformat(request["time"])
                ).total_seconds()
                if gap < cell.fault.waits:
                    verdict.remarks.append(f"asked again after {gap:.1f} s, before Retry-After {cell.fault.waits:g}")

    def _judge_whole(self, verdict: Verdict, *results: Result) -> None:
        held = self.held(*results)
        for stream, records in self.whole.items():
            missing = [key for key in records if held.get(stream, {}).get(key) != records[key]]
            surplus = [
                key
                for key, record in held.get(stream, {}).items()
                if key not in records and not record.get("_sdc_deleted_at")
            ]
            verdict.lost += len(missing)
            verdict.doubled += len(surplus)

    def _judge_orders(self, cell: Cell, verdict: Verdict) -> None:
        for vendor, orders in self.control.counters()["orders"].items():
            extra = sum(count - 1 for count in orders["by_key"].values())
            if vendor == "stripe":
                # A run that is gone or cannot be had is ordered again under the next number, and only then.
                allowed = 6 if cell.vendor == vendor and cell.phase in {"poll", "download"} else 0
            else:
                allowed = 99 if cell.vendor == vendor and cell.phase in {"order", "poll", "download"} else 0
            if extra > allowed:
                verdict.remarks.append(f"{vendor}: {extra} orders too many")

    def _judge_leaks(self, verdict: Verdict, *results: Result) -> None:
        texts = [result.log + json.dumps([result.records, result.states, result.schemas]) for result in results]
        for name in SECRETS:
            secret = self.config[name]
            spellings = {secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode()}
            verdict.leaked += sum(text.count(spelling) for text in texts for spelling in spellings)
        seen = self.control.counters()["credentials"].get("foreign")
        if seen:
            verdict.leaked += len(seen)
            verdict.remarks.append(f"a foreign host has seen {seen}")


def _failures(result: Result) -> str:
    return "\n".join(line for line in result.log.splitlines() if line.startswith("ERROR"))
