"""How a vendor's report types are listed, and its reports ordered, polled and collected."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tap_billing_reports.declare.endpoints import Endpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from tap_billing_reports.core.columns import ColumnType
    from tap_billing_reports.core.errors import Refused
    from tap_billing_reports.declare.csv_form import Cells, CsvForm
    from tap_billing_reports.declare.endpoints import Account, Field, Query, Record, SourceClient
    from tap_billing_reports.declare.listing import Listing
    from tap_billing_reports.declare.not_yet import NotYetWhen
    from tap_billing_reports.declare.rows import BalanceChain, RollForward, RowIdentity, StatedTotal
    from tap_billing_reports.declare.runs import Interval, Ordered, Parameters, Period, RemoteFile, Report, Run
    from tap_billing_reports.declare.settings import FromSettings, Values
    from tap_billing_reports.declare.unordered import Unordered
    from tap_billing_reports.http.responses import Answer


@dataclass(frozen=True)
class ReportTypeApi:
    """How the report types of an account are listed."""

    endpoint: Endpoint
    fields: tuple[Field, ...]
    path: Callable[[Account], Mapping[str, str]] = lambda _account: {}
    """What the endpoint's names stand for."""


@dataclass(frozen=True)
class OrderCall:
    """How an order goes out: query, and a form or JSON as its body; and the path's names."""

    path: Mapping[str, str] = field(default_factory=dict)
    params: Query = field(default_factory=list)
    form: Query | None = None
    json: Mapping[str, Any] | None = None
    """The body as JSON; Decimals keep their digits."""

    def __post_init__(self) -> None:
        if self.form is not None and self.json is not None:
            raise ValueError("form and json: a body is one of them")


@dataclass(frozen=True)
class ComparedTotal:
    """A column total of a report that must equal that of another one: the same movements, itemized and summed up."""

    family: str
    side: str
    """`itemized` or `summary`."""
    column: str
    """The row column whose total must be equal on both sides."""
    only: tuple[str, str] | None = None
    """A row column and the value that it has in the rows that count; None: all rows count."""
    is_opposite: bool = False
    """What one side adds the other takes off: the totals must be opposite."""
    check: str = "itemized_vs_summary"
    """The name of the check."""


@dataclass(frozen=True)
class XmlForm:
    """How the vendor's XML reports are built: local names of their elements, whatever their namespace."""

    lines: str
    """The element that holds the lines."""
    line: str
    """One line: its children are the fields."""
    metadata: str = ""
    """The element in which a file tells of itself; empty: none does."""
    rows: str = ""
    """Therein, the number of lines. Where it is named, a file without it cannot be shown to be whole; empty: no file
    says it."""
    counts_blank: bool | None = False
    """Whether that number counts lines without content; None: the vendor does not say, and both are right."""

    def counted(self, rows: int, blank: int, declared: int | None) -> int:
        """The lines of a file as the vendor counts them.

        Args:
            rows: lines with content.
            blank: lines without.
            declared: what the file says, which decides where the vendor does not say how it counts.
        """
        if self.counts_blank is None:
            return declared if declared == rows + blank else rows
        return rows + blank if self.counts_blank else rows


NOT_ORDERED = Endpoint("", "/")


def _not_ordered(*_: object) -> Any:
    raise ValueError("nothing is ordered here")


def _no_window(_parameters: Parameters) -> tuple[datetime | None, datetime]:
    raise ValueError("no window")


