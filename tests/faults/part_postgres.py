"""Kill points against a real PostgreSQL behind meltanolabs-target-postgres, the STATE as that target kept it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.targets.loaders import LOADERS, POSTGRES, SCHEMA, Place
from scripts.targets.postgres import Server, postgres_server
from scripts.venvs import provide
from scripts.warehouse import tables
from tap_billing_reports.sandbox.core import Sandbox
from tests.faults.bench import STORAGE_SECRET, Held, compare, config_of
from tests.faults.canaries import Canaries
from tests.faults.cases import Case, Verdict
from tests.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from contextlib import ExitStack

ROOT = Path(__file__).resolve().parents[2]
POINTS = 20
VOLATILE = ("run_id", "file_id", "created_at")
# How the target ends when the tap is killed.
ENDS = ("the target flushes", "the target is killed, too")


def cases(stack: ExitStack) -> list[Case]:
    """Twenty of the calls, evenly spread; every other time the target dies as well."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    server = stack.enter_context(postgres_server(folder / "postgres.log"))
    # The tap is a process with the machine's clock; the vendors begin anew at the same instant for each kill.
    box = stack.enter_context(Sandbox(datetime.now(timezone.utc), stripe_run_seconds=0, bring_run_seconds=0))
    pipeline = Pipeline(server, box, folder)
    pipeline.load("whole", None)
    pipeline.whole = pipeline.held("whole")
    calls = len(box.control.requests())
    numbers = sorted({place * (calls - 1) // (POINTS - 1) for place in range(POINTS)})
    assert len(numbers) == POINTS, calls
    return [
        Case(f"after call {call + 1} of {calls}, {ENDS[place % 2]}", partial(run, pipeline, call, bool(place % 2)))
        for place, call in enumerate(numbers)
    ]


class Pipeline:
    """The tap's command, piped into the target's.

    Attributes:
        whole: what an undisturbed load holds.
    """

    def __init__(self, server: Server, box: Sandbox, folder: Path) -> None:
        self.server, self.box, self.folder = server, box, folder
        self.whole: Held = {}
        self._loader = next(loader for loader in LOADERS if loader.name == POSTGRES)
        provide(self._loader.environment)
        start = (datetime.now(timezone.utc) - timedelta(days=65)).date().isoformat()
        self.config = config_of(box, start_date=start, bring_customers=["20000770011"])
        self.canaries = Canaries(box, self.config, STORAGE_SECRET)
        self.box.control.reset()
        (folder / "tap.json").write_text(json.dumps(self.config))

    def load(
        self, database: str, state: Any, *, kill_at: int | None = None, kill_target: bool = False
    ) -> tuple[Any, int | None, str]:
        """Run once.

        Returns:
            The STATE that the target has kept (None for none), the tap's exit status, and all that both said.
        """
        if (state is None and kill_at is not None) or database == "whole":
            self.server.create(database)
        environment = self._loader.environment
        place = Place(self.folder, database, self.server)
        (self.folder / "target.json").write_text(json.dumps(self._loader.settings(place)))
        command = [sys.executable, "-m", "tap_billing_reports", "--config", str(self.folder / "tap.json")]
        if state is not None:
            (self.folder / "state.json").write_text(json.dumps(state))
            command += ["--state", str(self.folder / "state.json")]
        kept, log = self.folder / "kept.jsonl", self.folder / "log.txt"
        program = environment.path / "bin" / self._loader.executable
        with kept.open("w") as out, log.open("w") as errors:
            tap = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors)
            if kill_at is not None:
                rule = {"signal": {"pid": tap.pid, "signal": "KILL", "when": "after"}}
                self.box.control.fault(rule, skip=kill_at, times=1)
            target = subprocess.Popen(
                [str(program), "--config", str(self.folder / "target.json")],
                stdin=tap.stdout,
                stdout=out,
                stderr=errors,
            )
            assert tap.stdout is not None
            tap.stdout.close()
            try:
                code = tap.wait(HANG_SECONDS)
                if kill_target and code == -9:
                    # Some time to have stored a part of what it read.
                    time.sleep(0.2)
                    target.kill()
                target_code = target.wait(HANG_SECONDS)
            finally:
                for process in (tap, target):
                    process.kill()
                    process.wait()
        lines = [line for line in kept.read_text().splitlines() if line]
        said = log.read_text()
        if target_code and not kill_target:
            raise RuntimeError(f"the target failed: {said[-1500:]}")
        return (json.loads(lines[-1]) if lines else None), code, said

    def held(self, database: str) -> Held:
        """What the tables that stand for money hold, as text, by key."""
        found: Held = {}
        for table, content in tables(self.server.url(database), SCHEMA).items():
            if table != "invoices" and "row_number" not in content.columns:
                continue
            keys = ("source", "account_id", "invoice_id") if table == "invoices" else _ROW_KEYS
            for row in content.rows:
                if row.get("_sdc_deleted_at"):
                    continue
                own = {k: v for k, v in row.items() if v is not None and k not in VOLATILE and not k.startswith("_sdc")}
                found.setdefault(table, {})[json.dumps([row[name] for name in keys])] = own
        return found


_ROW_KEYS = ("source", "account_id", "report_name", "period", "row_number")


def run(pipeline: Pipeline, call: int, kill_target: bool, verdict: Verdict) -> None:
    """One kill, then loads from what the target kept until one is whole."""
    control = pipeline.box.control
    control.reset()
    database = f"killed_{call}"
    state, code, first = pipeline.load(database, None, kill_at=call, kill_target=kill_target)
    verdict.ended = f"tap {code}, {'a' if state else 'no'} STATE kept"
    if code != -9:
        verdict.remarks.append(f"the kill did not hit: {first[-300:]}")
    control.clear_faults()
    _, code, second = pipeline.load(database, state)
    if code:
        verdict.remarks.append(f"the next sync ended with {code}: {second[-500:]}")
    compare(verdict, pipeline.whole, pipeline.held(database))
    verdict.leaked += pipeline.canaries.count(first, second)
    stripe = control.counters()["orders"].get("stripe", {}).get("by_key", {})
    twice = {what: n for what, n in stripe.items() if n > 1}
    if twice:
        verdict.remarks.append(f"ordered twice: {twice}")
