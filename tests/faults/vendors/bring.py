"""Bring in the proof."""

from __future__ import annotations

from typing import Any

from tests.faults.fault import LASTING, Fault, altered, misplaced, replaced, vanishes
from tests.faults.vendors.facts import BARE_404, PAGE_404, Phase, Rule, Vendor
from tests.faults.vendors.stripe import envelope

FILE = r"^/reports/api/report/[^/]+\.xml$"


def _without(element: str) -> Rule:
    return {"pattern": f"<{element}>.*?</{element}>", "to": ""}


NO_LINES: Rule = {
    "pattern": r"(?s)<NumberOfRows>\d+</NumberOfRows>(.*<Lines>).*(</Lines>)",
    "to": r"<NumberOfRows>0</NumberOfRows>\1\2",
}
# Bring lists no runs and knows no key: one whose answer was lost is unknown, whatever is noted.
EXTRA_ORDERS = dict.fromkeys(("order", "poll", "download", "ahead"), 4)


def _one_customer_without_an_id() -> Fault:
    rule: dict[str, Any] = replaced(r'("customer": ?\[\{)"id"', r'\1"gone"')
    says = "customer 1 of the list has no id"
    return Fault("one customer of the list has no id", rule, **LASTING, phases=("accounts",), says=says)


BRING = Vendor(
    "bring",
    phases={
        "accounts": Phase("GET", r"^/reports/api/generate\.json$"),
        "list": Phase("GET", r"^/invoicearchive/api/invoices/"),
        "types": Phase("GET", r"^/reports/api/generate/[^/]+\.json$"),
        "order": Phase("GET", r"^/reports/api/generate/[^/]+/[^/]+\.json$"),
        "poll": Phase("GET", r"^/reports/api/report/[^/]+/status"),
        "download": Phase("GET", FILE),
        # Its files come first, and nothing is fetched ahead of the first of all.
        "ahead": Phase("GET", FILE, skip=1),
        "parse": Phase("GET", FILE),
    },
    files=("download", "ahead"),
    without={"runs": "Bring lists no runs"},
    keys=("bring_api_key",),
    # It has none of its own.
    envelope=envelope,
    needed={
        "accounts": ("id",),
        "list": ("invoiceNumber", "invoiceDate"),
        "types": ("id",),
        "poll": ("status",),
    },
    in_records={
        "accounts": {"from": '"name":"', "to": '"name":"@echo-json '},
        "list": {"from": '"invoiceNumber":', "to": '"xEcho":"@echo-json","invoiceNumber":'},
        "types": {"from": '{"id":', "to": '{"xEcho":"@echo-json","id":'},
    },
    not_there={
        "404 as a proxy's page": PAGE_404,
        "404 without a body": BARE_404,
        "404 in the vendor's words": {"status": 404, "body": "Not Found"},
    },
    damage=(
        ("XML", "a tag that never closes", {"from": "</Line>", "to": "<Line/>"}),
        ("XML", "an end without its root", {"from": "</Report>", "to": ""}),
        ("XML", "amounts that are none", {"from": "<AgreementPrice>", "to": "<AgreementPrice>x"}),
        ("XML", "a document type with an entity", {"from": "?>", "to": '?><!DOCTYPE Report [<!ENTITY a "b">]>'}),
        ("XML", "an entity that is not declared", {"from": "<Line>", "to": "<Line>&a;"}),
        ("XML", "an element named twice", {"from": "<Line>", "to": "<Line><A>1</A><A>2</A>"}),
        ("XML", "text between the lines", {"from": "<Line>", "to": "x<Line>"}),
        ("XML", "no lines where they belong", {"from": "Lines>", "to": "Linez>"}),
        ("XML", "a depth bomb", {"from": "<Lines>", "to": "<Lines>" + "<a>" * 400 + "</a>" * 400}),
        ("XML", "NUL bytes", {"from": "<Line>", "to": "<Line>\0"}),
        ("XML", "fewer rows than declared", {"from": "<NumberOfRows>", "to": "<NumberOfRows>1"}),
        ("XML", "a specification without lines", NO_LINES),
        ("XML", "a specification without its prices", _without("AgreementPrice")),
        ("XML", "a specification without its currency", _without("CurrencyCode")),
        ("XML", "a number of rows that is not there", _without("NumberOfRows")),
        ("XML", "a number of rows that is none", {"from": "<NumberOfRows>", "to": "<NumberOfRows>x"}),
    ),
    faults=(
        # It declares no size: whole XML with all its rows and sums is all that can be checked.
        Fault(
            "more rows declared than there are",
            altered("<NumberOfRows>", "<NumberOfRows>9"),
            **LASTING,
            phases=("download", "ahead"),
        ),
        *misplaced("another period's or company's list", ("list",), '.2026"', '.2024"'),
        *misplaced("another run's answer", ("poll",), "/report/", "/report/9"),
        *misplaced("another invoice's file", ("download", "ahead", "parse"), "<InvoiceNumber>47", "<InvoiceNumber>48"),
        _one_customer_without_an_id(),
        *(
            vanishes(f"a whole list loses {field}", "which all had before", altered(f'"{field}"', '"gone"'), "list")
            for field in ("totalAmount", "currency", "dueDate", "invoiceSpecificationAvailable")
        ),
        # Said once: it stays gone, and the next list is held against this one.
        vanishes(
            "a list loses an invoice",
            "not all that were listed before of",
            replaced(r'("invoices":\[)\{[^{}]*\},', r"\1"),
            "list",
        ),
        vanishes(
            "a list loses an account",
            "earlier syncs read it",
            replaced(r'("customer":\[)\{[^{}]*\},null,', r"\1"),
            "accounts",
            heals=None,
        ),
    ),
    heals={
        ("order", name): "the run's id stands in the answer's header"
        for name in ("cut, chunked, for ever", "cut, closed, for ever")
    },
    extra_orders=EXTRA_ORDERS,
)
