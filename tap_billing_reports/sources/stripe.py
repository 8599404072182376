"""Stripe on one page: the Reports API (v1), result files, invoices.

Facts: Stripe's API reference and OpenAPI description (API version 2026-10-28.endive). Amounts of the API are
integers in minor units, amounts in report files decimals in major units. Report types differ from account
to account, so any type may be configured, known to the catalogue or not.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from tap_billing_reports import converters as to
from tap_billing_reports import money
from tap_billing_reports.answers import Answer, Problem
from tap_billing_reports.auth import Authenticator, BearerAuthenticator
from tap_billing_reports.columns import Column, column_name
from tap_billing_reports.declarations import (
    Account,
    Asker,
    CursorPaging,
    Endpoint,
    Field,
    Host,
    Interval,
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
    Twin,
    Values,
)
from tap_billing_reports.errors import Refused
from tap_billing_reports.schemas import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

NAME_PATTERN = r"^[a-z][a-z0-9_]{0,46}$"
# No version of the API may change under a user: Stripe answers in the account's default version otherwise.
API_VERSION = "2026-10-28.endive"

_TEXT = {"type": "string", "minLength": 1}
_REPORT_SCHEMA = {
    "type": "object",
    "required": ["report_type"],
    "additionalProperties": False,
    "properties": {
        "report_type": {"type": "string", "pattern": r"^[a-z0-9_.]+$"},
        "name": {"type": "string", "pattern": NAME_PATTERN},
        "window": {"type": "string", "enum": ["day", "week", "month", "all"]},
        "timezone": _TEXT,
        "columns": {"type": "array", "items": _TEXT},
        "currency": {"type": "string", "pattern": "^[A-Za-z]{3}$"},
        "reporting_category": _TEXT,
        "connected_account": _TEXT,
        "payouts": {"type": "array", "items": _TEXT},
        "extra_parameters": {"type": "object"},
        "include_partial": {"type": "boolean"},
        "optional": {"type": "boolean"},
    },
}

SETTINGS = (
    Setting("stripe_api_key", "Stripe: a secret or restricted key.", required=True, secret=True),
    Setting(
        "stripe_account_id",
        "Stripe: the account that the key belongs to (acct_... or a label of your own); part of every key.",
        required=True,
    ),
    Setting(
        "stripe_connected_accounts",
        "Stripe: connected accounts to read beside the platform, each as an account of its own.",
        {"type": "array", "items": _TEXT},
        default=[],
    ),
    Setting("stripe_api_version", "Stripe: the pinned API version.", default=API_VERSION),
    Setting(
        "stripe_lookback_days",
        "Stripe: days before the bookmark whose invoices are read again.",
        {"type": "integer", "minimum": 0},
        default=30,
    ),
    Setting(
        "stripe_max_concurrent_runs",
        "Stripe: report runs that may be pending at once.",
        {"type": "integer", "minimum": 1},
        default=2,
    ),
    Setting(
        "stripe_reports",
        "Stripe: the reports to order, one stream each: report_type, name, window (day, week, month, all), timezone, "
        "columns, currency, reporting_category, connected_account, payouts, extra_parameters, include_partial, "
        "optional.",
        {"type": "array", "items": _REPORT_SCHEMA},
        default=[],
    ),
    Setting(
        "stripe_api_url", "Stripe: the API's base URL (for a sandbox).", default="https://api.stripe.com"
    ),
    Setting(
        "stripe_files_url", "Stripe: the files' base URL (for a sandbox).", default="https://files.stripe.com"
    ),
)

_PAGES = CursorPaging("starting_after", "id", "has_more", ("limit", "100"))
RUNS = Endpoint("api", "/v1/reporting/report_runs", records=("data",), paging=_PAGES)
RUN = Endpoint("api", "/v1/reporting/report_runs/{run_id}")
ORDER = Endpoint("api", "/v1/reporting/report_runs", method="POST")
# Paging parameters are refused on report types.
TYPES = Endpoint("api", "/v1/reporting/report_types", records=("data",))
TYPE = Endpoint("api", "/v1/reporting/report_types/{report_type}")
INVOICES = Endpoint("api", "/v1/invoices", records=("data",), paging=_PAGES)
INVOICE = Endpoint("api", "/v1/invoices/{invoice_id}")

_amount = to.minor("currency", exponents=money.STRIPE)
_STATUSES = ("draft", "open", "paid", "uncollectible", "void")


def _tax(record: Any, _record: Record) -> str | None:
    taxes = record.get("total_taxes")
    if taxes is None:
        return None
    return _amount(sum(to.whole(tax["amount"], record) for tax in taxes), record)


INVOICE_FIELDS = (
    Field("invoice_id", "id", to.text),
    Field("invoice_number", "number", to.text),
    Field("type", "id", to.constant("invoice")),
    Field("source_type", "billing_reason", to.text),
    Field("status", "status", to.lookup({word: word for word in _STATUSES}, "unknown")),
    Field("source_status", "status", to.text),
    Field("invoice_date", "created", to.epoch_day),
    Field("due_date", "due_date", to.epoch_day),
    Field("paid_date", "status_transitions.paid_at", to.epoch_day),
    Field("effective_date", "effective_at", to.epoch_day),
    Field("currency", "currency", to.upper),
    Field("net_amount", "total_excluding_tax", _amount),
    Field("tax_amount", "", _tax),
    Field("total_amount", "total", _amount),
    Field("amount_due", "amount_due", _amount),
    Field("issuer", "account_name", to.text),
    Field("recipient", "customer_name", to.text),
    Field("customer_id", "customer", to.text),
    Field("created_at", "created", to.epoch),
    Field("finalized_at", "status_transitions.finalized_at", to.epoch),
    Field("paid_at", "status_transitions.paid_at", to.epoch),
    Field("voided_at", "status_transitions.voided_at", to.epoch),
)

TYPE_FIELDS = (
    Field("report_type", "id", to.text),
    Field("variant", "id", to.constant("default")),
    Field("name", "name", to.text),
    Field("default_columns", "default_columns", to.text),
    Field("data_available_start", "data_available_start", to.epoch),
    Field("data_available_end", "data_available_end", to.epoch),
    Field("updated_at", "updated", to.epoch),
)


def _authenticator(values: Values) -> Authenticator:
    return BearerAuthenticator(values["stripe_api_key"], {"Stripe-Version": values["stripe_api_version"]})


def _accounts(asker: Asker) -> Iterator[Account]:
    """From the settings alone: asking Stripe for the account breaks restricted keys."""
    values = asker.values
    yield Account("stripe", values["stripe_account_id"], "stripe_account")
    for account_id in values["stripe_connected_accounts"]:
        yield Account(
            "stripe", account_id, "stripe_connected_account", headers={"Stripe-Account": account_id}
        )


def _read_problem(answer: Answer) -> Problem | None:
    if answer.status < 400 or not answer.body.lstrip().startswith(b"{"):
        return None
    error = answer.json().get("error") or {}
    return Problem(
        message=str(error.get("message") or ""),
        code=str(error.get("code") or error.get("type") or ""),
        param=str(error.get("param") or ""),
    )


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=timezone.utc).timestamp())


def _invoice_queries(_asker: Asker, _account: Account, since: date, until: date) -> Iterable[Query]:
    day_after = until + timedelta(days=1)
    yield [("created[gte]", str(_midnight(since))), ("created[lt]", str(_midnight(day_after)))]


# -- reports -------------------------------------------------------------------------------------------


def report_name(report_type: str) -> str:
    """The default stream name of a report type: short enough for PostgreSQL with the source in front."""
    return report_type.replace(".", "_").replace("connected_account", "ca")


def _known(report_type: str) -> Mapping[str, Any]:
    known: Mapping[str, Any] = catalogue("stripe")["report_types"].get(report_type, {})
    return known


def _configured(values: Values) -> Iterator[Report]:
    for entry in values["stripe_reports"]:
        fixed = {
            key: entry[key]
            for key in ("currency", "reporting_category", "connected_account")
            if entry.get(key)
        }
        payouts = tuple(entry.get("payouts") or ())
        yield Report(
            source="stripe",
            report_type=entry["report_type"],
            name=entry.get("name") or report_name(entry["report_type"]),
            zone=entry.get("timezone") or "UTC",
            unit=None if payouts or _by_payout(entry["report_type"]) else entry.get("window") or "day",
            columns=tuple(entry.get("columns") or ()),
            parameters={**fixed, **(entry.get("extra_parameters") or {})},
            subjects=payouts,
            include_partial=bool(entry.get("include_partial")),
            optional=bool(entry.get("optional")),
        )


def _by_payout(report_type: str) -> bool:
    return "payout" in _known(report_type).get("required", ())


def _check(values: Values) -> Iterator[str]:
    for number, entry in enumerate(values["stripe_reports"]):
        if _by_payout(entry["report_type"]) and not entry.get("payouts"):
            yield f"setting stripe_reports[{number}].payouts is missing: {entry['report_type']} takes one payout a run"


def _parameters(report: Report, period: Period) -> Parameters:
    known = _known(report.report_type)
    takes = {*known.get("required", ()), *known.get("optional", ())}
    asked: dict[str, Any] = {name: _plain(value) for name, value in report.parameters.items()}
    if report.columns:
        asked["columns"] = report.columns
    if period.subject is not None:
        asked["payout"] = period.subject
    if period.end is not None:
        asked["interval_end"] = str(int(period.end.timestamp()))
        if period.start is not None and (not known or "interval_start" in takes):
            asked["interval_start"] = str(int(period.start.timestamp()))
    # A type that nobody knows is spared the parameter where it changes nothing.
    if "timezone" in takes or (not known and report.zone != "UTC"):
        asked["timezone"] = report.zone
    return asked


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(_plain(item) for item in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _order_call(_account: Account, report: Report, parameters: Parameters) -> OrderCall:
    form: Query = [("report_type", report.report_type)]
    for name, value in sorted(parameters.items()):
        if isinstance(value, tuple):
            form.extend((f"parameters[{name}][]", item) for item in value)
        else:
            form.append((f"parameters[{name}]", value))
    return OrderCall(form=form)


def _read_run(record: Record) -> Run:
    """A run; ValueError for a status that is none of the three documented ones."""
    result = record.get("result") or None
    return Run(
        run_id=record["id"],
        status=RunStatus(record["status"]),
        source_status=record["status"],
        report_type=record["report_type"],
        parameters={name: _plain(value) for name, value in (record.get("parameters") or {}).items()},
        created_at=_instant(record.get("created")),
        finished_at=_instant(record.get("succeeded_at")),
        error=record.get("error") or None,
        file=None if result is None else _read_file(result),
    )


def _read_file(result: Record) -> RemoteFile:
    return RemoteFile(
        file_id=result["id"],
        format="csv",
        host="files",
        # Built from the id: a link in an answer is never followed with the key.
        path="/v1/files/" + re.sub(r"[^A-Za-z0-9_]", "", result["id"]) + "/contents",
        size=result["size"],
        created_at=_instant(result.get("created")),
        expires_at=_instant(result.get("expires_at")),
    )


def _instant(seconds: Any) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(int(seconds), tz=timezone.utc)


def _availability(asker: Asker, account: Account, report_type: str) -> Interval:
    record = asker.ask(TYPE, path={"report_type": report_type}, account=account).json()
    start, end = _instant(record["data_available_start"]), _instant(record["data_available_end"])
    assert start is not None
    assert end is not None
    return Interval(start, end)


def _out_of_range(error: Exception) -> bool:
    return (
        isinstance(error, Refused) and error.status == 400 and error.param.startswith("parameters.interval_")
    )


def _column_type(report: Report, header: str) -> str:
    """The catalogue's type; `timestamp` is in the run's zone, and in UTC for a type that takes no zone."""
    kind: str = catalogue("stripe")["types"].get(header, "text")
    known = _known(report.report_type)
    if kind == "timestamp" and known and "timezone" not in known["optional"]:
        return "timestamp_utc"
    return kind


def _known_columns(report: Report) -> tuple[Column, ...]:
    headers = report.columns or tuple(_known(report.report_type).get("columns", ()))
    return tuple(
        Column(header, column_name(header), _column_type(report, header))  # type: ignore[arg-type]
        for header in headers
    )


def _twin(report: Report) -> Twin | None:
    """`x.itemized.3` and `x.summary.1` account for the same movements."""
    if report.columns and "net" not in report.columns:
        return None
    for side in ("itemized", "summary"):
        family, found, _version = report.report_type.partition(f".{side}.")
        if found:
            return Twin(family, side, "net")  # type: ignore[arg-type]
    return None


STRIPE = Source(
    name="stripe",
    title="Stripe",
    zone="UTC",
    settings=SETTINGS,
    hosts=(Host("api", "stripe_api_url"), Host("files", "stripe_files_url")),
    authenticator=_authenticator,
    account_label=lambda values: str(values["stripe_account_id"]),
    accounts=_accounts,
    headers=lambda _values: {"Accept-Language": "en"},
    read_problem=_read_problem,
    check=_check,
    invoices=InvoiceApi(
        endpoint=lambda _values: INVOICES,
        queries=_invoice_queries,
        path=lambda _account: {},
        fields=lambda _values: INVOICE_FIELDS,
        lookback=lambda values: int(values["stripe_lookback_days"]),
        by_id=INVOICE,
        unsettled=frozenset({"draft", "open", "uncollectible"}),
        hidden=frozenset({"confirmation_secret", "hosted_invoice_url", "invoice_pdf"}),
    ),
    report_types=ReportTypeApi(TYPES, path=lambda _account: {}, fields=TYPE_FIELDS),
    reports=ReportApi(
        configured=_configured,
        parameters=_parameters,
        order=ORDER,
        order_call=_order_call,
        read_order=lambda answer: _read_run(answer.json()),
        status=RUN,
        read_status=lambda answer, _run_id: _read_run(answer.json()),
        format="csv",
        known_columns=_known_columns,
        column_type=_column_type,
        budget=lambda values: int(values["stripe_max_concurrent_runs"]),
        idempotency_header="Idempotency-Key",
        runs=RUNS,
        list_query=lambda since: [("created[gte]", str(int(since.timestamp())))],
        read_listed=_read_run,
        availability=_availability,
        out_of_range=_out_of_range,
        twin=_twin,
    ),
)
