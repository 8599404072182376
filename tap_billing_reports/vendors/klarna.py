"""Klarna on one page: payouts as rows, the transactions of each payout, and its two files.

Facts: the Settlements API's OpenAPI document (1.0.0-rc2), and docs.klarna.com, "Settlement reports": which amounts are
added to a payout and which are taken off. Payouts are made by themselves and listed by date. Amounts are minor units;
a total may be absent, which says nothing of zero. VAT on fees is no transaction: it stands in `vat_amount`.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from tap_billing_reports import declare as d
from tap_billing_reports.declare.catalogue import Catalogue, catalogue
from tap_billing_reports.declare.csv_form import instants, minor_units
from tap_billing_reports.http.auth import HeaderAuthenticator
from tap_billing_reports.http.responses import Problem
from tap_billing_reports.vendors import klarna_totals

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from tap_billing_reports.http.responses import Answer

PAYOUTS, TRANSACTIONS = "payouts", "transactions"
KNOWN = Catalogue(**catalogue("klarna"))
MINOR = minor_units("currency_code")
FORMS = {"decimal": MINOR, "timestamp_utc": instants()}
CELLS = {header: FORMS[kind] for header, kind in KNOWN.types.items() if kind in FORMS}
ROOT = "/settlements/v1"

SETTINGS = (
    d.Setting("klarna_username", "Klarna: the user name of the API credentials.", required=True),
    d.Setting("klarna_password", "Klarna: their password.", required=True, secret=True),
    d.Setting(
        "klarna_reports",
        "Klarna: what to read, one stream each: report_type (payouts, transactions), name, optional.",
        d.reports_schema(f"^({PAYOUTS}|{TRANSACTIONS})$", ("month",)),
        default=[{"report_type": PAYOUTS}, {"report_type": TRANSACTIONS}],
    ),
    d.Setting("klarna_lookback_days", "Klarna: days that are listed again, for late payouts.", d.DAYS, default=14),
    d.Setting(
        "klarna_api_url",
        "Klarna: the base URL of the region, such as https://api-na.klarna.com (or of a sandbox).",
        default="https://api.klarna.com",
    ),
)

PAGES = d.OffsetPaging("offset", "pagination.total", size=("size", "500"))
DATED = d.within("payout_date", "start_date", "end_date")
LISTED = d.Endpoint("klarna", f"{ROOT}/payouts", records=("payouts",), paging=PAGES, objection=DATED)
OF_ONE = d.same("payment_reference", param="payment_reference")
ROWS = d.Endpoint("klarna", f"{ROOT}/transactions", records=("transactions",), paging=PAGES, objection=OF_ONE)
FILES = {"csv": f"{ROOT}/reports/payout-with-transactions", "pdf": f"{ROOT}/reports/payout"}


def _between(_account: d.Account, _report: d.Report, first: date, last: date) -> d.Query:
    """With times: a bare date would be its first instant."""
    return [("start_date", f"{first.isoformat()}T00:00:00Z"), ("end_date", f"{last.isoformat()}T23:59:59Z")]


LISTING = d.Listing(LISTED, _between, subject="payment_reference", day="payout_date")


def _of_month(account: d.Account, report: d.Report, period: d.Period) -> d.Query:
    return _between(account, report, *period.days("UTC"))


def _retrieval(report: d.Report) -> d.Retrieval:
    if isinstance(report.cadence, d.Listed):
        return d.PagedRows(ROWS, query=lambda _account, _report, period: [("payment_reference", period.key)])
    return d.PagedRows(LISTED, query=_of_month, key=("payment_reference",))


def _configured(values: d.Values) -> Iterator[d.Report]:
    lookback = values["klarna_lookback_days"]
    kept = tuple(FILES) if values.get("storage_url") else ()
    for entry in values["klarna_reports"]:
        month = d.Windowed("month", lookback_days=lookback, include_partial=True)
        cadence = d.Listed(LISTING, lookback) if entry["report_type"] == TRANSACTIONS else month
        yield d.Report.of("klarna", entry, zone="UTC", cadence=cadence, kept_formats=kept)


def _parameters(report: d.Report, period: d.Period) -> d.Parameters:
    return {"payment_reference" if isinstance(report.cadence, d.Listed) else "month": period.key}


def _files(report: d.Report, run: d.Run) -> tuple[d.RemoteFile, ...]:
    """The CSV and the PDF of a payout, to keep. The form of the CSV is described nowhere."""
    reference = run.parameters.get("payment_reference")
    if reference is None:
        return ()
    asked = (("payment_reference", reference),)
    return tuple(
        d.RemoteFile(f"{reference}.{kind}", kind, "klarna", path, params=asked)  # type: ignore[arg-type]
        for kind, path in FILES.items()
        if kind in report.kept_formats
    )


def _authenticator(values: d.Values) -> HeaderAuthenticator:
    user, password = values["klarna_username"], values["klarna_password"]
    signed = base64.b64encode(f"{user}:{password}".encode()).decode()
    return HeaderAuthenticator({"Authorization": f"Basic {signed}"}, secrets=(password, signed))


def _read_problem(answer: Answer) -> Problem | None:
    """`error_code` and `error_messages`; errors of files bear the file's media type."""
    if answer.status < 400 or answer.is_html or not answer.body.lstrip().startswith(b"{"):
        return None
    said = answer.record()
    messages = said.get("error_messages") or []
    return Problem(message="; ".join(map(str, messages)), code=str(said.get("error_code") or ""))


KLARNA = d.Source(
    name="klarna",
    title="Klarna",
    zone="UTC",
    settings=SETTINGS,
    hosts=(d.Host("klarna", "klarna_api_url"),),
    authenticator=_authenticator,
    account_label=lambda values: values["klarna_username"],
    # A user name begins with the merchant's id.
    accounts=lambda client: [
        d.Account("klarna", client.values["klarna_username"].partition("_")[0], "klarna_merchant")
    ],
    read_problem=_read_problem,
    reports=d.ReportApi(
        configured=_configured,
        parameters=_parameters,
        retrieval=_retrieval,
        extra_files=_files,
        headers=KNOWN.headers,
        column_type=KNOWN.column_type,
        describe=KNOWN.describe,
        cells=lambda _report: CELLS,
        known_types=(PAYOUTS, TRANSACTIONS),
        holds_money=lambda _report, header: header in {"amount", "currency_code", "totals.settlement_amount"},
        stated=klarna_totals.stated,
    ),
)
