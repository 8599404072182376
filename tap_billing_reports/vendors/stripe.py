"""Stripe on one page: the Reports API (v1), result files, invoices.

Facts: Stripe's API reference and OpenAPI description (API version 2026-10-28.endive). Amounts of the API are
integers in minor units, amounts in report files decimals in major units. Report types differ from account
to account, so any type may be configured, known to the catalogue or not.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, Any

from tap_billing_reports import declare as d
from tap_billing_reports.declare import converters as to
from tap_billing_reports.declare.catalogue import catalogue
from tap_billing_reports.vendors import stripe_asked, stripe_checks, stripe_columns, stripe_suggested
from tap_billing_reports.vendors.stripe_checks import KNOWN
from tap_billing_reports.vendors.stripe_money import amount, amount_still_due, invoice_tax

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tap_billing_reports.core.columns import ColumnType
    from tap_billing_reports.core.errors import NotFound, Refused

# No version of the API may change under a user: Stripe answers in the account's default version otherwise.
API_VERSION = "2026-10-28.endive"
# Before this one, invoices had other names for their dates: docs.stripe.com/changelog/2019-03-14.
OLDEST_API_VERSION = "2019-03-14"
_is_version = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:\.(?!preview$)[a-z]+)?").fullmatch

SETTINGS = d.settings_of(
    "Stripe",
    d.Setting("stripe_api_key", "a secret or restricted key.", required=True, secret=True),
    d.Setting(
        "stripe_account_id",
        "the account that the key belongs to (acct_... or a label of your own); part of every key.",
        required=True,
    ),
    d.Setting(
        "stripe_connected_accounts",
        "connected accounts to read beside the platform, each as an account of its own.",
        d.TEXTS,
        default=[],
    ),
    d.Setting(
        "stripe_read_platform",
        "read the platform account itself; false: only its connected accounts, as one of several syncs.",
        d.FLAG,
        default=True,
    ),
    d.Setting(
        "stripe_api_version",
        f"the pinned API version, from {OLDEST_API_VERSION} on; none that is newer than the default.",
        default=API_VERSION,
    ),
    d.Setting("stripe_lookback_days", "days before the bookmark whose invoices are read again.", d.DAYS, default=30),
    d.Setting("stripe_max_concurrent_runs", "report runs that may be pending at once.", d.COUNT, default=2),
    d.Setting(
        "stripe_reports",
        "the reports to order, one stream each: report_type, name, window (day, week, month, all), timezone, "
        "columns, currency, reporting_category, connected_account, payouts, extra_parameters, include_partial, "
        "optional.",
        d.reports_schema(
            r"^[a-z0-9_.]+$",
            ("day", "week", "month", "all"),
            timezone=d.TEXT,
            columns=d.TEXTS,
            currency={"type": "string", "pattern": "^[A-Za-z]{3}$"},
            reporting_category=d.TEXT,
            connected_account=d.TEXT,
            payouts=d.TEXTS,
            extra_parameters=d.parameters_schema("interval_start", "interval_end", "columns", "payout"),
            include_partial=d.FLAG,
        ),
        default=[],
        suggested=stripe_suggested.REPORTS,
    ),
    d.Setting("stripe_api_url", "the API's base URL (for a sandbox).", default="https://api.stripe.com"),
    d.Setting("stripe_files_url", "the files' base URL (for a sandbox).", default="https://files.stripe.com"),
)


def _cursor_is_gone(error: Refused) -> bool:
    """The last record of a page was deleted, or left the filter (stripe-go#1030 has the body, stripe-node#2368)."""
    return error.code == "resource_missing" and error.param == "starting_after"


_PAGES = d.CursorPaging("starting_after", "id", "has_more", ("limit", "100"), lost=_cursor_is_gone)
RUNS = d.Endpoint(
    "api", "/v1/reporting/report_runs", records=("data",), paging=_PAGES, objection=stripe_asked.created_within
)
# Paging parameters are refused on report types.
TYPES = d.Endpoint("api", "/v1/reporting/report_types", records=("data",))
TYPE = d.Endpoint("api", "/v1/reporting/report_types/{report_type}", objection=stripe_asked.same_id("report_type"))
INVOICES = d.Endpoint("api", "/v1/invoices", records=("data",), paging=_PAGES, objection=stripe_asked.created_within)
INVOICE = d.Endpoint("api", "/v1/invoices/{invoice_id}", objection=stripe_asked.same_id("invoice_id"))

STATUSES = ("draft", "open", "paid", "uncollectible", "void")
# An uncollectible invoice may still be paid; of a void one nothing is to come, and nothing has.
SETTLED = {"paid": True, "draft": False, "open": False, "uncollectible": False}

INVOICE_FIELDS = (
    d.Field("invoice_id", "id", to.text, d.Need.VALUE),
    d.Field("invoice_number", "number", to.text, d.Need.KEY),
    d.Field("type", "id", to.constant("invoice")),
    d.Field("source_type", "billing_reason", to.text),
    d.Field("status", "status", to.lookup({word: word for word in STATUSES}, "unknown"), d.Need.KEY),
    d.Field("source_status", "status", to.text),
    d.Field("invoice_date", "created", to.epoch_day, d.Need.VALUE),
    d.Field("due_date", "due_date", to.epoch_day, d.Need.KEY),
    d.Field("paid_date", "status_transitions.paid_at", to.epoch_day, d.Need.KEY),
    d.Field("effective_date", "effective_at", to.epoch_day, d.Need.KEY),
    d.Field("currency", "currency", to.upper, d.Need.VALUE),
    d.Field("net_amount", "total_excluding_tax", amount, d.Need.KEY),
    d.Field("tax_amount", "", invoice_tax),
    d.Field("total_amount", "total", amount, d.Need.VALUE),
    d.Field("amount_due", "amount_remaining", amount_still_due, d.Need.VALUE),
    d.Field("amount_remaining", "amount_remaining", amount, d.Need.VALUE),
    d.Field("is_settled", "status", to.lookup(SETTLED, None)),
    d.Field("issuer", "account_name", to.text),
    d.Field("recipient", "customer_name", to.text),
    d.Field("customer_id", "customer", to.text),
    d.Field("created_at", "created", to.epoch),
    d.Field("finalized_at", "status_transitions.finalized_at", to.epoch),
    d.Field("paid_at", "status_transitions.paid_at", to.epoch),
    d.Field("voided_at", "status_transitions.voided_at", to.epoch),
)

TYPE_FIELDS = (
    d.Field("report_type", "id", to.text, d.Need.VALUE),
    d.Field("name", "name", to.text, d.Need.VALUE),
    d.Field("default_columns", "default_columns", to.as_json),
    d.Field("data_available_start", "data_available_start", to.epoch, d.Need.VALUE),
    d.Field("data_available_end", "data_available_end", to.epoch, d.Need.VALUE),
    d.Field("updated_at", "updated", to.epoch, d.Need.VALUE),
)


def _accounts(client: d.SourceClient) -> Iterator[d.Account]:
    """From the settings alone: asking Stripe for the account breaks restricted keys."""
    if client.values["stripe_read_platform"]:
        yield d.Account("stripe", client.values["stripe_account_id"], "stripe_account")
    for account_id in client.values["stripe_connected_accounts"]:
        yield d.Account("stripe", account_id, "stripe_connected_account", headers={"Stripe-Account": account_id})


def _midnight(day: date) -> str:
    return str(int(datetime.combine(day, time(), timezone.utc).timestamp()))


def _invoice_queries(_client: d.SourceClient, _account: d.Account, since: date, until: date) -> Iterable[d.Query]:
    yield _created(since, until)


def _created(since: date, until: date) -> d.Query:
    return [("created[gte]", _midnight(since)), ("created[lt]", _midnight(until + timedelta(days=1)))]


# -- reports -------------------------------------------------------------------------------------------


ALL_COLUMNS = "*"
COLUMN_TYPES: Mapping[str, ColumnType] = catalogue("stripe")["types"]


def _by_payout(report_type: str) -> bool:
    return "payout" in KNOWN.get(report_type, {}).get("required", ())


def _configured(values: d.Values) -> Iterator[d.Report]:
    for entry in values["stripe_reports"]:
        payouts = tuple(dict.fromkeys(entry.get("payouts") or ()))
        windows = d.Windowed(entry.get("window") or "day", include_partial=bool(entry.get("include_partial")))
        names = ("currency", "reporting_category", "connected_account")
        filters = {name: entry[name] for name in names if entry.get(name)}
        extra = entry.get("extra_parameters") or {}
        yield d.Report.of(
            "stripe",
            entry,
            zone=str(entry.get("timezone") or extra.get("timezone") or "UTC"),
            # Some types with their names in full would not fit into a stream's.
            short={"connected_account": "ca", "financial_account": "fa"},
            cadence=d.Subjects(payouts) if payouts or _by_payout(entry["report_type"]) else windows,
            columns=_columns(entry["report_type"], entry.get("columns") or ()),
            parameters=filters | extra,
        )


# Documented on the pages of most balance types, and of revenue recognition: with it, an amount could be read as another
# one.
_CHANGES_THE_FORM = {"decimal_separator", "decimal_format"}


def _columns(report_type: str, given: Sequence[str]) -> tuple[str, ...]:
    """The columns to ask for: `*` stands for all that the catalogue knows, and none for Stripe's default ones."""
    known = KNOWN.get(report_type, {}) if ALL_COLUMNS in given else {}
    # A type that takes no `columns` has all of its own in each file.
    every = known.get("columns", ()) if "columns" in known.get("optional", ()) else ()
    return tuple(dict.fromkeys([*every, *(column for column in given if column != ALL_COLUMNS)]))


def _check(values: d.Values) -> Iterator[str]:
    version = values["stripe_api_version"]
    if not _is_version(version) or not OLDEST_API_VERSION <= version[:10] <= API_VERSION[:10]:
        yield (
            "setting stripe_api_version is no API version that this tap can read: take it out, or give one from "
            f"{OLDEST_API_VERSION} to {API_VERSION}, such as 2025-03-31.basil"
        )
    if not values["stripe_read_platform"] and not values["stripe_connected_accounts"]:
        yield "setting stripe_read_platform is false and stripe_connected_accounts is empty: no account is left to read"
    for number, entry in enumerate(values["stripe_reports"]):
        if _by_payout(entry["report_type"]) and not entry.get("payouts"):
            yield f"setting stripe_reports[{number}].payouts is missing: {entry['report_type']} takes one payout a run"
        zone = (entry.get("extra_parameters") or {}).get("timezone")
        if zone and entry.get("timezone") not in (None, zone):
            yield f"setting stripe_reports[{number}] gives two time zones: give one, in extra_parameters or in timezone"
        for name in _CHANGES_THE_FORM & {*(entry.get("extra_parameters") or {})}:
            where = f"setting stripe_reports[{number}].extra_parameters"
            yield f"{where} has {name}, which changes the form of the file: the tap reads the default form, take it out"
        if ALL_COLUMNS in (entry.get("columns") or ()) and not KNOWN.get(entry["report_type"], {}).get("columns"):
            which = f"setting stripe_reports[{number}].columns"
            yield f"{which} has {ALL_COLUMNS}, but no list of {entry['report_type']} is known: name the columns"


def _parameters(report: d.Report, period: d.Period) -> d.Parameters:
    known = KNOWN.get(report.report_type, {})
    takes, is_described = {*known.get("required", ()), *known.get("optional", ())}, "optional" in known
    asked: dict[str, Any] = {name: to.parameter(value) for name, value in report.parameters.items()}
    if report.columns:
        asked["columns"] = report.columns
    if period.subject is not None:
        asked["payout"] = period.subject
    if period.end is not None:
        asked["interval_end"] = str(int(period.end.timestamp()))
        if period.start is not None and (not known or "interval_start" in takes):
            asked["interval_start"] = str(int(period.start.timestamp()))
    # Stripe takes a zone for the types that list it alone, and refuses it for others. Where no page tells a type's
    # options, what the settings ask for is sent: a refusal is loud, and UTC need not be asked for.
    if "timezone" in takes or (not is_described and report.zone != "UTC"):
        asked["timezone"] = report.zone
    return asked


def _order_call(_account: d.Account, report: d.Report, parameters: d.Parameters) -> d.OrderCall:
    form: d.Query = [("report_type", report.report_type)]
    for name, value in sorted(parameters.items()):
        key = f"parameters[{name}]"
        form += [(f"{key}[]", item) for item in value] if isinstance(value, tuple) else [(key, value)]
    return d.OrderCall(form=form)


def _read_run(record: d.Record) -> d.Run:
    """A run; a status that is none of the three documented ones is unknown: its field is a free text."""
    word, statuses = record["status"], {status.value for status in d.RunStatus}
    result: Any = record.get("result") or None
    return d.Run(
        run_id=to.name(record["id"]),
        status=d.RunStatus(word) if word in statuses else d.RunStatus.UNKNOWN,
        source_status=to.text(word, record),
        report_type=to.text(record["report_type"] or "", record),
        parameters={name: to.parameter(value) for name, value in record["parameters"].items()},
        created_at=to.instant(record["created"]),
        finished_at=to.instant_or_none(record.get("succeeded_at")),
        error=to.as_json(record["error"], record) if record.get("error") else None,
        file=result
        and d.RemoteFile(
            file_id=to.name(result["id"]),
            format="csv",
            host="files",
            # Built from the id: a link in an answer is never followed with the key.
            path=d.fill("/v1/files/{file_id}/contents", {"file_id": to.name(result["id"])}),
            size=None if result["size"] is None else to.whole(result["size"], result),
            created_at=to.instant_or_none(result.get("created")),
            expires_at=to.instant_or_none(result.get("expires_at")),
        ),
    )


def _availability(client: d.SourceClient, account: d.Account, report_type: str) -> d.Interval:
    record = client.ask(TYPE, path={"report_type": report_type}, account=account).record()
    start, end = to.instant(record["data_available_start"]), to.instant(record["data_available_end"])
    return d.Interval(start, end, tuple(str(column) for column in record.get("default_columns") or ()))


def _column_type(report: d.Report, header: str) -> ColumnType:
    """The catalogue's type; `timestamp` is in the run's zone, and in UTC for a type that is not asked for one."""
    kind = COLUMN_TYPES.get(header, "text")
    optional = KNOWN.get(report.report_type, {}).get("optional")
    has_no_zone = optional is not None and "timezone" not in optional and "timezone" not in report.parameters
    return "timestamp_utc" if kind == "timestamp" and has_no_zone else kind


# What an order's refusal may be about without speaking of the report's other periods.
_OF_A_PERIOD = ("parameters.interval_start", "parameters.interval_end", "parameters.payout")


def _refuses_report(error: Refused) -> bool:
    """A wrong key, a right that is missing, a type or a filter that Stripe refuses: the same for every period."""
    named = error.param == "report_type" or error.param.startswith("parameters.")
    return isinstance(error, d.AuthenticationFailed) or (named and error.param not in _OF_A_PERIOD)


def _gone(error: NotFound) -> bool:
    """`resource_missing` (Stripe's list of error codes), but not its answer to a key of the other mode.

    Its own wording: "a similar object exists in live mode, but a test mode key was used to make this request".
    """
    return error.code == "resource_missing" and "similar object exists" not in str(error)


ORDERED = d.OrderedRuns(
    order=d.Endpoint("api", "/v1/reporting/report_runs", method="POST"),
    order_call=_order_call,
    status=d.Endpoint("api", "/v1/reporting/report_runs/{run_id}", objection=stripe_asked.same_run),
    read_run=_read_run,
    # No page of Stripe's names a price for a run, and production taps order as they like.
    orders_are_free=True,
    idempotency_header="Idempotency-Key",
    runs=RUNS,
    list_query=lambda since: [("created[gte]", str(int(since.timestamp())))],
    # The `expires_at` of the files in Stripe's own fixtures (stripe/openapi) is 365 days after their `created`.
    listed_for=timedelta(days=365),
    window=lambda asked: to.window(asked.get("interval_start"), asked.get("interval_end")),
)

STRIPE = d.Source(
    name="stripe",
    title="Stripe",
    zone="UTC",
    settings=SETTINGS,
    hosts=(d.Host("api", "stripe_api_url"), d.Host("files", "stripe_files_url")),
    authenticator=lambda values: d.BearerAuthenticator(
        values["stripe_api_key"], {"Stripe-Version": values["stripe_api_version"]}
    ),
    account_label="stripe_account_id",
    accounts=_accounts,
    headers=lambda _values: {"Accept-Language": "en"},
    # Now and then a rate limit comes with status 400, which Stripe's own libraries know, too.
    read_problem=d.problem_at("error", "code", "type", throttled={"rate_limit"}),
    hints=d.Hints(retry="Stripe-Should-Retry", replayed="Idempotent-Replayed"),
    gone=_gone,
    check=_check,
    realm=stripe_asked.realm,
    realm_of=stripe_asked.realm_of,
    # Connect's own header, where an answer has it too; ids are Stripe's own, and each is one account's.
    account_header="Stripe-Account",
    global_ids=True,
    rights={
        "invoices": "give the restricted key Invoices: Read",
        "reports": "give the restricted key Report Runs and Report Types: Read, which includes ordering",
        "files": "give the restricted key Files: Read",
    },
    invoices=d.InvoiceApi(
        endpoint=INVOICES,
        queries=_invoice_queries,
        fields=INVOICE_FIELDS,
        lookback="stripe_lookback_days",
        by_id=INVOICE,
        unsettled=frozenset({"draft", "open", "uncollectible"}),
        by_status=lambda status, since, until: [("status", status), *_created(since, until)],
        # https://docs.stripe.com/api/invoices/delete: drafts alone, and what is answered then.
        deletable=frozenset({"draft"}),
        is_deleted=lambda record: record.get("deleted") is True,
        hidden=frozenset({"confirmation_secret", "hosted_invoice_url", "invoice_pdf"}),
    ),
    report_types=d.ReportTypeApi(TYPES, TYPE_FIELDS),
    reports=d.ReportApi(
        configured=_configured,
        known_types=KNOWN,
        parameters=_parameters,
        retrieval=ORDERED,
        headers=lambda report: report.columns or KNOWN.get(report.report_type, {}).get("columns", ()),
        column_type=_column_type,
        describe=stripe_columns.describe,
        budget="stripe_max_concurrent_runs",
        refuses_report=_refuses_report,
        availability=_availability,
        # docs.stripe.com/reports/api: prepared twice a day, normally within 12 hours; in other zones than UTC a day of
        # theirs ends up to 12 hours later.
        stale_after_hours=48,
        out_of_range=lambda error: error.status == 400 and error.param.startswith("parameters.interval_"),
        compared=stripe_checks.compared,
        row_identity=stripe_checks.row_identity,
        rolls_forward=stripe_checks.rolls_forward,
    ),
)
