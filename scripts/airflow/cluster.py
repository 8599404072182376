"""Airflow as processes of this machine: API server, DAG processor, scheduler, and workers with Celery."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scripts.airflow import tree
from scripts.demo.processes import child, free_port, sheltered, status_of
from scripts.targets.postgres import USER
from scripts.venvs import ENVIRONMENTS, ROOT

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from scripts.targets.postgres import Server

AIRFLOW = ENVIRONMENTS["airflow"]
PROGRAM = str(AIRFLOW.path / "bin" / "airflow")
DAGS = ROOT / "examples" / "airflow" / "dags"
POOLS = json.loads((DAGS / "billing_pools.json").read_text())

DATABASE = "airflow"
AT_ONCE = 4
HEARTBEAT_TIMEOUT_SECONDS = 20
VISIBILITY_SECONDS = 30


@dataclass
class Cluster:
    """One Airflow installation, with its logs below `folder`.

    Attributes:
        url: of the API.
        broker: a Redis URL for CeleryExecutor; None: LocalExecutor.
        billing: environment variables that the DAG reads.
    """

    folder: Path
    server: Server
    billing: Mapping[str, str]
    broker: str | None = None
    url: str = ""
    _env: dict[str, str] = field(default_factory=dict)
    _pids: list[int] = field(default_factory=list)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """All parts but the workers; every process is gone when the block is left.

        Raises:
            RuntimeError: its database could not be made.
        """
        self.server.create(DATABASE)
        self._env = self._environment()
        log = self.folder / "migrate.log"
        if status_of([PROGRAM, "db", "migrate"], log, cwd=self.folder, env=self._env):
            raise RuntimeError(f"airflow db migrate failed:\n{log.read_text()[-2000:]}")
        with contextlib.ExitStack() as stack:
            for name, *arguments in (("api-server",), ("dag-processor",), ("scheduler", "--skip-serve-logs")):
                stack.enter_context(self._process(name, name, *arguments))
            yield

    @contextlib.contextmanager
    def worker(self, name: str) -> Iterator[subprocess.Popen[str]]:
        """A Celery worker with room for two tasks."""
        arguments = ("worker", "--celery-hostname", f"{name}@%h", "--concurrency", "2", "--skip-serve-logs")
        with self._process(name, "celery", *arguments) as process:
            yield process

    def mib(self) -> float:
        """Memory of all its processes now, what they share counted once."""
        return sum(tree.mib(process) for pid in self._pids for process in tree.family(pid))

    @contextlib.contextmanager
    def _process(self, name: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """A part of it; all that it has started is gone when the block is left."""
        started: list[tree.Process] = []
        try:
            with (
                (self.folder / f"{name}.log").open("w") as output,
                child([PROGRAM, *arguments], cwd=self.folder, env=self._env, output=output) as process,
            ):
                self._pids.append(process.pid)
                try:
                    yield process
                finally:
                    # Tasks run in sessions of their own, which a signal to the group does not reach.
                    started = tree.family(process.pid)
        finally:
            tree.kill(started)

    def _environment(self) -> dict[str, str]:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        secret = os.urandom(32).hex()
        metadata = f"{USER}@127.0.0.1:{self.server.port}/{DATABASE}"
        options = {
            "CORE__DAGS_FOLDER": str(DAGS),
            "CORE__LOAD_EXAMPLES": "False",
            "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "CORE__EXECUTOR": "CeleryExecutor" if self.broker else "LocalExecutor",
            "CORE__PARALLELISM": str(AT_ONCE),
            "CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.folder / "passwords.json"),
            "DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{metadata}",
            "DATABASE__SQL_ALCHEMY_CONN_ASYNC": f"postgresql+asyncpg://{metadata}",
            "API__HOST": "127.0.0.1",
            "API__PORT": str(port),
            "API__WORKERS": "1",
            "API__SECRET_KEY": secret,
            "API_AUTH__JWT_SECRET": secret,
            # A worker that is lost is noticed after this long; five minutes is what Airflow takes by itself.
            "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": str(HEARTBEAT_TIMEOUT_SECONDS),
            "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
            "LOGGING__BASE_LOG_FOLDER": str(self.folder / "tasks"),
        }
        if self.broker:
            options |= {
                "CELERY__BROKER_URL": self.broker,
                "CELERY__RESULT_BACKEND": f"db+postgresql+psycopg2://{metadata}",
                "CELERY__TASK_ACKS_LATE": "True",
                "CELERY__WORKER_PREFETCH_MULTIPLIER": "1",
                # What a lost worker had taken and not begun goes to another one after this long.
                "CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT": str(VISIBILITY_SECONDS),
            }
        return {
            **sheltered(os.environ),
            **{f"AIRFLOW__{name}": text for name, text in options.items()},
            **self.billing,
            "AIRFLOW_HOME": str(self.folder / "home"),
            "PYTHONUNBUFFERED": "1",
        }
