"""How far one process goes: the figures of docs/scale.md, measured on this machine.

    python -m scripts.airflow.measure [accounts] [rows] [shards]

Needs what `make airflow` sets up. Memory is the peak of the resident set. Processor time is that of the tap, or of the
target, alone: neighbours on the machine do not count, nor do the sandbox and PostgreSQL, which are on it too.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from scripts.demo.processes import leave_on_sigterm
from scripts.demo.sandbox import running_sandbox
from scripts.targets.loaders import POSTGRES, SCHEMA, loader_of
from scripts.targets.postgres import postgres_server
from scripts.totals import columns_of
from scripts.venvs import ROOT, provide
from scripts.warehouse import identifier, query

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from scripts.targets.loaders import Place
    from scripts.targets.postgres import Server

TARGET = loader_of(POSTGRES)
ITEMIZED = {"report_type": "balance_change_from_activity.itemized.3", "window": "month"}
ACCOUNTS = (10, 100, 1000)
MULTIPLIERS = (10, 50, 200)
SHARD_MULTIPLIER = 10
SHARDS = ("acct_sandbox", "acct_sandbox_north", "acct_sandbox_east")
START = "2026-05-01"

# The emulated vendors with more customers at Bring than they come with, and reports that are made at once.
_SERVE = """
import sys
from dataclasses import replace
from tap_billing_reports.sandbox import server
from tap_billing_reports.sandbox.bring import ledger
ready, customers, multiplier = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
more = [replace(ledger.CUSTOMERS[1], number=f"3{n:010d}") for n in range(customers - len(ledger.CUSTOMERS))]
ledger.CUSTOMERS += tuple(more)
options = {"bring_run_seconds": 0, "stripe_run_seconds": 0, "stripe_rows_multiplier": multiplier}
server.serve(ready_file=ready, options=options)
"""
_TIMED = (
    "import json, resource, subprocess, sys; status = subprocess.call(sys.argv[2:]); "
    "used = resource.getrusage(resource.RUSAGE_CHILDREN); "
    "json.dump([used.ru_maxrss / 1024, used.ru_utime + used.ru_stime], open(sys.argv[1], 'w')); sys.exit(status)"
)
# Without a target the last STATE is picked out of the messages.
_LAST_STATE = ("sh", "-c", """grep '^{"type":"STATE"' | tail -n 1""")

Table = list[tuple[str, ...]]
"""Lines of cells, the heads first."""


class Taken(NamedTuple):
    """What one process has taken: peak resident memory, processor time."""

    mib: float
    cpu: float

    @classmethod
    def read(cls, report: Path) -> Taken:
        return cls(*json.loads(report.read_text()))


def timed(report: Path, command: Sequence[str]) -> list[str]:
    """The command of a small process that runs this one, and writes what it has taken into `report`."""
    return [sys.executable, "-c", _TIMED, str(report), *command]


class Piped(NamedTuple):
    """A tap's messages through a target: seconds by the clock, what both have taken, and what the target has said."""

    seconds: float
    tap: Taken
    target: Taken
    states: list[str]
    log: list[str]


def piped(tap: Sequence[str], target: Sequence[str]) -> Piped:
    """Both commands in a folder of their own, where they find the project's modules.

    Raises:
        RuntimeError: one of them failed.
    """
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        first, second = (shlex.join(timed(place / name, one)) for name, one in (("tap", tap), ("target", target)))
        script = f"{first} 2> tap.log | {second} 2> target.log > states.jsonl"
        began = time.monotonic()
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        ended = subprocess.run(["bash", "-o", "pipefail", "-c", script], cwd=place, env=env, check=False)
        seconds = time.monotonic() - began
        if ended.returncode:
            said = [(place / log).read_text()[-1500:] for log in ("tap.log", "target.log")]
            raise RuntimeError("a sync failed:\n" + "\n".join(said))
        states, log = ((place / name).read_text().splitlines() for name in ("states.jsonl", "target.log"))
        return Piped(seconds, Taken.read(place / "tap"), Taken.read(place / "target"), states, log)


def sync(folder: Path, settings: Mapping[str, Any], target: Sequence[str] = _LAST_STATE, state: Any = None) -> Piped:
    """One sync through `target`, or into nothing."""
    words = {"config": settings} if state is None else {"config": settings, "state": state}
    tap = [sys.executable, "-m", "tap_billing_reports"]
    with tempfile.TemporaryDirectory(dir=folder) as name:
        for word, content in words.items():
            path = Path(name) / f"{word}.json"
            path.write_text(json.dumps(content))
            tap += [f"--{word}", str(path)]
        return piped(tap, target)


