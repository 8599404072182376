"""What a vendor's declaration is made of. Plain frozen values and small functions; nothing here talks HTTP.

A declaration answers: which settings, hosts and authenticator; which endpoints with which paging; which
vendor field becomes which column; and how a report is ordered, polled and collected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, Protocol
from zoneinfo import ZoneInfo

from tap_billing_reports.columns import column_name

if TYPE_CHECKING:
    from datetime import date, datetime

    from tap_billing_reports.answers import Answer, Problem
    from tap_billing_reports.auth import Authenticator
    from tap_billing_reports.columns import ColumnType
    from tap_billing_reports.errors import Refused

Values = Mapping[str, Any]
"""The tap's settings, flat, validated, with defaults filled in."""

Record = Mapping[str, Any]
"""One object of a vendor: JSON as parsed, or XML as nested dicts of text."""

Query = list[tuple[str, str]]

Schema = Mapping[str, Any]
"""A JSON Schema."""


# -- settings, hosts, endpoints ------------------------------------------------------------------------


@dataclass(frozen=True)
class Setting:
    """One flat setting. A source is on when any of its required settings is non-empty; then all must be there."""

    name: str
    description: str
    schema: Schema = field(default_factory=lambda: {"type": "string"})
    required: bool = False
    secret: bool = False
    default: Any = None


TEXT: Schema = {"type": "string", "minLength": 1}
TEXTS: Schema = {"type": "array", "items": TEXT}
FLAG: Schema = {"type": "boolean"}
DAYS: Schema = {"type": "integer", "minimum": 0}
COUNT: Schema = {"type": "integer", "minimum": 1}

# With the source's name in front it is a stream's name, and fits PostgreSQL's 63 characters.
REPORT_NAME = r"^[a-z][a-z0-9_]{0,46}$"


def parameters_schema(*taken: str) -> Schema:
    """The schema of free run parameters: texts, whole numbers, booleans, lists of texts; none that others set.

    Args:
        taken: the names that other keys of the entry set.
    """
    return {
        "type": "object",
        "propertyNames": {
            "pattern": f"^(?!({'|'.join(taken)})$)",
            "description": f"parameters without a key of their own; {', '.join(taken)} have one.",
        },
        "additionalProperties": {"type": ["string", "integer", "boolean", "array"], "items": TEXT},
    }


def reports_schema(report_type: str, windows: Iterable[Unit], **more: Schema) -> Schema:
    """The schema of a setting that lists reports, each an entry for `Report.of`.

    Args:
        report_type: the pattern of the vendor's type names.
        windows: the windows that the vendor's runs can cover.
        more: what this vendor's entries take beside the keys that all have.
    """
    properties = {
        "report_type": {"type": "string", "pattern": report_type},
        "name": {"type": "string", "pattern": REPORT_NAME},
        "window": {"type": "string", "enum": [*windows]},
        "optional": FLAG,
        **more,
    }
    entry = {"type": "object", "required": ["report_type"], "additionalProperties": False, "properties": properties}
    return {"type": "array", "items": entry}


@dataclass(frozen=True)
class Host:
    """A base URL: `setting` overrides `url`. A host without `url` needs its setting."""

    name: str
    setting: str
    url: str = ""


@dataclass(frozen=True)
class CursorPaging:
    """Pages that continue after the last record: `parameter` = that record's `key`, while `more` is true."""

    parameter: str
    key: str
    more: str
    size: tuple[str, str]
    """The page size's parameter and value."""


@dataclass(frozen=True)
class TokenPaging:
    """Pages that name the next one: `parameter` = what stands at `next` (keys joined by a dot), until it is null."""

    parameter: str
    next: str
    size: tuple[str, str]
    """The page size's parameter and value."""

    @property
    def more(self) -> str:
        return self.next


@dataclass(frozen=True)
class Endpoint:
    """One call. `{names}` in `path` are filled with percent-encoded values."""

    host: str
    path: str
    method: Literal["GET", "POST"] = "GET"
    accept: str = "application/json"
    records: tuple[str, ...] = ()
    """Keys (or XML tags of the list) under which the records may stand; a bare list is taken too."""
    record: str = ""
    """Key or XML tag of a single record, for answers that hold one or a list."""
    paging: CursorPaging | TokenPaging | None = None


class Asker(Protocol):
    """A source with its door open, as the functions of a declaration see it."""

    values: Values

    def ask(
        self,
        endpoint: Endpoint,
        *,
        path: Mapping[str, str] | None = None,
        params: Query | None = None,
        account: Account | None = None,
    ) -> Answer:
        """The whole answer of one call."""

    def records(
        self,
        endpoint: Endpoint,
        *,
        path: Mapping[str, str] | None = None,
        params: Query | None = None,
        account: Account | None = None,
    ) -> Iterator[Record]:
        """The records of all pages."""

    def today(self) -> date:
        """The current day in the source's own zone."""


