"""`billing-reports plan`: what a sync would do about each report and account, decided as the sync decides it.

Vendors are asked what data they have, which runs they list and which invoices there are. Nothing is ordered;
no state and no journal changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tap_billing_reports.cli.aligned import aligned
from tap_billing_reports.core.about import About
from tap_billing_reports.core.errors import ISOLATED
from tap_billing_reports.core.failure import Failure
from tap_billing_reports.core.redaction import sentence
from tap_billing_reports.declare import Period
from tap_billing_reports.declare.not_yet import NO_DATA_YET
from tap_billing_reports.http.client import Limits
from tap_billing_reports.reports.jobs import Step
from tap_billing_reports.reports.runs.decisions import Decider, Decision
from tap_billing_reports.reports.runs.refusals import is_excused
from tap_billing_reports.singer.console.live_view import duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from tap_billing_reports.core.errors import BillingError
    from tap_billing_reports.declare import Account, Report
    from tap_billing_reports.reports.jobs import ReportClient, ReportJob
    from tap_billing_reports.singer.lifecycle import Lifecycle
    from tap_billing_reports.singer.session import Session

_WORDS = {
    Step.KEPT: "keep",
    Step.RESUMED: "resume",
    Step.ADOPTED: "adopt",
    Step.ORDERED: "order",
    Step.FETCHED: "fetch",
    Step.DEFERRED: "defer",
}
SKIP, WAIT, FAIL = "skip", "wait", "fail"
SUBJECTS_NAMED = 2  # of a row, so that it stays one line
# A person waits for the answer, and a vendor that is not there shall be told of at once.
LIMITS = Limits(connect_seconds=5, tries=2, waiting_seconds=5, asks_the_absent_again=False)
HEADER = ("report", "account", "action", "count", "windows", "why")


@dataclass(frozen=True)
class Row:
    """Periods of one report and account that are treated alike. `windows` are days in the report's zone."""

    report: str
    account: str
    action: str
    count: int
    windows: str
    why: str

    @property
    def cells(self) -> tuple[str, ...]:
        return (self.report, self.account, self.action, str(self.count), self.windows, sentence(self.why))


def plan(lifecycle: Lifecycle, session: Session, told: Callable[[str], None]) -> Iterator[Row]:
    """The rows, in the order of the sync. What cannot be found out is a row, too, and a failure of the session.

    Args:
        lifecycle: of the sync.
        session: of the sync.
        told: takes what is being asked, for somebody who waits.
    """
    wanted = lifecycle.wanted()
    jobs = {}
    for number, report in enumerate(wanted, 1):
        told(f"{number} of {len(wanted)}: asking {report.source} about {report.stream}")
        jobs[report.stream] = lifecycle.due.jobs(report)
    session.forget_invoices()
    lifecycle.orders.adoption.look_ahead([job for found in jobs.values() for job in found])
    decider = Decider(lifecycle.orders, lifecycle.recorder, session.settings.max_new_runs)
    for report in wanted:
        client = lifecycle.client(report.source)
        decided = _decided(report, jobs[report.stream], decider, session)
        for account in session.accounts(client.source_client.source):
            for (action, why), found in decided.get(account.account_id, {}).items():
                yield _row(report, account, action, [job.period for job in found], why)
            try:
                yield from list(_others(lifecycle, client, report, account))
            except ISOLATED as error:
                action, why = _refused(report, account, error, session)
                yield Row(report.stream, account.account_id, action, 0, "", why)


def _decided(
    report: Report, jobs: Sequence[ReportJob], decider: Decider, session: Session
) -> dict[str, dict[tuple[str, str], list[ReportJob]]]:
    """What is done about the periods that are due, in the order of the sync: account -> action and reason -> jobs."""
    decided: dict[str, dict[tuple[str, str], list[ReportJob]]] = {}
    for job in jobs:
        groups = decided.setdefault(job.account.account_id, {})
        try:
            decision = decider.decide(job)
        except ISOLATED as error:
            groups.setdefault(_refused(report, job.account, error, session), []).append(job)
            continue
        if decision.step is Step.ORDERED:
            decider.count(job)
        groups.setdefault((_WORDS[decision.step], _why(decision, session.clock.now())), []).append(decision.job)
    return decided


