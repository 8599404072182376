"""When each vendor was last read whole, as `sync` has noted it in the warehouse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_billing_reports.page.words import ago, listed, vendor
from tap_billing_reports.warehouse.columns import SYNCS_TABLE
from tap_billing_reports.warehouse.database import quoted

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from tap_billing_reports.page.read import Reading


@dataclass(frozen=True)
class LastSync:
    """What is known of the syncs of one source, of one job.

    Attributes:
        source: the vendor.
        job: whose syncs they are.
        whole_at: the end of the last one in which nothing of the vendor failed; None if there was none.
        failed_at: the end of the last one in which something failed; None if there was none.
        is_emulated: an emulator has answered.
        now: by the warehouse's clock.
    """

    source: str
    job: str
    whole_at: datetime | None
    failed_at: datetime | None
    is_emulated: bool
    now: datetime

    @property
    def failed_since(self) -> datetime | None:
        """The end of the last one that failed, if none has been whole since."""
        if self.failed_at is None or (self.whole_at is not None and self.whole_at >= self.failed_at):
            return None
        return self.failed_at

    @property
    def age(self) -> timedelta | None:
        """How long ago the last whole one ended."""
        return None if self.whole_at is None else self.now - self.whole_at


def last_syncs(reading: Reading) -> tuple[LastSync, ...]:
    """By vendor and job; none where another program than `sync` loads the warehouse.

    Raises:
        LoadError: the warehouse refuses.
    """
    if not reading.has(SYNCS_TABLE):
        return ()
    rows = reading.rows(
        f"select source, job, whole_at, failed_at, coalesce(is_emulated, false), now() "
        f"from {{schema}}.{quoted(SYNCS_TABLE)} order by source, job"
    )
    return tuple(LastSync(*row) for row in rows)


def said(syncs: tuple[LastSync, ...]) -> list[str]:
    """A sentence for the vendors whose last syncs ended alike: those that failed come first."""
    several_jobs = len({one.job for one in syncs}) > 1
    by_end: dict[str, list[str]] = {}
    for one in sorted(syncs, key=lambda one: one.failed_since is None):
        by_end.setdefault(_end_of(one), []).append(
            f"{vendor(one.source)} (job {one.job})" if several_jobs else vendor(one.source)
        )
    return [f"{listed(names)}: {end}." for end, names in by_end.items()]


def _end_of(one: LastSync) -> str:
    read = "never read without a failure"
    if one.whole_at is not None and one.age is not None:
        read = f"last read without a failure {_instant(one.whole_at)}, {ago(one.age)}"
    failed = one.failed_since
    return read if failed is None else f"{read}; the sync of {_instant(failed)} failed"


def _instant(moment: datetime) -> str:
    return f"{moment:%-d %B %Y, %H:%M} UTC"
