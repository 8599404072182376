"""The sync into a warehouse as an Airflow DAG: a mapped task for each vendor that the settings name.

    sources -> sync [one for each vendor, one at a time]

Environment variables of all parts of Airflow: BILLING_SETTINGS (the settings, a JSON file that only the workers' user
reads; `warehouse` in them says where to), BILLING_SYNC (the command), BILLING_SCHEDULE (cron; empty: only by hand),
BILLING_RETRY_SECONDS.
"""

from __future__ import annotations

import json
import logging
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import billing_sync
from airflow.sdk import BaseOperator, dag, task
from airflow.sdk.exceptions import AirflowFailException

# Its one slot is the warehouse's: a second loader in the same schema, or the same DuckDB file, is refused.
POOL = "billing_warehouse"

logger = logging.getLogger(__name__)


def _settings() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(os.environ["BILLING_SETTINGS"]).read_text())
    return found


class SyncSource(BaseOperator):
    """All accounts of one vendor. A retry goes on where the STATE in the warehouse, and the tap's journal, end."""

    ui_color = "#d7ecd9"

    def __init__(self, *, vendor: str, **more: Any) -> None:
        super().__init__(**more)
        self.vendor = vendor
        self._sync: billing_sync.Sync | None = None

    def execute(self, context: Any) -> dict[str, Any]:
        context["vendor"] = self.vendor
        # A copy of this DAG has another name, and so a STATE of its own.
        job = f"{self.dag_id}.{self.vendor}"
        self._sync = billing_sync.Sync(os.environ["BILLING_SYNC"], job)
        try:
            return self._sync.run(billing_sync.of_source(_settings(), self.vendor))
        except billing_sync.SyncError as error:
            for line in str(error).splitlines():
                logger.error("%s", line)  # noqa: TRY400 - a line for each account
            raise

    def on_kill(self) -> None:
        """Airflow wants the task to end, and gives it some seconds."""
        if self._sync is not None:
            self._sync.stop()


@task
def sources() -> list[str]:
    """The vendors of the settings."""
    found = billing_sync.configured(_settings())
    if not found:
        raise AirflowFailException("the settings name no vendor")
    return found


@dag(
    schedule=os.environ.get("BILLING_SCHEDULE", "15 6 * * *") or None,
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    # Two runs at once would ask for the same reports.
    max_active_runs=1,
    default_args={
        "retries": 3,
        "retry_delay": timedelta(seconds=int(os.environ.get("BILLING_RETRY_SECONDS", "300"))),
    },
    tags=["billing"],
)
def billing_reports() -> None:
    """Invoices and reports of the configured vendors, vendor by vendor."""
    SyncSource.partial(task_id="sync", pool=POOL, map_index_template="{{ vendor }}").expand(vendor=sources())


billing_reports()
