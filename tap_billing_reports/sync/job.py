"""One sync into a warehouse: settings and STATE in, rows and STATE into the warehouse, an exit status out."""

from __future__ import annotations

import json
import logging
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from singer_sdk.logging import ConsoleFormatter
from singer_sdk.metrics import get_metrics_logger

from tap_billing_reports.core.errors import BillingError, ConfigError, StateError
from tap_billing_reports.core.failure import Failure
from tap_billing_reports.core.redaction import sentence
from tap_billing_reports.singer.tap import TapBillingReports
from tap_billing_reports.singer.watch import Watch
from tap_billing_reports.sync.writer import WarehouseWriter
from tap_billing_reports.views.create import create_views
from tap_billing_reports.views.sql import OwnOrders
from tap_billing_reports.warehouse.address import address_of, named
from tap_billing_reports.warehouse.database import SyncEnd
from tap_billing_reports.warehouse.databases import check_there, check_views, open_database
from tap_billing_reports.warehouse.loader import Loader, Options

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_billing_reports.warehouse.database import Database


@dataclass(frozen=True)
class Job:
    """One configuration's way into one warehouse.

    Attributes:
        config: the settings' files, as `--config` of the tap; at least one.
        into: the warehouse's URL; None for that of the settings.
        schema: that the tables are in.
        name: under which STATE is kept in the warehouse.
        catalog: as `--catalog` of the tap; None for all streams.
        full_refresh: streams whose bookmarks are forgotten first.
        imported: a STATE from elsewhere to begin with; None for the warehouse's own.
        views: whether the views are made at the end.
        summary: the file that what came of it is written to; None for none.
    """

    config: tuple[str, ...]
    into: str | None = None
    schema: str = "billing"
    name: str = "default"
    catalog: IO[str] | None = None
    full_refresh: tuple[str, ...] = ()
    imported: dict[str, Any] | None = None
    views: bool = True
    summary: str | None = None


@contextmanager
def opened(url: str | None, schema: str, *, to_load: bool = True, views: bool = False) -> Iterator[Database]:
    """The database of a warehouse, for a while.

    Args:
        url: of the warehouse.
        schema: that the tables are in.
        to_load: a file that is not there is made; otherwise it is refused.
        views: they are to be made; a file that cannot hold them is refused.

    Raises:
        ConfigError: no URL is given, its extra is not installed, there is no such file, or it cannot hold views.
        LoadError: the warehouse refuses.
    """
    address = address_of(named(url))
    if not to_load:
        check_there(address)
    if views:
        check_views(address, schema)
    database = open_database(address, schema)
    try:
        yield database
    finally:
        database.close()


def log_to_stderr() -> None:
    """The log as the tap's own command has it, without the SDK's metrics: they are for programs."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(ConsoleFormatter())
    # Not by the level of their logger: a tap sets that when it is made.
    metrics = get_metrics_logger().name
    handler.addFilter(lambda record: record.name != metrics)
    logging.root.addHandler(handler)
    logging.root.setLevel(logging.INFO)


def run(job: Job) -> int:
    """Sync once; the exit status is 0 only if nothing failed.

    Raises:
        ConfigError: the settings are wrong, or a stream to refresh is not one of them.
        StateError: the STATE is not one of this tap.
        LoadError: the warehouse cannot be opened.
    """
    watch = Watch("sync", job.summary, lambda: TapBillingReports.as_given(job.config), job=job.name, schema=job.schema)
    watch.check()
    with watch.over():
        status = _synced(job, watch)
    watch.ended(status)
    return status


def _synced(job: Job, watch: Watch) -> int:
    writer = WarehouseWriter()
    tap = TapBillingReports.opened(job.config, catalog=job.catalog, writer=writer)
    watch.sees(tap)
    for stream in job.full_refresh:
        if stream not in tap.streams:
            raise ConfigError(f"--full-refresh {stream}: there is no such stream; one of {', '.join(tap.streams)}")
    with opened(job.into or tap.config.get("warehouse"), job.schema, views=job.views) as database:
        state = start_state(database, job)
        if state is not None:
            tap.load_state(state)
        loader = Loader(database, Options(job=job.name))
        writer.load_into(loader, database)
        try:
            status = _ended(tap, writer, loader, tap.run())
        finally:
            tap.logger.info("%s", loader.totals)
            for note in loader.totals.notes:
                tap.logger.warning("%s", note)
            watch.facts["loaded"] = dict(sorted(loader.totals.rows.items()))
            _note_end(tap, database, job.name, is_lost=loader.lost is not None)
        if job.views and loader.lost is None:
            status = _with_views(tap, database, job.schema) or status
        return status


def _note_end(tap: TapBillingReports, database: Database, job: str, *, is_lost: bool) -> None:
    """Note in the warehouse how the sync has ended for each source; what hinders that changes nothing else.

    Args:
        tap: that has ended.
        database: with nothing to commit.
        job: whose sync it was.
        is_lost: the load broke off, so that nobody knows of which source rows are missing.
    """
    emulated = tap.session.emulated
    ends = {
        source.name: SyncEnd(not is_lost and not tap.summary.has_failed(source.name), source.name in emulated)
        for source in tap.active_sources()
    }
    try:
        with tap.uninterrupted():
            database.note_sync(job, ends)
    except BillingError as error:
        tap.logger.warning("%s", sentence(str(error)))


def _told(tap: TapBillingReports, error: BillingError) -> int:
    """The exit status after what a person can mend: it is logged, and remembered for the summary."""
    tap.summary.failed(Failure.of(error).redacted())
    tap.logger.error("%s", sentence(str(error)))
    return 1


def _with_views(tap: TapBillingReports, database: Database, schema: str) -> int:
    """Make the views over what has been committed; 1 if the warehouse refuses."""
    try:
        create_views(database, schema, orders=own_orders(tap.config))
    except BillingError as error:
        return _told(tap, error)
    return 0


def own_orders(config: Mapping[str, Any]) -> OwnOrders | None:
    """The user's own table of orders, by the settings; None if none is set."""
    relation = config.get("orders_relation")
    if not relation:
        return None
    return OwnOrders(relation, config["order_column"], config["tracking_column"])


def _ended(tap: TapBillingReports, writer: WarehouseWriter, loader: Loader, status: int) -> int:
    """The exit status of a sync, once what is left has been committed."""
    if status and loader.lost is not None:  # the tap has said so
        return status
    try:
        writer.finish()
    except BillingError as error:
        return _told(tap, error)
    return status


def start_state(database: Database, job: Job) -> dict[str, Any] | None:
    """The STATE that a sync begins with: what was imported, else the warehouse's own, less what is to be refreshed.

    Raises:
        StateError: both are there, or the warehouse's is no JSON object.
    """
    kept = database.state(job.name)
    if kept is not None and job.imported is not None:
        raise StateError(
            f"--import-state: the warehouse has a STATE for the job {job.name!r} already; reset it first with "
            f"`billing-reports state reset`, or give another --job"
        )
    state = job.imported if kept is None else _object(kept, job.name)
    bookmarks = None if state is None else state.get("bookmarks")
    if isinstance(bookmarks, dict):
        for stream in job.full_refresh:
            bookmarks.pop(stream, None)
    return state


def _object(text: str, job: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise StateError(
            f"the STATE of the job {job!r} in the warehouse is no JSON object: run `billing-reports state reset`"
        )
    return found
