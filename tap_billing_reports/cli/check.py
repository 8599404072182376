"""`billing-reports check`: what the credentials can do, tried with the smallest calls that only read.

What is tried comes from the declarations: an invoice list, the report types and what data they have, the listed
runs, the first bytes of one file, a page of what is there without an order. Nothing is ordered, and nothing is
written anywhere.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from tap_billing_reports.core.dates import utc_text
from tap_billing_reports.core.errors import (
    ISOLATED,
    AccountError,
    AuthenticationFailed,
    BillingError,
    NotYet,
    Refused,
    SyncError,
    Throttled,
    Unavailable,
    Unreadable,
    remedy_of,
)
from tap_billing_reports.core.redaction import sentence
from tap_billing_reports.declare import Account, Listed, PagedRows, Period, RunStatus, Windowed
from tap_billing_reports.http.client import Limits
from tap_billing_reports.http.sent import FileRequest
from tap_billing_reports.page.read import opened
from tap_billing_reports.reports.not_yet import look, told_apart
from tap_billing_reports.reports.window_dates import midnight
from tap_billing_reports.warehouse.address import Engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_billing_reports.declare import Endpoint, Query, Report, ReportApi, Run, Source
    from tap_billing_reports.declare.client import HttpSourceClient
    from tap_billing_reports.singer.session import Session
    from tap_billing_reports.warehouse.address import Address

# A person waits for the answer.
LIMITS = Limits(connect_seconds=5, read_seconds=30, answer_seconds=60, tries=2, waiting_seconds=5)

OK, REFUSED, FAILED, NOT_TRIED = "ok", "refused", "failed", "not tried"


@dataclass(frozen=True)
class Finding:
    """What came of one part: `verdict` is one of the four words above, `said` the vendor's or our own."""

    verdict: str = NOT_TRIED
    said: str = ""

    def __str__(self) -> str:
        return f"{self.verdict} ({self.said})" if self.said else self.verdict


@dataclass
class Line:
    """One account: what its credentials can do, and what to do about what they cannot.

    Attributes:
        parts: reachable, credentials, and those of invoices, reports, files that the source has.
    """

    source: str
    account: str
    parts: dict[str, Finding]
    todo: list[str] = field(default_factory=list)

    @property
    def is_well(self) -> bool:
        return not any(finding.verdict in {REFUSED, FAILED} for finding in self.parts.values())

    def __str__(self) -> str:
        found = "; ".join(f"{name} {finding}" for name, finding in self.parts.items())
        todo = " -> " + "; ".join(dict.fromkeys(self.todo)) if self.todo else ""
        return sentence(f"{self.source} {self.account}: {found}{todo}")


def check(session: Session) -> Iterator[Line]:
    """A line for each account of each source that is on, one for a source whose accounts cannot be found out."""
    for source in session.sources:
        label = source.label(session.settings.values)
        try:
            client = session.open(source)
            entries = list(source.accounts(client))
        except (*ISOLATED, SyncError) as error:
            examined = _Examination(source, label)
            examined.note("credentials", error)
            yield examined.line
            continue
        accounts = {entry.account_id: entry for entry in entries if not isinstance(entry, AccountError)}
        for entry in entries:
            if isinstance(entry, AccountError):
                yield Line(source.name, label, {"accounts": Finding(FAILED, str(entry))}, [entry.remedy])
        if not entries:
            said = "the vendor names no account that these credentials may see"
            parts = {"reachable": Finding(OK), "credentials": Finding(OK), "accounts": Finding(REFUSED, said)}
            yield Line(source.name, label, parts, ["ask the vendor for rights, or name the accounts in the settings"])
        for account in accounts.values():
            yield _Examination(source, account.account_id).examine(client, account)


def warehouse(address: Address) -> Finding:
    """Whether a server lets this user in; of a file, whether its folder may be written to. Nothing is made."""
    if address.engine is Engine.DUCKDB:
        folder = Path(address.target).resolve().parent
        if os.access(folder, os.W_OK):
            return Finding(OK)
        return Finding(REFUSED, f"there is no folder {folder} in which this user may make files")
    try:
        with opened(address, "", with_views=False):
            return Finding(OK)
    except BillingError as error:
        return Finding(REFUSED, str(error))


