"""Klarna in the proof: the list of payouts, payouts as rows, transactions page by page, the two files of a payout."""

from __future__ import annotations

from typing import Any

from tests.faults.fault import LASTING, Fault, altered, misplaced, replaced
from tests.faults.vendors.facts import BARE_404, PAGE_404, Phase, Rule, Vendor

ROOT = "^/settlements/v1"
PAYOUTS, ROWS = f"{ROOT}/payouts$", f"{ROOT}/transactions$"
# The payouts since the start, whose transactions are read; and those of the month, which are rows themselves.
SINCE_THE_START, OF_THE_MONTH = "start_date=2026-10-13", "start_date=2026-10-01"
SECOND_PAGE = "offset=500"
DEEP: Rule = {"from": '"pagination":', "to": '"x":' + "[" * 100_000 + "]" * 100_000 + ',"pagination":'}
NO_PDF: Rule = {"status": 200, "headers": {"Content-Type": "application/pdf"}, "body": "no"}
UNCHECKED = "the form of the CSV is described nowhere, nor its size told: it is kept as it comes"


def _envelope(text: str) -> dict[str, Any]:
    return {"error_code": "c", "error_messages": [text], "correlation_id": "1"}


def _rows(old: str, new: str) -> Rule:
    return {"pattern": old, "to": new}


KLARNA = Vendor(
    "klarna",
    phases={
        "list": Phase("GET", PAYOUTS, SINCE_THE_START),
        "payouts": Phase("GET", PAYOUTS, OF_THE_MONTH),
        "transactions": Phase("GET", ROWS),
        "page": Phase("GET", ROWS, SECOND_PAGE),
        "csv": Phase("GET", f"{ROOT}/reports/payout-with-transactions$"),
        "pdf": Phase("GET", f"{ROOT}/reports/payout$"),
        "parse": Phase("GET", ROWS),
    },
    not_stored={"list": "nothing is stored in this phase: the same as without storage"},
    only_stored=("csv", "pdf"),
    kept=(".csv", ".pdf"),
    keys=("klarna_password",),
    pairs=(("klarna_username", "klarna_password"),),
    envelope=_envelope,
    needed={
        "list": ("payouts", "pagination", "total", "payment_reference", "payout_date", "currency_code"),
        "payouts": ("payouts", "pagination", "total", "payment_reference", "currency_code"),
        "transactions": ("transactions", "pagination", "total", "amount", "type", "currency_code"),
        "page": ("transactions", "pagination", "total", "amount", "type", "currency_code"),
    },
    not_there={
        "404 as a proxy's page": PAGE_404,
        "404 without a body": BARE_404,
        "404 in the vendor's words": {
            "status": 404,
            "body": {"error_code": "NOT_FOUND", "error_messages": ["no payout"], "correlation_id": "1"},
        },
    },
    damage=(
        ("JSON", "amounts that are none", _rows(r'"amount":(-?\d+)', r'"amount":"x\1"')),
        ("JSON", "amounts that are not there", _rows(r'"amount":(-?\d+)', r'"amount":null')),
        ("JSON", "amounts that are true", _rows(r'"amount":(-?\d+)', r'"amount":true')),
        ("JSON", "amounts with half a minor unit", _rows(r'"amount":(-?\d+)', r'"amount":\1.5')),
        ("JSON", "amounts with an exponent", _rows(r'"amount":(-?\d+)', r'"amount":\1e3')),
        ("JSON", "amounts twice", _rows(r'"amount":', r'"amount":1,"amount":')),
        ("JSON", "a type that nobody knows", {"from": '"type":"SALE"', "to": '"type":"SALT"'}),
        ("JSON", "a currency that is none", _rows(r'"currency_code":"[A-Z]+"', '"currency_code":"kroner"')),
        ("JSON", "times that are none", {"from": '"sale_date":"2026', "to": '"sale_date":"x026'}),
        ("JSON", "a row that is none", {"from": '"transactions":[{', "to": '"transactions":[7,{'}),
        ("JSON", "rows that are not there", _rows(r'"transactions":\[.*?\]', '"transactions":null')),
        ("JSON", "a row left out", _rows(r'("transactions":\[\{[^{}]*\}),\{[^{}]*\}', r"\1")),
        ("JSON", "a row twice", _rows(r'("transactions":\[)(\{[^{}]*\})', r"\1\2,\2")),
        ("JSON", "a total that is too small", _rows(r'"total":\d+', '"total":1')),
        ("JSON", "a total that is none", _rows(r'"total":(\d+)', r'"total":"x\1"')),
        ("JSON", "a total below zero", _rows(r'"total":(\d+)', r'"total":-\1')),
        ("JSON", "a depth bomb", DEEP),
        ("JSON", "no JSON at its end", _rows(r"\}$", "")),
    ),
    faults=(
        *misplaced("another period's payouts", ("list", "payouts"), '"payout_date":"2026', '"payout_date":"2025'),
        *misplaced(
            "another payout's rows", ("transactions", "page"), '"payment_reference":"', '"payment_reference":"X'
        ),
        # One that is absent says nothing of zero; one that earlier lists had is missed.
        Fault(
            "the settlement is in no payout any more",
            altered('"settlement_amount"', '"gone"'),
            **LASTING,
            phases=("payouts",),
            after_calm=True,
            says="the column 'totals.settlement_amount' is missing",
        ),
        Fault(
            "a payout is listed twice, with other totals",
            replaced(r'("payouts":\[)(\{.*?)"sale_amount":(\d+)', r'\1\2"sale_amount":9\3'),
            **LASTING,
            phases=("list",),
        ),
        Fault(
            "no PDF, though it says so",
            NO_PDF,
            **LASTING,
            phases=("pdf",),
        ),
        Fault(
            "the list grows while it is read",
            options={"klarna": {"klarna_grows": "transactions"}},
            phases=("transactions",),
            heals=None,
            once=False,
        ),
    ),
    passed_on={("csv", "malformed CSV with keys"): UNCHECKED},
    heals={("csv", name): UNCHECKED for name in ("cut, chunked, for ever", "cut, closed, for ever", "malformed CSV")},
)
