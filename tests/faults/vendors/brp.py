"""BRP in the proof."""

from __future__ import annotations

from typing import Any

from tap_billing_reports.sandbox.brp.api import PASSWORD, USERNAME
from tests.faults.fault import misplaced, replaced, vanishes
from tests.faults.vendors.facts import BARE_404, PAGE_404, Phase, Vendor


def _envelope(text: str) -> dict[str, Any]:
    return {"errors": [{"code": 1001, "message": text, "debuginfo": text}]}


BRP = Vendor(
    "brp",
    phases={
        "accounts": Phase("GET", r"/businessunits"),
        "list": Phase("GET", r"/invoices\."),
    },
    without=dict.fromkeys(("types", "runs", "order", "poll", "download", "ahead", "parse"), "BRP has no reports"),
    not_stored={"": "nothing of BRP is stored: the same as without storage"},
    keys=("brp_api_key", "brp_password"),
    pairs=(("brp_username", "brp_password"),),
    envelope=_envelope,
    settings={"brp_username": USERNAME, "brp_password": PASSWORD},
    needed={
        "accounts": ("companyid",),
        "list": ("id", "number", "totalamount", "rest", "invoicedate", "duedate", "state"),
    },
    in_records={
        "accounts": {"from": "<companyname>", "to": "<companyname>@echo-xml "},
        "list": {"from": "<invoice><id>", "to": "<invoice><xecho>@echo-xml</xecho><id>"},
    },
    not_there={
        "404 as a proxy's page": PAGE_404,
        "404 without a body": BARE_404,
        "404 in the vendor's words": {
            "status": 404,
            "body": {"errors": [{"code": 1001, "message": "Not found", "debuginfo": "field=id"}]},
        },
    },
    faults=(
        *misplaced("another period's or company's list", ("list",), "<company><id>", "<company><id>9"),
        vanishes(
            "a list loses an invoice",
            "not all that were listed before of",
            replaced(r"(<invoices>)<invoice>.*?</invoice>", r"\1"),
            "list",
        ),
        vanishes(
            "a list loses an account",
            "earlier syncs read it",
            replaced(r"<businessunit>.{0,90}<companyid>2<.*?</businessunit>"),
            "accounts",
            heals=None,
        ),
    ),
)
