"""The calls to Airflow's public API that the trial makes."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

DAG = "billing_reports"
ENDED = frozenset({"success", "failed"})

# A proxy of the user's must not be asked for an address of this machine.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Shard:
    """What became of one mapped task."""

    task: str
    account: str
    state: str
    tries: int
    seconds: float

    @property
    def name(self) -> str:
        """As its storage and STATE are named, for the plain accounts of the sandbox."""
        return f"{self.task.removeprefix('sync_')}-{self.account}"


class Api:
    """Airflow behind `url`; in the trial everybody who reaches its loopback port is an administrator."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._token = ""

    def wait(self, seconds: float) -> None:
        """Until it answers and knows the DAG.

        Raises:
            RuntimeError: it does not in time; the message holds the import errors that it has seen.
        """
        deadline = time.monotonic() + seconds
        while not self._knows_the_dag():
            if time.monotonic() > deadline:
                break
            time.sleep(0.5)
        else:
            return
        errors = self._ask("GET", "/api/v2/importErrors") if self._token else "the API does not answer"
        raise RuntimeError(f"Airflow does not know the DAG after {seconds:.0f} s: {errors}")

    def _knows_the_dag(self) -> bool:
        try:
            self._token = self._token or self._ask("GET", "/auth/token")["access_token"]
            self._ask("GET", f"/api/v2/dags/{DAG}")
        except OSError:
            return False
        return True

    def make_pools(self, pools: Mapping[str, Mapping[str, Any]]) -> None:
        """As `airflow pools import` does."""
        for name, pool in pools.items():
            self._ask("POST", "/api/v2/pools", {"name": name, **pool})

    def trigger(self) -> str:
        """A new run; its id."""
        return str(self._ask("POST", f"/api/v2/dags/{DAG}/dagRuns", {"logical_date": None})["dag_run_id"])

    def state(self, run: str) -> str:
        return str(self._ask("GET", f"/api/v2/dags/{DAG}/dagRuns/{run}")["state"])

    def tasks(self, run: str) -> list[dict[str, Any]]:
        """Every task instance of a run."""
        found = self._ask("GET", f"/api/v2/dags/{DAG}/dagRuns/{run}/taskInstances?limit=1000")
        tasks: list[dict[str, Any]] = found["task_instances"]
        return tasks

    def shards(self, run: str) -> list[Shard]:
        """The mapped tasks of a run, by task and account; `seconds` are those of the last try."""
        return sorted(
            (
                Shard(
                    task["task_id"],
                    str(task["rendered_map_index"] or task["map_index"]),
                    str(task["state"]),
                    int(task["try_number"]),
                    float(task["duration"] or 0),
                )
                for task in self.tasks(run)
                if task["task_id"].startswith("sync_") and task["map_index"] >= 0
            ),
            key=lambda shard: (shard.task, shard.account),
        )

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data=data, headers=headers, method=method)
        try:
            with _direct.open(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise ApiError(f"{method} {path}: {error.code} {error.read(2000).decode(errors='replace')}") from None


class ApiError(OSError):
    """Airflow refused a call."""
