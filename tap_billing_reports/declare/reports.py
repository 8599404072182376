"""How a vendor's report types are listed, and its reports got and read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tap_billing_reports.declare.retrieval import OrderedRuns

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from tap_billing_reports.core.columns import ColumnType
    from tap_billing_reports.core.errors import Refused
    from tap_billing_reports.declare.csv_form import Cells, CsvForm
    from tap_billing_reports.declare.endpoints import Account, Endpoint, Field, SourceClient
    from tap_billing_reports.declare.not_yet import NotYetWhen
    from tap_billing_reports.declare.report import Report
    from tap_billing_reports.declare.retrieval import Retrieval
    from tap_billing_reports.declare.rows import BalanceChain, RollForward, RowIdentity, StatedTotal
    from tap_billing_reports.declare.runs import Interval, Ordered, Parameters, Period, RemoteFile, Run
    from tap_billing_reports.declare.settings import FromSettings, Values


@dataclass(frozen=True)
class ReportTypeApi:
    """How the report types of an account are listed."""

    endpoint: Endpoint
    fields: tuple[Field, ...]
    path: Callable[[Account], Mapping[str, str]] = lambda _account: {}
    """What the endpoint's names stand for."""


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


@dataclass(frozen=True, kw_only=True)
class ReportApi:
    """How reports are configured, got and collected."""

    configured: Callable[[Values], Iterable[Report]]
    parameters: Callable[[Report, Period], Parameters]
    """What the run is asked for; runs with equal parameters are interchangeable."""
    retrieval: Retrieval | Callable[[Report], Retrieval]
    """How reports are got: all of them, or each."""
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

    def described_headers(self, report: Report) -> set[str]:
        """The headers of all known types; none where they are not all told, or nobody has described this report."""
        if not any(self.headers(report)):
            return set()
        known = {header for other in self.known_types for header in self.headers(replace(report, report_type=other))}
        return {*known, *self.headers(report)} if known else known

    def retrieval_of(self, report: Report) -> Retrieval:
        """How a report is got."""
        return self.retrieval(report) if callable(self.retrieval) else self.retrieval

    def orders(self, values: Values | None) -> OrderedRuns | None:
        """How runs are ordered and listed; None where no report is ordered, or where only settings tell."""
        if not callable(self.retrieval):
            return self.retrieval if isinstance(self.retrieval, OrderedRuns) else None
        found = (self.retrieval_of(report) for report in (() if values is None else self.configured(values)))
        return next((one for one in found if isinstance(one, OrderedRuns)), None)
