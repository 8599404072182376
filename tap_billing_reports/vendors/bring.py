"""Bring (Mybring) on one page: customers, invoices, invoice PDFs, asynchronous reports.

Facts: Bring's developer pages for the Reports and Invoice APIs, and live behaviour published by others, which
wins where the two differ. Every call is a GET, also the one that orders a report: it creates a new report each
time and must never be sent twice. Dates are whole days in Norwegian time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tap_billing_reports import declare as d
from tap_billing_reports.core.redaction import sentence
from tap_billing_reports.declare import converters as to
from tap_billing_reports.declare.catalogue import Catalogue, catalogue
from tap_billing_reports.declare.paths import tree
from tap_billing_reports.http.responses import Problem, excerpt
from tap_billing_reports.vendors import bring_asked, bring_lines
from tap_billing_reports.vendors.bring_types import KNOWN_TYPES

if TYPE_CHECKING:
    from datetime import date

    from tap_billing_reports.http.responses import Answer

ZONE = "Europe/Oslo"
# Bring refuses a user's twenty-first report in flight.
MOST_CONCURRENT = 20
SPECIFIED_INVOICE = "MASTER-SPECIFIED_INVOICE"
# The form of both published samples (Bring's Reports API page, and a live report of home delivery): each holds the
# number of its lines. Whether blank lines count is said nowhere.
XML = d.XmlForm(lines="Lines", line="Line", metadata="MetaData", rows="NumberOfRows", counts_blank=None)
KNOWN = Catalogue(**catalogue("bring"))

SETTINGS = d.settings_of(
    "Bring",
    d.Setting("bring_api_uid", "the Mybring user's e-mail address.", required=True),
    d.Setting("bring_api_key", "that user's API key.", required=True, secret=True),
    d.Setting("bring_client_url", "the URL of the service that uses the API.", required=True),
    d.Setting("bring_customers", "customer numbers to read; unset: all that the user may see.", d.TEXTS),
    d.Setting(
        "bring_language",
        "language of names and texts in reports (no, en, sv, da).",
        {"type": "string", "pattern": "^[a-z]{2}(-[A-Z]{2})?$"},
        default="en",
    ),
    d.Setting("bring_lookback_days", "days before the bookmark whose invoices are read again.", d.DAYS, default=65),
    d.Setting(
        "bring_invoice_lines",
        "order the specified invoice of every invoice that has one: one line a charge.",
        d.FLAG,
        default=True,
    ),
    d.Setting(
        "bring_unspecified_invoices",
        "one row in the invoice lines for each invoice without a specification, with what the invoice says of "
        "its amounts (row_of: invoice), so that the lines add up to all that was invoiced.",
        d.FLAG,
        default=False,
        suggested=True,
    ),
    d.Setting(
        "bring_skip_invoices",
        "numbers of invoices whose lines are not ordered, such as one whose report fails for good.",
        d.TEXTS,
        default=[],
    ),
    d.Setting("bring_invoice_documents", "fetch every invoice's PDF (needs storage_url).", d.FLAG, default=False),
    d.Setting(
        "bring_max_concurrent_runs",
        "reports that may be in the making at once; Bring refuses more than 20.",
        {**d.COUNT, "maximum": MOST_CONCURRENT},
        default=10,
    ),
    d.Setting(
        "bring_reports",
        "further reports, one stream each: report_type, name, parameters, window (day, week, month), "
        "keep_xlsx, lookback_days, optional.",
        d.reports_schema(
            r"^[A-Za-z0-9_-]+$",
            ("day", "week", "month"),
            parameters={"type": "object", "additionalProperties": {"type": ["string", "integer", "boolean"]}},
            keep_xlsx=d.FLAG,
            lookback_days=d.DAYS,
        ),
        default=[],
    ),
    d.Setting("bring_base_url", "the base URL (for a sandbox).", default="https://www.mybring.com"),
)

# Live, the list stands under `customer`; documented is `customers`. Both may hold nulls or one object.
CUSTOMERS = d.Endpoint("bring", "/reports/api/generate.json", records=("customer", "customers"))
TYPES = d.Endpoint("bring", "/reports/api/generate/{account_id}.json", records=("reports", "report"))
# Live, the invoices stand under `invoices`; documented is a bare list, and InvoiceList in XML.
INVOICES = d.Endpoint(
    "bring",
    "/invoicearchive/api/invoices/{account_id}.json",
    records=("invoices", "InvoiceList"),
    record="Invoice",
    objection=bring_asked.dated_within,
)
PDF = d.Endpoint("bring", "/invoicearchive/pdf/{account_id}/{invoice_id}.pdf", accept="application/pdf")

KINDS = {"Invoice": "invoice", "INVOICE": "invoice", "Credit note": "credit_note", "CREDIT_NOTE": "credit_note"}
INVOICE_FIELDS = (
    d.Field("account_id", "customerNumber", to.text),
    d.Field("invoice_id", "invoiceNumber", to.text, d.Need.VALUE),
    d.Field("invoice_number", "invoiceNumber", to.text),
    d.Field("parent_invoice_number", "parentInvoiceNumber", to.text),
    d.Field("type", "type", to.lookup(KINDS, "other")),
    d.Field("source_type", "type", to.text),
    d.Field("status", "status", to.lookup({"Open": "open", "Closed": "closed"}, "unknown")),
    d.Field("source_status", "status", to.text),
    d.Field("is_settled", "status", to.lookup({"Open": False, "Closed": True}, None)),
    d.Field("invoice_date", "invoiceDate", to.day, d.Need.KEY),
    d.Field("due_date", "dueDate", to.day),
    d.Field("currency", "currency", to.upper),
    d.Field("net_amount", "amount", to.decimal),
    d.Field("tax_amount", "taxAmount", to.decimal),
    d.Field("total_amount", "totalAmount", to.decimal),
    d.Field("issuer", "invoiceIssuer", to.text),
    d.Field("specification_available", "invoiceSpecificationAvailable", to.flag),
    d.Field("attachment_count", "attachmentCount", to.whole),
    d.Field("batch_source", "batchSource", to.text),
)


def _parameter_names(record: Any, _record: d.Record) -> str:
    """One report id can stand twice, told apart only by its parameters."""
    return "+".join(sorted(parameter["name"] for parameter in _parameters_of(record))) or "default"


def _parameters_of(record: d.Record) -> list[d.Record]:
    """`parameter` in the newer documents, `parameters` in the older ones, one object or a list."""
    found = record.get("parameter") or record.get("parameters") or []
    if isinstance(found, Mapping):
        found = found.get("parameter", found)
    found = found if isinstance(found, list) else [found]
    if not all(isinstance(parameter, Mapping) and parameter.get("name") for parameter in found):
        raise ValueError("a parameter without a name")
    return found


TYPE_FIELDS = (
    d.Field("report_type", "id", to.text, d.Need.VALUE),
    d.Field("variant", "", _parameter_names),
    d.Field("name", "name", to.text),
    d.Field("description", "description", to.text),
    d.Field("parameters", "", lambda record, _record: to.as_json(_parameters_of(record), record)),
)


def _authenticator(values: d.Values) -> d.Authenticator:
    headers = {
        "X-Mybring-API-Uid": values["bring_api_uid"],
        "X-Mybring-API-Key": values["bring_api_key"],
        "X-Bring-Client-URL": values["bring_client_url"],
    }
    return d.HeaderAuthenticator(headers, secrets=(values["bring_api_key"],))


def _accounts(client: d.SourceClient) -> Iterator[d.Account | d.Unreadable]:
    """The customers of the settings, else those that the Reports API lists: it knows more than Customer Info."""
    for number in client.values.get("bring_customers") or ():
        yield d.Account("bring", number, "bring_customer")
    if not client.values.get("bring_customers"):
        for place, record in enumerate(client.records(CUSTOMERS), 1):
            number, name = record.get("id"), record.get("name")
            if isinstance(number, str | int) and not isinstance(number, bool) and str(number).strip():
                yield d.Account("bring", str(number), "bring_customer", name=name, record=record)
                continue
            known = f"its name is {sentence(str(name), 80)}" if name else f"it has {_keys(record)}"
            said = f"customer {place} of the list has no id ({known}): it is not read"
            error = d.Unreadable(said, about=d.About("bring", "list"))
            error.remedy = "ask Bring why; until then, name the customers to read in bring_customers"
            yield error


def _keys(record: d.Record) -> str:
    return sentence(", ".join(record), 80) or "no fields"


def _dotted(day: date) -> str:
    """Bring's date form; it answers an ISO date with an empty list instead of an error."""
    return f"{day.day:02d}.{day.month:02d}.{day.year:04d}"


