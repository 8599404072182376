"""Lists of subjects by date, such as payouts, each of which has its report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from tap_billing_reports.declare.endpoints import Account, Endpoint, Query
    from tap_billing_reports.declare.runs import Report


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
