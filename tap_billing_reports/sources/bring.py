"""Bring (Mybring) on one page: customers, invoices, invoice PDFs, asynchronous reports.

Facts: Bring's developer pages for the Reports and Invoice APIs, and live behaviour published by others, which
wins where the two differ. Every call is a GET, also the one that orders a report: it creates a new report each
time and must never be sent twice. Dates are whole days in Norwegian time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tap_billing_reports import converters as to
from tap_billing_reports.answers import Answer
from tap_billing_reports.auth import Authenticator, HeaderAuthenticator
from tap_billing_reports.columns import ColumnType, column_name
from tap_billing_reports.declarations import (
    Account,
    Asker,
    Endpoint,
    Field,
    Host,
    InvoiceApi,
    OrderCall,
    Parameters,
    Period,
    Query,
    Record,
    RemoteFile,
    Report,
    ReportApi,
    ReportTypeApi,
    Run,
    RunStatus,
    Setting,
    Source,
    Values,
)
from tap_billing_reports.errors import AccountError, ReportError
from tap_billing_reports.reading import tree
from tap_billing_reports.schemas import catalogue

ZONE = "Europe/Oslo"
NAME_PATTERN = r"^[a-z][a-z0-9_]{0,46}$"
# Bring refuses a user's twenty-first report in flight.
MOST_CONCURRENT = 20
SPECIFIED_INVOICE = "MASTER-SPECIFIED_INVOICE"

_TEXT = {"type": "string", "minLength": 1}
_REPORT_SCHEMA = {
    "type": "object",
    "required": ["report_type"],
    "additionalProperties": False,
    "properties": {
        "report_type": {"type": "string", "pattern": r"^[A-Za-z0-9_-]+$"},
        "name": {"type": "string", "pattern": NAME_PATTERN},
        "parameters": {"type": "object", "additionalProperties": {"type": ["string", "integer", "boolean"]}},
        "window": {"type": "string", "enum": ["day", "week", "month"]},
        "keep_xlsx": {"type": "boolean"},
        "lookback_days": {"type": "integer", "minimum": 0},
        "optional": {"type": "boolean"},
    },
}

SETTINGS = (
    Setting("bring_api_uid", "Bring: the Mybring user's e-mail address.", required=True),
    Setting("bring_api_key", "Bring: that user's API key.", required=True, secret=True),
    Setting("bring_client_url", "Bring: the URL of the service that uses the API.", required=True),
    Setting(
        "bring_customers",
        "Bring: customer numbers to read; unset: all that the user may see.",
        {"type": "array", "items": _TEXT},
    ),
    Setting(
        "bring_language",
        "Bring: language of names and texts in reports (no, en, sv, da).",
        {"type": "string", "pattern": "^[a-z]{2}(-[A-Z]{2})?$"},
        default="en",
    ),
    Setting(
        "bring_lookback_days",
        "Bring: days before the bookmark whose invoices are read again.",
        {"type": "integer", "minimum": 0},
        default=65,
    ),
    Setting(
        "bring_invoice_lines",
        "Bring: order the specified invoice of every invoice that has one: one line a charge.",
        {"type": "boolean"},
        default=True,
    ),
    Setting(
        "bring_invoice_documents",
        "Bring: fetch every invoice's PDF (needs storage_url).",
        {"type": "boolean"},
        default=False,
    ),
    Setting(
        "bring_max_concurrent_runs",
        "Bring: reports that may be in the making at once; Bring refuses more than 20.",
        {"type": "integer", "minimum": 1, "maximum": MOST_CONCURRENT},
        default=10,
    ),
    Setting(
        "bring_reports",
        "Bring: further reports, one stream each: report_type, name, parameters, window (day, week, month), "
        "keep_xlsx, lookback_days, optional.",
        {"type": "array", "items": _REPORT_SCHEMA},
        default=[],
    ),
    Setting("bring_base_url", "Bring: the base URL (for a sandbox).", default="https://www.mybring.com"),
)

# Live, the list stands under `customer`; documented is `customers`. Both may hold nulls or one object.
CUSTOMERS = Endpoint("bring", "/reports/api/generate.json", records=("customer", "customers"))
TYPES = Endpoint("bring", "/reports/api/generate/{account_id}.json", records=("reports", "report"))
ORDER = Endpoint("bring", "/reports/api/generate/{account_id}/{report_type}.json")
STATUS = Endpoint("bring", "/reports/api/report/{run_id}/status.json")
# Live, the invoices stand under `invoices`; documented is a bare list, and InvoiceList in XML.
INVOICES = Endpoint(
    "bring", "/invoicearchive/api/invoices/{account_id}.json", records=("invoices", "InvoiceList"), record="Invoice"
)
PDF = Endpoint("bring", "/invoicearchive/pdf/{account_id}/{invoice_id}.pdf", accept="application/pdf")

INVOICE_FIELDS = (
    Field("account_id", "customerNumber", to.text),
    Field("invoice_id", "invoiceNumber", to.text),
    Field("invoice_number", "invoiceNumber", to.text),
    Field("parent_invoice_number", "parentInvoiceNumber", to.text),
    Field(
        "type",
        "type",
        to.lookup(
            {"Invoice": "invoice", "INVOICE": "invoice", "Credit note": "credit_note", "CREDIT_NOTE": "credit_note"},
            "other",
        ),
    ),
    Field("source_type", "type", to.text),
    Field("status", "status", to.lookup({"Open": "open", "Closed": "closed"}, "unknown")),
    Field("source_status", "status", to.text),
    Field("invoice_date", "invoiceDate", to.day),
    Field("due_date", "dueDate", to.day),
    Field("currency", "currency", to.upper),
    Field("net_amount", "amount", to.decimal),
    Field("tax_amount", "taxAmount", to.decimal),
    Field("total_amount", "totalAmount", to.decimal),
    Field("issuer", "invoiceIssuer", to.text),
    Field("specification_available", "invoiceSpecificationAvailable", to.flag),
    Field("attachment_count", "attachmentCount", to.whole),
    Field("batch_source", "batchSource", to.text),
)


def _parameter_names(record: Any, _record: Record) -> str:
    """One report id can stand twice, told apart only by its parameters."""
    return "+".join(sorted(parameter["name"] for parameter in _parameters_of(record))) or "default"


def _parameters_of(record: Record) -> list[Record]:
    """`parameter` in the newer documents, `parameters` in the older ones, one object or a list."""
    found = record.get("parameter") or record.get("parameters") or []
    if isinstance(found, Mapping):
        found = found.get("parameter", found)
    found = found if isinstance(found, list) else [found]
    if not all(isinstance(parameter, Mapping) and parameter.get("name") for parameter in found):
        raise ValueError("a parameter without a name")
    return found


TYPE_FIELDS = (
    Field("report_type", "id", to.text),
    Field("variant", "", _parameter_names),
    Field("name", "name", to.text),
    Field("description", "description", to.text),
    Field("parameters", "", lambda record, _record: to.text(_parameters_of(record), record)),
)


def _authenticator(values: Values) -> Authenticator:
    headers = {
        "X-Mybring-API-Uid": values["bring_api_uid"],
        "X-Mybring-API-Key": values["bring_api_key"],
        "X-Bring-Client-URL": values["bring_client_url"],
    }
    return HeaderAuthenticator(headers, secrets=(values["bring_api_key"],))


def _accounts(asker: Asker) -> Iterator[Account]:
    """The customers of the settings, else those that the Reports API lists: it knows more than Customer Info."""
    for number in asker.values.get("bring_customers") or ():
        yield Account("bring", number, "bring_customer")
    if not asker.values.get("bring_customers"):
        for record in asker.records(CUSTOMERS):
            if not record.get("id"):
                raise AccountError("bring: a customer of the list has no id: the vendor's format has changed")
            yield Account("bring", str(record["id"]), "bring_customer", name=record.get("name"), record=record)


def _dotted(day: date) -> str:
    """Bring's date form; it answers an ISO date with an empty list instead of an error."""
    return f"{day.day:02d}.{day.month:02d}.{day.year:04d}"


