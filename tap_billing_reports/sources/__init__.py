"""The vendors: one declaration module each, and those that other packages bring by an entry point."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import entry_points

from tap_billing_reports.declarations import Source
from tap_billing_reports.errors import ConfigError
from tap_billing_reports.sources.bring import BRING
from tap_billing_reports.sources.brp import BRP
from tap_billing_reports.sources.stripe import STRIPE

ENTRY_POINTS = "tap_billing_reports.sources"


@lru_cache(maxsize=1)
def all_sources() -> tuple[Source, ...]:
    """Our vendors, then those of installed packages: each entry point of the group names a `Source`.

    Raises:
        ConfigError: an entry point is no `Source`, or takes a name or a setting that is taken.
    """
    sources: list[Source] = [STRIPE, BRING, BRP]
    for entry in sorted(entry_points(group=ENTRY_POINTS), key=lambda entry: entry.name):
        source = entry.load()
        if not isinstance(source, Source):
            raise ConfigError(f"entry point {entry.name} of {ENTRY_POINTS} is no Source: mend that package")
        taken = {setting.name for other in sources for setting in other.settings}
        clash = sorted(taken & {setting.name for setting in source.settings})
        if clash or source.name in {other.name for other in sources}:
            raise ConfigError(
                f"source {source.name} of entry point {entry.name} takes a name that is taken: {clash}"
            )
        sources.append(source)
    return tuple(sources)
