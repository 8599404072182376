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
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.airflow import tree
from scripts.airflow.api import DAG, Api, Synced, until
from scripts.airflow.cluster import AIRFLOW, POOLS, Cluster, running
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
    from scripts.totals import Totals
    from scripts.warehouse import Table

ACCOUNTS = 8
SCHEMA = "billing"
READY_SECONDS = 240
RUN_SECONDS = 900
# Long enough that a worker can be lost while its reports are in the making.
SLOW_RUNS = {"bring_run_seconds": 4, "stripe_run_seconds": 4}
REFUSED_ACCOUNT = "20000770022"
REFUSED = {"match": {"host": "bring", "path": f"/invoices/{REFUSED_ACCOUNT}"}, "do": {"status": 403}}


@dataclass
class Trial:
    """An Airflow with the DAG, in a folder, and the emulated vendors; what the tap keeps is in `kept`."""

    folder: Path
    kept: Path
    work: Work
    sandbox: RunningSandbox
    cluster: Cluster
    api: Api

    def twice(self) -> None:
        """The DAG runs, a day goes by at the vendors, and it runs again."""
        self.sync("Run 1", self.api.trigger())
        self.sandbox.next_day()
        self.work.say("A day goes by at the vendors.")
        self.sync("Run 2", self.api.trigger())

    def with_a_refused_account(self) -> None:
        """The DAG runs while a vendor refuses one of its accounts."""
        self.sandbox.fault(REFUSED)
        self.sync("Run 1", self.api.trigger())

    def with_a_lost_worker(self) -> None:
        """The DAG runs, and one of the workers goes down with what it is at."""
        self.sandbox.switch(SLOW_RUNS)
        # The second one comes when the first is lost: the pool has one slot, which it might take.
        with self.cluster.worker("worker-1") as lost:
            run = self.api.trigger()
            members, reading = until(
                lambda: self._with_open_orders(lost.pid), READY_SECONDS, "worker 1 has no report in the making"
            )
            # As when its machine goes down.
            count, names = tree.kill(members), ", ".join(sorted(reading))
            self.work.say(f"Worker 1 is lost: SIGKILL to its {count} processes, which were at {names}.")
        # Account and period of each order that may have gone out without an answer.
        unanswered = [(note.parts[-3], note.stem) for note in self._notes("intent")]
        with self.cluster.worker("worker-2"):
            syncs = self.sync("The run", run)
        again = {f"{DAG}.{synced.vendor}" for synced in syncs if synced.tries > 1}
        self.work.problems += [f"{name} was lost with its worker and not tried again" for name in reading - again]
        twice = self.sandbox.ordered_twice()
        # Bring's orders have no key: the next sync cannot know whether one without an answer was heard.
        known = [order for order in twice if not any(all(word in order for word in one) for one in unanswered)]
        print(f"Tried again: {', '.join(sorted(again))}. Reports ordered twice: {len(known)}.\n")
        if len(twice) > len(known):
            print(f"Orders without an answer when the worker was lost, and made again: {len(twice) - len(known)}.\n")
        self.work.problems += [f"ordered twice: {order}" for order in known]

    def _with_open_orders(self, worker: int) -> tuple[list[tree.Process], set[str]] | None:
        """A worker's processes and the names of its syncs, once one of them has ordered a report that has not come."""
        members = tree.family(worker)
        job = re.compile(rf" sync --config /dev/fd/\d+ --job ({DAG}\.\w+)")
        names = {found[1] for member in members if (found := job.search(tree.command(member)))}
        return (members, names) if names and self._notes("ordered") else None

    def _notes(self, stage: str) -> list[Path]:
        """The files of the tap's journal about reports that are as far as this."""
        notes = self.kept.glob("journal/*/*/*/*.json")
        return [note for note in notes if json.loads(note.read_text())["stage"] == stage]

    def sync(self, title: str, run: str) -> list[Synced]:
        """Wait for a run's end and show its syncs."""
        began = time.monotonic()
        state = until(lambda: self.api.ended(run), RUN_SECONDS, f"{title} has not ended; see {self.folder}")
        syncs = self.api.syncs(run)
        ordered = ", ".join(f"{vendor} {count}" for vendor, count in sorted(self.sandbox.orders().items()))
        self.work.say(f"{title}: {state} after {time.monotonic() - began:.0f} s. Reports ordered so far: {ordered}.")
        cells = [(s.vendor, s.state, str(s.tries), f"{s.seconds:.1f}") for s in syncs]
        print(f"\n{columns_of([('vendor', 'state', 'tries', 'seconds'), *cells], right=(2, 3))}\n")
        if state != "success":
            self.work.problems.append(f"{title}: {state}; the logs are in {self.folder.relative_to(ROOT)}")
            self.work.problems += [f"{title}: {line}" for line in self._errors(run)]
        if [one.vendor for one in syncs] != sorted(SERVED):
            self.work.problems.append(f"{title}: {len(syncs)} syncs instead of one a vendor")
        return syncs

    def _errors(self, run: str) -> list[str]:
        """What the syncs have logged as errors: the accounts that failed, each once."""
        logs = sorted((self.folder / "tasks").glob(f"*/run_id={run.rpartition('/')[2]}/task_id=sync/**/*.log"))
        events = [json.loads(line) for log in logs for line in log.read_text().splitlines() if line.startswith("{")]
        ours = (e for e in events if e.get("level") == "error" and str(e.get("logger", "")).endswith("billing_reports"))
        return [*dict.fromkeys(str(event["event"]) for event in ours)]


