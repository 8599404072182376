"""`report_runs`: every run, ours and foreign ones, failed and pending ones too."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tap_billing_reports.core.about import About
from tap_billing_reports.core.dates import parse_utc
from tap_billing_reports.core.errors import NotFound, ReportError, StateError, understood
from tap_billing_reports.core.json_text import to_json
from tap_billing_reports.declare import Account, Report, Run, RunStatus
from tap_billing_reports.reports.jobs import fingerprint
from tap_billing_reports.reports.realm import KEY, is_realm
from tap_billing_reports.reports.runs.matching import owner
from tap_billing_reports.reports.windows import midnight
from tap_billing_reports.singer.finished_run import FinishedRun, utc_or_none
from tap_billing_reports.singer.streams.report_stream import ReportStream

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, MutableMapping, Sequence

    from tap_billing_reports.reports.jobs import ReportClient

LISTED = "listed"
LISTED_FROM = "listed_from"
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

    def records_of(self, finished_run: FinishedRun) -> Iterable[Mapping[str, Any]]:
        if finished_run.run is not None:
            self._note_sent(finished_run)
            yield finished_run.run_record()

    def _note_sent(self, finished_run: FinishedRun) -> None:
        """Until the list has been read up to here, remember that this run is ours."""
        client, account = finished_run.job.client, finished_run.job.account
        if client.api.runs is not None:
            entry = _entry(self.stream_state, client, account)
            entry["known"] = sorted({*entry.get("known", ()), finished_run.key})
            self._put(entry)

    def note_untold(self, finished_run: FinishedRun) -> None:
        """Nobody takes this stream: remember when such runs of ours were made, so that they can be told later."""
        client, account, run = finished_run.job.client, finished_run.job.account, finished_run.run
        created = None if run is None else utc_or_none(run.created_at)
        if client.api.runs is None or created is None:
            return
        record = finished_run.run_record()
        entry = _entry(self.stream_state, client, account)
        times = [*entry.get("untold", ()), created]
        entry["untold"] = [min(times), max(times)]
        if record["origin"] == "adopted" and finished_run.key not in entry.get("adopted", ()):
            entry["adopted"] = [*entry.get("adopted", ()), finished_run.key][-ADOPTED_AT_MOST:]
        self._put(entry)

    def sample(self) -> Iterator[Mapping[str, Any]]:
        for client, account in self.billing_tap.lifecycle.clients_and_accounts():
            with self.session.isolated(self.name, About(client.name, account.account_id)):
                for run in client.listed_runs(account, self._start(client)):
                    yield _foreign(client, account, run)

    def emit_listed(self, client: ReportClient, account: Account, ours: Ours) -> None:
        """Send what is listed since the last sync, but for runs that are told of when they end, or were.

        The bookmark holds the newest run seen, the ids of those that were still pending, and from when on all were
        listed.

        Raises:
            As `ReportClient.listed_runs`.
        """
        if client.api.runs is None:
            return
        entry = _entry(self.stream_state, client, account)
        self._before[client.name, account.account_id] = dict(entry)
        seen, start = entry.get("created_at"), self._start(client)
        since = parse_utc(seen) if seen else start
        runs = [run for run in client.listed_runs(account, since) if run.run_id not in ours.awaited]
        if seen is None:
            entry[LISTED_FROM] = utc_or_none(start)
        elif LISTED_FROM in entry and start < (known_from := parse_utc(entry[LISTED_FROM])) - _SLACK:
            # The start date is earlier than it was, or a clock that was ahead has cut the list off.
            earlier = client.listed_runs(account, start)
            runs.extend(run for run in earlier if run.created_at is not None and run.created_at < known_from)
            entry[LISTED_FROM] = utc_or_none(start)
        listed = {run.run_id for run in runs}
        doubtful: list[str] = []
        for run_id in entry.get("pending", ()):
            if run_id not in listed and run_id not in ours.awaited:
                with self.session.isolated(self.name, About(client.name, account.account_id)):
                    runs.extend(_asked(client, account, run_id))
                    continue
                doubtful.append(run_id)
        known = set(entry.get("known", ()))
        told = [run for run in runs if run.run_id not in known]
        self.emit_records(list(_records(client, account, told, entry, ours)))
        newest = max((run.created_at for run in runs if run.created_at), default=None)
        if newest is not None and (seen is None or newest >= parse_utc(seen)):
            entry["created_at"] = utc_or_none(newest)
            # Seconds are coarse: those of the last one would be listed, and sent, a second time.
            entry["known"] = sorted(run.run_id for run in runs if run.created_at == newest)
        if client.realm:
            entry[KEY] = dict(client.realm)
        pending = [run.run_id for run in runs if run.status is RunStatus.PENDING]
        entry["pending"] = sorted([*pending, *doubtful])
        for name in ("untold", "adopted"):
            entry.pop(name, None)
        self._put(entry)

    @cached_property
    def _before(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Source and account -> its entry as it was before the list was read."""
        return {}

    def take_back(self, client: ReportClient, account: Account) -> None:
        """The account's list was another one's, or cannot be told from it: the next sync reads it again."""
        before = self._before.get((client.name, account.account_id))
        if before is not None:
            self._put(before)

    def _put(self, entry: dict[str, Any]) -> None:
        """Replace the account's entry, the list in one assignment."""
        key = (entry["source"], entry["account_id"])
        others = [other for other in self.stream_state.get(LISTED, []) if (other["source"], other["account_id"]) != key]
        self.stream_state[LISTED] = [*others, entry]

    def _start(self, client: ReportClient) -> datetime:
        year_ago = self.session.clock.now() - timedelta(days=365)
        return max(midnight(self.session.settings.start_date, client.source_client.source.zone), year_ago)


