"""Orders a run for a due period, once; `adoption.py` knows the runs that the vendor has already."""

from __future__ import annotations

import hashlib
import json
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tap_billing_reports.core.dates import utc_text
from tap_billing_reports.core.errors import ISOLATED, NotFound, ReportError, Unavailable, understood
from tap_billing_reports.declare.paths import fill
from tap_billing_reports.reports.answered import check_run
from tap_billing_reports.reports.jobs import ReportClient, ReportJob, Step, fingerprint
from tap_billing_reports.reports.not_yet import look, told_apart
from tap_billing_reports.reports.runs.adoption import Adoption
from tap_billing_reports.reports.runs.queues import PendingRun

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from datetime import datetime

    from tap_billing_reports.core.clock import Clock
    from tap_billing_reports.declare import Run
    from tap_billing_reports.http.responses import Answer

ORDERS_A_PERIOD = 3


class Orders:
    """Orders periods of all sources.

    Args:
        clock: tells when.
        reuse_runs_since: runs created before are never adopted.

    Attributes:
        adoption: knows the runs that the vendors list already.
    """

    def __init__(self, clock: Clock, reuse_runs_since: datetime | None) -> None:
        self.adoption = Adoption(clock, reuse_runs_since)
        self._reuse_since = reuse_runs_since
        self._unconfirmed: dict[tuple[ReportClient, str], Exception] = {}

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
            ReportError: the vendor keeps replaying its own failure. NotYet: the period is not due yet.
        """
        orders = job.orders
        is_safe = orders.idempotency_header is not None or orders.repeatable
        call = orders.order_call(job.account, job.report, job.parameters)
        path = {"account_id": job.account.account_id, **call.path}
        judge = job.client.source_client.judge(orders.order, path=path, params=call.params, account=job.account)

        def fits(answer: Answer) -> None:
            judge(answer)
            self._read(job, orders.read_order, answer)

        for number in range(attempt, attempt + ORDERS_A_PERIOD):
            headers = {"Accept": orders.order.accept, **job.account.headers}
            if orders.idempotency_header is not None:
                headers[orders.idempotency_header] = self._key(job, number)
            intended(number)
            try:
                with told_apart(job.client.api):
                    answer = job.client.source_client.http.call(
                        orders.order.method,
                        orders.order.host,
                        fill(orders.order.path, path),
                        params=call.params,
                        form=call.form,
                        json=call.json,
                        headers=headers,
                        account=job.account.account_id,
                        safe=is_safe,
                        # A cut answer is worth asking for again where that orders nothing new.
                        parse=is_safe,
                        judge=fits,
                        wait_when_throttled=False,
                        guard=nullcontext if is_safe else guard,
                    )
            except Unavailable as error:
                if not error.replayed:
                    raise
                # The vendor stored a failure under this key: the run may exist all the same.
                self.adoption.list_again(job)
                run, _ = self.adoption.find(job, attempt=number)
                if run is not None:
                    return PendingRun(job, run, Step.ADOPTED, number)
                continue
            return PendingRun(job, self._read(job, orders.read_order, answer), Step.ORDERED, number)
        raise ReportError(f"the vendor answers {ORDERS_A_PERIOD} orders with the same stored failure; ask its support")

    @staticmethod
    def _read(job: ReportJob, read: Callable[[Answer], Run], answer: Answer) -> Run:
        look(job.client.api, answer)
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
