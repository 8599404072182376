"""The trial's steps. Exit status 0 only when every vendor was read and every control total is equal.

python -m scripts.airflow            LocalExecutor: three vendors' eight accounts, a day goes by, the same again
python -m scripts.airflow --celery   CeleryExecutor with Redis and two workers, one of them lost in the middle
python -m scripts.airflow --break    one account is refused by its vendor: this must be noticed
"""

from __future__ import annotations

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
from scripts.airflow.api import DAG, ENDED, Api, Synced
from scripts.airflow.cluster import AIRFLOW, POOLS, Cluster
from scripts.airflow.redis import redis_server
from scripts.demo.sandbox import RunningSandbox, running_sandbox
from scripts.demo.settings import DAYS, FEWER_REPORTS, demo_settings
from scripts.targets.postgres import postgres_server
from scripts.totals import columns_of, compare, table
from scripts.venvs import ROOT, provide
from scripts.verb import Work, command, ends
from scripts.warehouse import tables
from tap_billing_reports.sandbox.emulation import SERVED

if TYPE_CHECKING:
    import subprocess

    from scripts.warehouse import Table

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
    """One trial."""

    def __init__(self, *, celery: bool, broken: bool) -> None:
        self.celery = celery
        self.broken = broken
        self.folder = ROOT / "output" / ("airflow-celery" if celery else "airflow")
        self.work = Work("airflow")

    def run(self) -> int:
        """Everything; the exit status."""
        if not Path("/proc").is_dir():
            raise RuntimeError("this trial finds processes in /proc and so needs Linux")
        say = self.work.say
        provide(AIRFLOW)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(postgres_server(self.folder / "postgres.log"))
            warehouse = server.create(WAREHOUSE)
            sandbox = stack.enter_context(running_sandbox(self.folder, vendors=SERVED))
            broker = stack.enter_context(redis_server(self.folder)) if self.celery else None
            say(f"PostgreSQL {server.version}, the sandbox{' and Redis' if broker else ''} answer.")
            today = datetime.now(timezone.utc).date()
            settings = demo_settings(sandbox.settings, today=today, days=DAYS, reports=FEWER_REPORTS)
            settings["storage_url"] = str(self.folder / KEPT)
            settings["warehouse"] = warehouse
            cluster = Cluster(self.folder, server, self._billing(settings), broker)
            stack.enter_context(cluster.running())
            api = Api(cluster.url)
            api.wait(READY_SECONDS)
            api.make_pools(POOLS)
            say("Airflow answers and knows the DAG and its pools.")
            if self.broken:
                sandbox.fault(REFUSED)
            if self.celery:
                self._with_a_lost_worker(cluster, api, sandbox)
            else:
                self._sync("Run 1", api, sandbox, api.trigger())
                if not self.broken:
                    sandbox.next_day()
                    say("A day goes by at the vendors.")
                    self._sync("Run 2", api, sandbox, api.trigger())
            say(f"Airflow itself takes {cluster.mib():.0f} MiB of memory.\n")
            return self._verdict(sandbox.totals(settings), tables(warehouse, SCHEMA))

    def _with_a_lost_worker(self, cluster: Cluster, api: Api, sandbox: RunningSandbox) -> None:
        sandbox.switch(SLOW_RUNS)
        # The second one comes when the first is lost: the pool has one slot, which it might take.
        with cluster.worker("worker-1") as lost:
            run = api.trigger()
            reading = self._lose(lost)
        unanswered = _unanswered(self.folder / KEPT)
        with cluster.worker("worker-2"):
            syncs = self._sync("The run", api, sandbox, run)
        again = {synced.name for synced in syncs if synced.tries > 1}
        self.work.problems += [f"{name} was lost with its worker and not tried again" for name in reading - again]
        twice = sandbox.ordered_twice()
        # Bring's orders have no key: the next sync cannot know whether one without an answer was heard.
        known = [order for order in twice if not any(all(word in order for word in one) for one in unanswered)]
        print(f"Tried again: {', '.join(sorted(again))}. Reports ordered twice: {len(known)}.\n")
        if len(twice) > len(known):
            print(f"Orders without an answer when the worker was lost, and made again: {len(twice) - len(known)}.\n")
        self.work.problems += [f"ordered twice: {order}" for order in known]

    def _lose(self, worker: subprocess.Popen[str]) -> set[str]:
        """SIGKILL to the worker and all that it has started, as when its machine goes down.

        Waits until a sync of its own has a report in the making; the names of all that it was at.
        """
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            members = tree.family(worker.pid)
            names = {name for member in members if (name := _job(member))}
            if names and _has_open_orders(self.folder / KEPT):
                count = tree.kill(members)
                self.work.say(
                    f"Worker 1 is lost: SIGKILL to its {count} processes, which were at {', '.join(sorted(names))}."
                )
                return names
            time.sleep(0.1)
        raise RuntimeError(f"worker 1 had no report in the making within {READY_SECONDS} s")

    def _sync(self, title: str, api: Api, sandbox: RunningSandbox, run: str) -> list[Synced]:
        """Wait for a run's end and show its syncs."""
        began = time.monotonic()
        while (state := api.state(run)) not in ENDED:
            if time.monotonic() - began > RUN_SECONDS:
                self.work.problems.append(f"{title}: still {state} after {RUN_SECONDS} s")
                break
            time.sleep(1)
        syncs = api.syncs(run)
        ordered = ", ".join(f"{vendor} {count}" for vendor, count in sorted(sandbox.orders().items()))
        self.work.say(f"{title}: {state} after {time.monotonic() - began:.0f} s. Reports ordered so far: {ordered}.")
        print()
        cells = [(s.vendor, s.state, str(s.tries), f"{s.seconds:.1f}") for s in syncs]
        print(columns_of([("vendor", "state", "tries", "seconds"), *cells], right=(2, 3)))
        print()
        if state != "success":
            self.work.problems.append(f"{title}: {state}; the logs are in {self.folder.relative_to(ROOT)}")
            self.work.problems += [f"{title}: {line}" for line in self._said_by_syncs(run)]
        if [one.vendor for one in syncs] != sorted(SERVED):
            self.work.problems.append(f"{title}: {len(syncs)} syncs instead of one a vendor")
        return syncs

    def _said_by_syncs(self, run: str) -> list[str]:
        """What they have logged as errors: the accounts that failed, each once."""
        logs = sorted((self.folder / "tasks").glob(f"*/run_id={run}/task_id=sync/**/*.log"))
        events = [json.loads(line) for log in logs for line in log.read_text().splitlines() if line.startswith("{")]
        ours = (e for e in events if e.get("level") == "error" and str(e.get("logger", "")).endswith("billing_reports"))
        return [*dict.fromkeys(str(event["event"]) for event in ours)]

    def _billing(self, settings: dict[str, Any]) -> dict[str, str]:
        config = self.folder / "settings.json"
        config.touch(mode=0o600)
        config.write_text(json.dumps(settings, indent=2))
        return {
            "BILLING_SETTINGS": str(config),
            "BILLING_SYNC": f"{sys.executable} -m tap_billing_reports.cli.main sync",
            "BILLING_SCHEDULE": "",
            "BILLING_RETRY_SECONDS": "2",
        }

    def _verdict(self, totals: Any, held: dict[str, Table]) -> int:
        lines = compare(totals, held)
        print(f"Control totals of the sandbox, and PostgreSQL by SQL:\n\n{table(lines)}")
        self.work.judge(lines, "control totals differ")
        # Of those that have sent anything: an invoice or a report's row.
        accounts = {
            (row["source"], row["account_id"])
            for name, found in held.items()
            if "account_id" in found.columns and name not in {"accounts", "report_types"}
            for row in found.rows
        }
        if len(accounts) != ACCOUNTS:
            self.work.problems.append(f"rows of {len(accounts)} accounts instead of {ACCOUNTS}")
        return self.work.ended(
            f"{len(accounts)} accounts, all {len(lines)} control totals are equal ({self.work.seconds:.0f} s)"
        )


