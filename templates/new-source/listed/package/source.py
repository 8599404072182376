"""Newvendor on one page: payouts that it makes by itself are listed by date, and the rows of each are read once.

VENDOR: name here the documents that the facts below are taken from, and the date.
"""

from __future__ import annotations

from datetime import date

from tap_billing_reports import declare as d

# VENDOR: the API's base URL.
BASE_URL = "https://api.newvendor.example"
# VENDOR: the time zone in which its days begin.
ZONE = "Europe/Copenhagen"
# VENDOR: its word for the report type. `catalogue.json` has the columns, and the setting takes no other type.
TYPE = "payout_rows"

# The columns that are known, by report type; whatever else a row holds is added as text.
KNOWN = d.Catalogue.in_package("tap_billing_reports_newvendor")

# VENDOR: how its lists go on, and under which key their records stand. Other pagings: Cursor, Offset, Number, Link.
PAGES = d.TokenPaging("page_token", next="next")
PAYOUTS = d.Endpoint("api", "/v1/payouts", records=("payouts",), paging=PAGES)
ROWS = d.Endpoint("api", "/v1/payouts/{payout_id}/rows", records=("rows",), paging=PAGES)
# VENDOR: days before the newest payout that are listed again, as one may appear late.
LOOKBACK_DAYS = 14

SETTINGS = d.settings_of(
    "Newvendor",
    d.Setting(
        "newvendor_api_key",
        "the API key.",
        required=True,
        secret=True,
    ),
    d.Setting(
        "newvendor_reports",
        "reports to read, one stream each: report_type, name, window, optional.",
        d.reports_schema(f"^({TYPE})$", ("day",)),
        default=[{"report_type": TYPE}],
    ),
    d.Setting(
        "newvendor_base_url",
        "the base URL (for an emulator).",
        default=BASE_URL,
    ),
)


def between(_account: d.Account, _report: d.Report, first: date, last: date) -> d.Query:
    """VENDOR: how it is asked for payouts from a first to a last day, both included."""
    return [("from", first.isoformat()), ("to", last.isoformat())]


# VENDOR: where a payout of the list has its id and its date.
LISTING = d.Listing(PAYOUTS, between, subject="id", day="date")
# VENDOR: `key` names what no two rows of a payout share.
PAYOUT_ROWS = d.PagedRows(
    ROWS,
    path=lambda _account, _report, period: {"payout_id": period.key},
    key=("id",),
)


def configured(values: d.Values) -> list[d.Report]:
    entries, cadence = values["newvendor_reports"], d.Listed(LISTING, LOOKBACK_DAYS)
    return [d.Report.of("newvendor", entry, zone=ZONE, cadence=cadence) for entry in entries]


SOURCE = d.Source(
    name="newvendor",
    title="Newvendor",
    zone=ZONE,
    settings=SETTINGS,
    hosts=(d.Host("api", "newvendor_base_url"),),
    # VENDOR: how calls are signed: also HeaderAuthenticator, QueryKeyAuthenticator, or TokenSignIn for OAuth.
    authenticator=lambda values: d.BearerAuthenticator(values["newvendor_api_key"]),
    account_label=lambda values: f"at {values['newvendor_base_url']}",
    # VENDOR: whose data these are: one account with a fixed id, or those of a list (`client.records(ENDPOINT)`).
    accounts=lambda _client: [d.Account("newvendor", "main", "newvendor_account")],
    # VENDOR: where an error's body has its object, and therein its code: here {"error": {"code": ...}}; "" is the body.
    read_problem=d.problem_at("error", "code"),
    reports=d.ReportApi(
        configured=configured,
        parameters=lambda _report, period: {"payout": period.key},
        # VENDOR: a file for each payout, instead of rows: d.ReadyFiles; a report that is ordered: d.OrderedRuns.
        retrieval=PAYOUT_ROWS,
        # VENDOR: how amounts are written: minor units here; without an entry, a decimal number.
        cells=lambda _report: {"amount": d.cells.minor_units("currency")},
        headers=KNOWN.headers,
        column_type=KNOWN.column_type,
        describe=KNOWN.describe,
        known_types=(TYPE,),
    ),
)
