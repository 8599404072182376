"""The vendors of a world in one sandbox, the tap in this process, and what an undisturbed sync delivers."""

from __future__ import annotations

import copy
import json
import logging
import random
import tempfile
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus, urlencode, urlsplit

from tap_billing_reports.declare.client import HttpSourceClient
from tap_billing_reports.http.client import Limits
from tests.fakes import SandboxClock
from tests.faults.canaries import Canaries
from tests.faults.vendors import ALL
from tests.faults.worlds import ORDERED
from tests.running import Result, run_tap
from tests.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from contextlib import ExitStack
    from datetime import datetime

    from requests import Request, Response

    from tap_billing_reports.core.about import About
    from tap_billing_reports.http.client import HttpClient
    from tap_billing_reports.sandbox.core import Sandbox
    from tap_billing_reports.singer.tap import TapBillingReports
    from tests.faults.cases import Verdict
    from tests.faults.worlds import World

NAP_SECONDS = 3.0
# A server that says nothing is only noticed by waiting, in real time: the call that meets one waits that long, and no
# other.
SILENCE_SECONDS = 0.5
PATIENT = Limits(connect_seconds=HANG_SECONDS, read_seconds=HANG_SECONDS, answer_seconds=HANG_SECONDS)
# What differs between two readings of the same thing: runs are made anew, checks and fetches have their time.
VOLATILE = frozenset({"run_id", "file_id", "checked_at", "fetched_at", "created_at", "expires_at", "finished_at"})
# Bring's customers that are read; None for all.
CUSTOMERS: list[str] | None = None
STORAGE_SECRET = "canary-storage-Secret/+=2"

Held = dict[str, dict[str, dict[str, Any]]]
"""Stream -> key as JSON -> record without what is volatile, null or deleted."""


def config_of(box: Sandbox, world: World = ORDERED, **changes: Any) -> dict[str, Any]:
    """Settings of a sync of a world's vendors; a change to None takes a setting away."""
    config: dict[str, Any] = box.settings(start_date=world.start_date)
    for name in world.vendors:
        config |= ALL[name].settings
    config |= {"run_deadline_minutes": 30, "bring_customers": CUSTOMERS, "on_mismatch": "fail", **changes}
    return {name: value for name, value in config.items() if value is not None}


class OffClock(SandboxClock):
    """A clock that is wrong by so many seconds, and oversleeps: several runs are ready at once, files fetched ahead."""

    def __init__(self, control: Any, seconds: float) -> None:
        super().__init__(control)
        self._off = timedelta(seconds=seconds)

    def now(self) -> datetime:
        return super().now() + self._off

    def sleep(self, seconds: float) -> None:
        super().sleep(max(seconds, NAP_SECONDS))


class Bench:
    """Runs syncs against a sandbox, in its time, and judges what they delivered.

    Attributes:
        whole: what an undisturbed sync delivers.
        files: what it keeps of files that nobody reads, once a cell has asked for storage.
        canaries: the secrets that must be nowhere.
    """

    def __init__(self, box: Sandbox, world: World = ORDERED, **changes: Any) -> None:
        self.box = box
        self.control = box.control
        self.world = world
        self.config = config_of(box, world, **changes)
        self._folders = tempfile.TemporaryDirectory(prefix="faults-")
        self._stores = 0
        self.store: Path | None = None
        self.canaries = Canaries(box, self.config, STORAGE_SECRET)
        self.reset()
        undisturbed = self.sync()
        assert undisturbed.status == 0, undisturbed.log
        self.whole = held(undisturbed)
        self._kept = tuple(suffix for name in world.vendors for suffix in ALL[name].kept)
        self.files: set[tuple[str, str]] = set()

    def close(self) -> None:
        self._folders.cleanup()

    def reset(self, now: datetime | None = None, *, stored: bool = False) -> None:
        """The vendors as at the start; with `stored` the syncs from now on keep files, in a new folder."""
        if stored and self._kept and not self.files:
            self._begin(None, stored=True)
            assert self.sync().status == 0
            self.files = self._files()
        self._begin(now, stored=stored)

    def _begin(self, now: datetime | None, *, stored: bool) -> None:
        self.control.reset()
        self.control.clock.set(now or self.world.now)
        self.store = None
        if stored:
            self._stores += 1
            self.store = Path(self._folders.name) / str(self._stores)

    def sync(
        self,
        state: Mapping[str, Any] | None = None,
        *,
        impatient: Impatient | None = None,
        off: float = 0.0,
        prepare: Callable[[TapBillingReports], None] | None = None,
        **changes: Any,
    ) -> Result:
        """One sync on the sandbox's clock, with all that is logged.

        Args:
            impatient: the calls whose time-outs are short.
            off: seconds by which the tap's clock is wrong.
            prepare: changes the tap before it runs.
            changes: to the settings.
        """
        self.clock = OffClock(self.control, off)
        random.seed(1)  # the vendors' answers come in the same order every time
        config = {**self.config, **changes}
        if self.store is not None:
            config |= {"storage_url": str(self.store), "storage_options": {"unused": STORAGE_SECRET}}
        config = {name: value for name, value in config.items() if value is not None}

        def prepared(tap: TapBillingReports) -> None:
            if impatient is not None:
                impatient.hurry(tap)
            if prepare is not None:
                prepare(tap)

        root = logging.getLogger()
        level = root.level
        root.setLevel(logging.DEBUG)
        try:
            return run_tap(config, state=state, clock=self.clock, limits=PATIENT, prepare=prepared)
        finally:
            root.setLevel(level)

    # -- judging ---------------------------------------------------------------------------------------

    def judge_whole(self, verdict: Verdict, *results: Result, whole: Held | None = None) -> None:
        """Count what the syncs together, after upsert by key, have lost and doubled."""
        compare(verdict, whole or self.whole, held(*results))
        if self.store is not None:
            found = self._files()
            verdict.lost += len(self.files - found)
            verdict.doubled += len(found - self.files)

    def _files(self) -> set[tuple[str, str]]:
        """The kept files that nobody reads: where each lies, and its form. Their names hold when they were fetched."""
        assert self.store is not None
        return {
            (str(path.parent.relative_to(self.store)), path.suffix)
            for path in self.store.rglob("*")
            if path.suffix in self._kept and path.is_file()
        }

    def judge_leaks(self, verdict: Verdict, *results: Result) -> None:
        """Look for every canary in all that the syncs have written, and at who has seen a credential."""
        for result in results:
            verdict.leaked += self.canaries.count(
                result.log, json.dumps([result.records, result.states, result.schemas], ensure_ascii=False)
            )
        if self.store is not None and self.store.exists():
            verdict.leaked += self.canaries.count_files(self.store)
        seen = self.control.counters()["credentials"].get("foreign")
        if seen:
            verdict.leaked += len(seen)
            verdict.remarks.append(f"a foreign host has seen {seen}")

    def orders(self) -> dict[str, dict[str, int]]:
        """Vendor -> what was ordered -> how often."""
        return {vendor: dict(found["by_key"]) for vendor, found in self.control.counters()["orders"].items()}