def _refused(report: Report, account: Account, error: BillingError, session: Session) -> tuple[str, str]:
    """Action and reason where nothing can be decided."""
    if is_excused(report, error):
        return SKIP, f"refused, and optional: {error}"
    session.fail(Failure.of(error, About(report.source, account.account_id), stream=report.stream))
    return FAIL, str(error)


def _why(decision: Decision, now: datetime) -> str:
    job = decision.job
    if decision.step in {Step.ORDERED, Step.FETCHED}:
        return _why_ordered(job, now)
    if decision.pending is None:
        return decision.reason
    run = decision.pending.run
    if decision.step is Step.KEPT:
        return "its file is in storage_url"
    if decision.step is Step.ADOPTED:
        return f"the vendor lists a run of the same parameters ({run.source_status})"
    since = run.created_at or job.ordered_at
    age = "" if since is None else f", ordered {duration((now - since).total_seconds())} ago"
    again = f", could not be used {job.bad} times" if job.bad else ""
    return f"run {run.run_id} is pending{age}{again}"


def _why_ordered(job: ReportJob, now: datetime) -> str:
    if job.not_yet is not None:
        return f"{duration((now - job.not_yet).total_seconds())} ago the vendor did not have its data yet"
    if job.given_up:
        return f"run {job.given_up} could not be used {job.bad} times and is given up"
    if job.failed:
        return f"not read yet; {job.failed} runs have failed or expired"
    return "read before, and may have changed" if job.known_run else "not read yet"


def _others(lifecycle: Lifecycle, client: ReportClient, report: Report, account: Account) -> Iterator[Row]:
    """What is done, and what is not due yet."""
    entry = lifecycle.ledger(report.stream).entry(account.account_id)
    plan_of_report = lifecycle.planner.plan(report)
    if skipped := plan_of_report.skipped(client, entry):
        yield _row(report, account, SKIP, [Period(key) for key in skipped], f"named in {client.api.skip_setting}")
    done = plan_of_report.done(client, account, entry)
    if done:
        yield _row(report, account, SKIP, done, "done")
    coming = plan_of_report.coming(client, account)
    if coming is not None:
        over = coming.end is not None and coming.end <= lifecycle.planner.now
        yield _row(report, account, WAIT, [coming], NO_DATA_YET if over else "not over yet")


def _row(report: Report, account: Account, action: str, periods: Sequence[Period], why: str) -> Row:
    return Row(report.stream, account.account_id, action, len(periods), _windows(report, periods), why)


def _windows(report: Report, periods: Sequence[Period]) -> str:
    """The first and the last day that the periods cover, or their subjects."""
    zone = ZoneInfo(report.zone)
    starts = [period.start for period in periods if period.start is not None]
    ends = [period.end for period in periods if period.end is not None]
    if starts and ends:
        first = min(starts).astimezone(zone).date().isoformat()
        last = (max(ends) - timedelta(microseconds=1)).astimezone(zone).date().isoformat()
        return first if first == last else f"{first} .. {last}"
    # Subjects have no order: a range would name what is not in it.
    named = ", ".join(period.key for period in periods[:SUBJECTS_NAMED])
    more = len(periods) - SUBJECTS_NAMED
    return f"{named} and {more} more" if more > 0 else named


def table(rows: Iterable[Row]) -> Iterator[str]:
    """The rows as lines of aligned columns; a report and an account are named where they change."""
    cells: list[tuple[str, ...]] = [HEADER]
    before: tuple[str, ...] = ()
    for row in rows:
        same = row.cells[:2] == before
        before = row.cells[:2]
        cells.append(("", "", *row.cells[2:]) if same else row.cells)
    yield from aligned(cells, [name == "count" for name in HEADER])


def totals(rows: Iterable[Row]) -> str:
    """One sentence: how many periods each action has."""
    counts = dict.fromkeys((*_WORDS.values(), SKIP, WAIT, FAIL), 0)
    for row in rows:
        # Where not even the periods could be found out, that is one failure.
        counts[row.action] += row.count or int(row.action == FAIL)
    seldom = _WORDS[Step.FETCHED]
    return ", ".join(f"{action} {count}" for action, count in counts.items() if count or action != seldom)