def billing(folder: Path, settings: dict[str, Any]) -> dict[str, str]:
    """The environment variables that the DAG reads."""
    config = folder / "settings.json"
    config.touch(mode=0o600)
    config.write_text(json.dumps(settings, indent=2))
    return {
        "BILLING_SETTINGS": str(config),
        "BILLING_SYNC": f"{sys.executable} -m tap_billing_reports.cli.main sync",
        "BILLING_SCHEDULE": "",
        "BILLING_RETRY_SECONDS": "2",
    }


def verdict(work: Work, totals: Totals, held: dict[str, Table]) -> int:
    """What the warehouse holds beside what the vendors have; the exit status."""
    lines = compare(totals, held)
    print(f"Control totals of the sandbox, and PostgreSQL by SQL:\n\n{table(lines)}")
    work.judge(lines, "control totals differ")
    # Of those that have sent anything: an invoice or a report's row.
    accounts = {
        (row["source"], row["account_id"])
        for name, found in held.items()
        if "account_id" in found.columns and name not in {"accounts", "report_types"}
        for row in found.rows
    }
    if len(accounts) != ACCOUNTS:
        work.problems.append(f"rows of {len(accounts)} accounts instead of {ACCOUNTS}")
    return work.ended(f"{len(accounts)} accounts, all {len(lines)} control totals are equal ({work.seconds:.0f} s)")


def run(*, celery: bool, broken: bool) -> int:
    """Everything; the exit status."""
    if not Path("/proc").is_dir():
        raise RuntimeError("this trial finds processes in /proc and so needs Linux")
    work = Work("airflow")
    provide(AIRFLOW)
    folder = ROOT / "output" / ("airflow-celery" if celery else "airflow")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(postgres_server(folder / "postgres.log"))
        warehouse = server.create("billing")
        sandbox = stack.enter_context(running_sandbox(folder, vendors=SERVED))
        broker = stack.enter_context(redis_server(folder)) if celery else ""
        work.say(f"PostgreSQL {server.version}, the sandbox{' and Redis' if celery else ''} answer.")
        today = datetime.now(timezone.utc).date()
        settings = demo_settings(sandbox.settings, today=today, days=DAYS, reports=FEWER_REPORTS)
        settings |= {"storage_url": str(folder / "kept"), "warehouse": warehouse}
        cluster = stack.enter_context(running(folder, server.create("airflow"), billing(folder, settings), broker))
        api = Api(cluster.url)
        api.wait(READY_SECONDS)
        api.make_pools(POOLS)
        work.say("Airflow answers and knows the DAG and its pools.")
        trial = Trial(folder, folder / "kept", work, sandbox, cluster, api)
        (trial.with_a_lost_worker if celery else trial.with_a_refused_account if broken else trial.twice)()
        work.say(f"Airflow itself takes {cluster.mib():.0f} MiB of memory.\n")
        return verdict(work, sandbox.totals(settings), tables(warehouse, SCHEMA))


def main() -> int:
    """Reads the command line; the exit status."""
    parser = command("scripts.airflow", str(__doc__))
    parser.add_argument("--celery", action="store_true", help="Redis and two workers, one of them lost")
    parser.add_argument("--break", dest="broken", action="store_true", help="one account is refused")
    return ends("airflow", lambda: run(**vars(parser.parse_args())))


if __name__ == "__main__":
    sys.exit(main())
