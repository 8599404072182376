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
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.demo.processes import leave_on_sigterm
from scripts.demo.sandbox import running_sandbox
from scripts.targets.loaders import LOADERS, POSTGRES
from scripts.targets.postgres import USER, postgres_server
from scripts.totals import columns_of
from scripts.venvs import ROOT, provide
from scripts.warehouse import identifier, query

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from scripts.targets.postgres import Server

TARGET = next(loader for loader in LOADERS if loader.name == POSTGRES)
ITEMIZED = {"report_type": "balance_change_from_activity.itemized.3", "window": "month"}
ACCOUNTS = (10, 100, 1000)
MULTIPLIERS = (10, 50, 200)
SHARD_MULTIPLIER = 10
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


def target_command(config: Path, server: Server, database: str, schema: str) -> str:
    """What loads into a schema of a database, with its settings in a file that nobody else may read."""
    settings = {
        "host": "127.0.0.1", "port": server.port, "user": USER, "password": "unused", "database": database,
        "default_target_schema": schema,
    }  # fmt: skip
    config.touch(mode=0o600)
    config.write_text(json.dumps(settings))
    return f"{TARGET.environment.path / 'bin' / TARGET.executable} --config {config}"


@dataclass(frozen=True)
class Taken:
    """What one process has taken: peak resident memory, processor time."""

    mib: float
    cpu: float


@dataclass(frozen=True)
class Measured:
    """One sync."""

    seconds: float
    state: str
    tap: Taken
    target: Taken


@contextlib.contextmanager
def sandbox(folder: Path, *, customers: int = 4, multiplier: int = 1) -> Iterator[Mapping[str, Any]]:
    """The settings of an emulation in a process of its own."""
    with running_sandbox(folder, str(customers), str(multiplier), program=_SERVE) as found:
        yield found.settings


def sync(folder: Path, settings: Mapping[str, Any], *, target: str = "", state: str = "") -> Measured:
    """One sync through `target`, or into nothing.

    Raises:
        RuntimeError: a part of the pipe failed.
    """
    with tempfile.TemporaryDirectory(dir=folder) as name:
        place = Path(name)
        (place / "config.json").write_text(json.dumps(settings))
        tap = f"{shlex.quote(sys.executable)} -m tap_billing_reports --config config.json"
        if state:
            (place / "state.json").write_text(state)
            tap += " --state state.json"
        timed = shlex.join([sys.executable, "-c", _TIMED])
        # Without a target the last STATE is picked out of the messages.
        script = f"{timed} tap {tap} 2> tap.log | {timed} target {target or _LAST_STATE} 2> target.log > states.jsonl"
        began = time.monotonic()
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        ended = subprocess.run(["bash", "-o", "pipefail", "-c", script], cwd=place, env=env, check=False)
        seconds = time.monotonic() - began
        if ended.returncode:
            said = [(place / name).read_text()[-1500:] for name in ("tap.log", "target.log")]
            raise RuntimeError("a sync failed:\n" + "\n".join(said))
        lines = (place / "states.jsonl").read_text().splitlines()
        found = json.loads(lines[-1]) if lines else {}
        taken = (Taken(*json.loads((place / f"{name}.json").read_text())) for name in ("tap", "target"))
        return Measured(seconds, json.dumps(found.get("value", found)), *taken)


_LAST_STATE = """sh -c "grep '^{\\"type\\":\\"STATE\\"' | tail -n 1" """
_TIMED = (
    "import json, resource, subprocess, sys; status = subprocess.call(sys.argv[2:]); "
    "used = resource.getrusage(resource.RUSAGE_CHILDREN); "
    "taken = [used.ru_maxrss / 1024, used.ru_utime + used.ru_stime]; "
    "json.dump(taken, open(sys.argv[1] + '.json', 'w')); sys.exit(status)"
)


