"""Syncs of a world's vendors in processes of their own, and what a target has kept of one that did not end well."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.faults.bench import STORAGE_SECRET, Held, compare, config_of, is_money, upsert
from tests.faults.canaries import Canaries
from tests.faults.dying import Steady
from tests.faults.worlds import ORDERED
from tests.killing import Ended, sync

if TYPE_CHECKING:
    from tap_billing_reports.sandbox.core import Sandbox
    from tests.faults.cases import Verdict
    from tests.faults.worlds import World

CUSTOMER = "20000770011"
BRING_ROWS = "bring_invoice_lines"
DOCUMENTS = "invoice_documents"


class Forks:
    """Runs the tap against a sandbox, each sync a process.

    Attributes:
        whole: what an undisturbed sync delivers, by whether files are kept.
        counts: of its HTTP `calls`, `states`, writes to stdout (`puts`) and log `lines`.
        downloads: of each of its downloads, in order, whether it was fetched ahead.
    """

    def __init__(self, box: Sandbox, world: World = ORDERED, **changes: Any) -> None:
        self.box = box
        self.world = world
        self.control = box.control
        self._changes = changes
        self._root = Path(tempfile.mkdtemp(prefix="kills-"))
        since = {"start_date": world.killed_since}
        self.config = config_of(box, world, **since, bring_customers=[CUSTOMER], **changes)
        self.canaries = Canaries(box, self.config, STORAGE_SECRET)
        self.whole: dict[bool, Held] = {}
        self.counts: dict[bool, Counter[str]] = {}
        self.downloads: dict[bool, list[bool]] = {}
        for stored in (False, True):
            self.reset()
            told = self._root / "told"
            ended = self.sync(stored=stored, prepare=Steady(str(told)))
            assert ended.code == 0, ended.log
            marks = told.read_text()
            self.whole[stored] = kept(ended.messages)
            self.counts[stored] = Counter(
                calls=len(self.control.requests()), states=len(ended.states), puts=marks.count("w")
            )
            # From the sync's own first line on: what comes before is out when `prepare` is called.
            lines = ended.log.splitlines()
            first = next(at for at, line in enumerate(lines) if line.startswith("INFO tap-billing-reports tap-billing"))
            self.counts[stored]["lines"] = len(lines) - first
            self.downloads[stored] = [mark == "a" for mark in marks if mark in "ad"]
            # Else the thread that fetches ahead would not be in the proof.
            assert any(self.downloads[stored]) or world is not ORDERED, marks
            self.needed = self.orders()

    def close(self) -> None:
        shutil.rmtree(self._root, ignore_errors=True)

    def reset(self) -> None:
        self.control.reset()
        self.control.clock.set(self.world.now)
        shutil.rmtree(self._root, ignore_errors=True)
        self._root.mkdir()

    @property
    def store(self) -> Path:
        return self._root / "kept"

    def sync(self, *, stored: bool, state: dict[str, Any] | None = None, **more: Any) -> Ended:
        config = dict(self.config)
        if stored:
            config |= {
                "storage_url": str(self.store),
                "storage_options": {"unused": STORAGE_SECRET},
                "bring_invoice_documents": True,
            }
        return sync(config, self._root, state=state, now=self.control.now(), **more)

    def orders(self) -> dict[str, Counter[str]]:
        """Vendor -> what was ordered -> how often."""
        found = self.control.counters()["orders"]
        return {vendor: Counter(found.get(vendor, {}).get("by_key", {})) for vendor in ("stripe", "bring")}

    # -- judging ---------------------------------------------------------------------------------------

    def judge_whole(self, verdict: Verdict, first: Ended, second: Ended, *, stored: bool, since: int | None) -> None:
        """What a target holds in the end, whether it kept all that came from the first, or only what its STATE covers.

        Args:
            since: the number of the STATE that the second sync began from, None for none.
        """
        for messages in (first.messages, _before(first.messages, since)):
            compare(verdict, self.whole[stored], kept([*messages, *second.messages]))
        if first.torn or second.torn:
            verdict.remarks.append(f"{first.torn + second.torn} lines in the middle are no messages")
        if second.code:
            verdict.remarks.append(f"the next sync ended with {second.code}: {second.log[-800:]}")
        verdict.leaked += self.canaries.count(first.log, second.log, json.dumps([first.messages, second.messages]))
        if stored and self.store.exists():
            verdict.leaked += self.canaries.count_files(self.store)
        hidden = {entry["path"] for entry in self.control.requests() if entry["host"] == "foreign"}
        if hidden:
            verdict.remarks.append(f"a foreign host was asked: {hidden}")

    def judge_orders(self, verdict: Verdict, before: dict[str, Counter[str]], *, allowed: int) -> None:
        """Stripe: never anything twice. Bring: so many more than needed as the design promises at most."""
        after = self.orders()
        if after["stripe"] != self.needed["stripe"]:
            verdict.remarks.append(f"Stripe's orders: {after['stripe']} instead of {self.needed['stripe']}")
        more = after["bring"].total() - self.needed["bring"].total()
        if after["bring"].keys() != self.needed["bring"].keys() or more > allowed:
            verdict.remarks.append(f"Bring: {more} orders more than needed, {allowed} allowed, {before['bring']}")


def kept(messages: list[dict[str, Any]]) -> Held:
    """What an upserting target holds of these messages."""
    target: Held = {}
    schemas: dict[str, Any] = {}
    for message in messages:
        if message["type"] == "SCHEMA":
            schemas[message["stream"]] = message
        elif message["type"] == "RECORD":
            stream = message["stream"]
            if stream == DOCUMENTS or is_money(stream, schemas[stream]["schema"]):
                record = {k: v for k, v in message["record"].items() if k != "uri"}
                upsert(target, stream, schemas[stream]["key_properties"], [record])
    return {stream: records for stream, records in target.items() if records}


def known_runs(state: dict[str, Any] | None) -> int:
    """Bring orders that a STATE tells of: those still open, and those whose invoices are done."""
    ledger = ((state or {}).get("bookmarks", {}).get(BRING_ROWS, {})).get("ledger", [])
    done = sum(len(day) - 1 for entry in ledger for day in entry.get("subjects_done", ()))
    return done + sum("run" in item for entry in ledger for item in entry.get("open", ()))


def _before(messages: list[dict[str, Any]], number: int | None) -> list[dict[str, Any]]:
    """The messages up to a STATE, none without one."""
    places = [place for place, message in enumerate(messages) if message["type"] == "STATE"]
    return [] if number is None else messages[: places[number] + 1]
