"""The fault matrix: vendor x phase x fault, each a cell with what goes wrong, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.faults.breaking import NOT_THERE
from tests.faults.echoing import IN_RECORDS, SPELLINGS, WHOLE, envelope
from tests.faults.parse_faults import PARSE_FAULTS

if TYPE_CHECKING:
    from collections.abc import Iterator

_DOWNLOADS = {
    "stripe": ("GET", r"^/v1/files/.*/contents$"),
    "bring": ("GET", r"^/reports/api/report/[^/]+\.xml$"),
}
# Where each phase of each vendor happens: (method, path as a regular expression). `download` is the main thread's,
# `ahead` that of the thread which fetches the next file.
PHASES: dict[str, dict[str, tuple[str, str]]] = {
    "stripe": {
        "list": ("GET", r"^/v1/invoices$"),
        "types": ("GET", r"^/v1/reporting/report_types"),
        "runs": ("GET", r"^/v1/reporting/report_runs$"),
        "order": ("POST", r"^/v1/reporting/report_runs$"),
        "poll": ("GET", r"^/v1/reporting/report_runs/frr_"),
        "download": _DOWNLOADS["stripe"],
        "ahead": _DOWNLOADS["stripe"],
        "parse": _DOWNLOADS["stripe"],
    },
    "bring": {
        "accounts": ("GET", r"^/reports/api/generate\.json$"),
        "list": ("GET", r"^/invoicearchive/api/invoices/"),
        "types": ("GET", r"^/reports/api/generate/[^/]+\.json$"),
        "order": ("GET", r"^/reports/api/generate/[^/]+/[^/]+\.json$"),
        "poll": ("GET", r"^/reports/api/report/[^/]+/status"),
        "download": _DOWNLOADS["bring"],
        "ahead": _DOWNLOADS["bring"],
        "parse": _DOWNLOADS["bring"],
    },
    "brp": {
        "accounts": ("GET", r"/businessunits"),
        "list": ("GET", r"/invoices\."),
    },
}
FILES = ("download", "ahead")
CALLS = ("accounts", "list", "types", "runs", "order", "poll", *FILES)
# Bring's files come first, and nothing is fetched ahead of the first of all.
FIRST_AHEAD = {"stripe": 0, "bring": 1}
ALL_PHASES = (*CALLS, "parse", "emit")

_NO_REPORTS = "BRP has no reports"
WITHOUT: dict[tuple[str, str], str] = {
    ("stripe", "accounts"): "Stripe's accounts come from the settings",
    ("bring", "runs"): "Bring lists no runs",
    **{("brp", phase): _NO_REPORTS for phase in ("types", "runs", "order", "poll", *FILES, "parse")},
}

# Where storage changes nothing, by vendor or phase.
NOT_STORED = {
    "brp": "nothing of BRP is stored: the same as without storage",
    "ahead": "the thread that fetches ahead stores nothing: the same as without storage",
    **dict.fromkeys(("accounts", "types"), "nothing is stored in this phase: the same as without storage"),
}


@dataclass(frozen=True)
class Fault:
    """A way to go wrong.

    Attributes:
        do: the sandbox's rule; `by_vendor` where it differs.
        divert: where the call is led instead: see `diverting`.
        options: the sandbox's switches, by vendor.
        breaks: the errno with which stdout fails, and whether in the middle of a line.
        once: it happens one time and passes; else it lasts as long as the sync.
        heals: True: it may end well; False: the sync must end non-zero; None: either.
        recovers: the sync after it, undisturbed, must deliver the rest; False where the vendor never will.
        waits: seconds before which the call must not be made again.
        phases: where it makes sense, and why not elsewhere. vendors: likewise.
        extra_orders: orders of one thing beyond the first that the fault makes necessary.
        sweeps: the vendor's answers are those of `echoing.sweep`, one after the other.
        in_records: what it changes becomes records, which must have all the rest as ever.
    """

    name: str
    do: dict[str, Any] = field(default_factory=dict)
    once: bool = True
    heals: bool | None = True
    waits: float = 0.0
    phases: tuple[str, ...] = CALLS
    why_not: str = ""
    vendors: tuple[str, ...] = ("stripe", "bring", "brp")
    why_not_there: str = ""
    by_vendor: dict[str, dict[str, Any]] = field(default_factory=dict)
    divert: str = ""
    options: dict[str, dict[str, Any]] = field(default_factory=dict)
    breaks: tuple[int, bool] | None = None
    recovers: bool = True
    extra_orders: int = 0
    sweeps: bool = False
    in_records: bool = False
    after_calm: bool = False
    """An undisturbed sync goes before: what vanishes has to have been there."""
    says: str = ""
    """What the log of the disturbed sync must have."""
    then: float = 0.0
    """Seconds that pass before the next sync."""


def _status(status: int, **headers: Any) -> dict[str, Any]:
    return {"status": status, "headers": headers, "body": {"error": {"type": "api_error", "message": "injected"}}}


_IN_CALLS = "happens to calls: parsing and emitting make none"
_IN_FILES = "only files are longer than one answer"
_IN_POLLS = "happens to runs, and shows when they are asked about"
_IN_EMIT = "happens to what takes the output"
_IN_PARSE = "happens to what a file holds"
_HAS_RUNS = ("stripe", "bring")

LASTING: dict[str, Any] = {"once": False, "heals": False}

HTTP_FAULTS: tuple[Fault, ...] = (
    Fault("429 Retry-After 7", _status(429, **{"Retry-After": "7"}), waits=7),
    Fault("429 Retry-After date", _status(429, **{"Retry-After": {"in": 9}}), waits=8),
    Fault("429 bare", _status(429)),
    Fault("429 for ever", _status(429), **LASTING),
    Fault("500", _status(500)),
    Fault("502", _status(502)),
    Fault("503", _status(503)),
    Fault("503 Retry-After 7", _status(503, **{"Retry-After": "7"}), waits=7),
    Fault("504", _status(504)),
    Fault("429 Retry-After a day", _status(429, **{"Retry-After": "86400"}), heals=None),
    Fault("503 Retry-After a day", _status(503, **{"Retry-After": "86400"}), heals=None),
    Fault("503 for ever", _status(503), **LASTING),
    Fault("408", _status(408)),
    Fault("409", _status(409)),
    Fault("refused", divert="refused"),
    Fault("refused for ever", divert="refused", **LASTING),
    Fault("connect time-out", divert="deaf"),
    Fault("connect time-out for ever", divert="deaf", **LASTING),
    Fault("certificate of a stranger", divert="stranger", **LASTING),
    Fault("certificate for another host", divert="other host", **LASTING),
    Fault("certificate expired", divert="expired", **LASTING),
    Fault("stall before headers", {"stall": True}),
    Fault("stall for ever", {"stall": True}, **LASTING),
    Fault("drip 1 byte/s", {"drip": 1}),
    Fault("drip for ever", {"drip": 1}, **LASTING),
    Fault("reset", {"reset": 3}),
    Fault("reset for ever", {"reset": 3}, **LASTING),
    Fault("short Content-Length", {"cut": {"after": 11, "framing": "length"}}),
    Fault("cut, chunked", {"cut": {"after": 11, "framing": "chunked"}}),
    Fault("cut, closed", {"cut": {"after": 11, "framing": "close"}}),
    Fault("cut, chunked, for ever", {"cut": {"after": 11, "framing": "chunked"}}, **LASTING),
    Fault("cut, closed, for ever", {"cut": {"after": 11, "framing": "close"}}, **LASTING),
    Fault(
        "cut at a line's end",
        {"alter": {"drop_line": -1}},
        **LASTING,
        phases=FILES,
        why_not=_IN_FILES,
        vendors=_HAS_RUNS,
        why_not_there=_NO_REPORTS,
    ),
    Fault(
        "a line left out",
        {"alter": {"drop_line": 40}},
        **LASTING,
        phases=FILES,
        why_not=_IN_FILES,
        vendors=("stripe",),
        why_not_there="Bring declares no size: whole XML with all its rows and sums is all that can be checked",
    ),
    Fault(
        "more rows declared than there are",
        {"alter": {"from": "<NumberOfRows>", "to": "<NumberOfRows>9"}},
        **LASTING,
        phases=FILES,
        why_not=_IN_FILES,
        vendors=("bring",),
        why_not_there="only Bring's files declare their rows",
    ),
    Fault("HTML 200", {"html": True}, **LASTING),
    Fault("HTML 200 once", {"html": True}, heals=None),
    Fault("empty 200", {"empty": True}, **LASTING),
    Fault("empty 200 once", {"empty": True}),
    Fault("malformed JSON", {"status": 200, "body": '{"broken": [<'}, **LASTING),
    Fault("malformed XML", {"status": 200, "body": "<broken><a>"}, **LASTING),
    Fault("malformed CSV", {"status": 200, "body": 'a,b\n"1'}, **LASTING),
    Fault("wrong shape", {"status": 200, "body": "[[1], 2]"}, **LASTING),
    Fault("401", _status(401), **LASTING),
    Fault("403", _status(403), **LASTING),
    Fault("404", _status(404), **LASTING),
    Fault("410", _status(410), **LASTING),
    Fault("404 once", _status(404)),
    Fault("400", _status(400), **LASTING),
    Fault("406", _status(406), **LASTING),
    Fault("lost answer", {"lose": True}),
    Fault("lost answer for ever", {"lose": True}, **LASTING),
    Fault("redirect to a foreign host", {"redirect": "@foreign"}, **LASTING),
    Fault("redirect to http", {"redirect": "http://billing.example.invalid/x"}, **LASTING),
    Fault("redirect for ever", {"redirect": "@self"}, **LASTING),
)

_NO_MODES = "only Stripe's keys have a mode"
ABSENCE_FAULTS: tuple[Fault, ...] = tuple(
    Fault(f"{form}{when}", by_vendor=rules, vendors=tuple(rules), why_not_there=_NO_MODES, **lasts)
    for form, rules in NOT_THERE.items()
    for when, lasts in (("", LASTING), (" once", {}))
)

# What lasts and yet leaves nothing undelivered, and why.
HEALS_THERE: dict[tuple[str, str, str], str] = {
    ("bring", "order", name): "the run's id stands in the answer's header"
    for name in ("cut, chunked, for ever", "cut, closed, for ever")
}

_OF_RUNS: dict[str, Any] = {
    "phases": ("poll",),
    "why_not": _IN_POLLS,
    "vendors": _HAS_RUNS,
    "why_not_there": _NO_REPORTS,
}


def _runs(stripe: dict[str, Any], bring: str, times: int | None = None, **more: Any) -> dict[str, dict[str, Any]]:
    """Switches that make orders end so."""
    rule = {"do": stripe} if times is None else {"do": stripe, "times": times}
    switches = {"bring_run_outcomes": {"*": bring} if bring else {}, "bring_run_outcome_times": times}
    return {"stripe": {"stripe_run_rules": [rule]}, "bring": {**switches, **more}}


# What each record must have by the vendors' documents, by vendor and phase: see `Need` in the declarations.
_RUN = ("id", "status", "report_type", "parameters", "created")
_INVOICE_OF_STRIPE = (
    *("id", "number", "status", "created", "due_date", "effective_at", "currency", "total", "total_excluding_tax"),
    *("amount_remaining", "status_transitions"),
)
NEEDED: dict[tuple[str, str], tuple[str, ...]] = {
    ("stripe", "list"): _INVOICE_OF_STRIPE,
    ("stripe", "types"): ("id", "name", "data_available_start", "data_available_end", "updated"),
    **dict.fromkeys([("stripe", phase) for phase in ("runs", "order", "poll")], _RUN),
    ("bring", "accounts"): ("id",),
    ("bring", "list"): ("invoiceNumber", "invoiceDate"),
    ("bring", "types"): ("id",),
    ("bring", "poll"): ("status",),
    ("brp", "accounts"): ("companyid",),
    ("brp", "list"): ("id", "number", "totalamount", "rest", "invoicedate", "duedate", "state"),
}
# A key of JSON or a tag of XML gets another name.
NEEDED_FAULTS: tuple[Fault, ...] = (
    *(
        Fault(
            f"{vendor}'s {phase} without {name}",
            {"alter": {"pattern": rf'(["</]){name}([">])', "to": r"\1gone\2"}},
            **LASTING,
            phases=(phase,),
            why_not="each phase has fields of its own",
            vendors=(vendor,),
            why_not_there="each vendor has fields of its own",
        )
        for (vendor, phase), names in NEEDED.items()
        for name in names
    ),
    Fault(
        "one customer of the list has no id",
        {"alter": {"pattern": r'("customer": ?\[\{)"id"', "to": r'\1"gone"'}},
        **LASTING,
        phases=("accounts",),
        why_not="happens to lists of accounts",
        vendors=("bring",),
        why_not_there="Stripe's accounts stand in the settings, and BRP's are those of its business units",
        says="customer 1 of the list has no id",
    ),
)

RUN_FAULTS: tuple[Fault, ...] = (
    Fault("a run fails", options=_runs({"fail": "injected"}, "failed", 1), extra_orders=1, **_OF_RUNS),
    Fault(
        "runs always fail",
        options=_runs({"fail": "injected"}, "failed"),
        once=False,
        heals=False,
        extra_orders=3,
        **_OF_RUNS,
    ),
    Fault(
        # The run stays unknown to us, but it is there: only a later version, or another order, can read it.
        "a run of unknown status",
        options=_runs({"status": "archived"}, "unknown"),
        once=False,
        heals=False,
        recovers=False,
        **_OF_RUNS,
    ),
    Fault(
        "runs that never end",
        options=_runs({"seconds": 10**8}, "never"),
        once=False,
        heals=False,
        recovers=False,
        **_OF_RUNS,
    ),
    Fault(
        "runs longer than the deadline",
        options=_runs({"seconds": 7200}, "", bring_run_seconds=7200),
        once=False,
        heals=False,
        then=7200,
        **_OF_RUNS,
    ),
    Fault(
        "a run is unknown all at once",
        options=_runs({"vanish": 0}, "lost", 1),
        extra_orders=1,
        # Bring has no words for that: it is believed after a day. Stripe's sync ends well.
        heals=None,
        then=86_400,
        **_OF_RUNS,
    ),
    Fault(
        "expired link",
        options={"stripe": {"stripe_run_rules": [{"times": 1, "do": {"expire": 0}}]}},
        by_vendor={"bring": _status(410)},
        extra_orders=1,
        phases=FILES,
        why_not="only files have links that expire",
        vendors=_HAS_RUNS,
        why_not_there=_NO_REPORTS,
    ),
)

_ONLY_STRIPE: dict[str, Any] = {"vendors": ("stripe",), "why_not_there": "only Stripe has a test mode"}


def _misplaced(name: str, phases: tuple[str, ...], why_not: str, **more: Any) -> tuple[Fault, Fault]:
    """An answer to another question: once, and for ever."""
    facts: dict[str, Any] = {"phases": phases, "why_not": why_not, **more}
    return Fault(f"{name} once", **facts), Fault(name, **facts, **LASTING)


def _altered(old: str, new: str) -> dict[str, Any]:
    return {"alter": {"from": old, "to": new}}


# Whole answers that are to another question than the one that was asked.
OTHER_QUESTIONS: tuple[Fault, ...] = (
    *_misplaced(
        "another period's or company's list",
        ("list",),
        "only invoices are listed by period or company",
        by_vendor={
            "stripe": _altered('"created":17', '"created":16'),
            "bring": _altered('.2026"', '.2024"'),
            "brp": _altered("<company><id>", "<company><id>9"),
        },
    ),
    *_misplaced(
        "another run's answer",
        ("poll",),
        _IN_POLLS,
        by_vendor={"stripe": _altered('"id":"frr_', '"id":"frr_9'), "bring": _altered("/report/", "/report/9")},
        vendors=_HAS_RUNS,
        why_not_there=_NO_REPORTS,
    ),
    *_misplaced(
        "another period's run",
        ("order", "poll"),
        _IN_POLLS,
        do=_altered('"interval_start":1', '"interval_start":2'),
        vendors=("stripe",),
        why_not_there="only Stripe's runs say what they were ordered for",
    ),
    *_misplaced(
        "another run's file",
        ("poll",),
        _IN_POLLS,
        do=_altered('"filename":"frr_', '"filename":"frr_9'),
        vendors=("stripe",),
        why_not_there="Bring's files have no names of their own",
    ),
    *_misplaced(
        "the other mode's answer",
        ("list", "types", "order", "poll"),
        "says nothing of its mode",
        do=_altered('"livemode":false', '"livemode":true'),
        **_ONLY_STRIPE,
    ),
    *_misplaced(
        "another invoice's file",
        (*FILES, "parse"),
        _IN_FILES,
        do=_altered("<InvoiceNumber>47", "<InvoiceNumber>48"),
        vendors=("bring",),
        why_not_there="only Bring's files say which invoice they are of",
    ),
)

# Statuses that end a call at once; 404 is tried again before.
_REFUSALS = (400, 401, 403, 404, 410, 400, 401)
_MALFORMED = {
    "JSON": '{"broken @echo": [<',
    "XML": "<broken>@echo<a>",
    "CSV": 'a,@echo\n"1',
    "of a wrong shape": '[["@echo-json"], "@echo-json"]',
}
ECHOES: tuple[Fault, ...] = (
    Fault("keys echoed around every cut, and parts of every length", sweeps=True, heals=None),
    *(
        Fault(
            f"{status}, the key {spelling}",
            by_vendor={
                vendor: {"status": status, "body": envelope(vendor, f"no such key: @echo({spelling})")}
                for vendor in PHASES
            },
            **LASTING,
        )
        for status, spelling in zip(_REFUSALS, WHOLE, strict=True)
    ),
    *(
        Fault(
            f"500 for ever, a page with the key {spelling}", {"status": 500, "body": f"<p>@echo({spelling})"}, **LASTING
        )
        for spelling in SPELLINGS
    ),
    *(
        Fault(f"malformed {kind} with keys", {"status": 200, "body": body}, **LASTING)
        for kind, body in _MALFORMED.items()
    ),
    *(
        Fault(
            "keys in what becomes a record",
            once=False,
            by_vendor={vendor: {"alter": IN_RECORDS[vendor, phase]}},
            phases=(phase,),
            why_not="nothing of its answers becomes a record, or it is a file, whose cells are passed on as they are",
            vendors=(vendor,),
            why_not_there="each vendor has fields of its own",
            in_records=True,
        )
        for vendor, phase in IN_RECORDS
    ),
    Fault(
        "runs fail, and say so with keys",
        options={"stripe": {"stripe_run_rules": [{"do": {"fail": "no such key: @echo-json"}}]}},
        once=False,
        heals=False,
        extra_orders=3,
        phases=("poll",),
        why_not=_IN_POLLS,
        vendors=("stripe",),
        why_not_there="only Stripe's runs say why they failed",
    ),
)


def _vanishes(name: str, says: str, rules: dict[str, dict[str, Any]], phase: str, **more: Any) -> Fault:
    return Fault(
        name,
        by_vendor=rules,
        vendors=tuple(rules),
        why_not_there="nothing optional, or no such list, is remembered of it",
        phases=(phase,),
        why_not="only lists of accounts and invoices are held against earlier ones",
        once=False,
        after_calm=True,
        says=says,
        **more,
    )


def _dropped(pattern: str, to: str = "") -> dict[str, Any]:
    return {"alter": {"pattern": pattern, "to": to}}


# What earlier lists had and later ones have not. `on_mismatch` is fail.
VANISHING_FAULTS: tuple[Fault, ...] = (
    *(
        _vanishes(
            f"a whole list loses {field}",
            "which all had before",
            {"bring": _altered(f'"{field}"', '"gone"')},
            "list",
            heals=False,
        )
        for field in ("totalAmount", "currency", "dueDate", "invoiceSpecificationAvailable")
    ),
    _vanishes(
        "a list loses an invoice",
        "not all that were listed before of",
        {
            "bring": _dropped(r'("invoices":\[)\{[^{}]*\},', r"\1"),
            "brp": _dropped(r"(<invoices>)<invoice>.*?</invoice>", r"\1"),
        },
        "list",
        # Said once: it stays gone, and the next list is held against this one.
        heals=False,
    ),
    _vanishes(
        "a list loses an account",
        "earlier syncs read it",
        {
            "bring": _dropped(r'("customer":\[)\{[^{}]*\},null,', r"\1"),
            "brp": _dropped(r"<businessunit>.{0,90}<companyid>2<.*?</businessunit>"),
        },
        "accounts",
        heals=None,
    ),
)

FILE_FAULTS: tuple[Fault, ...] = tuple(
    Fault(
        name,
        {"alter": alter},
        **LASTING,
        phases=("parse",),
        why_not=_IN_PARSE,
        vendors=(vendor,),
        why_not_there=f"is a fault of {kind} files",
    )
    for vendor, kind, name, alter in PARSE_FAULTS
)

_BREAKS: dict[str, Any] = {"once": False, "heals": False, "phases": ("emit",), "why_not": _IN_EMIT}
EMIT_FAULTS: tuple[Fault, ...] = (
    Fault("the target dies", breaks=(32, False), **_BREAKS),
    Fault("the target dies within a line", breaks=(32, True), **_BREAKS),
    Fault("the output's disk is full", breaks=(28, False), **_BREAKS),
    Fault("the output's disk is full within a line", breaks=(28, True), **_BREAKS),
    Fault("the output fails", breaks=(5, False), **_BREAKS),
)

FAULTS = (
    *(*HTTP_FAULTS, *OTHER_QUESTIONS, *ABSENCE_FAULTS, *NEEDED_FAULTS, *RUN_FAULTS),
    *(*ECHOES, *VANISHING_FAULTS, *FILE_FAULTS, *EMIT_FAULTS),
)


@dataclass(frozen=True)
class Cell:
    """One run of the matrix. `why_not` says why there is nothing to run."""

    vendor: str
    phase: str
    fault: Fault
    stored: bool
    why_not: str = ""

    @property
    def name(self) -> str:
        return f"{self.vendor} / {self.phase} / {self.fault.name}{' / stored' if self.stored else ''}"

    @property
    def may_heal(self) -> bool:
        return self.fault.heals is not False or (self.vendor, self.phase, self.fault.name) in HEALS_THERE

    @property
    def skip(self) -> int:
        """So many of its calls go well before."""
        return FIRST_AHEAD[self.vendor] if self.phase == "ahead" else 0

    @property
    def match(self) -> dict[str, str]:
        method, path = PHASES[self.vendor][self.phase]
        return {"method": method, "path": path, "vendor": self.vendor}


def cells() -> Iterator[Cell]:
    """Every cell, first without storage, then with it; those that do not apply with their reason."""
    for stored in (False, True):
        for vendor in PHASES:
            for phase in ALL_PHASES:
                for fault in FAULTS:
                    yield Cell(vendor, phase, fault, stored, _reason(vendor, phase, fault, stored=stored))


def _reason(vendor: str, phase: str, fault: Fault, *, stored: bool) -> str:
    if (vendor, phase) in WITHOUT:
        return WITHOUT[vendor, phase]
    if phase not in fault.phases:
        return fault.why_not or _IN_CALLS
    if vendor not in fault.vendors:
        return fault.why_not_there
    return NOT_STORED.get(vendor) or NOT_STORED.get(phase, "") if stored else ""
