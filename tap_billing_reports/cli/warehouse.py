"""`billing-reports sync` and `state`: the tap into a warehouse, and the STATE that the warehouse keeps."""

# ruff: noqa: PLC0415 - each command imports what it alone needs: most of that is slow

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

_into = click.option(
    "--into",
    envvar="BILLING_REPORTS_WAREHOUSE",
    metavar="URL",
    help="The warehouse: duckdb:PATH or postgresql://...; unset: BILLING_REPORTS_WAREHOUSE, the setting warehouse.",
)
in_option = click.option(
    "--in", "into", envvar="BILLING_REPORTS_WAREHOUSE", metavar="URL", help="The warehouse, as `sync --into`."
)
schema_option = click.option(
    "--schema", default="billing", show_default=True, help="The schema that the tables are in."
)
job_option = click.option(
    "--job",
    default="default",
    show_default=True,
    help="Whose STATE it is: each configuration in a warehouse has its own.",
)
config_option = click.option(
    "--config",
    multiple=True,
    metavar="FILE|ENV",
    help="Settings file, or ENV for environment variables and .env; may be given more than once. "
    "Unset: config.json where there is one, and ENV.",
)


@contextmanager
def _one_line() -> Iterator[None]:
    """What a person can mend ends the command, one line each."""
    from tap_billing_reports.core.errors import BillingError
    from tap_billing_reports.core.redaction import redact

    try:
        yield
    except BillingError as error:
        raise click.ClickException(redact(str(error))) from None


def given(config: tuple[str, ...]) -> tuple[str, ...]:
    """What --config names; where it names nothing, what is in this folder and the environment."""
    if config:
        return config
    return ("config.json", "ENV") if Path("config.json").is_file() else ("ENV",)


def named_warehouse(url: str | None, config: tuple[str, ...] = ()) -> str | None:
    """The warehouse that was given, else that of the settings, which `sync` loads; see `settings_here`."""
    if url:
        return url
    found = settings_here(config).get("warehouse")
    return found if isinstance(found, str) else None


def settings_here(config: tuple[str, ...]) -> dict[str, Any]:
    """The settings that --config names, or those of this folder and the environment; none is validated.

    Raises:
        ConfigError: a file cannot be read.
    """
    from tap_billing_reports.core.errors import ConfigError
    from tap_billing_reports.core.json_files import object_at
    from tap_billing_reports.singer.tap import TapBillingReports

    found: dict[str, Any] = {}
    for one in given(config):
        found |= TapBillingReports.in_environment() if one == "ENV" else object_at(one, "--config", ConfigError)
    return found


def _asked(url: str | None, option: str) -> str:
    """The same of a command that only reads.

    Raises:
        ConfigError: no warehouse is named anywhere.
    """
    from tap_billing_reports.warehouse import address

    return address.named(named_warehouse(url), option)


@click.command(short_help="Load everything into a warehouse, and again tomorrow: the increment.")
@config_option
@_into
@schema_option
@job_option
@click.option("--catalog", type=click.File(), help="The catalogue with its selection; unset: all streams.")
@click.option("--full-refresh", multiple=True, metavar="STREAM", help="Read this stream from the start again.")
@click.option("--import-state", type=click.File(), help="Begin with this STATE, from Meltano or a state file.")
@click.option("--no-views", is_flag=True, help="Leave the views as they are.")
@click.option(
    "--summary",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Write what came of it here, as one JSON object; also of a sync that failed.",
)
def sync(
    config: tuple[str, ...],
    into: str | None,
    schema: str,
    job: str,
    catalog: IO[str] | None,
    full_refresh: tuple[str, ...],
    import_state: IO[str] | None,
    no_views: bool,
    summary: str | None,
) -> None:
    """Load all streams into a warehouse; rows and STATE are committed together.

    STATE is kept in the warehouse: there is no state file. Exit status 0 only if nothing failed.
    """
    from tap_billing_reports.core.errors import StateError
    from tap_billing_reports.core.json_files import object_in
    from tap_billing_reports.sync.job import Job, log_to_stderr, run

    log_to_stderr()
    with _one_line():
        imported = None if import_state is None else object_in(import_state, "--import-state", StateError)
        status = run(Job(given(config), into, schema, job, catalog, full_refresh, imported, not no_views, summary))
    sys.exit(status)


@click.command(short_help="Make the views that answer finance's questions.")
@in_option
@schema_option
@click.option("--orders", metavar="RELATION", help="Your own table of orders, for freight_per_order.")
@click.option("--order-column", default="order_id", show_default=True, help="Its column with the order's number.")
@click.option(
    "--tracking-column", default="tracking_number", show_default=True, help="Its column with the shipment's number."
)
@click.option(
    "--table",
    "named",
    multiple=True,
    metavar="WHAT=TABLE",
    help="A table that is not found by itself, such as invoices=my_invoices; as `billing_tables` of the "
    "dbt package; may be given more than once.",
)
def views(
    into: str | None, schema: str, orders: str | None, order_column: str, tracking_column: str, named: tuple[str, ...]
) -> None:
    """Make the views in a warehouse that `sync` or a Singer target has filled.

    `sync` makes them too, unless it is told `--no-views`, and knows nothing of `--table`.
    """
    from tap_billing_reports.sync.job import opened
    from tap_billing_reports.views.create import create_views
    from tap_billing_reports.views.sql import OwnOrders, tables_named

    own = OwnOrders(orders, order_column, tracking_column) if orders else None
    with _one_line(), opened(named_warehouse(into), schema, to_load=False, views=True) as database:
        made = create_views(database, schema, named=tables_named(named), orders=own)
    for name in made:
        click.echo(f"{schema}.{name}")