@dataclass(frozen=True, kw_only=True)
class ReportApi:
    """How reports are configured, got and collected."""

    configured: Callable[[Values], Iterable[Report]]
    parameters: Callable[[Report, Period], Parameters]
    """What the run is asked for; runs with equal parameters are interchangeable."""
    unordered: Callable[[Report], Unordered | None] = lambda _report: None
    """How a report is got that is there without an order. None: it is ordered, by the next five."""
    listing: Callable[[Report], Listing | None] = lambda _report: None
    """Where the subjects of a report with the cadence `Listed` come from."""
    order: Endpoint = NOT_ORDERED
    order_call: Callable[[Account, Report, Parameters], OrderCall] = _not_ordered
    read_order: Callable[[Answer], Run] = _not_ordered
    status: Endpoint = NOT_ORDERED
    """By `{run_id}`."""
    read_status: Callable[[Answer, str], Run] = _not_ordered
    """The answer and the run's id."""
    read_run: Callable[[Record], Run] | None = None
    """Instead of `read_order`, `read_status` and `read_listed`, where a run is the same JSON object in all answers."""
    headers: Callable[[Report], Iterable[str]]
    """The headers that the report's file is known to have; none for a report that nobody has described."""
    column_type: Callable[[Report, str], ColumnType]
    """The type of a column, known or new, by its header."""
    budget: FromSettings[int] = lambda _values: 1
    """Runs that may wait at once."""
    describe: Callable[[Report, str], str | None] = lambda _report, _header: None
    """What a column holds and when it is null, in sentences, by its header or, of `common_columns`, its name; its type
    and zone are told beside that. None: nobody has described it."""
    known_types: Collection[str] = ()
    """The report types that have been described, for a hint where one is misspelt; others can be configured as well."""
    csv: Callable[[Report], CsvForm | None] = lambda _report: None
    """How a report's CSV is written, where that is not with commas, in UTF-8, with plain cells."""
    cells: Callable[[Report], Mapping[str, Cells]] = lambda _report: {}
    """Of NDJSON: name, joined by dots where it is within others -> how such values are written."""
    xml: XmlForm | None = None
    """The elements of an XML report."""
    orders_are_free: bool = False
    """Another order of the same costs nothing: a run that could not be used twice is given up for a new one."""
    reorder_setting: str = ""
    """Where orders may cost: the setting, a flag that is false by default, which allows that all the same."""
    refuses_report: Callable[[Refused], bool] = lambda _error: False
    """Whether a refused order says, in the vendor's own words, that no other period of the report can be had either."""
    skip_setting: str = ""
    """The setting that names invoices, by number, whose reports of one run an invoice are not ordered."""
    only_listed: bool = False
    """A type that is not in the account's list of report types cannot be had."""
    common_columns: Callable[[Report], Mapping[str, Sequence[str]]] = lambda _report: {}
    """Columns that mean the same in all layouts of an XML report's lines: name -> the headers that hold it, the first
    with text in a line is taken, typed as the first of them. They come beside the vendor's own columns."""
    holds_money: Callable[[Report, str], bool] | None = None
    """Whether a column holds amounts or their currency, by its header. None: columns of the types `decimal` and
    `currency`. Asked of XML and NDJSON, which leave out what a line does not have: a whole file without such a column
    is refused if files before had it. Of CSV, every column that was there before must be there."""
    currency_of: Callable[[Report], Mapping[str, str]] = lambda _report: {}
    """Header of an amount -> header of its currency: an XML file that has the one must have the other, the first time,
    too."""
    idempotency_header: str | None = None
    """Where set, an order that is sent again with the same key is the same order; else it is never resent."""
    repeatable: bool = False
    """Orders take no key, but one more of the same does no harm: it is sent again when its answer was lost."""
    runs: Endpoint | None = None
    """Lists runs, newest first; None: runs cannot be listed, so none can be adopted."""
    list_query: Callable[[datetime], Query] | None = None
    """The query for runs created at or after an instant."""
    listed_for: timedelta = timedelta(days=365)
    """How far back runs are listed, by their creation: for as long as the vendor keeps their files, as an older run
    has nothing left to use. The default bounds the list of a vendor that does not say."""
    read_listed: Callable[[Record], Run] | None = None
    window: Callable[[Parameters], tuple[datetime | None, datetime]] = _no_window
    """A listed run's window, from its parameters: start (None where the type takes none) and end. ValueError: none."""
    availability: Callable[[SourceClient, Account, str], Interval] | None = None
    """What data a report type has; None: up to the start of today in the report's zone."""
    stale_after_hours: int | None = None
    """With `availability`: the most hours that its end may lag behind the present; the check `freshness`. None: the
    vendor promises nothing, and the lag is only told."""
    out_of_range: Callable[[Refused], bool] = lambda _error: False
    """Whether a refusal means that availability has moved since it was read."""
    not_yet: NotYetWhen | None = None
    """How the vendor says that a period is not due yet: it is left to a later sync, which is no failure. None: only
    what a function raises as `NotYet` is taken so."""
    extra_files: Callable[[Report, Run], tuple[RemoteFile, ...]] = lambda _report, _run: ()
    """Files of a finished run that are kept beside that of its rows."""
    file_objection: Callable[[Ordered, Mapping[str, str]], str | None] = lambda _ordered, _metadata: None
    """How a file shows, by what it says of itself, that it is not what was ordered; None: nothing shows it."""
    sums: Callable[[Report], tuple[Mapping[str, str], ...]] = lambda _report: ()
    """Row column -> name of the reconciliation that compares its sum with the invoice's amount: one mapping for each
    kind of line that a file may hold. The first that has a column of the file counts, with all of its columns."""
    stand_ins: Callable[[Values, Report], Mapping[str, str]] = lambda _values, _report: {}
    """Of a report of one run an invoice: the one row of an invoice of which the list says that it has no report, as
    row column -> column of `invoices`; empty: none. It is the invoice's first row: one of a report that comes later
    takes its place."""
    compared: Callable[[Report], ComparedTotal | None] = lambda _report: None
    """Which total of its rows can be compared with another report's."""
    row_identity: Callable[[Report], RowIdentity | None] = lambda _report: None
    """What holds in each row of a CSV report; the check `row_identity`. None: nothing is known to."""
    rolls_forward: Callable[[Report], RollForward | None] = lambda _report: None
    """How the rows of a CSV report make a balance; the check `balance_rolls_forward`. None: they do not."""
    stated: Callable[[Report, Period], Sequence[StatedTotal]] = lambda _report, _period: ()
    """What the vendor's list says of a period that its rows must add up to; the check `stated_total`, one each."""
    chain: Callable[[Report], BalanceChain | None] = lambda _report: None
    """How each row goes on with the balance of the one before; the checks `balance_chain` of a period and
    `balance_goes_on` from period to period. None: rows hold no balance."""

    def __post_init__(self) -> None:
        if (read := self.read_run) is not None:
            self._read_by(read)
        if len({value is absent for value, absent in self._ordering}) > 1:
            raise ValueError("order, order_call, read_order, status and read_status: all of them, or none")

    def _read_by(self, read: Callable[[Record], Run]) -> None:
        """Take `read_run` for those that are not given: the engine knows those alone."""
        if self.read_order is _not_ordered:
            object.__setattr__(self, "read_order", lambda answer: read(answer.record()))
        if self.read_status is _not_ordered:
            object.__setattr__(self, "read_status", lambda answer, _run_id: read(answer.record()))
        if self.read_listed is None:
            object.__setattr__(self, "read_listed", read)

    @property
    def is_ordered(self) -> bool:
        """Whether it says how reports are ordered."""
        return self.order is not NOT_ORDERED

    @property
    def _ordering(self) -> list[tuple[object, object]]:
        """What says how reports are ordered, each with what stands there where nothing is."""
        functions = (self.order_call, self.read_order, self.read_status)
        given = [getattr(function, "__wrapped__", function) for function in functions]
        return [
            *((endpoint, NOT_ORDERED) for endpoint in (self.order, self.status)),
            *((function, _not_ordered) for function in given),
        ]
