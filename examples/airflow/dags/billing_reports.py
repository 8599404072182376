"""The sync of all accounts as an Airflow DAG: a mapped task for each (source, account), a pool for each credential.

    prepare -> accounts_<source> -> sync_<source> [one for each account, in the source's pool] -> summary

Environment variables of all parts of Airflow: BILLING_SETTINGS (the tap's settings, a JSON file that only the
workers' user reads), BILLING_STATES (a folder or fsspec URL that every worker reaches), BILLING_TAP and BILLING_TARGET
(the commands), BILLING_SCHEDULE (cron; empty: only by hand), BILLING_RETRY_SECONDS.
"""

from __future__ import annotations

import json
import logging
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import billing_pipe
import billing_shards
from airflow.sdk import BaseOperator, dag, task
from airflow.sdk.exceptions import AirflowFailException

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

POOLS = json.loads((Path(__file__).parent / "billing_pools.json").read_text())

logger = logging.getLogger(__name__)


def _settings() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(os.environ["BILLING_SETTINGS"]).read_text())
    return found


def _commands() -> billing_pipe.Commands:
    return billing_pipe.Commands(os.environ["BILLING_TAP"], os.environ["BILLING_TARGET"])


class SyncShard(BaseOperator):
    """One shard through tap and target. A retry goes on where its STATE and the tap's journal end."""

    ui_color = "#d7ecd9"

    def __init__(self, *, shard: Mapping[str, str], **more: Any) -> None:
        super().__init__(**more)
        self.shard = shard
        self._pipe: billing_pipe.Pipe | None = None

    def execute(self, context: Any) -> dict[str, Any]:
        shard = billing_shards.Shard.of(self.shard)
        context["account"] = shard.account_id
        settings = billing_shards.of_shard(_settings(), shard, at_once=POOLS[self.pool]["slots"])
        self._pipe = billing_pipe.Pipe(_commands(), billing_shards.States(os.environ["BILLING_STATES"]))
        return self._pipe.sync(shard, settings)

    def on_kill(self) -> None:
        """Airflow wants the task to end, and gives it some seconds."""
        if self._pipe is not None:
            self._pipe.stop()


@task
def prepare() -> int:
    """Every table is made once, before shards would race to make it."""
    return billing_pipe.prepare(_commands(), _settings())


@task
def accounts(source: str) -> list[dict[str, str]]:
    """The shards of a source; none when it is not configured."""
    settings = billing_shards.for_listing(_settings(), source)
    if not settings:
        return []
    return [shard.facts for shard in billing_pipe.list_shards(_commands(), settings)]


@task(trigger_rule="all_done", retries=0)
def summary(
    shards: Mapping[str, Sequence[Mapping[str, str]] | None], done: Mapping[str, Iterable[Mapping[str, Any]] | None]
) -> None:
    """Fails when any shard has not been read: Airflow judges a run by its last task."""
    for results in done.values():
        for result in results or ():
            logger.info("%(source)s %(account_id)s: %(seconds)s s, %(states)s STATE", result)
    found = list(billing_shards.problems(shards, done))
    for line in found:
        logger.error("%s", line)
    if found:
        raise AirflowFailException(f"{len(found)} problems, the first: {found[0]}")


@dag(
    schedule=os.environ.get("BILLING_SCHEDULE", "15 6 * * *") or None,
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    # Two runs at once would read the same accounts from the same STATE.
    max_active_runs=1,
    default_args={
        "retries": 3,
        "retry_delay": timedelta(seconds=int(os.environ.get("BILLING_RETRY_SECONDS", "300"))),
    },
    tags=["billing"],
)
def billing_reports() -> None:
    """Invoices and reports of Stripe, Bring and BRP Systems, account by account."""
    ready = prepare()
    shards, done = {}, {}
    for source in billing_shards.SOURCES:
        shards[source] = accounts.override(task_id=f"accounts_{source}")(source)
        ready >> shards[source]
        synced = SyncShard.partial(
            task_id=f"sync_{source}", pool=f"billing_{source}", map_index_template="{{ account }}"
        ).expand(shard=shards[source])
        done[source] = synced.output
    summary(shards, done)


billing_reports()
