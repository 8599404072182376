"""The STATE that a warehouse keeps of each job, read without a change and without the loader's lock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_billing_reports.page.read import opened
from tap_billing_reports.warehouse.columns import STATE_TABLE
from tap_billing_reports.warehouse.database import quoted
from tap_billing_reports.warehouse.databases import is_there

if TYPE_CHECKING:
    from tap_billing_reports.page.read import Reading
    from tap_billing_reports.warehouse.address import Address


@dataclass(frozen=True)
class Start:
    """What a sync would begin with.

    Attributes:
        state: the STATE as JSON text; None for a first sync.
        said: where it is from, for a person.
    """

    state: str | None
    said: str


def states(reading: Reading) -> dict[str, str]:
    """The STATE of each job as text; none where no sync has loaded into this schema.

    Raises:
        LoadError: the warehouse refuses.
    """
    if not reading.has(STATE_TABLE):
        return {}
    return dict(reading.rows(f"select job, value from {{schema}}.{quoted(STATE_TABLE)}"))


def start(address: Address | None, schema: str, job: str) -> Start:
    """What `sync` into this warehouse would begin with.

    Args:
        address: None where no warehouse is named anywhere.
        schema: that the tables are in.
        job: whose STATE it is.

    Raises:
        ConfigError: the extra for this database is not installed.
        LoadError: the warehouse refuses.
    """
    if address is None:
        return Start(None, "as a first sync: no --state, and no warehouse is named")
    # Its first sync would make the file.
    if not is_there(address):
        return Start(None, f"as a first sync: there is no {address.shown} yet")
    with opened(address, schema, with_views=False) as reading:
        kept = states(reading).get(job)
    if kept is None:
        return Start(None, f"as a first sync: {address.shown} has no STATE of the job {job!r}")
    return Start(kept, f"from the STATE of the job {job!r} in {address.shown}")
