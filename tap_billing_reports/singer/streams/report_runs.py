"""`report_runs`: every run, ours and foreign ones, failed and pending ones too."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tap_billing_reports.core.about import About
from tap_billing_reports.core.errors import NotFound, ReportError, understood
from tap_billing_reports.core.json_text import to_json
from tap_billing_reports.declare import Account, Report, Run, RunStatus
from tap_billing_reports.reports.jobs import fingerprint
from tap_billing_reports.reports.runs.report_of_run import owner
from tap_billing_reports.reports.window_dates import midnight
from tap_billing_reports.singer.finished_run import FinishedRun, utc_or_none
from tap_billing_reports.singer.run_memory import ListedRuns, RunMemory
from tap_billing_reports.singer.streams.report_stream import ReportStream

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from tap_billing_reports.declare import OrderedRuns
    from tap_billing_reports.reports.jobs import ReportClient

# The first instant moves with the clock, which may have been set right by a little.
_SLACK = timedelta(days=1)
# Runs of others that were taken while nobody took this stream: beyond so many they are called ours.
ADOPTED_AT_MOST = 100


@dataclass(frozen=True)
class Ours:
    """What the ledgers and the settings know of a source's runs.

    Attributes:
        awaited: ids of pending runs of reports that are wanted: each is told when it ends.
        unwanted: ids of pending runs of reports that nobody wants in this sync.
        reports: those that are configured.
    """

    awaited: Collection[str]
    unwanted: Collection[str]
    reports: Sequence[Report]


class ReportRuns(ReportStream):
    """Our own orders as they finish, and what the vendors list since the last sync."""

    name = "report_runs"
    primary_keys = ("source", "account_id", "run_id")
    replication_key = "created_at"

    def wants(self, report: Report) -> bool:  # noqa: ARG002 - whatever the report
        return False

    def emit(self, finished_run: FinishedRun) -> None:
        """Send the record of a run of ours."""
        if not self.is_sampled:
            self._note_sent(finished_run)
        self.emit_records([finished_run.run_record()])

    @cached_property
    def _memory(self) -> RunMemory:
        memory = RunMemory(lambda: self.stream_state, self.billing_tap.uninterrupted)
        self.billing_tap.before_each_state(memory.write)
        return memory

    def _note_sent(self, finished_run: FinishedRun) -> None:
        """Until the list has been read up to here, remember that this run is ours."""
        client, account = finished_run.job.client, finished_run.job.account
        if client.lists_runs:
            with self._memory.changing(client, account) as runs:
                runs.known = runs.known or set()
                runs.known.add(finished_run.key)

    def note_untold(self, finished_run: FinishedRun) -> None:
        """Nobody takes this stream: remember when such runs of ours were made, so that they can be told later."""
        client, account, run = finished_run.job.client, finished_run.job.account, finished_run.run
        if not client.lists_runs or run.created_at is None:
            return
        record, created = finished_run.run_record(), run.created_at.replace(microsecond=0)
        with self._memory.changing(client, account) as runs:
            times = [*(runs.untold or ()), created]
            runs.untold = (min(times), max(times))
            if record["origin"] == "adopted" and finished_run.key not in runs.adopted:
                runs.adopted = [*runs.adopted, finished_run.key][-ADOPTED_AT_MOST:]

    def sample(self) -> Iterator[Mapping[str, Any]]:
        for client, account in self.billing_tap.lifecycle.clients_and_accounts():
            if (orders := client.orders) is None:
                continue
            with self.session.isolated(self.name, About(client.name, account.account_id)):
                for run in client.listed_runs(account, self._start(client, orders)):
                    yield _foreign(client, account, run)

    def emit_listed(self, client: ReportClient, account: Account, ours: Ours) -> None:
        """Send what is listed since the last sync, but for runs whose record is sent when they end, or has been.

        The bookmark holds the newest run seen, the ids of those that were still pending, and from when on all were
        listed.

        Raises:
            As `ReportClient.listed_runs`.
        """
        if (orders := client.orders) is None or orders.runs is None:
            return
        before, start = self._memory.of(client, account), self._start(client, orders)
        self._before[client.name, account.account_id] = deepcopy(before)
        seen, listed_from = before.created_at, before.listed_from
        runs = [run for run in client.listed_runs(account, seen or start) if run.run_id not in ours.awaited]
        if seen is None:
            listed_from = start
        elif listed_from is not None and start < listed_from - _SLACK:
            # The start date is earlier than it was, or a clock that was ahead has cut the list off.
            earlier = client.listed_runs(account, start)
            runs.extend(run for run in earlier if run.created_at is not None and run.created_at < listed_from)
            listed_from = start
        listed = {run.run_id for run in runs}
        doubtful: list[str] = []
        for run_id in sorted(before.pending or ()):
            if run_id not in listed and run_id not in ours.awaited:
                with self.session.isolated(self.name, About(client.name, account.account_id)):
                    runs.extend(_asked(client, orders, account, run_id))
                    continue
                doubtful.append(run_id)
        told = [run for run in runs if run.run_id not in (before.known or ())]
        self.emit_records(list(_records(client, orders, account, told, before, ours)))
        newest = max((run.created_at for run in runs if run.created_at), default=None)
        with self._memory.changing(client, account) as after:
            after.listed_from = None if listed_from is None else listed_from.replace(microsecond=0)
            if newest is not None and (seen is None or newest >= seen):
                after.created_at = newest.replace(microsecond=0)
                # Seconds are coarse: those of the last one would be listed, and sent, a second time.
                after.known = {run.run_id for run in runs if run.created_at == newest}
            after.realm = dict(client.realm) or after.realm
            after.pending = {*(run.run_id for run in runs if run.status is RunStatus.PENDING), *doubtful}
            after.untold, after.adopted = None, []

    @cached_property
    def _before(self) -> dict[tuple[str, str], ListedRuns]:
        """Source and account -> what was remembered before the list was read."""
        return {}

    def take_back(self, client: ReportClient, account: Account) -> None:
        """The account's list was another one's, or cannot be told from it: the next sync reads it again."""
        before = self._before.get((client.name, account.account_id))
        if before is not None:
            self._memory.take_back(before)

    def _start(self, client: ReportClient, orders: OrderedRuns) -> datetime:
        oldest = self.session.clock.now() - orders.listed_for
        return max(midnight(self.session.settings.start_date, client.source_client.source.zone), oldest)


def _asked(client: ReportClient, orders: OrderedRuns, account: Account, run_id: str) -> Iterator[Run]:
    """A run that was pending the last time; one that is gone has nothing more to say."""
    try:
        answer = client.source_client.ask(orders.status.of_known, path={"run_id": run_id}, account=account)
    except NotFound:
        return
    with understood(f"run {run_id}", ReportError, About(client.name, account.account_id)):
        run = orders.read_status(answer, run_id)
    yield run


def _records(
    client: ReportClient,
    orders: OrderedRuns,
    account: Account,
    runs: Sequence[Run],
    before: ListedRuns,
    ours: Ours,
) -> Iterator[dict[str, Any]]:
    """The runs' records: foreign ones, and ours whose record was not sent when they were read."""
    attempts: Counter[str] = Counter()
    # Oldest first; those of one second are listed newest first.
    places = enumerate(runs)
    for _place, run in sorted(places, key=lambda item: (utc_or_none(item[1].created_at) or "", -item[0])):
        record = _foreign(client, account, run)
        if run.run_id in ours.unwanted or _is_untold(before, run):
            found = owner(client.api, orders, ours.reports, run)
            if found is not None:
                report, period = found
                attempts[fingerprint(run.report_type, run.parameters)] += 1
                record |= {
                    "report_name": report.name,
                    "period": period.key,
                    "window_end": utc_or_none(period.end),
                    # Each order of the same parameters took a number.
                    "attempt": attempts[fingerprint(run.report_type, run.parameters)],
                    "origin": "adopted" if run.run_id in before.adopted else "ordered",
                }
        yield record


def _is_untold(before: ListedRuns, run: Run) -> bool:
    """Whether it was made while nobody took this stream; what is not dated is not known."""
    if before.untold is None or run.created_at is None:
        return False
    return before.untold[0] <= run.created_at.replace(microsecond=0) <= before.untold[1]


def _foreign(client: ReportClient, account: Account, run: Run) -> dict[str, Any]:
    return {
        "source": client.name,
        "account_id": account.account_id,
        "run_id": run.run_id,
        "report_type": run.report_type,
        "parameters": to_json(dict(run.parameters)),
        "status": run.status.value,
        "source_status": run.source_status,
        "origin": "foreign",
        "created_at": utc_or_none(run.created_at),
        "finished_at": utc_or_none(run.finished_at),
        "error": run.error,
        "file_id": None if run.file is None else run.file.file_id,
    }
