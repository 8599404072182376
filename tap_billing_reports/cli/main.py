"""`billing-reports`: the command for people. `tap-billing-reports` is the Singer command."""

# ruff: noqa: PLC0415 - each command imports what it alone needs: most of that is slow

from __future__ import annotations

import io
import json
import logging
import signal
import sys
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from tap_billing_reports import __version__
from tap_billing_reports.cli import warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_billing_reports.singer.tap import TapBillingReports

_config = warehouse.config_option

_WRITABLE = {True: "ok", False: "refused -> make the folder writable for this user", None: "not tried"}


@click.group()
@click.version_option(__version__)
def main() -> None:
    """Tools around tap-billing-reports."""


main.add_command(warehouse.init)
main.add_command(warehouse.sync)
main.add_command(warehouse.state)
main.add_command(warehouse.views)
main.add_command(warehouse.page)
main.add_command(warehouse.query)


@main.command()
@_config
def check(config: tuple[str, ...]) -> None:
    """Try each credential and right, and the warehouse; one line per source and account.

    Orders nothing and changes nothing at the vendor. Exit status 0 only if all is well.
    """
    from tap_billing_reports.cli import check
    from tap_billing_reports.warehouse.address import address_of

    with _told():
        tap = _tap(config)
        tap.limits = tap.limits or check.LIMITS
        well = True
        for line in check.check(tap.session):
            _say(str(line))
            well = well and line.is_well
        for note in tap.ignored_settings():
            _say(f"note: {note}")
        if tap.session.storage is not None:
            tap.session.storage.sizes("journal")
            writable = tap.session.storage.writable()
            _say(f"storage_url: readable ok; writable {_WRITABLE[writable]}")
            well = well and writable is not False
        if tap.config.get("warehouse"):
            found = check.warehouse(address_of(tap.config["warehouse"]))
            _say(f"warehouse: {found}")
            well = well and found.verdict == check.OK
    sys.exit(0 if well else 1)


@main.command(short_help="Say what is odd in warehouse, STATE, journal and storage.")
@_config
@warehouse.in_option
@warehouse.schema_option
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def doctor(config: tuple[str, ...], into: str | None, schema: str, *, as_json: bool) -> None:
    """Say what is odd in the warehouse, its STATE, the journal and the storage, each with what to do.

    Asks no vendor and changes nothing. Exit status 0 only if nothing is odd.
    """
    from tap_billing_reports.cli.doctor import Doctor
    from tap_billing_reports.config.settings import texts
    from tap_billing_reports.core.redaction import redact
    from tap_billing_reports.singer.tap import TapBillingReports
    from tap_billing_reports.storage.files import Storage
    from tap_billing_reports.warehouse.address import address_of

    with _told():
        settings = warehouse.settings_here(config)
        redact.add(*texts(settings.get("storage_options")))
        found = Doctor(TapBillingReports.clock.now())
        url = into or settings.get("warehouse")
        if url:
            found.look_at_warehouse(address_of(str(url)), schema)
        if settings.get("storage_url"):
            found.look_at_storage(Storage(str(settings["storage_url"]), settings.get("storage_options")))
        found.look_at_temporary_folder()
    if as_json:
        _say(json.dumps(found.report()))
    else:
        for line in found.lines():
            _say(line)
    sys.exit(1 if found.odd else 0)


@main.command(short_help="Show what a sync would order and what not, and why.")
@_config
@click.option("--state", type=click.File(), help="The STATE to start from; unset: the one that the warehouse keeps.")
@click.option("--catalog", type=click.File(), help="The catalogue with its selection; unset: all streams.")
@warehouse.in_option
@warehouse.schema_option
@warehouse.job_option
def plan(
    config: tuple[str, ...], state: IO[str] | None, catalog: IO[str] | None, into: str | None, schema: str, job: str
) -> None:
    """Show what a sync would order, resume, adopt, skip or defer, and why.

    It starts from the STATE that `sync` would start from: that of the warehouse, unless --state names a file. Reads
    availability, listed runs and invoices; orders nothing and changes neither state nor journal.
    """
    from tap_billing_reports.cli import plan
    from tap_billing_reports.cli.kept_state import start
    from tap_billing_reports.singer import selection
    from tap_billing_reports.singer.console import failures
    from tap_billing_reports.warehouse.address import address_of

    with _told():
        said = "from the STATE of --state"
        if state is None:
            url = warehouse.named_warehouse(into, config)
            begun = start(address_of(url) if url else None, schema, job)
            state, said = None if begun.state is None else io.StringIO(begun.state), begun.said
        tap = _tap(config, state=state, catalog=catalog)
        tap.limits = tap.limits or plan.LIMITS
        selection.check_selection(tap)
        tap.session.hold_realms(tap.state.get("bookmarks", {}), record=False)
        tap.lifecycle.check_identities()
        rows = list(plan.plan(tap.lifecycle, tap.session, _say_to_who_waits))
        notes = [*tap.ignored_settings(), *tap.summary.notes, *selection.skipped_reports(tap)]
    for line in plan.table(rows):
        _say(line)
    _say(f"\n{plan.totals(rows)}; {said}; nothing was ordered")
    for note in notes:
        _say(f"note: {note}")
    for line in failures.failed_lines(tap.summary):
        _say(line)
    sys.exit(1 if tap.summary.failures else 0)


