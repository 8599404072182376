"""The trial's steps. Exit status 0 only when every shard was read and every control total is equal.

python -m scripts.airflow            LocalExecutor: eight accounts, a day goes by, the same again
python -m scripts.airflow --celery   CeleryExecutor with Redis and two workers, one of them lost in the middle
python -m scripts.airflow --break    one account is refused by its vendor: this must be noticed
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import shutil
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.airflow import tree
from scripts.airflow.api import ENDED, Api, Shard
from scripts.airflow.cluster import AIRFLOW, POOLS, TARGET, Cluster
from scripts.airflow.redis import redis_server
from scripts.airflow.warehouse import Postgres
from scripts.demo.compare import columns_of, compare, table
from scripts.demo.processes import leave_on_sigterm
from scripts.demo.sandbox import RunningSandbox, running_sandbox
from scripts.demo.settings import DAYS, FEWER_REPORTS, demo_settings
from scripts.targets.postgres import USER, postgres_server
from scripts.venvs import ROOT, InstallError, provide
from tap_billing_reports.sandbox.emulation import SERVED

if TYPE_CHECKING:
    import subprocess

    from scripts.targets.postgres import Server

ACCOUNTS = 8
WAREHOUSE, SCHEMA = "billing", "billing"
READY_SECONDS = 240
RUN_SECONDS = 900
KEPT = "kept"
# Long enough that a worker can be lost while its reports are in the making.
SLOW_RUNS = {"bring_run_seconds": 4, "stripe_run_seconds": 4}
REFUSED_ACCOUNT = "20000770022"
REFUSED = {"match": {"host": "bring", "path": f"/invoices/{REFUSED_ACCOUNT}"}, "do": {"status": 403}}


class Trial:
    """One trial; `problems` is what a reader has to know before trusting the table."""

    def __init__(self, *, celery: bool, broken: bool) -> None:
        self.celery = celery
        self.broken = broken
        self.folder = ROOT / "output" / ("airflow-celery" if celery else "airflow")
        self.problems: list[str] = []
        self._began = time.monotonic()

    def run(self) -> int:
        """Everything; the exit status."""
        provide(AIRFLOW)
        provide(TARGET.environment)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(postgres_server(self.folder / "postgres.log"))
            server.create(WAREHOUSE)
            sandbox = stack.enter_context(running_sandbox(self.folder, root=ROOT, vendors=SERVED))
            broker = stack.enter_context(redis_server(self.folder)) if self.celery else None
            self._say(f"PostgreSQL {server.version}, the sandbox{' and Redis' if broker else ''} answer.")
            settings = self._settings(sandbox)
            cluster = Cluster(self.folder, server, self._billing(settings, server), broker)
            stack.enter_context(cluster.running())
            api = Api(cluster.url)
            api.wait(READY_SECONDS)
            api.make_pools(POOLS)
            self._say("Airflow answers and knows the DAG and its pools.")
            warehouse = Postgres(server, WAREHOUSE, SCHEMA)
            if self.broken:
                sandbox.fault(REFUSED)
            if self.celery:
                self._with_a_lost_worker(cluster, api, sandbox)
            else:
                self._sync("Run 1", api, sandbox, api.trigger())
                if not self.broken:
                    sandbox.next_day()
                    self._say("A day goes by at the vendors.")
                    self._sync("Run 2", api, sandbox, api.trigger())
            self._say(f"Airflow itself takes {cluster.mib():.0f} MiB of memory.\n")
            return self._verdict(sandbox.totals(settings), warehouse)

    # -- the two ways ----------------------------------------------------------------------------------

    def _with_a_lost_worker(self, cluster: Cluster, api: Api, sandbox: RunningSandbox) -> None:
        sandbox.switch(SLOW_RUNS)
        with cluster.worker("worker-1") as lost, cluster.worker("worker-2"):
            run = api.trigger()
            reading = self._lose(lost)
            shards = self._sync("The run", api, sandbox, run)
        again = {shard.name for shard in shards if shard.tries > 1}
        self.problems += [f"{name} was lost with its worker and not tried again" for name in reading - again]
        twice = sandbox.ordered_twice()
        print(f"Tried again: {', '.join(sorted(again))}. Reports ordered twice: {len(twice)}.\n")
        self.problems += [f"ordered twice: {order}" for order in twice]

    def _lose(self, worker: subprocess.Popen[str]) -> set[str]:
        """SIGKILL to the worker and all that it has started, as when its machine goes down.

        Waits until one of the shards that it reads has a report in the making; the names of all that it was reading.
        """
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            members = tree.family(worker.pid)
            stores = {store for member in members if (store := _store(member))}
            if any(_has_open_orders(store) for store in stores):
                count = tree.kill(members)
                names = {store.name for store in stores}
                self._say(f"Worker 1 is lost: SIGKILL to its {count} processes, which read {', '.join(sorted(names))}.")
                return names
            time.sleep(0.1)
        raise RuntimeError(f"worker 1 had no report in the making within {READY_SECONDS} s")

    def _sync(self, title: str, api: Api, sandbox: RunningSandbox, run: str) -> list[Shard]:
        """Wait for a run's end and show its shards."""
        began = time.monotonic()
        while (state := api.state(run)) not in ENDED:
            if time.monotonic() - began > RUN_SECONDS:
                self.problems.append(f"{title}: still {state} after {RUN_SECONDS} s")
                break
            time.sleep(1)
        shards = api.shards(run)
        ordered = ", ".join(f"{vendor} {count}" for vendor, count in sorted(sandbox.orders().items()))
        self._say(f"{title}: {state} after {time.monotonic() - began:.0f} s. Reports ordered so far: {ordered}.")
        print()
        cells = [(s.task, s.account, s.state, str(s.tries), f"{s.seconds:.1f}") for s in shards]
        print(columns_of([("task", "account", "state", "tries", "seconds"), *cells], right=(3, 4)))
        print()
        if state != "success":
            self.problems.append(f"{title}: {state}; the logs are in {self.folder.relative_to(ROOT)}")
            self.problems += [f"{title}: {line}" for line in self._said_by_summary(run)]
        if len(shards) != ACCOUNTS:
            self.problems.append(f"{title}: {len(shards)} shards instead of {ACCOUNTS}")
        return shards

    def _said_by_summary(self, run: str) -> list[str]:
        """What the run's last task has logged as errors: the shards that failed."""
        logs = sorted((self.folder / "tasks").glob(f"*/run_id={run}/task_id=summary/*.log"))
        events = [json.loads(line) for log in logs for line in log.read_text().splitlines() if line.startswith("{")]
        ours = (e for e in events if e.get("level") == "error" and str(e.get("logger", "")).endswith("billing_reports"))
        return [str(event["event"]) for event in ours]

    # -- settings --------------------------------------------------------------------------------------

    def _settings(self, sandbox: RunningSandbox) -> dict[str, Any]:
        today = datetime.now(timezone.utc).date()
        kept = {"storage_url": str(self.folder / KEPT)}
        return demo_settings(sandbox.settings, today=today, days=DAYS, reports=FEWER_REPORTS) | kept

    def _billing(self, settings: dict[str, Any], server: Server) -> dict[str, str]:
        target = {
            "host": "127.0.0.1", "port": server.port, "user": USER, "password": "unused", "database": WAREHOUSE,
            "default_target_schema": SCHEMA,
        }  # fmt: skip
        executable = TARGET.environment.path / "bin" / TARGET.executable
        return {
            "BILLING_SETTINGS": str(_private(self.folder / "settings.json", settings)),
            "BILLING_STATES": str(self.folder / "states"),
            "BILLING_TAP": f"{sys.executable} -m tap_billing_reports",
            "BILLING_TARGET": f"{executable} --config {_private(self.folder / 'target.json', target)}",
            "BILLING_SCHEDULE": "",
            "BILLING_RETRY_SECONDS": "2",
        }

    # -- the end ---------------------------------------------------------------------------------------

    def _verdict(self, totals: Any, warehouse: Postgres) -> int:
        lines = compare(totals, warehouse)
        print("Control totals of the sandbox, and PostgreSQL by SQL:\n")
        print(table(lines))
        different = [line for line in lines if not line.equal]
        if different:
            self.problems.append(f"{len(different)} of {len(lines)} control totals differ")
        accounts = warehouse.accounts()
        if accounts != ACCOUNTS:
            self.problems.append(f"rows of {accounts} accounts instead of {ACCOUNTS}")
        print()
        for problem in self.problems:
            print(f"airflow: {problem}")
        if self.problems:
            return 1
        seconds = time.monotonic() - self._began
        print(f"airflow: {accounts} accounts, all {len(lines)} control totals are equal ({seconds:.0f} s)")
        return 0

    def _say(self, text: str) -> None:
        print(f"[{time.monotonic() - self._began:5.1f} s] {text}", flush=True)