def _invoice_queries(_client: d.SourceClient, _account: d.Account, since: date, until: date) -> Iterable[d.Query]:
    # Both dates, always: without them Bring silently answers with the last 65 days.
    yield [("fromDate", _dotted(since)), ("toDate", _dotted(until))]


# -- reports -------------------------------------------------------------------------------------------


def _configured(values: d.Values) -> Iterator[d.Report]:
    if values["bring_invoice_lines"]:
        yield d.Report("bring", SPECIFIED_INVOICE, "invoice_lines", ZONE, d.PerInvoice())
    for entry in values["bring_reports"]:
        yield d.Report.of(
            "bring",
            entry,
            zone=ZONE,
            cadence=d.Windowed(entry.get("window") or "all", lookback_days=entry.get("lookback_days") or 0),
            parameters=entry.get("parameters") or {},
            kept_formats=("xlsx",) if entry.get("keep_xlsx") else (),
        )


def _check(values: d.Values) -> Iterator[str]:
    if values["bring_invoice_documents"] and not values.get("storage_url"):
        yield "setting storage_url is missing: bring_invoice_documents keeps the PDFs there"
    if not values.get("storage_url") and any(entry.get("keep_xlsx") for entry in values["bring_reports"]):
        yield "setting storage_url is missing: keep_xlsx keeps the workbooks there"
    for number, entry in enumerate(values["bring_reports"]):
        if entry.get("window") and {"fromdate", "todate"} & {name.lower() for name in entry.get("parameters") or {}}:
            where = f"setting bring_reports[{number}].parameters"
            yield f"{where} has fromDate or toDate, which window sets: take them out, or take window out"


