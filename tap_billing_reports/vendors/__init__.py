"""The vendors: one declaration module each, and those that other packages bring by an entry point."""

from __future__ import annotations

import re
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

from tap_billing_reports.core.errors import ConfigError
from tap_billing_reports.declare import Source
from tap_billing_reports.vendors.bring import BRING
from tap_billing_reports.vendors.brp import BRP
from tap_billing_reports.vendors.klarna import KLARNA
from tap_billing_reports.vendors.stripe import STRIPE
from tap_billing_reports.vendors.vipps import VIPPS

if TYPE_CHECKING:
    from collections.abc import Iterable

ENTRY_POINTS = "tap_billing_reports.sources"
_is_name = re.compile(r"[a-z][a-z0-9]{0,14}").fullmatch


@cache
def all_sources() -> tuple[Source, ...]:
    """Our vendors, then those of installed packages: each entry point of the group names a `Source`.

    Raises:
        ConfigError: an entry point cannot be loaded, is no `Source`, or takes a name that is not its own.
    """
    added = sorted(entry_points(group=ENTRY_POINTS), key=lambda entry: entry.name)
    return with_added((STRIPE, BRING, BRP, VIPPS, KLARNA), added)


def with_added(sources: Iterable[Source], entries: Iterable[EntryPoint]) -> tuple[Source, ...]:
    """The sources and those of the entry points; raises as `all_sources`."""
    found = {source.name: source for source in sources}
    for entry in entries:
        named = f"entry point {entry.name} of {ENTRY_POINTS}"
        try:
            source = entry.load()
        except Exception as error:
            # Whatever its module raises, such as a part of the declaration that refuses what it is given.
            raise ConfigError(f"{named} cannot be loaded ({error}): repair or remove that package") from error
        if not isinstance(source, Source):
            raise ConfigError(f"{named} is no Source: repair or remove that package")
        if source.name in found or not _is_name(source.name):
            raise ConfigError(f"{named}: the name {source.name} is taken, or is not lower case of at most 15 letters")
        if problems := source.problems():
            raise ConfigError(f"{named}: {'; '.join(problems)}")
        found[source.name] = source
    return tuple(found.values())
