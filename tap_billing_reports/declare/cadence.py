"""When a report is due: by calendar window, once an invoice, or once for each subject that is named.

Data alone; the cadence of subjects that the vendor lists is in `report.py`. What follows from each, what is due and
what is done, is in `reports/due.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, Literal

ALL: Final = "all"
Unit = Literal["day", "week", "month", "all"]


@dataclass(frozen=True)
class Windowed:
    """One run a calendar window of the report's zone.

    Attributes:
        unit: `all` is one window, from the start date up to the present.
        lookback_days: windows that ended within so many days are read again.
        include_partial: also the window that is not over yet.
    """

    unit: Unit = "day"
    lookback_days: int = 0
    include_partial: bool = False
    has_subjects: ClassVar[bool] = False

    @property
    def identity(self) -> dict[str, str]:
        """What of it may not change while the report has state."""
        return {"window": self.unit}


@dataclass(frozen=True)
class PerInvoice:
    """One run for every invoice that has a specification."""

    has_subjects: ClassVar[bool] = True
    identity: ClassVar[dict[str, str]] = {}


@dataclass(frozen=True)
class Subjects:
    """One run for each subject that the settings name, such as a payout; without any, one for all there is."""

    names: tuple[str, ...] = ()
    has_subjects: ClassVar[bool] = True
    identity: ClassVar[dict[str, str]] = {}
