"""A report, and the cadence by which one run is due for each subject that the vendor lists, such as a payout."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from tap_billing_reports.core.columns import column_name
from tap_billing_reports.declare.cadence import PerInvoice, Subjects, Windowed
from tap_billing_reports.declare.guarded import guard_functions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from tap_billing_reports.declare.endpoints import Account, Endpoint, Query


@dataclass(frozen=True)
class Listing:
    """How the subjects of a report with the cadence `Listed` are listed.

    Attributes:
        endpoint: the list, with its paging.
        query: the query for subjects from a first to a last day, both included, in the report's zone.
        subject: where an entry has its id (keys joined by a dot). Ids are never used again.
        day: where it has its date, as a date or an instant.
        path: what the names of the endpoint's path stand for; `account_id` is always there.
    """

    endpoint: Endpoint
    query: Callable[[Account, Report, date, date], Query]
    subject: str
    day: str
    path: Callable[[Account, Report], Mapping[str, str]] = lambda _account, _report: {}

    def __post_init__(self) -> None:
        guard_functions(self)


@dataclass(frozen=True)
class Listed:
    """One run for each subject that the vendor lists by date, such as a payout that it makes by itself.

    Attributes:
        listing: where they are listed.
        lookback_days: so many days before the newest subject are listed again: one may appear late.
    """

    listing: Listing
    lookback_days: int = 14
    has_subjects: ClassVar[bool] = True
    identity: ClassVar[dict[str, str]] = {}


Cadence: TypeAlias = Windowed | PerInvoice | Subjects | Listed


@dataclass(frozen=True)
class Report:
    """One configured report: the rows of one stream. `zone` is that of its windows and of its local times."""

    source: str
    report_type: str
    name: str
    zone: str
    cadence: Cadence = field(default_factory=Windowed)
    columns: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    optional: bool = False
    kept_formats: tuple[str, ...] = ()
    """Further formats of the report that are kept, for the declaration's `extra_files`."""

    @classmethod
    def of(
        cls, source: str, entry: Mapping[str, Any], *, short: Mapping[str, str] = MappingProxyType({}), **facts: Any
    ) -> Report:
        """The report of a settings entry; `facts` are what it says beyond the keys that every source takes.

        Without a name it has its type's, in snake_case. `short` is text of a type -> what stands for it in the name,
        for a vendor whose types are too long for a stream's.
        """
        report_type = entry["report_type"]
        by_default = report_type
        for long, instead in short.items():
            by_default = by_default.replace(long, instead)
        name = entry.get("name") or column_name(by_default)
        common = {"cadence": Windowed(entry.get("window") or "day"), "optional": bool(entry.get("optional"))}
        return cls(source, report_type, name, **{**common, **facts})

    @property
    def stream(self) -> str:
        return f"{self.source}_{self.name}"

    @property
    def identity(self) -> dict[str, Any]:
        """What may not change while the report has state: other values would mix two reports in one stream."""
        facts = {
            "report_type": self.report_type,
            **self.cadence.identity,
            "timezone": self.zone,
            **self.parameters,
        }
        return {key: value for key, value in sorted(facts.items()) if value not in (None, "", {}, [], ())}
