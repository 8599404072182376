"""Itemised report against summary: where both are configured, their totals of a period must be equal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tap_billing_reports.streams.emission import Emission

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from decimal import Decimal

    from tap_billing_reports.declarations import Report, ReportApi
    from tap_billing_reports.streams.checks import Check

CHECK = "itemized_vs_summary"


class Twins:
    """Remembers totals until both sides of a period have been read.

    The total is that of one column over all currencies: no amount of money, but equal exactly when both
    files account for the same movements.
    """

    def __init__(self, reports: Iterable[tuple[Report, ReportApi]]) -> None:
        sides: dict[str, dict[str, Report]] = {}
        self._columns: dict[str, str] = {}
        for report, api in reports:
            if (twin := api.twin(report)) is not None:
                sides.setdefault(self._family(report, twin.family), {})[twin.side] = report
                self._columns[report.stream] = twin.column
        self._families = {
            report.stream: (family, side)
            for family, both in sides.items()
            if len(both) == 2
            for side, report in both.items()
        }
        self._totals: dict[tuple[str, str, str, str | None], dict[str, tuple[Decimal, Emission]]] = {}

    @staticmethod
    def _family(report: Report, family: str) -> str:
        """Only reports over the same windows and filters can be held against each other."""
        return json.dumps([family, report.unit, report.zone, dict(report.parameters)], sort_keys=True)

    def columns(self, report: Report) -> tuple[str, ...]:
        """The columns to add up while the report's rows are read."""
        return (self._columns[report.stream],) if report.stream in self._families else ()

    def note(self, emission: Emission) -> None:
        """Take a period's total; the second side of a period gets the check."""
        report, due = emission.due.report, emission.due
        if report.stream not in self._families or emission.reader is None:
            return
        family, side = self._families[report.stream]
        total = emission.reader.sums.get(self._columns[report.stream])
        if total is None:
            return
        end = emission.constants["window_end"]
        both = self._totals.setdefault((family, due.account.account_id, due.period.key, end), {})
        both[side] = (total, emission)
        if len(both) == 2:
            emission.check(CHECK, both["summary"][0], both["itemized"][0])

    def unmatched(self) -> Iterator[Check]:
        """Periods of which only one side was read in this sync."""
        for both in self._totals.values():
            if len(both) == 1:
                (total, emission) = next(iter(both.values()))
                reason = "the other report of this period was not read in the same sync"
                lone = Emission(emission.finished)
                lone.check(CHECK, None, total, reason=reason)
                yield from lone.checks