def _say(text: str) -> None:
    """A line for a person; vendors' words in it may echo a secret."""
    from tap_billing_reports.core.redaction import redact

    click.echo(redact(text))


def _say_to_who_waits(text: str) -> None:
    """A line for a person at a terminal, and for nobody else."""
    if sys.stderr.isatty():
        click.echo(text, err=True)


@contextmanager
def _told() -> Iterator[None]:
    """The command alone speaks: no log, and what a person can mend ends it, one line each."""
    from tap_billing_reports.core.errors import BillingError
    from tap_billing_reports.core.redaction import redact

    logger = logging.getLogger("tap-billing-reports")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    except BillingError as error:
        raise click.ClickException(redact(str(error))) from None
    finally:
        logger.setLevel(level)


def _tap(config: tuple[str, ...], *, state: IO[str] | None = None, catalog: IO[str] | None = None) -> TapBillingReports:
    """The tap with these settings, or those of this folder and the environment where none are named."""
    from tap_billing_reports.singer.tap import TapBillingReports

    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    tap = TapBillingReports.opened(warehouse.given(config), state=state, catalog=catalog)
    # The tap ends a sync in good order, with a last STATE; here there is none to end.
    for number, handler in handlers.items():
        signal.signal(number, handler)
    return tap


@main.command()
@click.option(
    "--vendor",
    "vendors",
    multiple=True,
    help="Emulate this vendor, by its short name; may be repeated. Without it: all.",
)
@click.option("--port-base", type=int, help="First port; each host gets the next one. Unset: free ports.")
@click.option(
    "--days-ago",
    type=int,
    default=1,
    show_default=True,
    help="Start the vendors' clock so many days ago: as often `--next-day` has something new for a tap of today.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed gives other data.")
@click.option(
    "--ready-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write URLs and settings here when ready.",
)
@click.option(
    "--config-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write settings here when ready, for --config as they are; they ask for the reports that `init` suggests.",
)
@click.option(
    "--env-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the settings here as variables for a shell, when ready.",
)
@click.option(
    "--orders-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a shop's own orders here as CSV, when ready: for `views --orders` and the setting orders_relation.",
)
@click.option(
    "--hidden-faults", is_flag=True, help="Hide a payout that does not tie, shipments without order, a payment."
)
@click.option(
    "--next-day",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Start nothing: let a day pass at the vendors that have written this file (`--ready-file`).",
)
def sandbox(
    vendors: tuple[str, ...],
    port_base: int | None,
    days_ago: int,
    seed: int,
    ready_file: Path | None,
    config_file: Path | None,
    env_file: Path | None,
    orders_file: Path | None,
    next_day: Path | None,
    *,
    hidden_faults: bool,
) -> None:
    """Emulate the vendors on loopback, with seeded data and control totals."""
    from tap_billing_reports.cli import emulated

    if next_day is not None:
        with _told():
            _say(emulated.next_day(next_day))
        return
    try:
        from tap_billing_reports.sandbox.emulation import VENDORS
        from tap_billing_reports.sandbox.server import serve
    except ImportError as error:
        raise click.ClickException(
            f"install the extra sandbox first, beside those that are there, such as tap-billing-reports"
            f"[duckdb,sandbox] ({error})"
        ) from None
    if unknown := [name for name in vendors if name not in VENDORS]:
        raise click.ClickException(f"--vendor {', '.join(unknown)}: the emulated ones are {', '.join(VENDORS)}")
    chosen = vendors or tuple(VENDORS)
    now = datetime.now(timezone.utc) - timedelta(days=days_ago)
    options = {"hidden_faults": True} if hidden_faults else {}
    suggested = {}
    if config_file is not None:
        with _told():
            emulated.check_replaceable(config_file)
        from tap_billing_reports.cli.init import suggested as suggested_settings

        suggested = {name: value for name, value in suggested_settings().items() if name.startswith(tuple(chosen))}
    serve(
        port_base=port_base,
        now=now,
        seed=seed,
        ready_file=ready_file,
        config_file=config_file,
        env_file=env_file,
        orders_file=orders_file,
        suggested=suggested,
        options=options,
        vendors=chosen,
    )


@main.command("new-source", short_help="Write a package for a vendor of your own.")
@click.argument("name")
@click.option(
    "--report",
    "kind",
    # As `KINDS` of `new_source`, which is slow to import.
    type=click.Choice(["ordered", "listed", "paged"]),
    default="ordered",
    show_default=True,
    help="How its reports are got: ordered and polled; one for each thing it lists, such as payouts; rows in pages.",
)
@click.option(
    "--into",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    show_default=True,
    help="The folder in which the package's own folder is made.",
)
def new_source(name: str, kind: str, into: Path) -> None:
    """Write a package for the vendor NAME: a declaration, an emulator and tests that pass as they are."""
    from tap_billing_reports.cli import new_source

    with _told():
        folder = new_source.new_source(name, kind, into)
    _say(f"{folder} is written. Install it beside the tap (pip install -e '{folder}[dev]') and run pytest in it.")
    _say(f"Then put the vendor's facts where `grep -rn VENDOR: {folder}` shows; docs/add-a-source.md says how.")


if __name__ == "__main__":
    main()
