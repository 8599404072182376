"""`target-billing-reports`: any tap's Singer messages on stdin into DuckDB or PostgreSQL, STATE on stdout."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING, Any, Final

import click
from jsonschema import Draft202012Validator

from tap_billing_reports import __version__
from tap_billing_reports.core import redaction
from tap_billing_reports.core.errors import BillingError, ConfigError
from tap_billing_reports.core.json_files import object_at
from tap_billing_reports.warehouse.address import address_of
from tap_billing_reports.warehouse.databases import open_database
from tap_billing_reports.warehouse.errors import LoadError
from tap_billing_reports.warehouse.listen import load_from
from tap_billing_reports.warehouse.loader import Loader, Options

if TYPE_CHECKING:
    from types import FrameType

    from tap_billing_reports.warehouse.loader import Totals

NAME: Final = "target-billing-reports"
ENVIRONMENT: Final = "TARGET_BILLING_REPORTS_"
SETTINGS: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "url": {
            "type": "string",
            "secret": True,
            "description": "The warehouse: duckdb:PATH or postgresql://USER:PASSWORD@HOST/DATABASE.",
        },
        "schema": {
            "type": "string",
            "minLength": 1,
            "default": "billing",
            "description": "The schema of the warehouse that the tables are in; it is made if it is not there.",
        },
        "hard_delete": {
            "type": "boolean",
            "default": False,
            "description": "Delete the rows that the tap marks as deleted; otherwise they stay, with _sdc_deleted_at.",
        },
        "commit_bytes": {
            "type": "integer",
            "minimum": 1,
            "default": 64 << 20,
            "description": "A transaction ends at the first STATE behind so many bytes of messages.",
        },
        "commit_seconds": {
            "type": "number",
            "minimum": 0,
            "default": 10,
            "description": "A transaction ends at the first STATE that comes so many seconds after its beginning.",
        },
    },
    "required": ["url"],
    "additionalProperties": True,
}
logger = logging.getLogger(NAME)


@click.command()
@click.version_option(__version__, prog_name=NAME)
@click.option(
    "--config",
    multiple=True,
    metavar="FILE|ENV",
    help=f"Settings file, or ENV for variables such as {ENVIRONMENT}URL; may be given more than once.",
)
@click.option("--about", is_flag=True, help="Show the settings and end.")
@click.option("--format", "about_format", type=click.Choice(["text", "json"]), default="text", help="Of --about.")
def main(config: tuple[str, ...], about: bool, about_format: str) -> None:
    """Load Singer messages from stdin into DuckDB or PostgreSQL, each row exactly once; STATE goes to stdout."""
    if about:
        click.echo(_about(about_format))
        return
    redaction.install()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    _outlive_interrupts()
    try:
        totals = _run(settings_of(config or ("ENV",), os.environ))
    except BillingError as error:
        logger.error("%s", redaction.sentence(str(error)))  # noqa: TRY400 - a line that a person can act on
        sys.exit(1)
    for note in totals.notes:
        logger.warning("%s", note)
    logger.info("%s", totals)


def _run(settings: dict[str, Any]) -> Totals:
    """Load what stands on stdin.

    Raises:
        BillingError: it cannot be loaded; what was committed stays.
    """
    database = open_database(address_of(settings["url"]), settings["schema"])
    options = Options(
        commit_bytes=settings["commit_bytes"],
        commit_seconds=settings["commit_seconds"],
        hard_delete=settings["hard_delete"],
        keep_state=False,
    )
    try:
        loader = Loader(database, options, committed=_tell)
        load_from(sys.stdin.fileno(), loader)
    except OSError as error:
        raise LoadError(f"stdin cannot be read: {error.strerror}; nothing behind the last STATE was loaded") from None
    else:
        return loader.totals
    finally:
        database.close()


def _tell(state: str) -> None:
    """The STATE that stands behind committed rows, for the caller that keeps it.

    Raises:
        LoadError: it could not be written.
    """
    try:
        sys.stdout.write(state + "\n")
        sys.stdout.flush()
    except OSError as error:
        # What is still in the buffer would fail once more at the end of the process.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise LoadError(
            f"a STATE could not be written to stdout ({error.strerror}); its rows were loaded, nothing "
            f"behind them was; run again from the STATE before it"
        ) from None


def settings_of(config: tuple[str, ...], environment: Any) -> dict[str, Any]:
    """The settings that files and the environment give, with the defaults of the others.

    Raises:
        ConfigError: names the setting, never its value.
    """
    found: dict[str, Any] = {}
    for path in config:
        found |= _from_environment(environment) if path == "ENV" else object_at(path, "--config", ConfigError)
    for name, declared in SETTINGS["properties"].items():
        if "default" in declared:
            found.setdefault(name, declared["default"])
    url = found.get("url")
    if isinstance(url, str):
        address_of(url)
    for error in Draft202012Validator(SETTINGS).iter_errors(found):
        name = str(error.path[0]) if error.path else "url"
        wanted = SETTINGS["properties"].get(name, {}).get("description", "")
        raise ConfigError(f"setting {name}: it is missing or of the wrong kind; it says: {wanted}")
    return found


def _from_environment(environment: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, declared in SETTINGS["properties"].items():
        text = environment.get(ENVIRONMENT + name.upper())
        if text is None:
            continue
        if declared["type"] == "string":
            found[name] = text
            continue
        try:
            found[name] = json.loads(text.lower())
        except ValueError:
            found[name] = text  # refused by the schema, which names the setting
    return found


def _about(about_format: str) -> str:
    facts = {
        "name": NAME,
        "version": __version__,
        "description": "Singer messages into DuckDB or PostgreSQL, each row exactly once.",
        "capabilities": ["about", "activate-version", "hard-delete", "soft-delete"],
        "settings": SETTINGS,
    }
    if about_format == "json":
        return json.dumps(facts, indent=2)
    lines = [f"{NAME} {__version__}: {facts['description']}", ""]
    for name, declared in SETTINGS["properties"].items():
        default = f" (default {json.dumps(declared['default'])})" if "default" in declared else " (required)"
        lines.append(f"  {name}{default}: {declared['description']}")
    return "\n".join(lines)


def _outlive_interrupts() -> None:
    """Ctrl-C reaches the tap, too, which then sends its last STATE: the first one waits for that, the second ends."""

    def handle(_signum: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)

    signal.signal(signal.SIGINT, handle)


if __name__ == "__main__":
    main()
