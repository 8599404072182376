"""The calls to Airflow's public API that the trial makes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from scripts.demo.sandbox import ask

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DAG = "billing_reports"
ENDED = frozenset({"success", "failed"})

_Found = TypeVar("_Found")


def until(find: Callable[[], _Found | None], seconds: float, missing: str) -> _Found:
    """What `find` finds in the end.

    Raises:
        RuntimeError: nothing in time: this is `missing`.
    """
    deadline = time.monotonic() + seconds
    while not (found := find()):
        if time.monotonic() > deadline:
            raise RuntimeError(f"{missing} after {seconds:.0f} s")
        time.sleep(0.2)
    return found


class Synced(NamedTuple):
    """What became of one vendor's sync; `seconds` are those of the last try."""

    vendor: str
    state: str
    tries: int
    seconds: float


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
        try:
            until(self._knows_the_dag, seconds, "Airflow does not know the DAG")
        except RuntimeError as error:
            errors = self._ask("GET", "/api/v2/importErrors") if self._token else "the API does not answer"
            raise RuntimeError(f"{error}: {errors}") from None

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
        """A new run; its path."""
        runs = f"/api/v2/dags/{DAG}/dagRuns"
        return f"{runs}/{self._ask('POST', runs, {'logical_date': None})['dag_run_id']}"

    def ended(self, run: str) -> str:
        """The state of a run that has ended; empty while it has not."""
        state = str(self._ask("GET", run)["state"])
        return state if state in ENDED else ""

    def syncs(self, run: str) -> list[Synced]:
        """The mapped tasks of a run, by vendor."""
        found = self._ask("GET", f"{run}/taskInstances?limit=1000")["task_instances"]
        return sorted(
            Synced(
                str(task["rendered_map_index"] or task["map_index"]), str(task["state"]), int(task["try_number"]),
                float(task["duration"] or 0),
            )
            for task in found if task["task_id"] == "sync" and task["map_index"] >= 0
        )  # fmt: skip

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        return ask(method, self._url + path, body, headers)
