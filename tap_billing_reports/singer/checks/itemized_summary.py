"""Itemised report against summary: where both are configured, their totals of a period must be equal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_billing_reports.core.money import EXACT
from tap_billing_reports.reports.files.readers.tallies import PartTally
from tap_billing_reports.singer.check import Check
from tap_billing_reports.singer.finished_run import utc_or_none

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from decimal import Decimal

    from tap_billing_reports.declare import ComparedTotal, Report, ReportApi
    from tap_billing_reports.reports.jobs import Collected, ReportJob
    from tap_billing_reports.singer.finished_run import ReadRun

ITEMIZED, SUMMARY = "itemized", "summary"


class Read(NamedTuple):
    """A period whose rows are out, all but closed."""

    finished: Collected
    rows: int


class _Place(NamedTuple):
    """What both sides of a period have in common. `subject` names the summary, whichever side is read last."""

    family: str
    source: str
    account_id: str
    subject: str
    window_end: str | None
    check: str


class _Side(NamedTuple):
    total: Decimal | None
    """None where the file does not have the column."""
    run_id: str


class ItemizedSummary:
    """Remembers totals until both sides of a period have been read.

    The side that is read first is not called done before the other one is there, if both are due in this sync:
    a sync that ends between the two, or a difference that `on_mismatch` calls a failure, leaves both to be
    compared by the next one.

    The total is that of one column over all currencies: no amount of money, but equal exactly when both
    files account for the same movements.
    """

    def __init__(self, reports: Iterable[tuple[Report, ReportApi]]) -> None:
        sides: dict[str, dict[str, Report]] = {}
        self._compared: dict[str, ComparedTotal] = {}
        for report, api in reports:
            if (compared := api.compared(report)) is not None:
                sides.setdefault(self._family(report, compared.family), {})[compared.side] = report
                self._compared[report.stream] = compared
        pairs = {family: both for family, both in sides.items() if len(both) == 2}
        self._sides = {report.stream: (family, side) for family, both in pairs.items() for side, report in both.items()}
        self._names = {family: both[SUMMARY].name for family, both in pairs.items()}
        self._totals: dict[_Place, dict[str, _Side]] = {}
        self._expected: set[_Place] = set()
        self._held: dict[_Place, Read] = {}

    @staticmethod
    def _family(report: Report, family: str) -> str:
        """Only reports over the same windows and filters can be held against each other."""
        return json.dumps([family, report.cadence.identity, report.zone, dict(report.parameters)], sort_keys=True)

    def columns(self, report: Report) -> tuple[str, ...]:
        """The columns to add up while the report's rows are read."""
        compared = self._compared.get(report.stream)
        return (compared.column,) if compared is not None and report.stream in self._sides else ()

    @property
    def checks(self) -> frozenset[str]:
        """The names of the checks that two reports are needed for."""
        return frozenset(compared.check for compared in self._compared.values())

    def expect(self, jobs: Iterable[ReportJob]) -> None:
        """These periods are due in this sync."""
        sides: dict[_Place, set[str]] = {}
        for job in jobs:
            if (place := self._place(job)) is not None:
                sides.setdefault(place, set()).add(self._sides[job.report.stream][1])
        self._expected = {place for place, both in sides.items() if len(both) == 2}

    def _place(self, job: ReportJob) -> _Place | None:
        if job.report.stream not in self._sides:
            return None
        family, _side = self._sides[job.report.stream]
        subject = f"{self._names[family]} {job.period.key}"
        check = self._compared[job.report.stream].check
        return _Place(family, job.client.name, job.row_account, subject, utc_or_none(job.period.end), check)

    def note(self, read_run: ReadRun) -> None:
        """Take a period's total; the second side of a period gets the check."""
        place = self._place(read_run.job)
        if place is None:
            return
        total = self._total(read_run)
        both = self._totals.setdefault(place, {})
        both[self._sides[read_run.job.report.stream][1]] = _Side(total, read_run.key)
        if len(both) == 2:
            del self._totals[place]
            if any(side.total is not None for side in both.values()):
                read_run.checks.append(self._check(place, both))

    def _total(self, read_run: ReadRun) -> Decimal | None:
        """What is to be equal on both sides; None where the file does not have the column."""
        compared, reader = self._compared[read_run.job.report.stream], read_run.reader
        total = reader.sums.get(compared.column)
        for tally in read_run.tallies:
            if isinstance(tally, PartTally):
                total = None if tally.missing and reader.rows else tally.total
        is_turned = compared.is_opposite and compared.side == ITEMIZED
        return EXACT.minus(total) if is_turned and total is not None else total

    def settled(self, read: Read) -> list[Read]:
        """What may be called done now that this period has been read: nothing, itself, or both sides."""
        place = self._place(read.finished.job)
        if place is None or place not in self._expected:
            return [read]
        if place not in self._held:
            self._held[place] = read
            return []
        self._expected.discard(place)
        return [self._held.pop(place), read]

    def held_with(self, job: ReportJob) -> Read | None:
        """The other side of a period, where that was read first."""
        place = self._place(job)
        return None if place is None else self._held.get(place)

    def given_up(self, job: ReportJob) -> list[Read]:
        """This period will not be read in this sync: what waited for it may be called done."""
        place = self._place(job)
        if place is None:
            return []
        self._expected.discard(place)
        return [self._held.pop(place)] if place in self._held else []

    def held(self) -> Iterator[Read]:
        """The periods that still wait for their other side."""
        yield from self._held.values()

    def unmatched(self) -> Iterator[Check]:
        """Periods of which only one side was read in this sync."""
        for place, side in self._totals.items():
            if any(one.total is not None for one in side.values()):
                unknown = "the other report of this period was not read in the same sync"
                yield self._check(place, side, unknown=unknown)

    @staticmethod
    def _check(place: _Place, sides: dict[str, _Side], unknown: str | None = None) -> Check:
        """Both sides' totals; one that has no total is missing, whichever of the two it is."""
        summary, itemized = sides.get(SUMMARY), sides.get(ITEMIZED)
        totals = [None if side is None else side.total for side in (summary, itemized)]
        facts: dict[str, Any] = {
            "source": place.source,
            "account_id": place.account_id,
            "subject": place.subject,
            "check": place.check,
            "run_id": sides[SUMMARY if SUMMARY in sides else ITEMIZED].run_id,
        }
        if unknown is None and totals[0] is None:
            reason = "the summary does not have the column whose total is compared"
            return Check(actual=totals[1], ok=False, reason=reason, **facts)
        missing = "the itemised report does not have the column whose total is compared"
        return Check.compare(*totals, unknown=unknown, missing=missing, **facts)