def opened(stack: ExitStack, world: World) -> Bench:
    """A bench with the vendors of a world, until the stack is closed."""
    bench = Bench(stack.enter_context(world.sandbox()), world)
    stack.callback(bench.close)
    return bench


@dataclass(frozen=True)
class Impatient:
    """Calls of one vendor that are to wait no longer for an answer than silence needs to be noticed.

    Attributes:
        strikes: whether this call, by method and path, will be met with silence.
        deaf: connecting may be met with silence. Where somebody listens, the system itself answers at once.
    """

    vendor: str
    strikes: Callable[[str, str, str], bool]
    deaf: bool

    def hurry(self, tap: TapBillingReports) -> None:
        """Open the vendor's client, before the sync would open it."""
        session = tap.session
        source = next(source for source in session.sources if source.name == self.vendor)
        limits = replace(PATIENT, connect_seconds=SILENCE_SECONDS) if self.deaf else PATIENT
        opened = HttpSourceClient(source, session.settings.values, clock=session.clock, limits=limits)
        session._open[self.vendor] = opened
        another = opened.http.another
        # The thread that fetches ahead has a client of its own.
        self._hurried(opened.http).another = lambda: self._hurried(another())  # type: ignore[method-assign]

    def _hurried(self, http: HttpClient) -> HttpClient:
        transport = http._transport
        patient, send = transport._limits, transport._send

        def sending(request: Request, about: About) -> Response:
            parts = urlsplit(request.url)
            # What the transport is given may have its query beside the URL.
            query = parts.query or urlencode(request.params or (), doseq=True)
            struck = self.strikes(request.method, parts.path, unquote_plus(query))
            transport._limits = replace(patient, read_seconds=SILENCE_SECONDS) if struck else patient
            try:
                return send(request, about)
            finally:
                transport._limits = patient

        transport._send = sending  # type: ignore[method-assign]
        return http


def held(*results: Result) -> Held:
    """What an upserting target holds of the streams that stand for money; the others name runs, which may be new."""
    target: Held = {}
    for result in results:
        for stream, records in result.records.items():
            if is_money(stream, result.schemas[stream]):
                upsert(target, stream, result.keys[stream], records)
    return target


def is_money(stream: str, schema: Mapping[str, Any]) -> bool:
    return stream == "invoices" or "row_number" in schema["properties"]


def upsert(target: Held, stream: str, keys: Iterable[str], records: Iterable[dict[str, Any]]) -> None:
    """Take records in as a target does; one that is marked as deleted takes its row away."""
    rows = target.setdefault(stream, {})
    for record in records:
        key = json.dumps([record[name] for name in keys])
        if record.get("_sdc_deleted_at"):
            rows.pop(key, None)
        else:
            rows[key] = {k: v for k, v in record.items() if k not in VOLATILE and v is not None}


def compare(verdict: Verdict, whole: Held, found: Held) -> None:
    """Add what is missing or different to `lost`, and what should not be there to `doubled`."""
    for stream in {*whole, *found}:
        expected, got = whole.get(stream, {}), found.get(stream, {})
        verdict.lost += sum(got.get(key) != record for key, record in expected.items())
        verdict.doubled += sum(key not in expected for key in got)


def part_of(target: Held, vendor: str) -> Held:
    """Only what came from one vendor."""
    return {
        stream: mine
        for stream, records in copy.copy(target).items()
        if (mine := {key: record for key, record in records.items() if record["source"] == vendor})
    }


def failures(result: Result) -> str:
    """The sync's error lines."""
    return "\n".join(line for line in result.log.splitlines() if line.startswith("ERROR"))
