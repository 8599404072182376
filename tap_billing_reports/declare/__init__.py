"""What a vendor's declaration is made of. Plain frozen values and small functions; nothing here talks HTTP.

A declaration answers: which settings, hosts and authenticator; which endpoints with which paging; which
vendor field becomes which column; and how a report is ordered, polled and collected.
"""

from __future__ import annotations

from tap_billing_reports.core.errors import NotYet
from tap_billing_reports.declare.cadence import ALL, Cadence, Listed, PerInvoice, Subjects, Unit, Windowed
from tap_billing_reports.declare.csv_form import CsvForm
from tap_billing_reports.declare.endpoints import (
    Account,
    Asked,
    Convert,
    CursorPaging,
    Endpoint,
    Field,
    Host,
    LinkPaging,
    Need,
    NumberPaging,
    Objection,
    OffsetPaging,
    Paging,
    Query,
    Record,
    SourceClient,
    TokenPaging,
    no_objection,
)
from tap_billing_reports.declare.invoices import InvoiceApi
from tap_billing_reports.declare.listing import Listing
from tap_billing_reports.declare.not_yet import NotYetWhen
from tap_billing_reports.declare.reports import ComparedTotal, OrderCall, ReportApi, ReportTypeApi, XmlForm
from tap_billing_reports.declare.rows import BalanceChain, RollForward, RowIdentity, StatedTotal
from tap_billing_reports.declare.runs import (
    Interval,
    Ordered,
    Parameters,
    Period,
    RemoteFile,
    Report,
    Run,
    RunStatus,
)
from tap_billing_reports.declare.settings import (
    COUNT,
    DAYS,
    FLAG,
    REPORT_NAME,
    TEXT,
    TEXTS,
    Schema,
    Setting,
    Values,
    parameters_schema,
    reports_schema,
)
from tap_billing_reports.declare.sign_in import TokenSignIn
from tap_billing_reports.declare.source import Source
from tap_billing_reports.declare.unordered import PagedRows, ReadyFiles, Unordered
from tap_billing_reports.http.responses import Hints

__all__ = [
    "ALL",
    "COUNT",
    "DAYS",
    "FLAG",
    "REPORT_NAME",
    "TEXT",
    "TEXTS",
    "Account",
    "Asked",
    "BalanceChain",
    "Cadence",
    "ComparedTotal",
    "Convert",
    "CsvForm",
    "CursorPaging",
    "Endpoint",
    "Field",
    "Hints",
    "Host",
    "Interval",
    "InvoiceApi",
    "LinkPaging",
    "Listed",
    "Listing",
    "Need",
    "NotYet",
    "NotYetWhen",
    "NumberPaging",
    "Objection",
    "OffsetPaging",
    "OrderCall",
    "Ordered",
    "PagedRows",
    "Paging",
    "Parameters",
    "PerInvoice",
    "Period",
    "Query",
    "ReadyFiles",
    "Record",
    "RemoteFile",
    "Report",
    "ReportApi",
    "ReportTypeApi",
    "RollForward",
    "RowIdentity",
    "Run",
    "RunStatus",
    "Schema",
    "Setting",
    "Source",
    "SourceClient",
    "StatedTotal",
    "Subjects",
    "TokenPaging",
    "TokenSignIn",
    "Unit",
    "Unordered",
    "Values",
    "Windowed",
    "XmlForm",
    "no_objection",
    "parameters_schema",
    "reports_schema",
]