def _entry(bookmark: MutableMapping[str, Any], client: ReportClient, account: Account) -> dict[str, Any]:
    for entry in bookmark.get(LISTED, []):
        if (entry["source"], entry["account_id"]) == (client.name, account.account_id):
            return dict(entry)
    return {
        "source": client.name,
        "account_id": account.account_id,
        **({KEY: dict(client.realm)} if client.realm else {}),
    }


def _asked(client: ReportClient, account: Account, run_id: str) -> Iterator[Run]:
    """A run that was pending the last time; one that is gone has nothing more to say."""
    try:
        answer = client.source_client.ask(client.api.status, path={"run_id": run_id}, account=account, doubtful=True)
    except NotFound:
        return
    with understood(f"run {run_id}", ReportError, About(client.name, account.account_id)):
        run = client.api.read_status(answer, run_id)
    yield run


def _records(
    client: ReportClient, account: Account, runs: Sequence[Run], entry: Mapping[str, Any], ours: Ours
) -> Iterator[dict[str, Any]]:
    """The runs' records: foreign ones, and ours that nobody was told of when they were read."""
    first, last = entry.get("untold", ("", ""))
    attempts: Counter[str] = Counter()
    # Oldest first; those of one second are listed newest first.
    places = enumerate(runs)
    for _place, run in sorted(places, key=lambda item: (utc_or_none(item[1].created_at) or "", -item[0])):
        record = _foreign(client, account, run)
        if run.run_id in ours.unwanted or first <= (record["created_at"] or "~") <= last:
            found = owner(client.api, ours.reports, run)
            if found is not None:
                report, period = found
                attempts[fingerprint(run.report_type, run.parameters)] += 1
                record |= {
                    "report_name": report.name,
                    "period": period.key,
                    "window_end": utc_or_none(period.end),
                    # Each order of the same parameters took a number.
                    "attempt": attempts[fingerprint(run.report_type, run.parameters)],
                    "origin": "adopted" if run.run_id in entry.get("adopted", ()) else "ordered",
                }
        yield record


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


def check_state(stream: str, bookmark: Mapping[str, Any]) -> None:
    """Refuse progress through the vendors' lists that this version cannot go on from.

    Raises:
        StateError: it is foreign or cut.
    """
    try:
        for entry in bookmark.get(LISTED, ()):
            ids = (name for part in ("known", "pending", "adopted") for name in entry.get(part, ()))
            if not is_realm(entry.get(KEY, {})):
                raise TypeError
            named = [entry["source"], entry["account_id"], *ids]
            if not all(isinstance(name, str) for name in named):
                raise TypeError
            first, last = entry.get("untold", (None, None))
            for moment in (entry.get("created_at"), entry.get(LISTED_FROM), first, last):
                if moment is not None:
                    parse_utc(moment)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise StateError.of(stream, "holds damaged progress") from None