@click.command(short_help="Write what finance asks at month's end as one HTML file.")
@click.option(
    "--from", "url", envvar="BILLING_REPORTS_WAREHOUSE", metavar="URL", help="The warehouse, as `sync --into`."
)
@schema_option
@click.option("--out", type=click.Path(dir_okay=False), default="billing.html", show_default=True, help="The file.")
@click.option("--note", default="", help="What a reader must know first; it stands at the top.")
@click.option(
    "--runs",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Also write when each vendor's reports of its last day were ordered and made, as a page of its own.",
)
def page(url: str | None, schema: str, out: str, note: str, runs: str | None) -> None:
    """Write one HTML file from the views of a warehouse: may I close, what does not tie, what is overdue, what it cost.

    It needs no network, and changes nothing in the warehouse.
    """
    from tap_billing_reports.page.facts import facts
    from tap_billing_reports.page.html import page as html
    from tap_billing_reports.page.read import opened
    from tap_billing_reports.page.timeline import timeline
    from tap_billing_reports.warehouse.address import address_of

    with _one_line():
        with opened(address_of(_asked(url, "--from")), schema) as reading:
            written = {out: html(facts(reading), note=note)}
            if runs is not None:
                written[runs] = timeline(reading)
        for file, text in written.items():
            Path(file).write_text(text, encoding="utf-8")
            click.echo(f"written: {file}")


@click.command(short_help="Ask the warehouse a question in SQL; nothing is changed.")
@click.argument("sql")
@in_option
def query(sql: str, into: str | None) -> None:
    """Show the rows that an SQL query finds, such as "select * from billing.close_checklist".

    The warehouse is opened for reading alone.
    """
    from tap_billing_reports.cli import query
    from tap_billing_reports.core.redaction import redact
    from tap_billing_reports.page.read import opened
    from tap_billing_reports.warehouse.address import address_of

    with _one_line(), opened(address_of(_asked(into, "--in")), "billing", with_views=False) as reading:
        names, rows = reading.answer(sql)
    for line in query.table(names, rows) if names else ():
        click.echo(redact(line))
    click.echo(f"({len(rows)} row{'s' * (len(rows) != 1)})")


@click.command(short_help="Ask for the vendors' settings, write config.json and .env, and try them.")
@click.option("--vendor", multiple=True, help="A vendor to turn on; may be given more than once. Unset: asked for.")
@click.option("--into", metavar="URL", help="The warehouse to load into; unset: duckdb:warehouse.duckdb.")
@click.option("--yes", is_flag=True, help="Ask nothing: what must be there is taken from the environment.")
@click.option("--overwrite", is_flag=True, help="Replace a config.json, and variables in .env, that are there.")
@click.option("--no-check", is_flag=True, help="Do not try the credentials.")
@click.pass_context
def init(
    context: click.Context, vendor: tuple[str, ...], into: str | None, yes: bool, overwrite: bool, no_check: bool
) -> None:
    """Write config.json and .env into this folder, and try what they say.

    Keys go into .env, which only you may read; all else into config.json. A setting that the environment has is
    neither asked for nor written down.
    """
    from tap_billing_reports.cli import init as steps

    with _one_line():
        steps.check_absent(overwrite=overwrite)
        if not vendor and not yes:
            known = ", ".join(steps.vendors())
            vendor = tuple(click.prompt(f"Which vendors ({known})").replace(",", " ").split())
        sources = steps.sources_of(vendor)
        written = steps.settle(sources, os.environ, None if yes else steps.ask_person, into)
        for line in steps.write(written, overwrite=overwrite):
            click.echo(line)
    click.echo("next: billing-reports sync")
    if not no_check:
        command = context.parent.command if context.parent is not None else None
        check = command.get_command(context, "check") if isinstance(command, click.Group) else None
        if check is not None:
            context.invoke(check, config=given(()))


@click.group()
def state() -> None:
    """The STATE that a warehouse keeps."""


@state.command()
@_into
@schema_option
def show(into: str | None, schema: str) -> None:
    """Show each job that has a STATE, and when it was stored."""
    from tap_billing_reports.sync.job import opened

    with _one_line(), opened(named_warehouse(into), schema, to_load=False) as database:
        found = database.states()
    for name, stored_at in found:
        click.echo(f"{name}  {stored_at}")
    if not found:
        click.echo("no job has a STATE here")


@state.command()
@_into
@schema_option
@job_option
def export(into: str | None, schema: str, job: str) -> None:
    """Print a job's STATE, for the tap's --state or for Meltano."""
    from tap_billing_reports.sync.job import opened

    with _one_line(), opened(named_warehouse(into), schema, to_load=False) as database:
        found = database.state(job)
    if found is None:
        raise click.ClickException(
            f"the job {job!r} has no STATE here; `billing-reports state show` lists those that have"
        )
    click.echo(json.dumps(json.loads(found), indent=2))


@state.command()
@_into
@schema_option
@job_option
@click.confirmation_option(prompt="Forget this STATE? The next sync reads everything again.")
def reset(into: str | None, schema: str, job: str) -> None:
    """Forget a job's STATE: the next sync reads everything again; rows stay, and are replaced by key."""
    from tap_billing_reports.sync.job import opened

    with _one_line(), opened(named_warehouse(into), schema, to_load=False) as database:
        if database.state(job) is None:
            raise click.ClickException(f"the job {job!r} has no STATE here")
        database.reset(job)
    click.echo(f"the STATE of the job {job!r} is forgotten")
