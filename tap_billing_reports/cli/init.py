"""`billing-reports init`: which vendors, with which settings; writes config.json and .env, and tries them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from tap_billing_reports.config.settings import TOP, config_jsonschema, learn_secrets, with_defaults
from tap_billing_reports.config.validation import problems
from tap_billing_reports.core.clock import Clock
from tap_billing_reports.core.errors import ConfigError
from tap_billing_reports.core.json_files import write_whole
from tap_billing_reports.vendors import all_sources
from tap_billing_reports.warehouse.address import address_of
from tap_billing_reports.warehouse.databases import check_views

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tap_billing_reports.declare import Setting, Source

PREFIX: Final = "TAP_BILLING_REPORTS_"
WAREHOUSE: Final = "duckdb:warehouse.duckdb"
SCHEMA: Final = "billing"
"""That `sync` loads into unless it is told another."""
CONFIG, ENVIRONMENT = Path("config.json"), Path(".env")
PRIVATE: Final = 0o600  # a file with keys is for its owner alone
_PLAIN: Final = re.compile(r"[A-Za-z0-9_./:@+=-]+")


@dataclass
class Written:
    """What goes into the two files: settings, and secrets as variables of the environment."""

    config: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    """Variables that the environment of this command has, and that are in neither file."""


def variable(setting: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + setting.upper()


def vendors() -> list[str]:
    """The names of all that can be turned on."""
    return [source.name for source in all_sources()]


def suggested() -> dict[str, Any]:
    """The settings that `init` suggests, such as Stripe's reports."""
    return {
        setting.name: setting.suggested
        for source in all_sources()
        for setting in source.settings
        if setting.suggested is not None
    }


def sources_of(names: Sequence[str]) -> list[Source]:
    """The sources with these names.

    Raises:
        ConfigError: there is none of that name.
    """
    known = {source.name: source for source in all_sources()}
    for name in names:
        if name not in known:
            raise ConfigError(f"--vendor {name}: there is no such vendor; one of {', '.join(sorted(known))}")
    return [known[name] for name in dict.fromkeys(names)]


def check_absent(*, overwrite: bool) -> None:
    """Refuse to touch what is there.

    Raises:
        ConfigError: a file is there, and nobody said that it may be replaced.
    """
    if CONFIG.exists() and not overwrite:
        raise ConfigError(f"{CONFIG} is there already: change it by hand, or give --overwrite")


def settle(
    sources: Sequence[Source],
    environment: Mapping[str, str],
    ask: Callable[[Setting, Any], Any] | None,
    warehouse: str | None,
) -> Written:
    """The settings of these sources: what the environment has, else what a person says.

    Args:
        sources: that shall be on.
        environment: of this process; what it has is asked for no more, and not written down.
        ask: None to ask nobody.
        warehouse: its URL; None for one to be asked for.

    Raises:
        ConfigError: a setting is missing or wrong, one line each, without its value; or the warehouse cannot hold
            the views.
    """
    written, given = Written(), {}
    today = Clock().now().date()
    for setting in _wanted(sources):
        if environment.get(variable(setting.name)):
            given[setting.name] = environment[variable(setting.name)]
            written.left_out.append(variable(setting.name))
            continue
        proposal = f"{today.year}-01-01" if setting.name == "start_date" else setting.suggested
        value = proposal if ask is None else ask(setting, proposal)
        if value in (None, ""):
            if setting.required:
                raise ConfigError(
                    f"setting {setting.name} is missing: set the variable {variable(setting.name)}, or leave out --yes"
                )
            continue
        given[setting.name] = value
        if setting.secret:
            written.secrets[variable(setting.name)] = str(value)
        else:
            written.config[setting.name] = value
    url = warehouse or WAREHOUSE
    address = address_of(url)
    check_views(address, SCHEMA)
    if address.shown == url:
        written.config["warehouse"] = url
    else:  # it has a password
        written.secrets[variable("warehouse")] = url
    _check(given, sources)
    return written


def _wanted(sources: Sequence[Source]) -> Iterator[Setting]:
    """Those that must be there, and those for which there is something to suggest."""
    for setting in (*TOP, *(one for source in sources for one in source.settings)):
        if setting.required or setting.suggested is not None:
            yield setting


def _check(given: Mapping[str, Any], sources: Sequence[Source]) -> None:
    learn_secrets(given, sources)
    every = all_sources()
    found = problems(with_defaults(given, every), every, config_jsonschema(every), Clock().now())
    if found:
        raise ConfigError("\n".join(found))


def write(written: Written, *, overwrite: bool) -> list[str]:
    """Write both files; what was done, a line each.

    Raises:
        ConfigError: a variable stands in .env already, and nobody said that it may be replaced.
        OSError: a file cannot be written.
    """
    lines = ENVIRONMENT.read_text(encoding="utf-8").splitlines() if ENVIRONMENT.exists() else []
    names = {line.removeprefix("export ").partition("=")[0].strip() for line in lines}
    twice = sorted(names & written.secrets.keys())
    if twice and not overwrite:
        raise ConfigError(f"{ENVIRONMENT} has {twice[0]} already: change it by hand, or give --overwrite")
    kept = [line for line in lines if line.removeprefix("export ").partition("=")[0].strip() not in written.secrets]
    said = []
    if written.secrets:
        added = [f"{name}={_quoted(value)}" for name, value in written.secrets.items()]
        write_whole(ENVIRONMENT, "\n".join([*kept, *added]) + "\n", PRIVATE)
        said.append(f"{ENVIRONMENT}: {', '.join(written.secrets)} (only you may read it; keep it out of git)")
    write_whole(CONFIG, json.dumps(written.config, indent=2) + "\n", 0o644)
    said.append(f"{CONFIG}: {', '.join(written.config)}")
    absent = [name for name in written.left_out if name not in names]
    if absent:
        said.append(
            f"in neither file, only in this shell: {', '.join(absent)}; a sync by cron or systemd knows nothing of "
            f"them: put them into {ENVIRONMENT}, or run `billing-reports init` in a shell without them"
        )
    return said


def _quoted(value: str) -> str:
    """A value as a line of .env has it."""
    if "\n" in value or "\r" in value:
        raise ConfigError("a key has a line end in it: copy it once more")
    if _PLAIN.fullmatch(value):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def ask_person(setting: Setting, proposal: Any) -> Any:
    """Ask on the terminal; a secret is not shown."""
    if setting.suggested is not None:
        shown = "\n  ".join(map(json.dumps, proposal if isinstance(proposal, list) else [proposal]))
        return proposal if click.confirm(f"{setting.name}: {setting.description}\n  {shown}\n", default=True) else None
    if proposal is None and not setting.required:
        proposal = ""
    return click.prompt(
        f"{setting.name}: {setting.description}\n ",
        default=proposal,
        hide_input=setting.secret,
        show_default=not setting.secret,
    )