def _invoice_queries(_asker: Asker, _account: Account, since: date, until: date) -> Iterable[Query]:
    # Both dates, always: without them Bring silently answers with the last 65 days.
    yield [("fromDate", _dotted(since)), ("toDate", _dotted(until))]


# -- reports -------------------------------------------------------------------------------------------


def report_name(report_type: str) -> str:
    """The default stream name of a report type."""
    return column_name(report_type)


def _configured(values: Values) -> Iterator[Report]:
    if values["bring_invoice_lines"]:
        yield Report("bring", SPECIFIED_INVOICE, "invoice_lines", ZONE, unit=None, per_invoice=True)
    for entry in values["bring_reports"]:
        yield Report(
            source="bring",
            report_type=entry["report_type"],
            name=entry.get("name") or report_name(entry["report_type"]),
            zone=ZONE,
            unit=entry.get("window") or "all",
            parameters=entry.get("parameters") or {},
            optional=bool(entry.get("optional")),
            lookback_days=entry.get("lookback_days") or 0,
            keep_xlsx=bool(entry.get("keep_xlsx")),
        )


def _check(values: Values) -> Iterator[str]:
    if values["bring_invoice_documents"] and not values.get("storage_url"):
        yield "setting storage_url is missing: bring_invoice_documents keeps the PDFs there"
    if not values.get("storage_url") and any(entry.get("keep_xlsx") for entry in values["bring_reports"]):
        yield "setting storage_url is missing: keep_xlsx keeps the workbooks there"


