"""Gets a run for a due period: one that the vendor already lists, or a new one, ordered once."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tap_billing_reports.clock import Clock
from tap_billing_reports.dates import utc_text
from tap_billing_reports.declarations import Account, Parameters, Run, RunStatus
from tap_billing_reports.errors import ReportError, Unavailable
from tap_billing_reports.reading import fill
from tap_billing_reports.reports.due import Due, Shop

# Stripe keeps result files for 365 days; an older run has nothing left to adopt.
OLDEST_ADOPTED = timedelta(days=365)
ORDERS_A_PERIOD = 3


@dataclass(frozen=True)
class Obtained:
    """A run for a period: adopted from the vendor's list, or newly ordered at this attempt."""

    run: Run
    origin: str
    attempt: int


def fingerprint(report_type: str, parameters: Parameters) -> str:
    """Equal for runs of the same report with the same parameters, whatever their order."""
    return json.dumps([report_type, dict(parameters)], sort_keys=True)


class Orders:
    """Orders periods of all shops, adopting what can be adopted.

    Args:
        clock: tells when.
        reuse_runs_since: runs created before are never adopted.
    """

    def __init__(self, clock: Clock, reuse_runs_since: datetime | None) -> None:
        self._clock = clock
        self._reuse_since = reuse_runs_since
        self._lists: dict[tuple[Shop, str], tuple[datetime, list[Run]]] = {}

    def adoptable_from(self, due: Due) -> datetime:
        """The earliest instant at which a run of this period can have been created.

        A complete window's run cannot be older than the window's end; a subject's may be as old as its file.
        """
        floor = self._clock.now() - OLDEST_ADOPTED
        if due.period.end is not None:
            floor = max(floor, due.period.end)
        return max(floor, self._reuse_since) if self._reuse_since is not None else floor

    def find(self, due: Due, *, attempt: int) -> tuple[Run | None, int]:
        """The newest listed run of the same parameters that did not fail, and the attempt that would be next."""
        wanted = fingerprint(due.report.report_type, due.parameters)
        since = self.adoptable_from(due)
        same = [
            run
            for run in self._listed(due.shop, due.account, since)
            if fingerprint(run.report_type, run.parameters) == wanted
            and (run.created_at is None or run.created_at >= since)
        ]
        failed = sum(run.status is RunStatus.FAILED for run in same)
        alive = [run for run in same if run.status is not RunStatus.FAILED and not self._expired(run)]
        return (alive[0] if alive else None), max(attempt, failed + 1)

    def _expired(self, run: Run) -> bool:
        expires_at = run.file.expires_at if run.file is not None else None
        return expires_at is not None and expires_at <= self._clock.now()

    def _listed(self, shop: Shop, account: Account, since: datetime) -> list[Run]:
        known = self._lists.get((shop, account.account_id))
        if known is None or since < known[0]:
            known = (since, shop.listed_runs(account, since))
            self._lists[shop, account.account_id] = known
        return known[1]

    def forget(self, run: Run) -> None:
        """A run turned out to be failed or gone: it must not be adopted again."""
        for key, (since, runs) in self._lists.items():
            self._lists[key] = (since, [other for other in runs if other.run_id != run.run_id])

    def look_ahead(self, dues: list[Due]) -> None:
        """List each account's runs once, from where the oldest of its due periods could have one."""
        oldest: dict[tuple[Shop, str], Due] = {}
        for due in dues:
            key = (due.shop, due.account.account_id)
            if due.run_id is None and (
                key not in oldest or self.adoptable_from(due) < self.adoptable_from(oldest[key])
            ):
                oldest[key] = due
        for due in oldest.values():
            self._listed(due.shop, due.account, self.adoptable_from(due))

    def order(self, due: Due, *, attempt: int) -> Obtained:
        """Order one run.

        Raises:
            Throttled: wait for runs of one's own. Refused: for good. Unavailable: no answer after the tries.
            ReportError: the vendor keeps replaying its own failure.
        """
        api, report = due.shop.api, due.report
        call = api.order_call(due.account, report, due.parameters)
        for number in range(attempt, attempt + ORDERS_A_PERIOD):
            headers = {"Accept": api.order.accept, **due.account.headers}
            if api.idempotency_header is not None:
                headers[api.idempotency_header] = self._key(due, number)
            try:
                answer = due.shop.asker.door.call(
                    api.order.method,
                    api.order.host,
                    fill(api.order.path, call.path),
                    params=call.params,
                    form=call.form,
                    headers=headers,
                    safe=api.idempotency_header is not None,
                    wait_when_throttled=False,
                )
            except Unavailable as error:
                if not error.replayed:
                    raise
                # The vendor stored a failure under this key: the run may exist all the same.
                self._lists.pop((due.shop, due.account.account_id), None)
                run, _ = self.find(due, attempt=number)
                if run is not None:
                    return Obtained(run, "adopted", number)
                continue
            return Obtained(self._read(due, api.read_order, answer), "ordered", number)
        raise ReportError(f"{due}: the vendor replays a failure for {ORDERS_A_PERIOD} orders; ask its support")

    @staticmethod
    def _read(due: Due, read: object, answer: object) -> Run:
        try:
            run: Run = read(answer)  # type: ignore[operator]
        except (ValueError, KeyError, TypeError) as error:
            raise ReportError(f"{due}: the answer to the order has an unknown shape or status ({error})") from None
        return replace(run, report_type=due.report.report_type, parameters=due.parameters)

    def _key(self, due: Due, attempt: int) -> str:
        """One key for one order: the same after a crash, another after a run that failed."""
        facts = [
            due.shop.name,
            due.account.account_id,
            fingerprint(due.report.report_type, due.parameters),
            utc_text(self._reuse_since) if self._reuse_since else None,
            attempt,
        ]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()
