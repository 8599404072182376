"""Events in the life of a period, for progress, log lines and the closing summary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_billing_reports.reports.jobs import ReportJob, Step


@dataclass(frozen=True)
class Event:
    """One transition of one period.

    Attributes:
        files, size: files and bytes that were collected. rows: rows that are out.
        reason: why, one line; may hold a secret until it is logged.
    """

    step: Step
    job: ReportJob
    run_id: str | None = None
    attempt: int | None = None
    files: int | None = None
    size: int | None = None
    rows: int | None = None
    reason: str | None = None


class Listener:
    """Hears what happens, in the main thread; this one does nothing with it."""

    def planned(self, jobs: Sequence[ReportJob]) -> None:
        """These periods are due, and nothing has happened to them yet."""

    def tell(self, event: Event) -> None:
        """A period has passed into its next state."""

    def pulse(self) -> None:
        """Called at least once a minute or so while runs are waited for."""