def _parameters(report: d.Report, period: d.Period) -> d.Parameters:
    asked = {name: to.parameter(value) for name, value in report.parameters.items()}
    if period.subject is not None:
        asked["invoiceNumber"] = period.subject
    elif period.key != "all":
        first, last = period.days(ZONE)
        asked |= {"fromDate": _dotted(first), "toDate": _dotted(last)}
    return asked


def _order_call(_account: d.Account, report: d.Report, parameters: d.Parameters) -> d.OrderCall:
    return d.OrderCall(path={"report_type": report.report_type}, params=sorted(parameters.items()))


_RUN_ID = re.compile(r"/report/([0-9A-Za-z-]+)(?:/|\.|$)")


def _object(answer: Answer) -> d.Record:
    """The answer's one object, in either of the two forms; nothing where the body is in neither."""
    if answer.is_xml:
        found: Any = tree(answer.xml())
        return found if isinstance(found, Mapping) else {}
    return answer.record() if answer.body.lstrip().startswith(b"{") else {}


def _read_order(answer: Answer) -> d.Run:
    """The run's id out of `Location` or `statusUrl`; the links themselves are never followed."""
    # The header first: with it, a body that nobody can read costs no second order.
    found = _RUN_ID.search(answer.headers.get("Location") or "")
    found = found or _RUN_ID.search(_object(answer).get("statusUrl") or "")
    if found is None:
        raise d.ReportError("the answer to the order names no report", about=answer.about)
    return d.Run(found[1], d.RunStatus.PENDING, "NOT_DONE")


_STATUSES = {"NOT_DONE": d.RunStatus.PENDING, "DONE": d.RunStatus.READY, "FAILED": d.RunStatus.FAILED}


def _read_status(answer: Answer, run_id: str) -> d.Run:
    """ValueError for a status that is none of the three known ones."""
    word = str(_object(answer).get("status"))
    if word not in _STATUSES:
        raise ValueError(word)
    # A file has the run's id for a name; its size is not declared.
    done = d.RemoteFile(f"{run_id}.xml", "xml", "bring", f"/reports/api/report/{run_id}.xml")
    return d.Run(run_id, _STATUSES[word], word, file=done if word == "DONE" else None)