# -- fields --------------------------------------------------------------------------------------------

Convert = Callable[[Any, Record], Any]
"""A vendor's value and the record around it -> the column's value. ValueError refuses the value."""


@dataclass(frozen=True)
class Field:
    """Column `name` from the vendor's value at `path` (keys joined by a dot), converted; missing is null."""

    name: str
    path: str
    convert: Convert


# -- accounts, invoices, report types ------------------------------------------------------------------


@dataclass(frozen=True)
class Account:
    """One account of a source: what a bookmark, a ledger entry and every key belong to."""

    source: str
    account_id: str
    kind: str
    name: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    record: Record | None = None


@dataclass(frozen=True)
class InvoiceApi:
    """How an account's invoices are read."""

    endpoint: Callable[[Values], Endpoint]
    queries: Callable[[Asker, Account, date, date], Iterable[Query]]
    """The requests for invoices dated from..to, both inclusive, in the source's zone."""
    fields: Callable[[Values], tuple[Field, ...]]
    lookback: Callable[[Values], int] | None
    """Days before the bookmark that are read again; None: the vendor has no date filter, all is read."""
    path: Callable[[Account], Mapping[str, str]] = lambda _account: {}
    """What the endpoint's names stand for."""
    horizon_days: int | None = None
    """The vendor keeps no more than this; what lies beyond is named, not silently missed."""
    by_id: Endpoint | None = None
    """Reads one invoice by `{invoice_id}`: for those remembered as unsettled beyond the look-back."""
    unsettled: frozenset[str] = frozenset()
    """Statuses (ours) whose invoices are remembered until they settle."""
    hidden: frozenset[str] = frozenset()
    """Fields left out of `source_record`: links and secrets that open the document to anybody."""
    document: Endpoint | None = None
    """The invoice's PDF, by the names of `path` and `{invoice_id}`."""
    wants_documents: Callable[[Values], bool] = lambda _values: True
    """Whether the settings ask for the PDFs."""


@dataclass(frozen=True)
class ReportTypeApi:
    """How the report types of an account are listed."""

    endpoint: Endpoint
    fields: tuple[Field, ...]
    path: Callable[[Account], Mapping[str, str]] = lambda _account: {}
    """What the endpoint's names stand for."""


# -- reports -------------------------------------------------------------------------------------------

Unit = Literal["day", "week", "month", "all"]
Parameters = Mapping[str, Any]
"""Parameters of a run: text, or a list of texts. Equal parameters are the same report."""


class RunStatus(str, Enum):
    """Where a run stands, whatever the vendor calls it."""

    PENDING = "pending"
    READY = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True)
class RemoteFile:
    """A result file at the vendor. `size` in bytes, None where the vendor does not declare it."""

    file_id: str
    format: Literal["csv", "xml", "xlsx"]
    host: str
    path: str
    size: int | None = None
    created_at: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True)
class Run:
    """One run as the vendor last described it."""

    run_id: str
    status: RunStatus
    source_status: str
    report_type: str = ""
    parameters: Parameters = field(default_factory=dict)
    created_at: datetime | None = None
    finished_at: datetime | None = None
    error: str | None = None
    file: RemoteFile | None = None


@dataclass(frozen=True)
class Report:
    """One configured report: the rows of one stream.

    `unit` None means one run a subject: those of `subjects`, or every invoice with a specification where
    `per_invoice` is set, or the one subject `all` where neither is.
    """

    source: str
    report_type: str
    name: str
    zone: str
    unit: Unit | None = "day"
    columns: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    subjects: tuple[str, ...] = ()
    per_invoice: bool = False
    include_partial: bool = False
    optional: bool = False
    lookback_days: int = 0
    keep_xlsx: bool = False

    @classmethod
    def of(cls, source: str, entry: Mapping[str, Any], **facts: Any) -> Report:
        """The report of a settings entry; `facts` are what it says beyond the keys that every source takes.

        Without a name it has its type's, in snake_case, with `ca` for `connected_account`: some are long.
        """
        report_type = entry["report_type"]
        name = entry.get("name") or column_name(report_type.replace("connected_account", "ca"))
        common = {"unit": entry.get("window") or "day", "optional": bool(entry.get("optional"))}
        return cls(source, report_type, name, **{**common, **facts})

    @property
    def stream(self) -> str:
        return f"{self.source}_{self.name}"

    @property
    def identity(self) -> dict[str, Any]:
        """What may not change while the report has state: other values would mix two reports in one stream."""
        facts = {
            "report_type": self.report_type,
            "window": self.unit,
            "timezone": self.zone,
            **self.parameters,
        }
        return {key: value for key, value in sorted(facts.items()) if value not in (None, "", {}, [], ())}