def _store(process: tree.Process) -> Path | None:
    """The storage of a tap that reads a shard, from the settings that it was handed; it bears the shard's name."""
    found = re.search(r" tap_billing_reports --config /dev/fd/(\d+)", process.command)
    try:
        url = json.loads(process.file(int(found[1]))).get("storage_url") if found else None
    except (OSError, ValueError):
        return None  # it ends just now
    return Path(url) if url and Path(url).name != KEPT else None


def _has_open_orders(store: Path) -> bool:
    """Whether a report has been ordered there and not come yet, as the tap's journal says."""
    return any(json.loads(note.read_text())["stage"] == "ordered" for note in store.glob("journal/*/*/*/*.json"))


def _private(path: Path, content: Any) -> Path:
    path.touch(mode=0o600)
    path.write_text(json.dumps(content, indent=2))
    return path


def main() -> int:
    """Reads the command line; expected failures end in their message, not in a traceback."""
    parser = argparse.ArgumentParser(prog="python -m scripts.airflow", description=__doc__.partition("\n")[0])
    parser.add_argument("--celery", action="store_true", help="Redis and two workers, one of them lost")
    parser.add_argument("--break", dest="broken", action="store_true", help="one account is refused")
    arguments = parser.parse_args()
    if not tree.PROC.is_dir():
        print("airflow: this trial finds processes in /proc and so needs Linux", file=sys.stderr)
        return 1
    leave_on_sigterm()
    try:
        return Trial(celery=arguments.celery, broken=arguments.broken).run()
    except (RuntimeError, OSError, ValueError, InstallError) as error:
        print(f"airflow: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
