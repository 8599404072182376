"""The jobs of a sync: periods that the ledger does not hold as done, each with what is known of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tap_billing_reports.core.dates import utc_text
from tap_billing_reports.reports.due import CadencePlan, SyncBounds, plan_of
from tap_billing_reports.reports.jobs import ReportClient, ReportJob
from tap_billing_reports.reports.state.journal import asked_of

if TYPE_CHECKING:
    from datetime import datetime

    from tap_billing_reports.declare import Account, Period, Report
    from tap_billing_reports.reports.state.entry import Entry
    from tap_billing_reports.reports.state.layout import DonePeriod, OpenPeriod


@dataclass(frozen=True)
class Planner(SyncBounds):
    """Knows the sync's bounds.

    Runs that were ordered before `reuse_runs_since` are not resumed: their periods are ordered again.
    """

    reuse_runs_since: datetime | None = None

    def plan(self, report: Report) -> CadencePlan:
        """What is due of a report, and what is done."""
        return plan_of(self, report)

    def due_jobs(self, client: ReportClient, report: Report, account: Account, entry: Entry) -> list[ReportJob]:
        """Pending runs first, then what is to be ordered, oldest first. May ask the vendor for availability."""
        plan = self.plan(report)
        plan.reopen(client, entry)
        resumed = []
        skipped = set(plan.skipped(client, entry))
        for key, known in entry.open.items():
            if known.run is not None and key not in skipped:
                job = self._job(client, report, account, plan.pending(known), known, entry.done.get(key))
                if self._is_gone_on_with(job, known):
                    resumed.append(job)
        pending = {job.key for job in resumed}
        fresh = []
        for key, period in plan.due(client, account, entry):
            if key not in pending and key not in skipped:
                job = self._job(client, report, account, period, entry.opened(key), entry.done.get(key))
                if job.run_id is not None:
                    job = replace(job, run_id=None, ordered_at=None, adopted=False, attempt=1, bad=0, bad_since=None)
                fresh.append(job)
        return resumed + fresh

    def _is_gone_on_with(self, job: ReportJob, known: OpenPeriod) -> bool:
        """Whether a pending run is still what would be ordered: same parameters, new enough."""
        since = self.reuse_runs_since
        if since is not None and job.ordered_at is not None and job.ordered_at < since:
            return False
        return known.asked is None or known.asked == asked_of(job)

    def _job(
        self,
        client: ReportClient,
        report: Report,
        account: Account,
        period: Period,
        known: OpenPeriod,
        done: DonePeriod | None,
    ) -> ReportJob:
        rows = known.rows if done is None else max(known.rows, done.rows or 0)
        return ReportJob(
            client=client,
            report=report,
            account=account,
            period=period,
            parameters=client.api.parameters(report, period),
            attempt=known.next_attempt,
            run_id=known.run,
            ordered_at=known.at,
            adopted=known.adopted,
            known_run=None if done is None else done.run,
            read_at=_read_at(done),
            previous_rows=rows or None,
            bad=known.bad,
            bad_since=known.bad_since,
            refused=known.refused,
            failed=known.failed,
            failed_at=known.failed_at,
            not_yet=known.not_yet,
            billed_account=self.plan(report).billed(known.period),
        )


def _read_at(done: DonePeriod | None) -> str:
    """When the last good reading was ordered, as text that sorts; empty if there is none."""
    if done is None or done.is_subject:
        return ""
    return "unknown" if done.at is None else utc_text(done.at)
