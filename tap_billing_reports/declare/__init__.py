"""What a vendor's declaration is made of. Plain frozen values and small functions; nothing here talks HTTP.

A declaration answers: which settings, hosts and authenticator; which endpoints with which paging; which
vendor field becomes which column; and how a report is got: by an order, as rows of a list, or as files.
"""

from __future__ import annotations

from tap_billing_reports.core.about import About
from tap_billing_reports.core.dates import parse_utc, utc_text
from tap_billing_reports.core.errors import (
    AccountError,
    AuthenticationFailed,
    NotYet,
    ReportError,
    Unavailable,
    Unreadable,
)
from tap_billing_reports.declare import converters as to
from tap_billing_reports.declare import csv_form as cells
from tap_billing_reports.declare.cadence import ALL, PerInvoice, Subjects, Unit, Windowed
from tap_billing_reports.declare.catalogue import Catalogue
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
from tap_billing_reports.declare.not_yet import NotYetWhen
from tap_billing_reports.declare.objections import same, within
from tap_billing_reports.declare.paths import fill, value_at
from tap_billing_reports.declare.problems import problem_at
from tap_billing_reports.declare.report import Cadence, Listed, Listing, Report
from tap_billing_reports.declare.reports import ComparedTotal, ReportApi, ReportTypeApi, XmlForm
from tap_billing_reports.declare.retrieval import OrderCall, OrderedRuns, PagedRows, ReadyFiles, Retrieval
from tap_billing_reports.declare.rows import BalanceChain, RollForward, RowIdentity, StatedTotal
from tap_billing_reports.declare.runs import (
    Interval,
    Ordered,
    Parameters,
    Period,
    RemoteFile,
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
    FromSettings,
    Schema,
    Setting,
    Values,
    parameters_schema,
    reports_schema,
    settings_of,
)
from tap_billing_reports.declare.sign_in import TokenSignIn
from tap_billing_reports.declare.source import Source
from tap_billing_reports.http.auth import (
    Authenticator,
    BearerAuthenticator,
    HeaderAuthenticator,
    QueryKeyAuthenticator,
)
from tap_billing_reports.http.responses import Answer, Hints, Problem
from tap_billing_reports.http.sent import Sent
from tap_billing_reports.http.sign_in import SignedIn, SignIn, SignInCall

__all__ = [
    "ALL",
    "COUNT",
    "DAYS",
    "FLAG",
    "REPORT_NAME",
    "TEXT",
    "TEXTS",
    "About",
    "Account",
    "AccountError",
    "Answer",
    "Asked",
    "AuthenticationFailed",
    "Authenticator",
    "BalanceChain",
    "BearerAuthenticator",
    "Cadence",
    "Catalogue",
    "ComparedTotal",
    "Convert",
    "CsvForm",
    "CursorPaging",
    "Endpoint",
    "Field",
    "FromSettings",
    "HeaderAuthenticator",
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
    "OrderedRuns",
    "PagedRows",
    "Paging",
    "Parameters",
    "PerInvoice",
    "Period",
    "Problem",
    "Query",
    "QueryKeyAuthenticator",
    "ReadyFiles",
    "Record",
    "RemoteFile",
    "Report",
    "ReportApi",
    "ReportError",
    "ReportTypeApi",
    "Retrieval",
    "RollForward",
    "RowIdentity",
    "Run",
    "RunStatus",
    "Schema",
    "Sent",
    "Setting",
    "SignIn",
    "SignInCall",
    "SignedIn",
    "Source",
    "SourceClient",
    "StatedTotal",
    "Subjects",
    "TokenPaging",
    "TokenSignIn",
    "Unavailable",
    "Unit",
    "Unreadable",
    "Values",
    "Windowed",
    "XmlForm",
    "cells",
    "fill",
    "no_objection",
    "parameters_schema",
    "parse_utc",
    "problem_at",
    "reports_schema",
    "same",
    "settings_of",
    "to",
    "utc_text",
    "value_at",
    "within",
]
