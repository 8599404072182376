"""`billing-reports`: the command for people. `tap-billing-reports` is the Singer command."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import click

from tap_billing_reports import __version__


@click.group()
@click.version_option(__version__)
def main() -> None:
    """Tools around tap-billing-reports."""


@main.command()
@click.option("--port-base", type=int, help="First port; each host gets the next one. Unset: free ports.")
@click.option(
    "--days-ago", type=int, default=0, show_default=True, help="Start the vendors' clock so many days ago."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed gives other data.")
@click.option(
    "--ready-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write URLs and settings here when ready.",
)
def sandbox(port_base: int | None, days_ago: int, seed: int, ready_file: Path | None) -> None:
    """Emulate Stripe, Bring and BRP on loopback, with seeded data and control totals."""
    try:
        from tap_billing_reports.sandbox.server import serve  # noqa: PLC0415 - an extra; slow to import
    except ImportError as error:
        raise click.ClickException(f"install tap-billing-reports[sandbox] first ({error})") from None
    now = datetime.now(timezone.utc) - timedelta(days=days_ago)
    serve(port_base=port_base, now=now, seed=seed, ready_file=ready_file)


if __name__ == "__main__":
    main()
