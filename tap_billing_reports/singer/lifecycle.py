"""The life of all reports in one sync: what is due is ordered, collected, sent through the members, closed."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from tap_billing_reports.core.errors import ISOLATED, FileError, Refused, ReportError, SyncError, Unreadable, remedy_of
from tap_billing_reports.reports import per_invoice
from tap_billing_reports.reports.answered import check_file
from tap_billing_reports.reports.events import Event
from tap_billing_reports.reports.files.download import Collector, discard
from tap_billing_reports.reports.files.parquet import BulkLane, is_available
from tap_billing_reports.reports.jobs import Due, Finished, Shop, Step
from tap_billing_reports.reports.planning import Planner
from tap_billing_reports.reports.recorder import Book
from tap_billing_reports.reports.runs.decisions import what_follows
from tap_billing_reports.reports.runs.ordering import Orders
from tap_billing_reports.reports.runs.refusals import is_excused
from tap_billing_reports.reports.runs.runner import Runner
from tap_billing_reports.reports.state.ledger import Ledger
from tap_billing_reports.singer.checks.itemized_summary import CHECK, Read, Twins
from tap_billing_reports.singer.checks.windows import coverage_checks
from tap_billing_reports.singer.delivery import deliver
from tap_billing_reports.singer.finished_run import Emission
from tap_billing_reports.singer.streams.reconciliations import Reconciliations
from tap_billing_reports.singer.streams.report_files import ReportFiles
from tap_billing_reports.singer.streams.report_rows import ReportRows
from tap_billing_reports.singer.streams.report_runs import Ours, ReportRuns
from tap_billing_reports.singer.streams.report_stream import Member
from tap_billing_reports.singer.writer import BufferedWriter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_billing_reports.declare import Account, Report
    from tap_billing_reports.singer.context import SyncContext
    from tap_billing_reports.singer.session import Session


class Cycle:
    """Driven once a sync, by the first selected member that the sync reaches."""

    def __init__(self, tap: SyncContext) -> None:
        self._tap = tap
        self._ran = False
        self._shops: dict[str, Shop] = {}
        self._ledgers: dict[str, Ledger] = {}
        self._planned: set[tuple[str, str]] = set()
        """Row streams and accounts of which it could be told what is due."""
        self._invoices: dict[tuple[str, str, str], dict[str, Any]] = {}
        """Invoices that reports specify, by source, billed account and number."""
        self._twins = Twins(())
        settings = tap.session.settings
        self.planner = Planner(
            settings.start_date, settings.end_date, tap.session.clock.now(), settings.reuse_runs_since
        )
        self.orders = Orders(tap.session.clock, settings.reuse_runs_since)

    @property
    def _session(self) -> Session:
        return self._tap.session

    # -- members ---------------------------------------------------------------------------------------

    def _members(self, kind: type[Member] = Member) -> list[Any]:
        return [stream for stream in self._tap.streams.values() if isinstance(stream, kind) and stream.selected]

    def _rows_of(self, report: Report) -> ReportRows:
        """The report's row stream, selected or not: it knows the columns either way."""
        stream = self._tap.streams[report.stream]
        assert isinstance(stream, ReportRows)
        return stream

    def wanted(self) -> list[Report]:
        """The reports that a selected member needs."""
        members = self._members()
        rows = [stream for stream in self._tap.streams.values() if isinstance(stream, ReportRows)]
        return [stream.report for stream in rows if any(member.wants(stream.report) for member in members)]

    def shop(self, name: str) -> Shop:
        """The source's shop, opened once a sync."""
        if name not in self._shops:
            source = next(source for source in self._session.sources if source.name == name)
            assert source.reports is not None
            self._shops[name] = Shop(self._session.open(source), source.reports)
        return self._shops[name]

    def shops_and_accounts(self) -> Iterator[tuple[Shop, Account]]:
        """Every account of every source that has reports."""
        for source, account in self._session.all_accounts():
            if source.reports is not None:
                yield self.shop(source.name), account

    def ledger(self, stream: str) -> Ledger:
        """The ledger of a row stream; lives in that stream's bookmark, so that resetting it resets the report."""
        if stream not in self._ledgers:
            self._ledgers[stream] = Ledger(lambda: self._tap.streams[stream].stream_state)
        return self._ledgers[stream]

    @cached_property
    def _lane(self) -> BulkLane | None:
        """Where rows go as Parquet beside the target; None where no files are kept, or without the extra."""
        storage = self._session.storage
        return BulkLane(storage) if storage is not None and is_available() else None

    @cached_property
    def book(self) -> Book:
        """Ledgers and journal in one hand."""
        return Book(self.ledger, self.planner, self._session.journal)

    def check_identities(self) -> None:
        """Refuse reports that have state for other settings, before anything is asked or sent.

        Raises:
            ConfigError: names the report and what changed.
        """
        for stream in self._tap.streams.values():
            if isinstance(stream, ReportRows):
                report, ledger = stream.report, self.ledger(stream.name)
                for account in [entry.account for entry in ledger.entries()]:
                    ledger.identify(account, stream.name, report.identity, self.shop(report.source).realm)
                    ledger.save()

    # -- the drive -------------------------------------------------------------------------------------

    def drive(self) -> None:
        """Order, collect, emit and close everything that is due and wanted."""
        if self._ran:
            return
        self._ran = True
        session, clock = self._session, self._session.clock
        for rows in self._members(ReportRows):
            rows.recall_columns()
        for member in self._members():
            member._write_schema_message()  # noqa: SLF001 - before the first of any member's records
        try:
            wanted = self.wanted()
            self._twins = Twins((report, self.shop(report.source).api) for report in wanted)
            dues = [due for report in wanted for due in self.due(report)]
            session.forget_invoices()
            self._twins.expect(dues)
            session.listener.planned(dues)
            self.orders.look_ahead(dues)
            runner = Runner(
                orders=self.orders,
                book=self.book,
                collector=Collector(session.folder, session.storage, session.ahead),
                checkpoint=lambda: session.checkpoint(at_once=True),
                clock=clock,
                deadline_seconds=session.settings.run_deadline_seconds,
                max_new_runs=session.settings.max_new_runs,
                pulse=self._pulse,
                listener=session.listener,
                uninterrupted=self._tap.uninterrupted,
            )
            for finished in runner.finished(dues):
                self._take(finished, runner)
                session.checkpoint()
            for read in self._twins.held():
                reason = "read, and read again with the other report of this period, which failed"
                self._tell(Step.DEFERRED, read.finished, reason=reason)
            self._emit_listed_runs(wanted)
            self._emit_checks(wanted)
        except SyncError:
            session.last_state()
            raise
        finally:
            for member in self._members():
                member.meter.finish()

    def _pulse(self) -> None:
        if isinstance(self._tap.message_writer, BufferedWriter):
            self._tap.message_writer.heed()
        self._session.beat()

    def due(self, report: Report) -> list[Due]:
        """What is due of one report, over all accounts; changes ledgers in memory alone."""
        shop, session = self.shop(report.source), self._session
        ledger = self.ledger(report.stream)
        dues: list[Due] = []
        accounts = session.accounts(shop.asker.source)
        if report.per_invoice:
            ledger.leave({account.account_id for account in accounts})
        for account in accounts:
            with session.isolated(report.stream):
                ledger.identify(account.account_id, report.stream, report.identity, shop.realm)
                entry = ledger.entry(account.account_id)
                if entry.unsent and self._rows_of(report).selected:
                    ledger.begin_again(account.account_id)
                    session.note(
                        f"{report.stream} account {account.account_id}: it was deselected when its files were read; "
                        f"all its periods are due again for their rows"
                    )
                if report.per_invoice:
                    self._note_invoices(shop, account, report)
                    ledger.save()
                elif self.planner.reopen(shop, report, entry):
                    ledger.save()
                try:
                    found = self.planner.due(shop, report, account, ledger.entry(account.account_id))
                    dues.extend(self._to_be_had(shop, report, account, found) if report.per_invoice else found)
                except Refused as error:
                    if not is_excused(report, error):
                        raise
                    session.note(f"{report.stream} account {account.account_id}: refused, and optional: {error}")
                else:
                    self._planned.add((report.stream, account.account_id))
        dues.sort(key=lambda due: due.rank)
        return dues

    def _to_be_had(self, shop: Shop, report: Report, account: Account, dues: list[Due]) -> list[Due]:
        """Those of an account's invoices whose reports can be had; what is left out is said in one line."""
        entry, session = self.ledger(report.stream).entry(account.account_id), self._session
        named = f"{report.stream} account {account.account_id}"
        if skipped := self.planner.skipped(shop, report, entry):
            listed = ", ".join(skipped[:10]) + (", ..." if len(skipped) > 10 else "")
            session.note(f"{named}: not ordered, because named in {shop.api.skip_setting}: {listed}")
        unordered = [due for due in dues if due.run_id is None]
        if not unordered or shop.offers(account, report.report_type):
            return dues
        text = (
            f"{named}: the vendor's list of report types does not have {report.report_type}, so nothing is ordered for "
            f"{len(unordered)} invoices with a specification"
        )
        if entry.subjects_done:
            # It had it before: a right that was taken away looks like this.
            session.fail(text, shop.asker.source.rights.get("reports", ""))
        else:
            session.note(text)
        return [due for due in dues if due.run_id is not None]

    def _note_invoices(self, shop: Shop, account: Account, report: Report) -> None:
        """Enter the invoices that have a specification, before anything else may pass them by."""
        ledger = self.ledger(report.stream)
        feed = self._session.feed(shop.asker.source, account)
        bounds = feed.bounds
        briefs = feed.briefs(per_invoice.list_from(ledger.entry(account.account_id), bounds, ledger))
        self._invoices.update(
            ((shop.name, brief.account_id, brief.invoice_id), brief._asdict())
            for brief in briefs
            if brief.specification_available
        )
        listed = (brief._asdict() for brief in briefs)
        before = self._session.settings.end_date
        per_invoice.note_invoices(ledger, account.account_id, listed, bounds, before=before, whole=not feed.unreadable)
        for text in feed.unreadable:
            self._session.fail(text, Unreadable.remedy, report.stream)

    def _emit_listed_runs(self, wanted: list[Report]) -> None:
        """Last, so that the bookmark covers our own orders of this sync, and none comes back as a foreign one."""
        rows = [stream for stream in self._tap.streams.values() if isinstance(stream, ReportRows)]
        for stream in self._members(ReportRuns):
            for shop, account in self.shops_and_accounts():
                mine = [row.report for row in rows if row.report.source == shop.name]
                ours = Ours(
                    awaited=self._pending_runs(report for report in mine if report in wanted),
                    unwanted=self._pending_runs(report for report in mine if report not in wanted),
                    reports=mine,
                )
                with self._session.isolated(stream.name):
                    stream.emit_listed(shop, account, ours)

    def _pending_runs(self, reports: Iterable[Report]) -> set[str]:
        return {
            facts["run"]
            for report in reports
            for entry in self.ledger(report.stream).entries()
            for facts in entry.open.values()
            if "run" in facts
        }

    # -- one finished period ---------------------------------------------------------------------------

    def _take(self, finished: Finished, runner: Runner) -> None:
        """Send what came of a period; only what is wholly out is called done."""
        due = finished.due
        emission = Emission(finished, before_rows=lambda rows: self._before_rows(finished, rows, runner))
        error, remedy, was_bad = finished.error, finished.remedy, False
        try:
            if finished.file is not None:
                self._emit_file(emission, finished, runner)
            elif finished.run is not None:
                self._tell_of_run(emission)
        except (FileError, ReportError) as problem:
            error, remedy, was_bad = f"{due}: run {emission.key}: {problem}", remedy_of(problem), True
        except ISOLATED as problem:
            error, remedy = str(problem), remedy_of(problem)
        finally:
            discard(finished.files)
        if error is not None:
            self._failed(emission, error, remedy, was_bad=was_bad)
        elif finished.file is not None:
            assert emission.reader is not None
            self._close(self._twins.settled(Read(finished, emission.reader.rows)))
        elif finished.step is not Step.AGAIN:
            self._tell(finished.step, finished, reason=finished.note)
            self._close(self._twins.given_up(due))

    def _failed(self, emission: Emission, error: str, remedy: str, *, was_bad: bool) -> None:
        """The period is not done; `was_bad`: for its file."""
        finished, due, session = emission.finished, emission.due, self._session
        if finished.file is not None:
            self.book.broke_off(due, finished.file)
        if was_bad:
            error += self._note_bad(emission)
        self._tell(Step.FAILED, finished, reason=error)
        if session.settings.on_mismatch != "fail":
            self._close(self._twins.given_up(due))
        session.fail(error, remedy)

    def _note_bad(self, emission: Emission) -> str:
        """The run's file was no good, or, where two reports disagree, that of either; what follows, for the message."""
        finished, now = emission.finished, self._session.clock.now()
        disagree = any(check.check == CHECK and check.ok is False for check in emission.checks)
        other = self._twins.held_with(finished.due) if disagree else None
        if other is not None and other.finished.run is not None and other.finished.file is not None:
            self.book.broke_off(other.finished.due, other.finished.file)
            self.book.was_bad(other.finished.due, other.finished.run, now)
        if finished.run is None:
            return ""
        return what_follows(finished.due, finished.run, self.book.was_bad(finished.due, finished.run, now))

    def _close(self, reads: list[Read]) -> None:
        for finished, rows in reads:
            self.book.done(finished.due, rows, sent=self._rows_of(finished.due.report).selected)
            self._tell(Step.DONE, finished, rows=rows)

    def _tell(self, step: Step, finished: Finished, **facts: Any) -> None:
        run_id = None if finished.run is None else finished.run.run_id
        self._session.listener.tell(Event(step, finished.due, run_id, finished.attempt, **facts))

    def _before_rows(self, finished: Finished, rows: int, runner: Runner) -> None:
        """Rows are about to go out, up to this number: note it where it is new, and look after the other runs."""
        assert finished.file is not None
        if self.book.emitting(finished.due, finished.file, rows):
            self._session.checkpoint(at_once=True)
        runner.tend()

    def _emit_file(self, emission: Emission, finished: Finished, runner: Runner) -> None:
        assert finished.file is not None
        rows = self._rows_of(emission.due.report)
        self._tell_of_run(emission)
        sum_of, judge = self._twins.columns(emission.due.report), partial(check_file, emission.due)
        emission.reader = rows.open_reader(finished.file, sum_of, judge=judge)
        due = emission.due
        deliver(rows, emission, finished.file, self._lane, runner.tend)
        rows.check_columns(emission)
        emission.check_file(self._invoices.get((due.shop.name, due.row_account, due.period.key)))
        self._twins.note(emission)
        self._emit_to(ReportFiles, emission)
        self._emit_to(Reconciliations, emission)
        self._tell(Step.EMITTED, finished, rows=emission.reader.rows)
        wrong = [check.check for check in emission.checks if check.ok is False]
        if wrong:
            text = f"{due}: reconciliation {', '.join(wrong)} does not hold; see the stream reconciliations"
            if self._session.settings.on_mismatch == "fail":
                raise ReportError(f"reconciliation {', '.join(wrong)} does not hold; see the stream reconciliations")
            self._session.note(text)
        rows.note_columns(emission)

    def _tell_of_run(self, emission: Emission) -> None:
        """Its record, or where nobody takes that a note for later."""
        stream = self._tap.streams[ReportRuns.name]
        assert isinstance(stream, ReportRuns)
        if stream.selected:
            stream.emit(emission)
        else:
            stream.note_untold(emission)

    def _emit_to(self, kind: type[Member], emission: Emission) -> None:
        for member in self._members(kind):
            member.emit(emission)

    def _emit_checks(self, wanted: list[Report]) -> None:
        """The checks that belong to no single run: coverage of each report, lone twins, other streams' checks."""
        session = self._session
        session.checks.extend(self._twins.unmatched())
        wrong: list[str] = []
        for report in wanted:
            shop, ledger = self.shop(report.source), self.ledger(report.stream)
            for account in session.accounts(shop.asker.source):
                if (report.stream, account.account_id) not in self._planned:
                    continue  # refused, and said so
                with session.isolated(report.stream):
                    entry = ledger.entry(account.account_id)
                    checks = list(coverage_checks(shop, report, account, entry, self.planner))
                    session.checks.extend(checks)
                    wrong += [
                        f"{report.stream} account {account.account_id}: reconciliation {check.check} does not hold: "
                        f"{check.reason}"
                        for check in checks
                        if check.ok is False
                    ]
        for member in self._members(Reconciliations):
            member.emit_records(member.records(session.checks))
        session.checks.clear()
        for text in wrong:
            if session.settings.on_mismatch == "fail":
                session.fail(text)
            else:
                session.note(text)
