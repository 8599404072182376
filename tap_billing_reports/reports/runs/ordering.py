"""Gets a run for a due period: one that the vendor already lists, or a new one, ordered once."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from contextlib import nullcontext, suppress
from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from tap_billing_reports.core.dates import utc_text
from tap_billing_reports.core.errors import ISOLATED, BillingError, NotFound, ReportError, Unavailable, understood
from tap_billing_reports.declare import Account, Run, RunStatus
from tap_billing_reports.declare.paths import fill
from tap_billing_reports.reports.answered import check_run
from tap_billing_reports.reports.jobs import ReportClient, ReportJob, Step, fingerprint
from tap_billing_reports.reports.runs.queues import PendingRun

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from datetime import datetime

    from tap_billing_reports.core.clock import Clock
    from tap_billing_reports.http.responses import Answer

ORDERS_A_PERIOD = 3


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


class Orders:
    """Orders periods of all sources, adopting runs that can be adopted.

    Args:
        clock: tells when.
        reuse_runs_since: runs created before are never adopted.
    """

    def __init__(self, clock: Clock, reuse_runs_since: datetime | None) -> None:
        self._clock = clock
        self._reuse_since = reuse_runs_since
        self._unconfirmed: dict[tuple[ReportClient, str], Exception] = {}
        self._lists: dict[tuple[ReportClient, str], tuple[datetime, _ListedRuns | BillingError]] = {}

    def now(self) -> datetime:
        """The current instant."""
        return self._clock.now()

    def adoptable_from(self, job: ReportJob) -> datetime:
        """The earliest instant at which a run of this period can have been created.

        A complete window's run cannot be older than the window's end; a subject's may be as old as its file.
        """
        floor = self._clock.now() - job.client.api.listed_for
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

    def forget(self, job: ReportJob, run: Run) -> None:
        """A run of the period turned out to be failed or gone: it must not be adopted again."""
        _since, runs = self._lists.get((job.client, job.account.account_id), (None, None))
        if isinstance(runs, _ListedRuns):
            runs.is_dead(run.run_id)

    def confirm(self, job: ReportJob) -> None:
        """Before an account's first file in a sync: see that its calls are not answered for another account.

        Raises:
            Misplaced: they are. Unavailable, Refused: it cannot be told; the same again for each of its periods.
        """
        owners, key = job.client.owners, (job.client, job.account.account_id)
        owners.refuse_mixed(job.account)
        since = owners.confirm_from(job.account)
        if since is not None:
            try:
                job.client.listed_runs(job.account, since)
            except NotFound as error:
                # Of the list, not of a run: nothing is ordered again for it.
                self._unconfirmed[key] = Unavailable(error.message, about=error.about)
            except ISOLATED as error:
                self._unconfirmed[key] = error
        if key in self._unconfirmed:
            raise self._unconfirmed[key]

    def look_ahead(self, jobs: list[ReportJob]) -> None:
        """List each account's runs once, from where the oldest of its due periods could have one.

        What fails here fails again, at once, for each period that `find` is asked about.
        """
        oldest: dict[tuple[ReportClient, str], ReportJob] = {}
        for job in jobs:
            key = (job.client, job.account.account_id)
            if job.run_id is None and (
                key not in oldest or self.adoptable_from(job) < self.adoptable_from(oldest[key])
            ):
                oldest[key] = job
        for job in oldest.values():
            with suppress(*ISOLATED):
                self._listed(job.client, job.account, self.adoptable_from(job))

    def order(
        self,
        job: ReportJob,
        *,
        attempt: int,
        intended: Callable[[int], None] = lambda _attempt: None,
        guard: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> PendingRun:
        """Order one run; where the vendor has made it under a key before, that one is adopted.

        Args:
            job: what for.
            attempt: the order's number, part of its key.
            intended: called with the number before each order goes out.
            guard: entered around each try of an order whose answer, once lost, costs another order.

        Raises:
            Throttled: wait for runs of one's own. Refused: for good. Unavailable: no answer after the tries.
            ReportError: the vendor keeps replaying its own failure.
        """
        api, report = job.client.api, job.report
        call = api.order_call(job.account, report, job.parameters)
        judge = job.client.source_client.judge(api.order, path=call.path, params=call.params, account=job.account)

        def fits(answer: Answer) -> None:
            judge(answer)
            self._read(job, api.read_order, answer)

        for number in range(attempt, attempt + ORDERS_A_PERIOD):
            headers = {"Accept": api.order.accept, **job.account.headers}
            if api.idempotency_header is not None:
                headers[api.idempotency_header] = self._key(job, number)
            intended(number)
            try:
                answer = job.client.source_client.http.call(
                    api.order.method,
                    api.order.host,
                    fill(api.order.path, call.path),
                    params=call.params,
                    form=call.form,
                    headers=headers,
                    account=job.account.account_id,
                    safe=api.idempotency_header is not None,
                    # A cut answer is worth asking for again where that orders nothing new.
                    parse=api.idempotency_header is not None,
                    judge=fits,
                    wait_when_throttled=False,
                    guard=nullcontext if api.idempotency_header is not None else guard,
                )
            except Unavailable as error:
                if not error.replayed:
                    raise
                # The vendor stored a failure under this key: the run may exist all the same.
                self._lists.pop((job.client, job.account.account_id), None)
                run, _ = self.find(job, attempt=number)
                if run is not None:
                    return PendingRun(job, run, Step.ADOPTED, number)
                continue
            return PendingRun(job, self._read(job, api.read_order, answer), Step.ORDERED, number)
        raise ReportError(f"the vendor answers {ORDERS_A_PERIOD} orders with the same stored failure; ask its support")

    @staticmethod
    def _read(job: ReportJob, read: Callable[[Answer], Run], answer: Answer) -> Run:
        with understood("the answer to the order", ReportError):
            run = read(answer)
        check_run(job, run)
        return replace(run, report_type=job.report.report_type, parameters=job.parameters)

    def _key(self, job: ReportJob, attempt: int) -> str:
        """One key for one order: the same after a crash, another after a run that failed."""
        facts: list[Any] = [
            job.client.name,
            job.account.account_id,
            fingerprint(job.report.report_type, job.parameters),
            utc_text(self._reuse_since) if self._reuse_since else None,
            attempt,
        ]
        if job.client.realm and attempt != job.old_key:
            facts.append(sorted(job.client.realm.items()))
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()