@dataclass(frozen=True)
class Interval:
    """Data available from `start` to `end`, aware UTC instants."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Period:
    """One period of one report: what one run covers and one ledger entry stands for.

    `key` is the calendar window's start (UTC, RFC 3339), the subject's id, or `all`; `start` and `end` are
    what is asked for (aware UTC, clamped to availability), None for subjects.
    """

    key: str
    start: datetime | None = None
    end: datetime | None = None
    subject: str | None = None

    def days(self, zone: str) -> tuple[date, date]:
        """A window's first and last day in a zone, for vendors that ask for whole days and count both ends."""
        assert self.start is not None
        assert self.end is not None
        within = self.end - timedelta(microseconds=1)
        return self.start.astimezone(ZoneInfo(zone)).date(), within.astimezone(ZoneInfo(zone)).date()


@dataclass(frozen=True)
class OrderCall:
    """How an order goes out: query or form, and the path's names."""

    path: Mapping[str, str] = field(default_factory=dict)
    params: Query = field(default_factory=list)
    form: Query | None = None


@dataclass(frozen=True)
class Twin:
    """A report that accounts for the same movements as another one, item by item or summed up."""

    family: str
    side: str
    """`itemized` or `summary`."""
    column: str
    """The row column whose total must be equal on both sides."""


@dataclass(frozen=True)
class ReportApi:
    """How reports are configured, ordered, polled and collected."""

    configured: Callable[[Values], Iterable[Report]]
    parameters: Callable[[Report, Period], Parameters]
    """What the run is asked for; runs with equal parameters are interchangeable."""
    order: Endpoint
    order_call: Callable[[Account, Report, Parameters], OrderCall]
    read_order: Callable[[Answer], Run]
    status: Endpoint
    """By `{run_id}`."""
    read_status: Callable[[Answer, str], Run]
    """The answer and the run's id."""
    format: Literal["csv", "xml"]
    headers: Callable[[Report], Iterable[str]]
    """The headers that the report's file is known to have; none for a report that nobody has described."""
    column_type: Callable[[Report, str], ColumnType]
    """The type of a column, known or new, by its header."""
    budget: Callable[[Values], int]
    """Runs that may wait at once."""
    idempotency_header: str | None = None
    """Where set, an order that is sent again with the same key is the same order; else it is never resent."""
    runs: Endpoint | None = None
    """Lists runs, newest first; None: runs cannot be listed, so none can be adopted."""
    list_query: Callable[[datetime], Query] | None = None
    """The query for runs created at or after an instant."""
    read_listed: Callable[[Record], Run] | None = None
    availability: Callable[[Asker, Account, str], Interval] | None = None
    """What data a report type has; None: up to the start of today in the report's zone."""
    out_of_range: Callable[[Refused], bool] = lambda _error: False
    """Whether a refusal means that availability has moved since it was read."""
    extra_files: Callable[[Report, Run], tuple[RemoteFile, ...]] = lambda _report, _run: ()
    """Files of a finished run that are kept beside that of its rows."""
    sums: Callable[[Report], Mapping[str, str]] = lambda _report: {}
    """Row column -> name of the reconciliation that compares its sum with the invoice's amount."""
    twin: Callable[[Report], Twin | None] = lambda _report: None
    """Which other report its total can be held against."""


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
    accounts: Callable[[Asker], Iterable[Account]]
    headers: Callable[[Values], Mapping[str, str]] = lambda _values: {}
    read_problem: Callable[[Answer], Problem | None] | None = None
    check: Callable[[Values], Iterable[str]] = lambda _values: ()
    """What is wrong with the settings beyond their schemas, one line each, without their values."""
    invoices: InvoiceApi | None = None
    report_types: ReportTypeApi | None = None
    reports: ReportApi | None = None
    columns: Mapping[str, Mapping[str, Schema]] = field(default_factory=dict)
    """Stream -> columns that this source adds to it, while it is on; their names begin with the source's."""
    rights: Mapping[str, str] = field(default_factory=dict)
    """What to ask the vendor for where `invoices`, `reports` or `files` are refused, in the vendor's own terms."""

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(setting.name for setting in self.settings if setting.required)

    def is_on(self, values: Values) -> bool:
        return any(values.get(name) for name in self.required)
