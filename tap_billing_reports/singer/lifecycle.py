"""All reports of one sync: jobs that are due are ordered, collected, sent through the report streams and closed."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from tap_billing_reports.core.about import About
from tap_billing_reports.core.errors import ISOLATED, Mismatch, ReportError, SyncError
from tap_billing_reports.core.failure import Failure
from tap_billing_reports.reports.answered import check_file
from tap_billing_reports.reports.events import Event
from tap_billing_reports.reports.files.download import Collector, discard
from tap_billing_reports.reports.files.parquet import BulkLane, is_available
from tap_billing_reports.reports.files.readers.tallies import added_up
from tap_billing_reports.reports.jobs import Collected, Finished, ReportClient, Step
from tap_billing_reports.reports.planning import Planner
from tap_billing_reports.reports.recorder import Recorder
from tap_billing_reports.reports.runs.decisions import what_follows
from tap_billing_reports.reports.runs.ordering import Orders
from tap_billing_reports.reports.runs.runner import Runner
from tap_billing_reports.reports.state.ledger import Ledger
from tap_billing_reports.singer.checks.balances import Balances
from tap_billing_reports.singer.checks.itemized_summary import ItemizedSummary, Read
from tap_billing_reports.singer.checks.rows import row_checks, tallies_of
from tap_billing_reports.singer.checks.windows import coverage_checks
from tap_billing_reports.singer.delivery import deliver
from tap_billing_reports.singer.due_jobs import DueJobs
from tap_billing_reports.singer.finished_run import FinishedRun, ReadRun
from tap_billing_reports.singer.streams.reconciliations import Reconciliations
from tap_billing_reports.singer.streams.report_files import ReportFiles
from tap_billing_reports.singer.streams.report_rows import ReportRows
from tap_billing_reports.singer.streams.report_runs import Ours, ReportRuns
from tap_billing_reports.singer.streams.report_stream import ReportStream
from tap_billing_reports.singer.writer import BufferedWriter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tap_billing_reports.declare import Account, Report
    from tap_billing_reports.singer.check import Check
    from tap_billing_reports.singer.context import SyncContext
    from tap_billing_reports.singer.session import Session


class Lifecycle:
    """Driven once a sync, by the first selected report stream that the sync reaches."""

    def __init__(self, tap: SyncContext) -> None:
        self._tap = tap
        self._ran = False
        self._clients: dict[str, ReportClient] = {}
        self._ledgers: dict[str, Ledger] = {}
        self._itemized_summary = ItemizedSummary(())
        self._balances = Balances()
        self._wrong: list[Failure] = []
        """Checks of no single run that do not hold."""
        settings = tap.session.settings
        self.planner = Planner(
            settings.start_date, settings.end_date, tap.session.clock.now(), settings.reuse_runs_since
        )
        self.orders = Orders(tap.session.clock, settings.reuse_runs_since)
        self.due = DueJobs(
            tap.session,
            self.planner,
            client=self.client,
            ledger=self.ledger,
            takes_rows=lambda report: self._rows_of(report).selected,
        )

    @property
    def _session(self) -> Session:
        return self._tap.session

    # -- report streams --------------------------------------------------------------------------------

    def _selected(self, kind: type[ReportStream] = ReportStream) -> list[Any]:
        return [stream for stream in self._tap.streams.values() if isinstance(stream, kind) and stream.selected]

    def _rows_of(self, report: Report) -> ReportRows:
        """The report's row stream, selected or not: it knows the columns either way."""
        stream = self._tap.streams[report.stream]
        assert isinstance(stream, ReportRows)
        return stream

    def wanted(self) -> list[Report]:
        """The reports that a selected report stream needs."""
        report_streams = self._selected()
        rows = [stream for stream in self._tap.streams.values() if isinstance(stream, ReportRows)]
        return [
            stream.report
            for stream in rows
            if any(report_stream.wants(stream.report) for report_stream in report_streams)
        ]

    def client(self, name: str) -> ReportClient:
        """The client of the source's reports; opened once a sync."""
        if name not in self._clients:
            for source in self._session.sources:
                if source.name == name and source.reports is not None:
                    self._clients[name] = ReportClient(self._session.open(source), source.reports)
        return self._clients[name]

    def clients_and_accounts(self) -> Iterator[tuple[ReportClient, Account]]:
        """Every account of every source that has reports."""
        for source, account in self._session.all_accounts():
            if source.reports is not None:
                yield self.client(source.name), account

    def ledger(self, stream: str) -> Ledger:
        """The ledger of a row stream; lives in that stream's bookmark, so that resetting it resets the report."""
        if stream not in self._ledgers:
            ledger = Ledger(lambda: self._tap.streams[stream].stream_state, self._tap.uninterrupted)
            self._tap.before_each_state(ledger.write)
            self._ledgers[stream] = ledger
        return self._ledgers[stream]

    @cached_property
    def _lane(self) -> BulkLane | None:
        """Where rows go as Parquet beside the target; None where no files are kept, or without the extra."""
        storage = self._session.storage
        return BulkLane(storage) if storage is not None and is_available() else None

    @cached_property
    def recorder(self) -> Recorder:
        """Ledgers and journal in one hand."""
        return Recorder(self.ledger, self.planner, self._session.journal)

    def check_identities(self) -> None:
        """Refuse reports that have state for other settings, before anything is asked or sent.

        Raises:
            ConfigError: names the report and what changed.
        """
        for stream in self._tap.streams.values():
            if isinstance(stream, ReportRows):
                report, ledger = stream.report, self.ledger(stream.name)
                for account in [entry.account for entry in ledger.entries()]:
                    ledger.identify(account, stream.name, report.identity, self.client(report.source).realm)

    # -- the drive -------------------------------------------------------------------------------------

    def drive(self) -> None:
        """Order, collect, emit and close everything that is due and wanted."""
        if self._ran:
            return
        self._ran = True
        session, clock = self._session, self._session.clock
        for rows in self._selected(ReportRows):
            rows.recall_columns()
        for report_stream in self._selected():
            report_stream._write_schema_message()  # noqa: SLF001 - before the first record of any of them
        try:
            wanted = self.wanted()
            self._itemized_summary = ItemizedSummary((report, self.client(report.source).api) for report in wanted)
            jobs = [job for report in wanted for job in self.due.jobs(report, self._stand_in)]
            session.forget_invoices()
            self._itemized_summary.expect(jobs)
            session.listener.planned(jobs)
            self.orders.adoption.look_ahead(jobs)
            runner = Runner(
                orders=self.orders,
                recorder=self.recorder,
                collector=Collector(session.folder, session.storage, session.ahead),
                checkpoint=lambda: session.checkpoint(at_once=True),
                clock=clock,
                deadline_seconds=session.settings.run_deadline_seconds,
                max_new_runs=session.settings.max_new_runs,
                pulse=self._pulse,
                listener=session.listener,
                uninterrupted=self._tap.uninterrupted,
            )
            for finished in runner.finished(jobs):
                self._take(finished, runner)
                session.checkpoint()
            for read in self._itemized_summary.held():
                reason = "the other report of this period failed, so both are read again"
                self._tell(Step.DEFERRED, read.finished, reason=reason)
            self._emit_listed_runs(wanted)
            self._emit_checks(wanted)
        except SyncError:
            session.last_state()
            raise
        finally:
            for report_stream in self._selected():
                report_stream.meter.finish()

    def _pulse(self) -> None:
        if isinstance(self._tap.message_writer, BufferedWriter):
            self._tap.message_writer.heed()
        self._session.beat()

    def _emit_listed_runs(self, wanted: list[Report]) -> None:
        """Last, so that the bookmark covers our own orders of this sync, and none comes back as a foreign one."""
        ours: dict[str, Ours] = {}
        for stream in self._selected(ReportRuns):
            for client, account in self.clients_and_accounts():
                if client.name not in ours:
                    ours[client.name] = self._ours(client.name, wanted)
                with self._session.isolated(stream.name, About(client.name, account.account_id)):
                    stream.emit_listed(client, account, ours[client.name])
            for client, account in self.clients_and_accounts():
                if client.owners.is_mixed(account):
                    stream.take_back(client, account)

    def _ours(self, source: str, wanted: list[Report]) -> Ours:
        """What is known of a source's runs, over all its accounts."""
        rows = [stream for stream in self._tap.streams.values() if isinstance(stream, ReportRows)]
        mine = [row.report for row in rows if row.report.source == source]
        return Ours(
            awaited=self._pending_runs(report for report in mine if report in wanted),
            unwanted=self._pending_runs(report for report in mine if report not in wanted),
            reports=mine,
        )

    def _pending_runs(self, reports: Iterable[Report]) -> set[str]:
        return {
            known.run
            for report in reports
            for entry in self.ledger(report.stream).entries()
            for known in entry.open.values()
            if known.run is not None
        }

    def _stand_in(self, report: Report, invoice: Mapping[str, Any], columns: Mapping[str, Any]) -> None:
        self._rows_of(report).stand_in(invoice, columns)

    # -- one finished period ---------------------------------------------------------------------------

    def _take(self, finished: Finished, runner: Runner) -> None:
        """Send what came of a period; only what is wholly out is called done."""
        job, run = finished.job, finished.run
        failure, problem, read = finished.error, None, None
        try:
            if run is not None:
                self._tell_of_run(FinishedRun(finished, run))
            if isinstance(finished, Collected):
                read = self._read(finished, runner)
        except ReportError as error:
            failure, problem = job.failure(error, run="" if run is None else run.run_id), error
        except ISOLATED as error:
            failure = job.failure(error)
        finally:
            if isinstance(finished, Collected):
                discard(finished.files)
        if failure is not None:
            self._failed(finished, failure, problem)
        elif read is not None:
            self._close(self._itemized_summary.settled(read))
        elif finished.step is not Step.AGAIN:
            self._tell(finished.step, finished, reason=finished.note)
            self._close(self._itemized_summary.given_up(job))

    def _failed(self, finished: Finished, failure: Failure, problem: ReportError | None) -> None:
        """The period is not done; `problem` is what its file has, if it is that."""
        job, session = finished.job, self._session
        if isinstance(finished, Collected):
            self.recorder.broke_off(job, finished.file)
        if problem is not None:
            failure = replace(failure, said=failure.said + self._note_bad(finished, problem))
        self._tell(Step.FAILED, finished, reason=str(failure))
        if session.settings.on_mismatch != "fail":
            self._close(self._itemized_summary.given_up(job))
        session.fail(failure)

    def _note_bad(self, finished: Finished, problem: ReportError) -> str:
        """Note that the run's file could not be used, or both files if two reports disagree; the end of the message."""
        now = self._session.clock.now()
        disagree = isinstance(problem, Mismatch) and not self._itemized_summary.checks.isdisjoint(problem.checks)
        other = self._itemized_summary.held_with(finished.job) if disagree else None
        if other is not None:
            self.recorder.broke_off(other.finished.job, other.finished.file)
            self.recorder.was_bad(other.finished.job, other.finished.run, now)
        if finished.run is None:
            return ""
        return what_follows(finished.job, finished.run, self.recorder.was_bad(finished.job, finished.run, now))

    def _close(self, reads: list[Read]) -> None:
        for finished, rows in reads:
            self.recorder.done(finished.job, rows, sent=self._rows_of(finished.job.report).selected)
            self._tell(Step.DONE, finished, rows=rows)

    def _tell(self, step: Step, finished: Finished, **facts: Any) -> None:
        run_id = None if finished.run is None else finished.run.run_id
        self._session.listener.tell(Event(step, finished.job, run_id, finished.attempt, **facts))

    def _before_rows(self, collected: Collected, rows: int, runner: Runner) -> None:
        """Rows are about to go out, up to this number: note it where it is new, and look after the other runs."""
        if self.recorder.emitting(collected.job, collected.file, rows):
            self._session.checkpoint(at_once=True)
        runner.tend()

    @added_up()
    def _read(self, collected: Collected, runner: Runner) -> Read:
        """Send a run's rows, then what is known of its file once they have been read.

        Raises:
            Mismatch: a check does not hold, and the settings call that a failure.
        """
        job = collected.job
        rows, tallies = self._rows_of(job.report), tallies_of(job.client.api, job.report, job.period)
        sum_of, judge = self._itemized_summary.columns(job.report), partial(check_file, job)
        reader = rows.open_reader(collected.file, sum_of, judge=judge, tallies=tallies)
        read_run = ReadRun(collected, reader, tallies, lambda count: self._before_rows(collected, count, runner))
        deliver(rows, read_run, self._lane, runner.tend)
        rows.needed.check(read_run)
        read_run.check_file(self.due.invoices.get((job.client.name, job.row_account, job.period.key)))
        read_run.checks += row_checks(tallies, read_run.subject, reader.rows)
        self._itemized_summary.note(read_run)
        self._session.summary.checks.take(job.report.stream, read_run.checks)
        for kind in (ReportFiles, Reconciliations):
            for report_stream in self._selected(kind):
                report_stream.emit(read_run)
        self._tell(Step.EMITTED, collected, rows=reader.rows)
        if wrong := [check.check for check in read_run.checks if check.ok is False]:
            mismatch = Mismatch(wrong)
            if self._session.settings.on_mismatch == "fail":
                raise mismatch
            self._session.note(f"{job}: {mismatch.message}")
        rows.needed.note(read_run)
        self._hold_balances(read_run)
        return Read(collected, reader.rows)

    def _hold_balances(self, read_run: ReadRun) -> None:
        """What comes of it goes out at once: STATE then says that the period is held to its neighbours."""
        found = self._balances.note(read_run, self.ledger(read_run.job.report.stream))
        if found:
            self._session.checked("", found)
            self._send_checks()
            self._wrong += [_not_holding(check) for check in found if check.ok is False]

    def _send_checks(self) -> None:
        for report_stream in self._selected(Reconciliations):
            report_stream.emit_records(report_stream.records(self._session.checks))
        self._session.checks.clear()

    def _tell_of_run(self, finished_run: FinishedRun) -> None:
        """Its record, or where nobody takes that a note for later."""
        stream = self._tap.streams[ReportRuns.name]
        assert isinstance(stream, ReportRuns)
        if stream.selected:
            stream.emit(finished_run)
        else:
            stream.note_untold(finished_run)

    def _emit_checks(self, wanted: list[Report]) -> None:
        """Send the checks that belong to no single run.

        They are whether the windows of each report hang together, the reports without the one that they are compared
        with, and the checks of other streams.
        """
        session = self._session
        session.checked("", self._itemized_summary.unmatched())
        session.checked("", self._balances.checks())
        wrong = self._wrong
        for report in wanted:
            client, ledger = self.client(report.source), self.ledger(report.stream)
            for account in session.accounts(client.source_client.source):
                if (report.stream, account.account_id) not in self.due.planned:
                    continue  # refused, and said so
                about = About(report.source, account.account_id)
                with session.isolated(report.stream, about):
                    entry = ledger.entry(account.account_id)
                    checks = list(coverage_checks(client, report, account, entry, self.planner))
                    session.checked(report.stream, checks)
                    wrong += [_not_holding(check, report.stream) for check in checks if check.ok is False]
        self._send_checks()
        for failure in wrong:
            if session.settings.on_mismatch == "fail":
                session.fail(failure)
            else:
                session.note(f"{failure.stream} account {failure.account}: {failure.said}")


def _not_holding(check: Check, stream: str = "") -> Failure:
    """A check of no single run as the failure that it may be."""
    said = f"reconciliation {check.check} does not hold: {check.reason}"
    return Failure.of(said, About(check.source, check.account_id), stream=stream or Reconciliations.name)
