"""Newvendor on one page: the rows of each day are a list that is read page by page.

VENDOR: name here the documents that the facts below are taken from, and the date.
"""

from __future__ import annotations

from tap_billing_reports import declare as d

# VENDOR: the API's base URL.
BASE_URL = "https://api.newvendor.example"
# VENDOR: the time zone in which its days begin.
ZONE = "Europe/Copenhagen"
# VENDOR: its word for the report type. `catalogue.json` has the columns, and the setting takes no other type.
TYPE = "transactions"

# The columns that are known, by report type; whatever else a row holds is added as text.
KNOWN = d.Catalogue.in_package("tap_billing_reports_newvendor")

# VENDOR: how its list goes on, and under which key its records stand. Other pagings: Cursor, Offset, Number, Link.
PAGES = d.TokenPaging("page_token", next="next")
TRANSACTIONS = d.Endpoint("api", "/v1/transactions", records=("transactions",), paging=PAGES)

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
        d.reports_schema(f"^({TYPE})$", ("day", "week", "month")),
        default=[{"report_type": TYPE}],
    ),
    d.Setting(
        "newvendor_base_url",
        "the base URL (for an emulator).",
        default=BASE_URL,
    ),
)


def window(_report: d.Report, period: d.Period) -> d.Parameters:
    """VENDOR: how it wants a window said: here whole days of its zone, both ends included."""
    first, last = period.days(ZONE)
    return {"from": first.isoformat(), "to": last.isoformat()}


# VENDOR: `key` names what no two rows share.
ROWS = d.PagedRows(
    TRANSACTIONS,
    query=lambda _account, report, period: [*window(report, period).items()],
    key=("id",),
)


def configured(values: d.Values) -> list[d.Report]:
    entries = values["newvendor_reports"]
    return [d.Report.of("newvendor", entry, zone=ZONE) for entry in entries]


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
        parameters=window,
        retrieval=ROWS,
        # VENDOR: how it says that a day's rows are not there yet: not_yet=d.NotYetWhen(statuses={404}).
        # VENDOR: how amounts are written: minor units here; without an entry, a decimal number.
        cells=lambda _report: {"amount": d.cells.minor_units("currency")},
        headers=KNOWN.headers,
        column_type=KNOWN.column_type,
        describe=KNOWN.describe,
        known_types=(TYPE,),
    ),
)