class Measurements:
    """Each method measures one thing and gives the lines of a table, its heads first."""

    def __init__(self, folder: Path, server: Server) -> None:
        self._folder = folder
        self._server = server
        self._databases = 0

    def accounts(self) -> list[Sequence[str]]:
        """Bring customers in one process: the first sync and one that finds nothing new."""
        lines: list[Sequence[str]] = [("accounts", "first, s", "nothing new, s", "processor, s", "MiB", "STATE, KB")]
        for count in ACCOUNTS:
            with sandbox(self._folder, customers=count) as found:
                bring = {k: v for k, v in found.items() if k.startswith("bring_")}
                first = sync(self._folder, {**bring, "start_date": START})
                again = sync(self._folder, {**bring, "start_date": START}, state=first.state)
            mib = max(first.tap.mib, again.tap.mib)
            numbers = (f"{first.seconds:.1f}", f"{again.seconds:.1f}", f"{again.tap.cpu:.1f}")
            lines.append((str(count), *numbers, f"{mib:.0f}", f"{len(first.state) / 1e3:.0f}"))
        return lines

    def rows(self) -> list[Sequence[str]]:
        """Rows of one Stripe account in one process, into PostgreSQL; rows by second of processor time."""
        lines: list[Sequence[str]] = [("rows", "s", "tap, rows/s", "tap, MiB", "target, rows/s", "target, MiB")]
        for multiplier in MULTIPLIERS:
            with sandbox(self._folder, multiplier=multiplier) as found:
                database, target = self._target()
                ended = sync(self._folder, _stripe(found, "acct_sandbox"), target=target)
            rows = self._loaded(database)
            taken = (f"{figure:.0f}" for one in (ended.tap, ended.target) for figure in (rows / one.cpu, one.mib))
            lines.append((str(rows), f"{ended.seconds:.1f}", *taken))
        return lines

    def shards(self) -> list[Sequence[str]]:
        """The same three Stripe accounts as one process, and as shards of which some run at once."""
        lines: list[Sequence[str]] = [("three accounts", "rows", "s", "processor, s", "MiB")]
        names = ("acct_sandbox", "acct_sandbox_north", "acct_sandbox_east")
        with sandbox(self._folder, multiplier=SHARD_MULTIPLIER) as found:
            for at_once in (0, 1, 2, 3):
                database, target = self._target()
                plans = [_stripe(found, name) for name in names] if at_once else [_stripe(found, *names)]
                # The tables first: shards would race to make them.
                sync(self._folder, {**plans[0], "start_date": "2099-01-01"}, target=target)
                began = time.monotonic()
                with ThreadPoolExecutor(at_once or 1) as pool:
                    ended = list(pool.map(lambda plan, to=target: sync(self._folder, plan, target=to), plans))
                seconds = time.monotonic() - began
                rows = self._loaded(database)
                peaks = sorted((one.tap.mib + one.target.mib for one in ended), reverse=True)
                cpu = sum(one.tap.cpu + one.target.cpu for one in ended)
                title = f"shards, {at_once} at once" if at_once else "one process"
                mib = sum(peaks[: at_once or 1])
                lines.append((title, str(rows), f"{seconds:.1f}", f"{cpu:.1f}", f"{mib:.0f}"))
        return lines

    def _target(self) -> tuple[str, str]:
        """A new database, whose schema has the same name, and the command that loads into it."""
        self._databases += 1
        name = f"measure_{self._databases}"
        self._server.create(name)
        return name, target_command(self._folder / f"{name}.json", self._server, name, name)

    def _loaded(self, name: str) -> int:
        """All rows of all streams in it."""
        url = self._server.url(name)
        streams = query(url, f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{name}'")
        counted = [query(url, f"SELECT COUNT(*) FROM {name}.{identifier(stream)}") for (stream,) in streams]
        return sum(count for ((count,),) in counted)


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
    """Prints a table for each of the wanted measurements, for all when none is named."""
    leave_on_sigterm()
    provide(TARGET.environment)
    cpu = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    print(f"{os.cpu_count()} processors, {cpu[1] if cpu else 'unknown'}")
    with tempfile.TemporaryDirectory(prefix="measure-") as name:
        folder = Path(name)
        with postgres_server(folder / "postgres.log") as server:
            measurements = Measurements(folder, server)
            for what in wanted or ("accounts", "rows", "shards"):
                print(f"\n{what}\n\n{columns_of(getattr(measurements, what)(), right=range(1, 6))}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
