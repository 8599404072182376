"""A vendor, whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tap_billing_reports.declare.cadence import PerInvoice
from tap_billing_reports.declare.checks import (
    column_problems,
    endpoint_problems,
    field_problems,
    form_problems,
    host_problems,
    name_problems,
    path_problems,
    unknown_settings,
)
from tap_billing_reports.declare.guarded import guarded
from tap_billing_reports.declare.report import Listed
from tap_billing_reports.declare.retrieval import OrderedRuns, PagedRows
from tap_billing_reports.declare.settings import value_of
from tap_billing_reports.declare.sign_in import TokenSignIn
from tap_billing_reports.http.links import pattern_problems
from tap_billing_reports.http.responses import Hints

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tap_billing_reports.core.errors import AccountError, NotFound
    from tap_billing_reports.declare.endpoints import Account, Endpoint, Host, Record, SourceClient
    from tap_billing_reports.declare.invoices import InvoiceApi
    from tap_billing_reports.declare.reports import ReportApi, ReportTypeApi
    from tap_billing_reports.declare.settings import FromSettings, Schema, Setting, Values
    from tap_billing_reports.http.auth import Authenticator
    from tap_billing_reports.http.responses import Answer, Problem
    from tap_billing_reports.http.sign_in import SignIn


@dataclass(frozen=True)
class Source:
    """A vendor, whole."""

    name: str
    title: str
    zone: str
    settings: tuple[Setting, ...]
    hosts: tuple[Host, ...]
    authenticator: Callable[[Values], Authenticator | SignIn]
    account_label: FromSettings[str]
    """Whose credentials these are, for messages; never a secret."""
    accounts: Callable[[SourceClient], Iterable[Account | AccountError]]
    """The accounts to read. An entry of the vendor's list that names none stands as the error that it is: it fails by
    itself, and the others are read. What is raised ends the whole list."""
    headers: Callable[[Values], Mapping[str, str]] = lambda _values: {}
    read_problem: Callable[[Answer], Problem | None] | None = None
    hints: Hints = field(default_factory=Hints)
    """The vendor's own headers that say whether to try again."""
    gone: Callable[[NotFound], bool] = lambda _error: False
    """Whether a 404 or 410 is the vendor's own word that a run, a file or an invoice is gone. Any other says nothing:
    a proxy's page, an empty body, and the answer to a key of another mode look alike."""
    link_hosts: tuple[str, ...] = ()
    """Where the vendor's signed links to files may lead beside `hosts`: a host, or `*.` and the end of one."""
    same_get_seconds: float = 0
    """The least time between two GETs of one URL, for a vendor that refuses identical calls in quick succession."""
    check: Callable[[Values], Iterable[str]] = lambda _values: ()
    """What is wrong with the settings beyond their schemas, one line each, without their values."""
    invoices: InvoiceApi | None = None
    report_types: ReportTypeApi | None = None
    reports: ReportApi | None = None
    columns: Mapping[str, Mapping[str, Schema]] = field(default_factory=dict)
    """Stream -> columns that this source adds to it, while it is on; their names begin with the source's."""
    realm: Callable[[Values], Mapping[str, str]] = lambda _values: {}
    """What, beside the hosts, makes the same question another one, such as test or live data; only what is known."""
    realm_of: Callable[[Record], Mapping[str, str]] = lambda _record: {}
    """What one object of an answer says of the same; nothing where it does not say."""
    account_header: str = ""
    """The header of an answer that names the account it is for; not every answer need have it."""
    global_ids: bool = False
    """No two accounts have an invoice or a run with the same id: one that is listed under two was not asked right."""
    rights: Mapping[str, str] = field(default_factory=dict)
    """What to ask the vendor for where `invoices`, `reports` or `files` are refused, in the vendor's own terms."""

    def __post_init__(self) -> None:
        # A frozen value: `guarded` gives an equal one whose functions name themselves when they fail.
        if self.invoices is not None:
            object.__setattr__(self, "invoices", guarded(self.invoices, self.name))
        if self.report_types is not None:
            object.__setattr__(self, "report_types", guarded(self.report_types, self.name))
        if self.reports is not None:
            object.__setattr__(self, "reports", guarded(self.reports, self.name))
        own = guarded(_Functions(self.accounts, self.check, self.gone, self.realm_of), self.name)
        for name in ("accounts", "check", "gone", "realm_of"):
            object.__setattr__(self, name, getattr(own, name))

    def problems(self, values: Values | None = None) -> list[str]:
        """What is wrong with the declaration itself, one line each; nothing for one that can be used.

        Args:
            values: the tap's settings. Without them nothing is said of what only settings tell.
        """
        found = [
            *name_problems(self.name, self.settings, self.columns),
            *host_problems(self.hosts, self.settings),
            *column_problems(self.columns),
            *pattern_problems(self.link_hosts),
            *unknown_settings(self._read_settings(), self.settings),
        ]
        if self.reports is not None and self.reports.not_yet is not None:
            found += path_problems("reports.not_yet", flag=self.reports.not_yet.flag)
        if values is not None and isinstance(sign_in := self.authenticator(values), TokenSignIn):
            found += path_problems("authenticator", token=sign_in.token, expires_in=sign_in.expires_in)
        hosts = {host.name for host in self.hosts}
        for where, endpoint, filled in self._endpoints(values):
            found += endpoint_problems(where, endpoint, hosts, filled)
        if self.report_types is not None:
            found += field_problems("report_types.fields", self.report_types.fields, "report_types", self.columns)
        if self.invoices is not None and values is not None:
            found += field_problems("invoices.fields", self.invoices.fields_by(values), "invoices", self.columns)
        if self.reports is not None and values is not None:
            found += self._problems_of_reports(self.reports, values)
        return found

    def _read_settings(self) -> Iterator[tuple[str, object]]:
        """Where the name of a setting may stand, and what stands there."""
        yield "account_label", self.account_label
        if self.invoices is not None:
            yield "invoices.lookback", self.invoices.lookback
            yield "invoices.wants_documents", self.invoices.wants_documents
        if self.reports is not None:
            yield "reports.budget", self.reports.budget
            yield "reports.skip_setting", self.reports.skip_setting
            if (ordered := self.reports.orders(None)) is not None:
                yield "reports.retrieval.reorder_setting", ordered.reorder_setting

    def _problems_of_reports(self, api: ReportApi, values: Values) -> Iterator[str]:
        orders = api.orders(values)
        for report in api.configured(values):
            retrieval = api.retrieval_of(report)
            if isinstance(report.cadence, PerInvoice) and self.invoices is None:
                yield f"reports: nothing says how the invoices that {report.name} has a run for are listed"
            if isinstance(retrieval, PagedRows):
                yield from (f"reports.retrieval of {report.name}: {problem}" for problem in retrieval.problems())
            elif isinstance(retrieval, OrderedRuns) and retrieval is not orders:
                yield f"reports.retrieval of {report.name}: all reports that are ordered share one OrderedRuns"
            if isinstance(report.cadence, Listed):
                listing = report.cadence.listing
                where = f"reports.listing of {report.name}"
                yield from path_problems(where, subject=listing.subject, day=listing.day)
            described = api.described_headers(report)
            if (form := api.csv(report)) is not None:
                yield from form_problems(f"reports.csv of {report.name}", form.cells, described)
            yield from form_problems(f"reports.cells of {report.name}", api.cells(report), described)

    def _endpoints(self, values: Values | None) -> Iterator[tuple[str, Endpoint, frozenset[str] | None]]:
        """Where each endpoint stands, itself, and the names that its path is given (None: a function tells)."""
        if values is not None and isinstance(sign_in := self.authenticator(values), TokenSignIn):
            yield "authenticator.endpoint", sign_in.endpoint, frozenset()
        if self.report_types is not None:
            yield "report_types.endpoint", self.report_types.endpoint, None
        if (invoices := self.invoices) is not None:
            if values is not None:
                yield "invoices.endpoint", invoices.endpoint_by(values), None
            if invoices.by_id is not None:
                yield "invoices.by_id", invoices.by_id, frozenset({"account_id", "invoice_id"})
            if invoices.document is not None:
                yield "invoices.document", invoices.document, None
        if self.reports is not None:
            yield from self._endpoints_of_reports(self.reports, values)

    @staticmethod
    def _endpoints_of_reports(
        reports: ReportApi, values: Values | None
    ) -> Iterator[tuple[str, Endpoint, frozenset[str] | None]]:
        if (ordered := reports.orders(values)) is not None:
            yield "reports.retrieval.order", ordered.order, None
            yield "reports.retrieval.status", ordered.status, frozenset({"account_id", "run_id"})
            if ordered.runs is not None:
                yield "reports.retrieval.runs", ordered.runs, frozenset({"account_id"})
        for report in () if values is None else reports.configured(values):
            if isinstance(paged := reports.retrieval_of(report), PagedRows):
                yield f"reports.retrieval of {report.name}", paged.endpoint, None
            if isinstance(report.cadence, Listed):
                yield f"reports.listing of {report.name}", report.cadence.listing.endpoint, None

    def label(self, values: Values) -> str:
        """Whose credentials these are, for messages."""
        return str(value_of(self.account_label, values))

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(setting.name for setting in self.settings if setting.required)

    def whole_realm(self, values: Values) -> dict[str, str]:
        """Where the settings' data come from: the hosts, and what the source itself adds.

        State, journal and kept files of one realm say nothing about another. Ports are left out: they tell nothing.
        """
        urls = (values.get(host.setting) or host.url for host in self.hosts)
        hosts = dict.fromkeys(filter(None, (urlsplit(url).hostname for url in urls)))
        return {"host": " ".join(hosts), **self.realm(values)}

    def is_on(self, values: Values) -> bool:
        return any(values.get(name) for name in self.required)


@dataclass(frozen=True)
class _Functions:
    """Those functions of a source itself whose mistakes end one account or list."""

    accounts: Callable[[SourceClient], Iterable[Account | AccountError]]
    check: Callable[[Values], Iterable[str]]
    gone: Callable[[NotFound], bool]
    realm_of: Callable[[Record], Mapping[str, str]]
