"""Adopts a run that the vendor already lists, instead of ordering the same once more."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING

from tap_billing_reports.core.errors import ISOLATED, BillingError
from tap_billing_reports.declare import Account, Run, RunStatus
from tap_billing_reports.reports.jobs import ReportClient, ReportJob, fingerprint

if TYPE_CHECKING:
    from datetime import datetime

    from tap_billing_reports.core.clock import Clock


class _ListedRuns:
    """The runs that the vendor lists for one account, newest first, by what they were asked."""

    def __init__(self, runs: list[Run]) -> None:
        self._same: dict[str, list[Run]] = defaultdict(list)
        self._asked: dict[str, str] = {}
        for run in runs:
            asked = fingerprint(run.report_type, run.parameters)
            self._same[asked].append(run)
            self._asked[run.run_id] = asked

    def same(self, asked: str) -> list[Run]:
        return self._same.get(asked, [])

    def is_dead(self, run_id: str) -> None:
        """Listed as alive, found dead: it still took its number."""
        same = self._same.get(self._asked.get(run_id, ""), [])
        for place, run in enumerate(same):
            if run.run_id == run_id:
                same[place] = replace(run, status=RunStatus.FAILED)


class Adoption:
    """Finds runs that can be adopted, of all sources.

    Args:
        clock: tells when.
        reuse_runs_since: runs created before are never adopted.
    """

    def __init__(self, clock: Clock, reuse_runs_since: datetime | None) -> None:
        self._clock = clock
        self._reuse_since = reuse_runs_since
        self._lists: dict[tuple[ReportClient, str], tuple[datetime, _ListedRuns | BillingError]] = {}

    def now(self) -> datetime:
        """The current instant."""
        return self._clock.now()

    def adoptable_from(self, job: ReportJob) -> datetime:
        """The earliest instant at which a run of this period can have been created.

        A complete window's run cannot be older than the window's end; a subject's may be as old as its file.
        """
        floor = self._clock.now() - job.orders.listed_for
        if job.period.end is not None:
            floor = max(floor, job.period.end)
        return max(floor, self._reuse_since) if self._reuse_since is not None else floor

    def find(self, job: ReportJob, *, attempt: int) -> tuple[Run | None, int]:
        """The newest listed run of the same parameters that can be used, and the attempt that would be next.

        A run that failed, was given up or is in a status that nobody knows, or whose file has expired, is dead, and so
        is what the ledger has read already: each took a number.

        Raises:
            As `ReportClient.listed_runs`; the same again for every period of the account.
        """
        job.client.owners.refuse_mixed(job.account)
        wanted = fingerprint(job.report.report_type, job.parameters)
        since = self.adoptable_from(job)
        same = [
            run
            for run in self._listed(job.client, job.account, since).same(wanted)
            if run.created_at is None or run.created_at >= since
        ]
        newer = list(takewhile(lambda run: run.run_id != job.known_run, same))
        alive = [
            run
            for run in newer
            if run.status in {RunStatus.PENDING, RunStatus.READY}
            and run.run_id != job.given_up
            and not self._expired(run)
        ]
        if alive:
            return alive[0], max(attempt, len(same) - same.index(alive[0]))
        return None, max(attempt, len(same) + 1)

    def look_ahead(self, jobs: list[ReportJob]) -> None:
        """List each account's runs once, from where the oldest of its due periods could have one.

        What fails here fails again, at once, for each period that `find` is asked about.
        """
        oldest: dict[tuple[ReportClient, str], ReportJob] = {}
        for job in jobs:
            key = (job.client, job.account.account_id)
            if (
                job.run_id is None
                and job.is_ordered
                and (key not in oldest or self.adoptable_from(job) < self.adoptable_from(oldest[key]))
            ):
                oldest[key] = job
        for job in oldest.values():
            with suppress(*ISOLATED):
                self._listed(job.client, job.account, self.adoptable_from(job))

    def forget(self, job: ReportJob, run: Run) -> None:
        """A run of the period turned out to be failed or gone: it must not be adopted again."""
        _since, runs = self._lists.get((job.client, job.account.account_id), (None, None))
        if isinstance(runs, _ListedRuns):
            runs.is_dead(run.run_id)

    def list_again(self, job: ReportJob) -> None:
        """What is listed for the period's account may have changed: ask for it anew."""
        self._lists.pop((job.client, job.account.account_id), None)

    def _expired(self, run: Run) -> bool:
        expires_at = run.file.expires_at if run.file is not None else None
        return expires_at is not None and expires_at <= self._clock.now()

    def _listed(self, client: ReportClient, account: Account, since: datetime) -> _ListedRuns:
        key = (client, account.account_id)
        known = self._lists.get(key)
        if known is None or since < known[0]:
            try:
                known = (since, _ListedRuns(client.listed_runs(account, since)))
            except ISOLATED as error:
                # Asked once a sync: each of the account's periods fails by itself, but not for minutes each.
                known = (since, error)
            self._lists[key] = known
        if isinstance(known[1], BillingError):
            raise known[1]
        return known[1]
