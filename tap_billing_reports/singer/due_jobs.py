"""What is due in this sync, over all accounts of a report."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tap_billing_reports.core.about import About
from tap_billing_reports.core.errors import Refused
from tap_billing_reports.core.failure import Failure
from tap_billing_reports.declare import Listed, PerInvoice
from tap_billing_reports.reports.per_invoice import Subject, list_from, never_reported, note_subjects
from tap_billing_reports.reports.runs.refusals import is_excused
from tap_billing_reports.singer.check import Check
from tap_billing_reports.singer.list_checks import judge_list, tell_of_lost_account
from tap_billing_reports.singer.listed_subjects import ListedSubjects

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_billing_reports.declare import Account, Report
    from tap_billing_reports.reports.jobs import ReportClient, ReportJob
    from tap_billing_reports.reports.planning import Planner
    from tap_billing_reports.reports.state.ledger import Ledger
    from tap_billing_reports.singer.invoices.reader import Brief, InvoiceFeed
    from tap_billing_reports.singer.session import Session

    # Takes a report, an invoice that has none, and the columns of its row.
    StandIn = Callable[[Report, Mapping[str, Any], Mapping[str, Any]], None]


class DueJobs:
    """Finds the jobs of each report; enters invoices that have a specification, and listed subjects, before.

    Args:
        session: of this sync.
        planner: knows what a ledger does not hold as done.
        client: gives a source's reports by its name.
        ledger: gives the ledger of a row stream by its name.
        takes_rows: whether the rows of a report are selected.

    Attributes:
        planned: row streams and accounts of which it could be told what is due.
        invoices: those that reports specify, by source, billed account and number.
    """

    def __init__(
        self,
        session: Session,
        planner: Planner,
        *,
        client: Callable[[str], ReportClient],
        ledger: Callable[[str], Ledger],
        takes_rows: Callable[[Report], bool],
    ) -> None:
        self.planned: set[tuple[str, str]] = set()
        self.invoices: dict[tuple[str, str, str], dict[str, Any]] = {}
        self._listed = ListedSubjects(session)
        self._missing: set[Check] = set()
        self._seen: set[tuple[str, str, str, str]] = set()
        self._session = session
        self._planner = planner
        self._client = client
        self._ledger = ledger
        self._takes_rows = takes_rows

    def jobs(self, report: Report, stand_in: StandIn = lambda *_: None) -> list[ReportJob]:
        """What is due of one report, over all accounts; changes ledgers in memory alone.

        Args:
            report: of which.
            stand_in: sends the one row of an invoice that has no report, before the ledger passes it by.
        """
        client, session = self._client(report.source), self._session
        ledger = self._ledger(report.stream)
        jobs: list[ReportJob] = []
        accounts = session.accounts(client.source_client.source)
        self._tell_of_lost(ledger, report.source, {account.account_id for account in accounts})
        per_invoice = isinstance(report.cadence, PerInvoice)
        if per_invoice:
            ledger.leave({account.account_id for account in accounts})
        for account in accounts:
            about = About(report.source, account.account_id)
            with session.isolated(report.stream, about):
                ledger.identify(account.account_id, report.stream, report.identity, client.realm)
                if ledger.entry(account.account_id).unsent and self._takes_rows(report):
                    ledger.begin_again(account.account_id)
                    session.note(
                        f"{report.stream} account {account.account_id}: it was deselected when its files were read; "
                        f"all its periods are due again for their rows"
                    )
                if per_invoice:
                    self._note_invoices(client, account, report, stand_in)
                with ledger.changing(account.account_id) as entry:
                    self._planner.plan(report).reopen(client, entry)
                try:
                    if isinstance(report.cadence, Listed):
                        self._listed.enter(client, account, report, report.cadence, ledger)
                    found = self._planner.due_jobs(client, report, account, ledger.entry(account.account_id))
                    found = [self._listed.with_record(job) for job in found]
                    jobs.extend(self._to_be_had(client, report, account, found) if per_invoice else found)
                except Refused as error:
                    if not is_excused(report, error):
                        raise
                    session.note(f"{report.stream} account {account.account_id}: refused, and optional: {error}")
                else:
                    self.planned.add((report.stream, account.account_id))
        jobs.sort(key=lambda job: job.rank)
        return jobs

    def _to_be_had(
        self, client: ReportClient, report: Report, account: Account, jobs: list[ReportJob]
    ) -> list[ReportJob]:
        """Those of an account's invoices whose reports can be had; what is left out is said in one line."""
        entry, session = self._ledger(report.stream).entry(account.account_id), self._session
        named = f"{report.stream} account {account.account_id}"
        if skipped := self._planner.plan(report).skipped(client, entry):
            listed = ", ".join(skipped[:10]) + (", ..." if len(skipped) > 10 else "")
            session.note(f"{named}: not ordered, because named in {client.api.skip_setting}: {listed}")
        unordered = [job for job in jobs if job.run_id is None]
        if not unordered or client.offers(account, report.report_type):
            return jobs
        text = (
            f"the vendor's list of report types does not have {report.report_type}, so nothing is ordered for "
            f"{len(unordered)} invoices with a specification"
        )
        if entry.subjects_done:
            # It had it before: a right that was taken away looks like this.
            right = client.source_client.source.rights.get("reports")
            about = About(report.source, account.account_id)
            session.fail(Failure.of(text, about, stream=report.stream, remedy=right))
        else:
            session.note(f"{named}: {text}")
        return [job for job in jobs if job.run_id is not None]

    def _tell_of_lost(self, ledger: Ledger, source: str, read: set[str]) -> None:
        """Say which accounts earlier syncs had and this one has not, once each; none where none could be listed."""
        if not read:
            return
        for entry in list(ledger.entries()):
            gone = entry.account not in read
            if gone and not entry.gone:
                tell_of_lost_account(self._session, source, entry.account)
            if gone is not entry.gone:
                with ledger.changing(entry.account):
                    entry.gone = gone

    def _has_report(self, feed: InvoiceFeed, brief: Brief, report: Report) -> bool:
        """Whether the report of an invoice's number is its own. One that has lines, but not that report, is said."""
        if brief.specification_available is not True:
            return False
        shared = feed.shared.get(feed.source.name, brief.account_id, brief.number)
        if shared is None or brief.issued_by == shared.specified:
            return True
        reason = f"the one report of this number is taken for the invoice of {shared.specified}: lines are missing"
        facts: dict[str, Any] = {
            "subject": f"invoice {brief.invoice_id}",
            "check": "own_report",
            "expected": Decimal(1),
        }
        check = Check(feed.source.name, brief.account_id, actual=Decimal(0), ok=False, reason=reason, **facts)
        if check not in self._missing:
            self._missing.add(check)
            self._session.checked(report.stream, [check])
            failure = Failure.of(
                f"invoice {brief.invoice_id}: {reason}",
                About(feed.source.name, brief.account_id),
                stream=report.stream,
                remedy="look the lines up at the vendor",
            )
            if self._session.settings.on_mismatch == "fail":
                self._session.fail(failure)
            else:
                self._session.note(str(failure))
        return False

    def _is_alone(self, feed: InvoiceFeed, brief: Brief, report: Report) -> bool:
        """Whether the invoice's number is its own, and it has not come through another account in this sync."""
        key = (feed.source.name, brief.account_id, brief.number)
        is_new, is_shared = (report.stream, *key) not in self._seen, feed.shared.get(*key) is not None
        self._seen.add((report.stream, *key))
        return is_new and not is_shared

    def _note_invoices(self, client: ReportClient, account: Account, report: Report, stand_in: StandIn) -> None:
        """Enter the invoices that have a specification, before anything else may pass them by."""
        ledger = self._ledger(report.stream)
        feed = self._session.feed(client.source_client.source, account)
        bounds = feed.bounds
        briefs = feed.briefs(list_from(ledger.entry(account.account_id), bounds, ledger))
        # Without the field that says which have one, no invoice would be due, and none would come again.
        with ledger.changing(account.account_id) as entry:
            lost = judge_list(self._session, feed, entry.list_memory)
        specified = [brief for brief in briefs if self._has_report(feed, brief, report)]
        self.invoices.update(((client.name, brief.account_id, brief.number), brief._asdict()) for brief in specified)
        has_report = {id(brief) for brief in specified}
        listed = [
            Subject(brief.number, brief.account_id, brief.invoice_date, id(brief) in has_report) for brief in briefs
        ]
        before = self._session.settings.end_date
        columns = client.api.stand_ins(client.source_client.values, report)
        if columns and self._takes_rows(report):
            alone = [brief for brief in briefs if self._is_alone(feed, brief, report)]
            without = {
                Subject(brief.number, brief.account_id, brief.invoice_date, has_report=False): brief._asdict()
                for brief in alone
                if brief.specification_available is False
            }
            for subject in never_reported(ledger, account.account_id, without, bounds, before=before):
                invoice = without[subject]
                stand_in(report, invoice, {name: invoice[column] for name, column in columns.items()})
        whole = not feed.unreadable and "specification_available" not in lost
        note_subjects(ledger, account.account_id, listed, bounds, before=before, whole=whole)
        for error in feed.unreadable:
            self._session.fail(Failure.of(error, stream=report.stream))
