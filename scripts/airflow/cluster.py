"""Airflow as processes of this machine: API server, DAG processor, scheduler, and workers with Celery."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scripts.airflow import tree
from scripts.demo.processes import child, free_port, sheltered, status_of
from scripts.venvs import ENVIRONMENTS, ROOT

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Mapping
    from pathlib import Path

AIRFLOW = ENVIRONMENTS["airflow"]
PROGRAM = str(AIRFLOW.path / "bin" / "airflow")
DAGS = ROOT / "examples" / "airflow" / "dags"
POOLS = json.loads((DAGS / "billing_pools.json").read_text())

AT_ONCE = 4
HEARTBEAT_TIMEOUT_SECONDS = 20
VISIBILITY_SECONDS = 30


@dataclass
class Cluster:
    """One Airflow installation, with its logs in `folder`; `url` is that of its API."""

    folder: Path
    url: str
    env: Mapping[str, str]
    pids: list[int] = field(default_factory=list)

    @contextlib.contextmanager
    def part(self, name: str, *words: str) -> Iterator[subprocess.Popen[str]]:
        """A part of it; all that it has started is gone when the block is left."""
        started: list[tree.Process] = []
        try:
            with (
                (self.folder / f"{name}.log").open("w") as output,
                child([PROGRAM, *words], cwd=self.folder, env=self.env, output=output) as process,
            ):
                self.pids.append(process.pid)
                try:
                    yield process
                finally:
                    # Tasks run in sessions of their own, which a signal to the group does not reach.
                    started = tree.family(process.pid)
        finally:
            tree.kill(started)

    def worker(self, name: str) -> contextlib.AbstractContextManager[subprocess.Popen[str]]:
        """A Celery worker with room for two tasks."""
        words = ("worker", "--celery-hostname", f"{name}@%h", "--concurrency", "2", "--skip-serve-logs")
        return self.part(name, "celery", *words)

    def mib(self) -> float:
        """Memory of all its processes now, what they share counted once."""
        return sum(tree.mib(process) for pid in self.pids for process in tree.family(pid))


@contextlib.contextmanager
def running(folder: Path, database: str, billing: Mapping[str, str], broker: str = "") -> Iterator[Cluster]:
    """All parts but the workers; every process is gone when the block is left.

    Args:
        folder: for all that it writes.
        database: the URL of one of its own, empty.
        billing: environment variables that the DAG reads.
        broker: a Redis URL for CeleryExecutor; empty: LocalExecutor.

    Raises:
        RuntimeError: its database could not be made.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    options = _options(folder, port, database.partition("://")[2], broker)
    env = {
        **sheltered(os.environ),
        **{f"AIRFLOW__{name}": text for name, text in options.items()},
        **billing,
        "AIRFLOW_HOME": str(folder / "home"),
        "PYTHONUNBUFFERED": "1",
    }
    log = folder / "migrate.log"
    if status_of([PROGRAM, "db", "migrate"], log, cwd=folder, env=env):
        raise RuntimeError(f"airflow db migrate failed:\n{log.read_text()[-2000:]}")
    cluster = Cluster(folder, url, env)
    with (
        cluster.part("api-server", "api-server"),
        cluster.part("dag-processor", "dag-processor"),
        cluster.part("scheduler", "scheduler", "--skip-serve-logs"),
    ):
        yield cluster


def _options(folder: Path, port: int, database: str, broker: str) -> dict[str, str]:
    """Airflow's, by section and name."""
    secret = os.urandom(32).hex()
    options = {
        "CORE__DAGS_FOLDER": str(DAGS),
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__EXECUTOR": "CeleryExecutor" if broker else "LocalExecutor",
        "CORE__PARALLELISM": str(AT_ONCE),
        "CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(folder / "passwords.json"),
        "DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{database}",
        "DATABASE__SQL_ALCHEMY_CONN_ASYNC": f"postgresql+asyncpg://{database}",
        "API__HOST": "127.0.0.1",
        "API__PORT": str(port),
        "API__WORKERS": "1",
        "API__SECRET_KEY": secret,
        "API_AUTH__JWT_SECRET": secret,
        # A worker that is lost is noticed after this long; five minutes is what Airflow takes by itself.
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": str(HEARTBEAT_TIMEOUT_SECONDS),
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
        "LOGGING__BASE_LOG_FOLDER": str(folder / "tasks"),
    }
    celery = {
        "CELERY__BROKER_URL": broker,
        "CELERY__RESULT_BACKEND": f"db+postgresql+psycopg2://{database}",
        "CELERY__TASK_ACKS_LATE": "True",
        "CELERY__WORKER_PREFETCH_MULTIPLIER": "1",
        # What a lost worker had taken and not begun goes to another one after this long.
        "CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT": str(VISIBILITY_SECONDS),
    }
    return options | celery if broker else options
