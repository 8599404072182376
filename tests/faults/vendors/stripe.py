"""Stripe in the proof."""

from __future__ import annotations

from typing import Any

from tests.faults.fault import LASTING, Fault, misplaced
from tests.faults.vendors.facts import BARE_404, PAGE_404, Phase, Vendor

FILE = r"^/v1/files/.*/contents$"
POLL = r"^/v1/reporting/report_runs/frr_"

# What each record must have by the vendor's documents: see `Need` in the declaration.
RUN = ("id", "status", "report_type", "parameters", "created")
INVOICE = (
    *("id", "number", "status", "created", "due_date", "effective_at", "currency", "total", "total_excluding_tax"),
    *("amount_remaining", "status_transitions"),
)


def envelope(text: str) -> dict[str, Any]:
    """The vendor's error with this message."""
    return {"error": {"type": "api_error", "code": "c", "message": text}}


def _404(hint: str = "") -> dict[str, Any]:
    error = {
        "code": "resource_missing",
        "doc_url": "https://stripe.com/docs/error-codes/resource-missing",
        "message": f"No such object: 'injected'{hint}",
        "param": "id",
        "type": "invalid_request_error",
    }
    return {"status": 404, "body": {"error": error}}


# Both modes of an account share its id, so a key of the other one is refused nowhere else.
OTHER_MODE = _404("; a similar object exists in live mode, but a test mode key was used to make this request.")


STRIPE = Vendor(
    "stripe",
    phases={
        "list": Phase("GET", r"^/v1/invoices$"),
        "types": Phase("GET", r"^/v1/reporting/report_types"),
        "runs": Phase("GET", r"^/v1/reporting/report_runs$"),
        "order": Phase("POST", r"^/v1/reporting/report_runs$"),
        "poll": Phase("GET", POLL),
        "download": Phase("GET", FILE),
        "ahead": Phase("GET", FILE),
        "parse": Phase("GET", FILE),
    },
    files=("download", "ahead"),
    without={"accounts": "Stripe's accounts come from the settings"},
    keys=("stripe_api_key",),
    envelope=envelope,
    settings={
        "stripe_connected_accounts": [],
        "stripe_reports": [{"report_type": "balance_change_from_activity.summary.1", "window": "month"}],
    },
    needed={
        "list": INVOICE,
        "types": ("id", "name", "data_available_start", "data_available_end", "updated"),
        **dict.fromkeys(("runs", "order", "poll"), RUN),
    },
    in_records={
        "list": {"from": '"object":"invoice"', "to": '"object":"invoice","x_echo":"@echo-json"'},
        "types": {
            "from": '"object":"reporting.report_type"',
            "to": '"object":"reporting.report_type","x_echo":"@echo-json"',
        },
        "poll": {"from": '"error":null', "to": '"error":"@echo-json"'},
    },
    not_there={
        "404 as a proxy's page": PAGE_404,
        "404 without a body": BARE_404,
        "404 of the other mode": OTHER_MODE,
        "404 in the vendor's words": _404(),
    },
    # A file's size is declared, so damage is of equal length: only the reader can see it.
    damage=(
        ("CSV", "a quote that never closes", {"from": '"eur"', "to": '"eurx'}),
        ("CSV", "cells too many", {"from": '"eur"', "to": '"",""'}),
        ("CSV", "cells too few", {"from": '","eur"', "to": 'xxxeur"'}),
        ("CSV", "amounts that are none", {"from": ".", "to": "x"}),
        ("CSV", "a sign that is none", {"from": "-", "to": "'"}),
        ("CSV", "NUL bytes", {"from": "eur", "to": "e\0r"}),
        ("CSV", "another separator", {"from": ",", "to": ";"}),
        ("CSV", "a column named twice", {"from": "gross", "to": "count"}),
        ("CSV", "a column without a name", {"from": '"count","gross"', "to": '"","countgross"'}),
        ("CSV", "a column missing, another in its place", {"from": "gross", "to": "grass"}),
        ("CSV", "no currency, another column in its place", {"from": '"currency"', "to": '"kurrency"'}),
        ("CSV", "no count, another column in its place", {"from": '"count"', "to": '"c0unt"'}),
        ("CSV", "no line ends", {"from": "\n", "to": " "}),
        ("CSV", "a blank line within", {"from": '"charge","eur"', "to": '\n\n"charge","e"'}),
    ),
    faults=(
        Fault("a line left out", {"alter": {"drop_line": 40}}, **LASTING, phases=("download", "ahead")),
        *misplaced("another period's or company's list", ("list",), '"created":17', '"created":16'),
        *misplaced("another run's answer", ("poll",), '"id":"frr_', '"id":"frr_9'),
        *misplaced("another period's run", ("order", "poll"), '"interval_start":1', '"interval_start":2'),
        *misplaced("another run's file", ("poll",), '"filename":"frr_', '"filename":"frr_9'),
        *misplaced(
            "the other mode's answer", ("list", "types", "order", "poll"), '"livemode":false', '"livemode":true'
        ),
        Fault(
            "runs fail, and say so with keys",
            options={"stripe": {"stripe_run_rules": [{"do": {"fail": "no such key: @echo-json"}}]}},
            once=False,
            heals=False,
            extra_orders=3,
            phases=("poll",),
        ),
    ),
    extra_orders=dict.fromkeys(("poll", "download", "ahead"), 3),
)
