"""Newvendor on one page: reports that are ordered, polled and collected as CSV.

VENDOR: name here the documents that the facts below are taken from, and the date.
"""

from __future__ import annotations

from typing import Any

from tap_billing_reports import declare as d

# VENDOR: the API's base URL.
BASE_URL = "https://api.newvendor.example"
# VENDOR: the time zone in which its days begin.
ZONE = "Europe/Copenhagen"
# VENDOR: its word for the report type. `catalogue.json` has the columns, and the setting takes no other type.
TYPE = "settlements"

# The columns that are known, by report type; whatever else a row holds is added as text.
KNOWN = d.Catalogue.in_package("tap_billing_reports_newvendor")

# VENDOR: its words for where a run stands. A word that is not here is an error, never taken for "pending".
STATES = {
    "processing": d.RunStatus.PENDING,
    "completed": d.RunStatus.READY,
    "failed": d.RunStatus.FAILED,
    "expired": d.RunStatus.EXPIRED,
}

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


def parameters(_report: d.Report, period: d.Period) -> d.Parameters:
    """VENDOR: a window in its words: here whole days, both included. As instants in UTC: `period.instants()`."""
    first, last = period.days(ZONE)
    return {"from": first.isoformat(), "to": last.isoformat()}


def order_call(_account: d.Account, report: d.Report, asked: d.Parameters) -> d.OrderCall:
    """VENDOR: the order: `json`, `form` or `params`."""
    return d.OrderCall(json={"type": report.report_type, **asked})


def run_of(record: d.Record) -> d.Run:
    """VENDOR: a run as the answers to order and status describe it. KeyError for an unknown state.

    The file's path is built from ids, never taken from an answer.
    """
    run_id: Any = record["id"]
    state: Any = record["state"]
    status = STATES[state]
    path = d.fill("/v1/report-runs/{run_id}/file", {"run_id": run_id})
    return d.Run(
        run_id=run_id,
        status=status,
        source_status=state,
        error=record.get("error"),
        file=d.RemoteFile(run_id, "csv", "api", path) if status is d.RunStatus.READY else None,
    )


def configured(values: d.Values) -> list[d.Report]:
    entries = values["newvendor_reports"]
    return [d.Report.of("newvendor", entry, zone=ZONE) for entry in entries]


RUNS = d.OrderedRuns(
    # VENDOR: its endpoints. An order is a POST; `{run_id}` is the run's id, whatever the vendor calls it.
    order=d.Endpoint("api", "/v1/report-runs", method="POST"),
    order_call=order_call,
    status=d.Endpoint("api", "/v1/report-runs/{run_id}"),
    read_run=run_of,
    # VENDOR: what an order costs: `orders_are_free` (nothing), `repeatable` (one more does no harm),
    # `idempotency_header` (orders take a key), `runs` and `list_query` (runs are listed).
)

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
        parameters=parameters,
        retrieval=RUNS,
        budget=lambda _values: 1,  # VENDOR: how many runs may wait at once.
        # VENDOR: a CSV that is not in UTF-8 with commas: csv=lambda _report: d.CsvForm(delimiter=";").
        headers=KNOWN.headers,
        column_type=KNOWN.column_type,
        describe=KNOWN.describe,
        known_types=(TYPE,),
    ),
)