@dataclass
class Measurements:
    """`accounts`, `rows` and `shards` measure one thing each."""

    folder: Path
    server: Server

    def __post_init__(self) -> None:
        self._places = (TARGET.place(self.folder, f"{number}", self.server) for number in count())

    @contextlib.contextmanager
    def _sandbox(self, *, customers: int = 0, multiplier: int = 1) -> Iterator[Mapping[str, Any]]:
        with running_sandbox(self.folder, str(customers), str(multiplier), program=_SERVE) as found:
            yield found.settings

    def accounts(self) -> Table:
        """Bring customers in one process: the first sync and one that finds nothing new."""
        lines: Table = [("accounts", "first, s", "nothing new, s", "processor, s", "MiB", "STATE, KB")]
        for customers in ACCOUNTS:
            with self._sandbox(customers=customers) as found:
                bring = {name: value for name, value in found.items() if name.startswith("bring_")}
                first = sync(self.folder, {**bring, "start_date": START})
                state = json.loads(first.states[-1])["value"]
                again = sync(self.folder, {**bring, "start_date": START}, state=state)
            mib = max(first.tap.mib, again.tap.mib)
            numbers = (f"{first.seconds:.1f}", f"{again.seconds:.1f}", f"{again.tap.cpu:.1f}", f"{mib:.0f}")
            lines.append((str(customers), *numbers, f"{len(json.dumps(state)) / 1e3:.0f}"))
        return lines

    def rows(self) -> Table:
        """Rows of one Stripe account in one process, into PostgreSQL; rows by second of processor time."""
        lines: Table = [("rows", "s", "tap, rows/s", "tap, MiB", "target, rows/s", "target, MiB")]
        for multiplier in MULTIPLIERS:
            with self._sandbox(multiplier=multiplier) as found:
                place = next(self._places)
                ended = sync(self.folder, _stripe(found, "acct_sandbox"), TARGET.command(place))
            rows = _loaded(place)
            taken = (f"{figure:.0f}" for one in (ended.tap, ended.target) for figure in (rows / one.cpu, one.mib))
            lines.append((str(rows), f"{ended.seconds:.1f}", *taken))
        return lines

    def shards(self) -> Table:
        """The same three Stripe accounts as one process, and as shards of which some run at once."""
        lines: Table = [("three accounts", "rows", "s", "processor, s", "MiB")]
        with self._sandbox(multiplier=SHARD_MULTIPLIER) as found:
            for at_once in (0, 1, 2, 3):
                place = next(self._places)
                target = TARGET.command(place)
                plans = [_stripe(found, name) for name in SHARDS] if at_once else [_stripe(found, *SHARDS)]
                # The tables first: shards would race to make them.
                sync(self.folder, {**plans[0], "start_date": "2099-01-01"}, target)
                began = time.monotonic()
                with ThreadPoolExecutor(at_once or 1) as pool:
                    ended = list(pool.map(lambda plan, to=target: sync(self.folder, plan, to), plans))
                seconds = time.monotonic() - began
                peaks = sorted((one.tap.mib + one.target.mib for one in ended), reverse=True)
                cpu = sum(one.tap.cpu + one.target.cpu for one in ended)
                title = f"shards, {at_once} at once" if at_once else "one process"
                mib = sum(peaks[: at_once or 1])
                lines.append((title, str(_loaded(place)), f"{seconds:.1f}", f"{cpu:.1f}", f"{mib:.0f}"))
        return lines


def _loaded(place: Place) -> int:
    """All rows of all streams."""
    streams = query(
        place.database_url, f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{SCHEMA}'"
    )
    counted = [query(place.database_url, f"SELECT COUNT(*) FROM {SCHEMA}.{identifier(name)}") for (name,) in streams]
    return sum(rows for ((rows,),) in counted)


def _stripe(found: Mapping[str, Any], *accounts: str) -> dict[str, Any]:
    """Settings for these accounts, and no others."""
    connected = [name for name in accounts if name != found["stripe_account_id"]]
    return {
        **{name: value for name, value in found.items() if name.startswith("stripe_")},
        "start_date": START,
        "stripe_reports": [ITEMIZED],
        "stripe_connected_accounts": connected,
        "stripe_read_platform": len(connected) < len(accounts),
    }


def main(wanted: Sequence[str]) -> None:
    """Prints a table for each of the wanted measurements."""
    leave_on_sigterm()
    provide(TARGET.environment)
    cpu = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    print(f"{os.cpu_count()} processors, {cpu[1] if cpu else 'unknown'}")
    with tempfile.TemporaryDirectory(prefix="measure-") as name:
        folder = Path(name)
        with postgres_server(folder / "postgres.log") as server:
            measurements = Measurements(folder, server)
            for what in wanted:
                print(f"\n{what}\n\n{columns_of(getattr(measurements, what)(), right=range(1, 6))}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or ("accounts", "rows", "shards"))
