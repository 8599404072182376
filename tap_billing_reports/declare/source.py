"""A vendor, whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tap_billing_reports.http.responses import Hints

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tap_billing_reports.core.errors import AccountError, NotFound
    from tap_billing_reports.declare.endpoints import Account, Host, Record, SourceClient
    from tap_billing_reports.declare.invoices import InvoiceApi
    from tap_billing_reports.declare.reports import ReportApi, ReportTypeApi
    from tap_billing_reports.declare.settings import Schema, Setting, Values
    from tap_billing_reports.http.auth import Authenticator
    from tap_billing_reports.http.responses import Answer, Problem


@dataclass(frozen=True)
class Source:
    """A vendor, whole."""

    name: str
    title: str
    zone: str
    settings: tuple[Setting, ...]
    hosts: tuple[Host, ...]
    authenticator: Callable[[Values], Authenticator]
    account_label: Callable[[Values], str]
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