def _job(process: tree.Process) -> str | None:
    """The name of the sync that a process is."""
    found = re.search(rf" sync --config /dev/fd/\d+ --job ({DAG}\.\w+)", tree.command(process))
    return found[1] if found else None


def _notes(store: Path, stage: str) -> list[Path]:
    """The files of the tap's journal about reports that are as far as this."""
    return [note for note in store.glob("journal/*/*/*/*.json") if json.loads(note.read_text())["stage"] == stage]


def _has_open_orders(store: Path) -> bool:
    """Whether a report has been ordered there and not come yet."""
    return bool(_notes(store, "ordered"))


def _unanswered(store: Path) -> list[tuple[str, str]]:
    """Account and period of each order that may have gone out without an answer."""
    return [(note.parts[-3], note.stem) for note in _notes(store, "intent")]


def main() -> int:
    """Reads the command line; the exit status."""
    parser = command("scripts.airflow", str(__doc__))
    parser.add_argument("--celery", action="store_true", help="Redis and two workers, one of them lost")
    parser.add_argument("--break", dest="broken", action="store_true", help="one account is refused")
    given = parser.parse_args()
    return ends("airflow", lambda: Trial(celery=given.celery, broken=given.broken).run())


if __name__ == "__main__":
    sys.exit(main())
