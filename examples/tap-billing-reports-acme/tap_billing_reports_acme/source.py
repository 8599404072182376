"""Acme Pay on one page: merchants, their invoices in JSON, and exports as CSV that are ordered and polled.

Amounts are decimal text in major units. Orders carry a key, and exports are listed: none has to be made twice.
Dates are whole days in Danish time, both ends inclusive.
"""

from __future__ import annotations

from typing import Any

from tap_billing_reports import declare as d
from tap_billing_reports.declare import to

ZONE = "Europe/Copenhagen"

SETTINGS = d.settings_of(
    "Acme Pay",
    d.Setting("acme_api_key", "the API key.", required=True, secret=True),
    d.Setting("acme_lookback_days", "days whose invoices are read again.", d.DAYS, default=14),
    d.Setting(
        "acme_reports",
        "exports to order, one stream each: report_type, name, window (day, week, month), optional.",
        d.reports_schema("^[a-z_]+$", ("day", "week", "month")),
        default=[],
    ),
    d.Setting("acme_base_url", "the base URL (for an emulator).", default="https://api.acme-pay.example"),
)

PAGES = d.TokenPaging("page_token", next="paging.next", size=("page_size", "100"))
MERCHANTS = d.Endpoint("acme", "/v2/merchants", records=("merchants",), paging=PAGES)
INVOICES = d.Endpoint("acme", "/v2/invoices", records=("invoices",), paging=PAGES)
EXPORTS = d.Endpoint("acme", "/v2/exports", records=("exports",), paging=PAGES)

INVOICE_FIELDS = (
    d.Field("invoice_id", "id", to.text, d.Need.VALUE),
    d.Field("type", "kind", to.lookup({"invoice": "invoice", "credit_memo": "credit_note"}, "other")),
    d.Field("status", "status", to.lookup({"OPEN": "open", "PAID": "paid", "VOID": "void"}, "unknown"), d.Need.VALUE),
    d.Field("source_status", "status", to.text),
    d.Field("invoice_date", "issued", to.day, d.Need.VALUE),
    d.Field("paid_at", "paid_at", to.timestamp),
    d.Field("currency", "currency", to.upper, d.Need.VALUE),
    d.Field("net_amount", "net", to.decimal),
    d.Field("total_amount", "gross", to.decimal, d.Need.VALUE),
    d.Field("recipient", "customer.name", to.text),
    d.Field("acme_project", "project", to.text),
)

# The columns that are known, by report type; whatever else a file holds is added as text.
KNOWN = d.Catalogue.in_package("tap_billing_reports_acme")
STATES = dict.fromkeys(("queued", "running"), d.RunStatus.PENDING)
STATES |= {"done": d.RunStatus.READY, "failed": d.RunStatus.FAILED}


def accounts(client: d.SourceClient) -> list[d.Account]:
    return [
        d.Account("acme", one["id"], "acme_merchant", one["name"], headers={"X-Acme-Merchant": one["id"]}, record=one)
        for one in client.records(MERCHANTS)
    ]


def parameters(_report: d.Report, period: d.Period) -> d.Parameters:
    first, last = period.days(ZONE)
    return {"from": first.isoformat(), "to": last.isoformat()}


def run_of(record: d.Record) -> d.Run:
    """An export; KeyError for a state that is none of the known ones."""
    file: Any = record["file"]
    path = d.fill("/v2/exports/{run_id}/file", {"run_id": record["id"]})
    return d.Run(
        run_id=record["id"],
        status=STATES[record["state"]],
        source_status=record["state"],
        report_type=record["type"],
        parameters={"from": record["from"], "to": record["to"]},
        created_at=d.parse_utc(record["created_at"]),
        error=record["error"],
        file=file and d.RemoteFile(file["id"], "csv", "acme", path, size=file["bytes"]),
    )


SOURCE = d.Source(
    name="acme",
    title="Acme Pay",
    zone=ZONE,
    settings=SETTINGS,
    hosts=(d.Host("acme", "acme_base_url"),),
    authenticator=lambda values: d.BearerAuthenticator(values["acme_api_key"]),
    account_label=lambda values: f"at {values['acme_base_url']}",
    accounts=accounts,
    read_problem=d.problem_at("error", "code"),
    columns={"invoices": {"acme_project": {"type": ["string", "null"]}}},
    invoices=d.InvoiceApi(
        endpoint=INVOICES,
        queries=lambda _client, _account, since, until: [[("from", since.isoformat()), ("to", until.isoformat())]],
        fields=INVOICE_FIELDS,
        lookback="acme_lookback_days",
    ),
    reports=d.ReportApi(
        configured=lambda values: [d.Report.of("acme", entry, zone=ZONE) for entry in values["acme_reports"]],
        parameters=parameters,
        retrieval=d.OrderedRuns(
            order=d.Endpoint("acme", "/v2/exports", method="POST"),
            order_call=lambda _account, report, asked: d.OrderCall(form=[("type", report.report_type), *asked.items()]),
            status=d.Endpoint("acme", "/v2/exports/{run_id}"),
            read_run=run_of,
            idempotency_header="Idempotency-Key",
            runs=EXPORTS,
            list_query=lambda since: [("created_from", d.utc_text(since))],
        ),
        headers=KNOWN.headers,
        column_type=KNOWN.column_type,
        describe=KNOWN.describe,
        budget=lambda _values: 4,
    ),
)
