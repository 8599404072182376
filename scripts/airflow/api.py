"""The calls to Airflow's public API that the trial makes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scripts.demo.sandbox import ask

if TYPE_CHECKING:
    from collections.abc import Mapping

DAG = "billing_reports"
ENDED = frozenset({"success", "failed"})


@dataclass(frozen=True, order=True)
class Synced:
    """What became of one vendor's sync."""

    vendor: str
    state: str
    tries: int
    seconds: float

    @property
    def name(self) -> str:
        """As its STATE is named."""
        return f"{DAG}.{self.vendor}"


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

    def syncs(self, run: str) -> list[Synced]:
        """The mapped tasks of a run, by vendor; `seconds` are those of the last try."""
        found = self._ask("GET", f"/api/v2/dags/{DAG}/dagRuns/{run}/taskInstances?limit=1000")["task_instances"]
        return sorted(
            Synced(
                str(task["rendered_map_index"] or task["map_index"]),
                str(task["state"]),
                int(task["try_number"]),
                float(task["duration"] or 0),
            )
            for task in found
            if task["task_id"] == "sync" and task["map_index"] >= 0
        )

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        return ask(method, self._url + path, body, headers)
