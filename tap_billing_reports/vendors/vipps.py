"""Vipps MobilePay on one page: ledgers as accounts, and the entries of each ledger day, of funds and of fees.

Facts: the Report API's OpenAPI document (v2) and developer.vippsmobilepay.com, "Fetching report data" and "Entry type
reference". A closed day never changes. `tryLater` is on each page (the document names no case without it) and may stay
for weeks: a ledger paid out by month, funds below zero. A ledger of others is a 404 with a body; an open day has none.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tap_billing_reports import __version__
from tap_billing_reports import declare as d
from tap_billing_reports.declare.catalogue import Catalogue, catalogue
from tap_billing_reports.declare.csv_form import instants, minor_units
from tap_billing_reports.http.responses import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_billing_reports.http.responses import Answer

# Ledger dates are those of the merchant's zone. They are asked for by name; this zone says which of them are over.
ZONE = "Europe/Oslo"
FUNDS, FEES = "funds", "fees"
KNOWN = Catalogue(**catalogue("vipps"))
MINOR = minor_units("currency")
CELLS = {"time": instants(), "amount": MINOR, "balanceBefore": MINOR, "balanceAfter": MINOR}
NOT_CLOSED = "day_not_closed"

SETTINGS = (
    d.Setting("vipps_client_id", "Vipps MobilePay: the client_id of the API keys.", required=True),
    d.Setting("vipps_client_secret", "Vipps MobilePay: their client_secret.", required=True, secret=True),
    d.Setting("vipps_subscription_key", "Vipps MobilePay: their subscription key.", required=True, secret=True),
    d.Setting("vipps_merchant_serial_number", "Vipps MobilePay: the sales unit's number (MSN), where keys need it."),
    d.Setting(
        "vipps_reports",
        "Vipps MobilePay: what to read of each ledger day, one stream each: report_type (funds, fees), name, optional.",
        d.reports_schema(f"^({FUNDS}|{FEES})$", ("day",)),
        default=[{"report_type": FUNDS}, {"report_type": FEES}],
    ),
    d.Setting("vipps_api_url", "Vipps MobilePay: the API's base URL (for a sandbox).", default="https://api.vipps.no"),
)

LEDGERS = d.Endpoint(
    "vipps", "/settlement/v1/ledgers", records=("items",), paging=d.TokenPaging("cursor", next="cursor")
)
ENTRIES = d.PagedRows(
    d.Endpoint(
        "vipps",
        "/report/v2/ledgers/{account_id}/{topic}/dates/{day}",
        records=("items",),
        paging=d.TokenPaging("cursor", next="cursor", more="hasMore"),
        objection=d.same("ledgerDate", path="day"),
    ),
    path=lambda _account, report, period: {"topic": report.report_type, "day": _day(period)},
)


def _day(period: d.Period) -> str:
    return period.days(ZONE)[0].isoformat()


def _sign_in(values: d.Values) -> d.TokenSignIn:
    key = {"Ocp-Apim-Subscription-Key": values["vipps_subscription_key"]}
    number = values.get("vipps_merchant_serial_number")
    whose = {"Merchant-Serial-Number": number} if number else {}
    keys = {"client_id": values["vipps_client_id"], "client_secret": values["vipps_client_secret"]}
    return d.TokenSignIn(
        d.Endpoint("vipps", "/accesstoken/get", method="POST"),
        secrets=(values["vipps_client_secret"], values["vipps_subscription_key"]),
        headers={**keys, **key, **whose, **_SYSTEM},
        sent={**key, **whose},
    )


# At most 30 characters each.
_SYSTEM = {
    "Vipps-System-Name": "tap-billing-reports",
    "Vipps-System-Version": __version__[:30],
    "Vipps-System-Plugin-Name": "tap-billing-reports",
    "Vipps-System-Plugin-Version": __version__[:30],
}


def _accounts(client: d.SourceClient) -> Iterator[d.Account]:
    for one in client.records(LEDGERS):
        handles = ", ".join(one.get("settlesForRecipientHandles") or ())
        yield d.Account("vipps", str(one["ledgerId"]), "vipps_ledger", handles or None, record=one)


def _read_problem(answer: Answer) -> Problem | None:
    """401 has `code` and `message`, 500 `errorCode` and `errorMessage`, others are problem+json.

    A 404 without a body is a day that is not closed; that of a ledger of others has a body.
    """
    if answer.status < 400 or answer.is_html:
        return None
    if not answer.body.strip():
        return Problem(message="the day is not closed", code=NOT_CLOSED) if answer.status == 404 else None
    said = answer.record()
    message = said.get("detail") or said.get("errorMessage") or said.get("message") or said.get("title")
    code = said.get("code") or said.get("errorCode") or said.get("title")
    return Problem(message=str(message or ""), code=str(code or ""))


def _compared(report: d.Report) -> d.ComparedTotal:
    """What is taken from the funds for fees is what the fees' side gets, day by day."""
    side = "summary" if report.report_type == FEES else "itemized"
    retained = ("entry_type", "fees-retained")
    return d.ComparedTotal("fees-retained", side, "amount", only=retained, is_opposite=True, check="fees_retained")


VIPPS = d.Source(
    name="vipps",
    title="Vipps MobilePay",
    zone=ZONE,
    settings=SETTINGS,
    hosts=(d.Host("vipps", "vipps_api_url"),),
    authenticator=_sign_in,
    account_label=lambda values: f"of client {values['vipps_client_id']}",
    accounts=_accounts,
    headers=lambda _values: _SYSTEM,
    read_problem=_read_problem,
    rights={"reports": "let the merchant give access to the ledger in the business portal"},
    reports=d.ReportApi(
        configured=lambda values: [d.Report.of("vipps", entry, zone=ZONE) for entry in values["vipps_reports"]],
        parameters=lambda report, period: {"topic": report.report_type, "day": _day(period)},
        retrieval=ENTRIES,
        not_yet=d.NotYetWhen(codes={NOT_CLOSED}, flag="tryLater", always_says=True, believed_for=timedelta(days=180)),
        headers=KNOWN.headers,
        column_type=KNOWN.column_type,
        describe=KNOWN.describe,
        cells=lambda _report: CELLS,
        known_types=(FUNDS, FEES),
        chain=lambda _report: d.BalanceChain("balance_before", "amount", "balance_after"),
        compared=_compared,
    ),
)
