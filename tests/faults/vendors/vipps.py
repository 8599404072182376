"""Vipps MobilePay in the proof: its sign-in, the renewal of a token in mid-sync, ledgers, days and their pages."""

from __future__ import annotations

from typing import Any

from tap_billing_reports.sandbox.vipps.signin import SIGNATURE
from tests.faults.fault import LASTING, Fault, altered, misplaced, replaced
from tests.faults.vendors.facts import BARE_404, PAGE_404, Phase, Rule, Vendor

TOKEN, LEDGERS, DAY = r"^/accesstoken/get$", r"^/settlement/v1/ledgers$", r"^/report/v2/ledgers/[^/]+/(funds|fees)/"
CURSOR = "cursor="
PROBLEM = {"Content-Type": "application/problem+json"}
DEPTH = 100_000


def _envelope(text: str) -> dict[str, Any]:
    return {"title": "c", "status": 400, "detail": text}


def _entries(old: str, new: str) -> Rule:
    return {"pattern": old, "to": new}


VIPPS = Vendor(
    "vipps",
    phases={
        "sign-in": Phase("POST", TOKEN),
        "renewal": Phase("POST", TOKEN, skip=1),
        "accounts": Phase("GET", LEDGERS),
        "accounts page": Phase("GET", LEDGERS, CURSOR),
        "day": Phase("GET", DAY),
        "page": Phase("GET", DAY, CURSOR),
        "parse": Phase("GET", DAY),
    },
    not_stored=dict.fromkeys(
        ("sign-in", "renewal", "accounts", "accounts page"),
        "nothing is stored in this phase: the same as without storage",
    ),
    keys=("vipps_client_secret", "vipps_subscription_key"),
    tokens=(SIGNATURE,),
    envelope=_envelope,
    needed={
        "sign-in": ("access_token",),
        "renewal": ("access_token",),
        "accounts": ("items", "ledgerId"),
        "day": ("items", "hasMore", "tryLater", "amount", "currency", "balanceBefore", "balanceAfter", "entryType"),
        "page": ("items", "hasMore", "tryLater", "amount", "currency", "balanceBefore", "balanceAfter"),
    },
    in_records={"accounts": {"from": '"ledgerId"', "to": '"xEcho":"@echo-json","ledgerId"'}},
    not_there={
        "404 as a proxy's page": PAGE_404,
        "404 without a body": BARE_404,
        "404 in the vendor's words": {
            "status": 404,
            "headers": PROBLEM,
            "body": {"title": "No such ledgerId", "status": 404, "detail": "No such ledgerId"},
        },
    },
    damage=(
        ("JSON", "amounts that are none", _entries(r'"amount":(-?\d+)', r'"amount":"x\1"')),
        ("JSON", "amounts that are not there", _entries(r'"amount":(-?\d+)', r'"amount":null')),
        ("JSON", "amounts that are true", _entries(r'"amount":(-?\d+)', r'"amount":true')),
        ("JSON", "amounts that are objects", _entries(r'"amount":(-?\d+)', r'"amount":{"value":\1}')),
        ("JSON", "amounts with half a minor unit", _entries(r'"amount":(-?\d+)', r'"amount":\1.5')),
        ("JSON", "amounts with an exponent", _entries(r'"amount":(-?\d+)', r'"amount":\1e3')),
        ("JSON", "amounts of a thousand digits", _entries(r'"amount":(-?\d+)', r'"amount":\g<1>' + "0" * 1000)),
        ("JSON", "amounts twice", _entries(r'"amount":', r'"amount":1,"amount":')),
        ("JSON", "a currency that is none", _entries(r'"currency":"[A-Z]+"', '"currency":"kroner"')),
        ("JSON", "times that are none", {"from": '"time":"2026', "to": '"time":"x026'}),
        ("JSON", "an entry that is none", {"from": '"items":[{', "to": '"items":[7,{'}),
        ("JSON", "entries that are a text", _entries(r'"items":\[.*?\]', '"items":"none"')),
        ("JSON", "entries that are not there", _entries(r'"items":\[.*?\]', '"items":null')),
        ("JSON", "an entry left out", _entries(r'("items":\[\{[^{}]*\}),\{[^{}]*\}', r"\1")),
        ("JSON", "an entry twice", _entries(r'("items":\[)(\{[^{}]*\})', r"\1\2,\2")),
        ("JSON", "more, and no cursor", {"from": '"hasMore":false', "to": '"hasMore":true'}),
        ("JSON", "the same cursor again", _entries(r'"cursor":"[^"]*"', '"cursor":"eyJub3QiOiJvbmUifQ=="')),
        ("JSON", "a depth bomb", {"from": '"hasMore":', "to": '"x":' + "[" * DEPTH + "]" * DEPTH + ',"hasMore":'}),
        ("JSON", "no JSON at its end", _entries(r"\}$", "")),
    ),
    faults=(
        *misplaced("another day's entries", ("day", "page"), '"ledgerDate":"2026', '"ledgerDate":"2025'),
        Fault(
            "the token is echoed in a refusal",
            {"status": 400, "body": _envelope(f"bad token x.y.{SIGNATURE}")},
            **LASTING,
            phases=("accounts", "day", "page", "renewal"),
        ),
        Fault(
            "the token is echoed in a page",
            {"status": 500, "body": f"<p>x.y.{SIGNATURE}"},
            **LASTING,
            phases=("accounts", "day", "page", "renewal"),
        ),
        Fault(
            "a token with a line break",
            replaced(r'"access_token":"', r'"access_token":"x\\n'),
            **LASTING,
            phases=("sign-in", "renewal"),
        ),
        Fault(
            "a token of a megabyte",
            replaced(r'"access_token":"', '"access_token":"' + "x" * (1 << 20)),
            **LASTING,
            phases=("sign-in", "renewal"),
        ),
        Fault(
            "a token that is refused",
            replaced(r'"access_token":"', r'"access_token":"x'),
            **LASTING,
            phases=("sign-in", "renewal"),
        ),
        Fault(
            "a token that is refused, once",
            replaced(r'"access_token":"', r'"access_token":"x'),
            heals=None,
            phases=("sign-in", "renewal"),
        ),
        Fault(
            "a life that is none",
            altered('"expires_in":"', '"expires_in":"x'),
            **LASTING,
            phases=("sign-in", "renewal"),
        ),
        Fault(
            "a life of no second",
            altered('"expires_in":"3600"', '"expires_in":"0"'),
            once=False,
            heals=None,
            phases=("sign-in", "renewal"),
        ),
        Fault("tokens that end at once", options={"vipps": {"vipps_token_calls": 1}}, phases=("renewal",)),
        Fault("tokens that end within a minute", options={"vipps": {"vipps_token_seconds": 30}}, phases=("renewal",)),
        Fault(
            "401 once",
            {"status": 401, "body": {"code": "Unauthorized", "message": "The token is no longer valid"}},
            phases=("accounts", "accounts page", "day", "page"),
        ),
        Fault(
            "a day is not closed, by its flag",
            altered('"tryLater":false', '"tryLater":true'),
            once=False,
            defers=True,
            phases=("day", "page"),
        ),
        Fault(
            "a day is not closed, by its flag, once",
            altered('"tryLater":false', '"tryLater":true'),
            defers=True,
            phases=("day", "page"),
        ),
    ),
    defers=frozenset((phase, f"404 without a body{once}") for phase in ("day", "page") for once in ("", " once")),
)