def _extra_files(report: d.Report, run: d.Run) -> tuple[d.RemoteFile, ...]:
    """The same report as a workbook, where it is to be kept."""
    if "xlsx" not in report.kept_formats:
        return ()
    return (d.RemoteFile(f"{run.run_id}.xlsx", "xlsx", "bring", f"/reports/api/report/{run.run_id}.xlsx"),)


def _read_problem(answer: Answer) -> Problem | None:
    """The code of an error in the JSON form of Bring's other APIs, in which the two of this page may answer, too.

    Bring documents no form of errors for them. `{"errors": [{"code", "description"}]}` and `{"messages": [...]}` are
    what Bring's own PHP client reads (`BringApiException`). Seen live are plain text and XML: those have no code.
    """
    if answer.status < 400 or answer.is_html or not answer.body.strip():
        return None
    try:
        whole: Any = answer.json()
        first = (whole.get("errors") or whole["messages"])[0]
        return Problem(message=str(first.get("description") or ""), code=str(first["code"]))
    except (d.Unavailable, d.AccountError, LookupError, TypeError, AttributeError):
        return Problem(message=excerpt(answer.body))


ORDERED = d.OrderedRuns(
    order=d.Endpoint("bring", "/reports/api/generate/{account_id}/{report_type}.json"),
    order_call=_order_call,
    read_order=_read_order,
    status=d.Endpoint("bring", "/reports/api/report/{run_id}/status.json", objection=bring_asked.linked_run),
    read_status=_read_status,
    # Bring names no price for a report, only how many may be in the making.
    orders_are_free=True,
)

BRING = d.Source(
    name="bring",
    title="Bring",
    zone=ZONE,
    settings=SETTINGS,
    hosts=(d.Host("bring", "bring_base_url"),),
    authenticator=_authenticator,
    account_label="bring_api_uid",
    accounts=_accounts,
    # An absent or unparsable language makes the translated endpoints answer 406.
    headers=lambda values: {"Accept-Language": values["bring_language"]},
    read_problem=_read_problem,
    # Its Reports API refuses identical requests "in a short amount of time" (developer.bring.com; 15 a second in the
    # text before): four a second stay well below.
    same_get_seconds=0.25,
    check=_check,
    # Bring does not say which right it looks at.
    rights=dict.fromkeys(
        ("invoices", "reports"), "ask for the Mybring user's rights to this customer number (finance, reports)"
    ),
    invoices=d.InvoiceApi(
        endpoint=INVOICES,
        queries=_invoice_queries,
        fields=INVOICE_FIELDS,
        lookback="bring_lookback_days",
        horizon_days=365,
        # That numbers are unique across issuers is documented nowhere; an address or a report's parameter knows none.
        told_apart_by="issuer",
        document=PDF,
        document_missing=lambda error: bool(error.code),
        wants_documents="bring_invoice_documents",
    ),
    report_types=d.ReportTypeApi(TYPES, TYPE_FIELDS),
    reports=d.ReportApi(
        configured=_configured,
        known_types=KNOWN_TYPES,
        parameters=_parameters,
        retrieval=ORDERED,
        xml=XML,
        headers=KNOWN.headers,
        column_type=KNOWN.column_type,
        describe=KNOWN.describe,
        common_columns=lambda report: bring_lines.COMMON if isinstance(report.cadence, d.PerInvoice) else {},
        holds_money=lambda _report, header: header in bring_lines.MONEY,
        currency_of=lambda report: bring_lines.CURRENCY_OF if isinstance(report.cadence, d.PerInvoice) else {},
        budget="bring_max_concurrent_runs",
        # What a 403 or 404 is about, Bring does not say: only the credentials are the same for every invoice.
        refuses_report=lambda error: isinstance(error, d.AuthenticationFailed) and error.status in {200, 401},
        skip_setting="bring_skip_invoices",
        only_listed=True,
        extra_files=_extra_files,
        file_objection=bring_asked.file_objection,
        sums=bring_lines.sums,
        stand_ins=lambda values, _report: bring_lines.STAND_IN if values["bring_unspecified_invoices"] else {},
    ),
)