class _Examination:
    """One account's parts, tried one after the other until it is clear that no other can succeed."""

    def __init__(self, source: Source, account: str) -> None:
        self._source = source
        self._over = False
        wanted = {
            "reachable": True,
            "credentials": True,
            "invoices": source.invoices is not None,
            "reports": source.reports is not None or source.report_types is not None,
            "files": source.reports is not None,
        }
        self.line = Line(source.name, account, {name: Finding() for name, there in wanted.items() if there})
        self._runs: list[Run] = []

    def examine(self, client: HttpSourceClient, account: Account) -> Line:
        for name, attempt in (("invoices", self._invoices), ("reports", self._reports), ("files", self._files)):
            if name in self.line.parts and not self._over:
                try:
                    finding = attempt(client, account)
                except (*ISOLATED, SyncError) as error:
                    self.note(name, error)
                except (ValueError, KeyError, TypeError) as error:
                    self.note(name, Unreadable(f"an answer has an unknown shape: {error}"))
                else:
                    self._answered(finding.verdict == OK)
                    self.line.parts[name] = finding
        return self.line

    def _answered(self, accepted: bool) -> None:
        self.line.parts["reachable"] = Finding(OK)
        if accepted:
            self.line.parts["credentials"] = Finding(OK)

    def note(self, name: str, error: Exception) -> None:
        """What an error says about this part, and about those that all others hang on."""
        parts, said = self.line.parts, self._said(error)
        if isinstance(error, Unavailable):
            parts["reachable"] = Finding(FAILED, said)
            settings = ", ".join(host.setting for host in self._source.hosts)
            self.line.todo.append(f"check the network, a proxy, the vendor's status page and the setting {settings}")
            self._over = True
            return
        if not isinstance(error, Refused):
            if isinstance(error, Throttled):
                parts["reachable"] = Finding(OK)
            parts[name] = Finding(FAILED, said)
            self.line.todo.extend(filter(None, [remedy_of(error)]))
            return
        parts["reachable"] = Finding(OK)
        if self._is_about_credentials(error):
            parts["credentials"] = Finding(REFUSED, said)
            self.line.todo.append("correct the credentials")
            self._over = True
            return
        if name != "credentials":
            parts["credentials"] = Finding(OK)
        parts[name] = Finding(REFUSED, said)
        right = self._source.rights.get(name) if isinstance(error, AuthenticationFailed) else None
        self.line.todo.append(right or error.remedy)

    def _is_about_credentials(self, error: Refused) -> bool:
        """A refusal of the rights alone (403) or of what was asked is proof that the credentials are known.

        Except where a vendor puts its errors into answers of status 200, and has accepted nothing before.
        """
        if isinstance(error, AuthenticationFailed):
            return error.status != 403
        return error.status == 200 and self.line.parts["credentials"].verdict != OK

    def _said(self, error: Exception) -> str:
        """The message without what the line begins with."""
        if not isinstance(error, BillingError) or error.about is None:
            return str(error)
        about = error.about
        if (about.source, about.account) != (self._source.name, self.line.account):
            return str(error)
        return f"{about.call}: {error.message}" if about.call else error.message

    # -- the parts -------------------------------------------------------------------------------------

    def _invoices(self, client: HttpSourceClient, account: Account) -> Finding:
        """Today's, one at most where the vendor pages."""
        if (api := self._source.invoices) is None:
            return Finding()
        query = next(iter(api.queries(client, account, client.today(), client.today())), None)
        if query is None:
            return Finding(said="the settings ask for none")
        endpoint, query = _one(api.endpoint_by(client.values), query)
        for _ in client.records(endpoint, path=api.path(account), params=query, account=account):
            break
        return Finding(OK)

    def _reports(self, client: HttpSourceClient, account: Account) -> Finding:
        """The types, what data the configured ones have, and one listed run."""
        types, api = self._source.report_types, self._source.reports
        if types is not None:
            for _ in client.records(types.endpoint, path=types.path(account), account=account):
                break
        if api is None:
            return Finding(OK)
        if api.availability is not None:
            for report in api.configured(client.values):
                if not report.optional:
                    api.availability(client, account, report.report_type)
        self._runs = _listed(client, account)
        for report in api.configured(client.values):
            if not report.optional:
                _ask_for_what_is_there(client, api, account, report)
        return Finding(OK)

    def _files(self, client: HttpSourceClient, account: Account) -> Finding:
        """The first bytes of a listed run's file."""
        now = client.clock.now()
        for run in self._runs:
            file = run.file
            if run.status is RunStatus.READY and file is not None and (file.expires_at or now) >= now:
                client.http.peek(FileRequest(file.host, file.path, file.params, file.link, headers=account.headers))
                return Finding(OK)
        return Finding(said="no run with a file is listed")


def _one(endpoint: Endpoint, query: Query) -> tuple[Endpoint, Query]:
    """The same question for one record, on one page."""
    if endpoint.paging is None:
        return endpoint, query
    size = endpoint.paging.size
    return replace(endpoint, paging=None), [*query, *([] if size is None else [(size[0], "1")])]


def _ask_for_what_is_there(client: HttpSourceClient, api: ReportApi, account: Account, report: Report) -> None:
    """Of a report that needs no order: today's subjects, or yesterday's rows, one at most where the vendor pages."""
    today, path = client.today(), dict[str, str]()
    retrieval = api.retrieval_of(report)
    if isinstance(report.cadence, Listed):
        listing = report.cadence.listing
        path.update(listing.path(account, report))
        endpoint, query = _one(listing.endpoint, listing.query(account, report, today, today))
    elif isinstance(report.cadence, Windowed) and isinstance(retrieval, PagedRows):
        start, end = midnight(today - timedelta(days=1), report.zone), midnight(today, report.zone)
        period = Period(utc_text(start), start, end)
        path.update(retrieval.path(account, report, period))
        endpoint, query = _one(retrieval.endpoint, retrieval.query(account, report, period))
    else:
        return
    with suppress(NotYet), told_apart(api):
        for _ in client.records(
            endpoint, path=path, params=query, account=account, heed=lambda answer: look(api, answer)
        ):
            break


def _listed(client: HttpSourceClient, account: Account) -> list[Run]:
    """The first page of the account's runs: a finished one is among them more likely than not."""
    api = client.source.reports
    orders = None if api is None else api.orders(client.values)
    if orders is None or orders.runs is None or orders.read_listed is None:
        return []
    endpoint = replace(orders.runs, paging=None)
    return [orders.read_listed(record) for record in client.records(endpoint, account=account)]