def _parameters(report: Report, period: Period) -> Parameters:
    asked: dict[str, Any] = {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in report.parameters.items()
    }
    if report.per_invoice and period.subject is not None:
        asked["invoiceNumber"] = period.subject
    elif report.unit != "all" and period.start is not None and period.end is not None:
        # Both ends are whole days and count: the window's end is the first instant that does not.
        asked["fromDate"] = _dotted(_oslo_day(period.start))
        asked["toDate"] = _dotted(_oslo_day(period.end) - timedelta(days=1))
    return asked


def _oslo_day(moment: datetime) -> date:
    return moment.astimezone(ZoneInfo(ZONE)).date()


def _order_call(account: Account, report: Report, parameters: Parameters) -> OrderCall:
    path = {"account_id": account.account_id, "report_type": report.report_type}
    return OrderCall(path=path, params=sorted(parameters.items()))


_RUN_ID = re.compile(r"/report/([0-9A-Za-z-]+)(?:/|\.|$)")


def _object(answer: Answer) -> Record:
    """The answer's one object, in either of the two forms; nothing where the body is in neither."""
    if answer.is_xml:
        found = tree(answer.xml())
    else:
        found = answer.json() if answer.body.lstrip().startswith(b"{") else None
    return found if isinstance(found, Mapping) else {}


def _read_order(answer: Answer) -> Run:
    """The run's id out of `statusUrl` or `Location`; the links themselves are never followed."""
    for link in (_object(answer).get("statusUrl"), answer.headers.get("Location")):
        found = _RUN_ID.search(link or "")
        if found is not None:
            return Run(found[1], RunStatus.PENDING, "NOT_DONE")
    raise ReportError(f"{answer.about}: the answer to the order names no report")


_STATUSES = {"NOT_DONE": RunStatus.PENDING, "DONE": RunStatus.READY, "FAILED": RunStatus.FAILED}


def _read_status(answer: Answer, run_id: str) -> Run:
    """ValueError for a status that is none of the three known ones."""
    word = str(_object(answer).get("status"))
    if word not in _STATUSES:
        raise ValueError(word)
    # A file has the run's id for a name; its size is not declared.
    done = RemoteFile(f"{run_id}.xml", "xml", "bring", f"/reports/api/report/{run_id}.xml")
    return Run(run_id, _STATUSES[word], word, file=done if word == "DONE" else None)


def _extra_files(report: Report, run: Run) -> tuple[RemoteFile, ...]:
    """The same report as a workbook, where it is to be kept."""
    if not report.keep_xlsx:
        return ()
    return (RemoteFile(f"{run.run_id}.xlsx", "xlsx", "bring", f"/reports/api/report/{run.run_id}.xlsx"),)


def _column_type(_report: Report, header: str) -> ColumnType:
    kind: ColumnType = catalogue("bring")["types"].get(header, "text")
    return kind


def _sums(report: Report) -> Mapping[str, str]:
    """Cargo lines carry net, tax and total; parcel lines only the agreed price, which is net."""
    if not report.per_invoice:
        return {}
    return {
        "amount": "lines_net",
        "tax_amount": "lines_tax",
        "total_incl_tax": "lines_total",
        "agreement_price": "lines_net",
    }


BRING = Source(
    name="bring",
    title="Bring",
    zone=ZONE,
    settings=SETTINGS,
    hosts=(Host("bring", "bring_base_url"),),
    authenticator=_authenticator,
    account_label=lambda values: str(values["bring_api_uid"]),
    accounts=_accounts,
    # An absent or unparsable language makes the translated endpoints answer 406.
    headers=lambda values: {"Accept-Language": values["bring_language"]},
    check=_check,
    invoices=InvoiceApi(
        endpoint=lambda _values: INVOICES,
        queries=_invoice_queries,
        path=lambda account: {"account_id": account.account_id},
        fields=lambda _values: INVOICE_FIELDS,
        lookback=lambda values: int(values["bring_lookback_days"]),
        horizon_days=365,
        document=PDF,
        wants_documents=lambda values: bool(values["bring_invoice_documents"]),
    ),
    report_types=ReportTypeApi(TYPES, path=lambda account: {"account_id": account.account_id}, fields=TYPE_FIELDS),
    reports=ReportApi(
        configured=_configured,
        parameters=_parameters,
        order=ORDER,
        order_call=_order_call,
        read_order=_read_order,
        status=STATUS,
        read_status=_read_status,
        format="xml",
        headers=lambda report: catalogue("bring")["report_types"].get(report.report_type, ()),
        column_type=_column_type,
        budget=lambda values: int(values["bring_max_concurrent_runs"]),
        extra_files=_extra_files,
        sums=_sums,
    ),
)
