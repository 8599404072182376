"""The fault matrix: vendor x phase x fault, each a cell with what goes wrong, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.faults.echoing import SPELLINGS, WHOLE
from tests.faults.fault import LASTING, Fault
from tests.faults.vendors import ALL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.vendors.facts import Phase, Vendor

FILES = ("download", "ahead")


def _status(status: int, **headers: Any) -> dict[str, Any]:
    return {"status": status, "headers": headers, "body": {"error": {"type": "api_error", "message": "injected"}}}


_IN_FILES = "only files are longer than one answer"
_IN_POLLS = "happens to runs, and shows when they are asked about"
_IN_EMIT = "happens to what takes the output"
_HAS_RUNS = ("stripe", "bring")
_NO_ORDERS = "has no reports that are ordered"

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
        why_not_there=_NO_ORDERS,
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

# Form of a 404 -> vendor -> rule. A form that a vendor does not have is not among its own.
NOT_THERE: dict[str, dict[str, dict[str, Any]]] = {}
for _vendor in ALL.values():
    for _form, _rule in _vendor.not_there.items():
        NOT_THERE.setdefault(_form, {})[_vendor.name] = _rule

_NO_MODES = "only Stripe's keys have a mode"
ABSENCE_FAULTS: tuple[Fault, ...] = tuple(
    Fault(f"{form}{when}", by_vendor=rules, vendors=tuple(rules), why_not_there=_NO_MODES, **lasts)
    for form, rules in NOT_THERE.items()
    for when, lasts in (("", LASTING), (" once", {}))
)

_OF_RUNS: dict[str, Any] = {
    "phases": ("poll",),
    "why_not": _IN_POLLS,
    "vendors": _HAS_RUNS,
    "why_not_there": _NO_ORDERS,
}


def _runs(stripe: dict[str, Any], bring: str, times: int | None = None, **more: Any) -> dict[str, dict[str, Any]]:
    """Switches that make orders end so."""
    rule = {"do": stripe} if times is None else {"do": stripe, "times": times}
    switches = {"bring_run_outcomes": {"*": bring} if bring else {}, "bring_run_outcome_times": times}
    return {"stripe": {"stripe_run_rules": [rule]}, "bring": {**switches, **more}}


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
        why_not_there=_NO_ORDERS,
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
                name: {"status": status, "body": vendor.envelope(f"no such key: @echo({spelling})")}
                for name, vendor in ALL.items()
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
)
_BREAKS: dict[str, Any] = {"once": False, "heals": False, "phases": ("emit",), "why_not": _IN_EMIT}
EMIT_FAULTS: tuple[Fault, ...] = (
    Fault("the target dies", breaks=(32, False), **_BREAKS),
    Fault("the target dies within a line", breaks=(32, True), **_BREAKS),
    Fault("the output's disk is full", breaks=(28, False), **_BREAKS),
    Fault("the output's disk is full within a line", breaks=(28, True), **_BREAKS),
    Fault("the output fails", breaks=(5, False), **_BREAKS),
)

FAULTS = (*HTTP_FAULTS, *ABSENCE_FAULTS, *RUN_FAULTS, *ECHOES, *EMIT_FAULTS)
"""What may happen to any vendor; each has its own beside these."""


@dataclass(frozen=True)
class Cell:
    """One run of the matrix. `why_not` says why there is nothing to run."""

    vendor: Vendor
    phase: str
    fault: Fault
    stored: bool
    why_not: str = ""

    @property
    def name(self) -> str:
        return f"{self.vendor.name} / {self.phase} / {self.fault.name}{' / stored' if self.stored else ''}"

    @property
    def defers(self) -> bool:
        """Whether it is the vendor's own word for what is not there yet."""
        return self.fault.defers or (self.phase, self.fault.name) in self.vendor.defers

    @property
    def may_heal(self) -> bool:
        healing = self.fault.heals is not False or (self.phase, self.fault.name) in self.vendor.heals
        return healing or self.defers

    @property
    def calls(self) -> Phase:
        return self.vendor.phases[self.phase]

    @property
    def times(self) -> int | None:
        """How often it happens; None: as long as the sync lasts."""
        return 1 if self.fault.once else None

    @property
    def match(self) -> dict[str, str]:
        calls = self.calls
        query = {"query": calls.query} if calls.query else {}
        return {"method": calls.method, "path": calls.path, "vendor": self.vendor.name, **query}


def cells() -> Iterator[Cell]:
    """Every cell, first without storage, then with it; those that do not apply with their reason."""
    for stored in (False, True):
        for vendor in ALL.values():
            for phase in (*vendor.phases, *vendor.without, "emit"):
                for fault in (*FAULTS, *vendor.own_faults()):
                    yield Cell(vendor, phase, fault, stored, _reason(vendor, phase, fault, stored=stored))


def _reason(vendor: Vendor, phase: str, fault: Fault, *, stored: bool) -> str:
    if phase in vendor.without:
        return vendor.without[phase]
    if not fault.strikes(phase):
        return fault.why_not
    if fault.vendors and vendor.name not in fault.vendors:
        return fault.why_not_there
    if (phase, fault.name) in vendor.passed_on:
        return vendor.passed_on[phase, fault.name]
    if phase in vendor.only_stored and not stored:
        return "is there with storage alone"
    return (vendor.not_stored.get("") or {**NOT_STORED, **vendor.not_stored}.get(phase, "")) if stored else ""


# Where storage changes nothing, of any vendor.
NOT_STORED = {
    "ahead": "the thread that fetches ahead stores nothing: the same as without storage",
    **dict.fromkeys(("accounts", "types"), "nothing is stored in this phase: the same as without storage"),
}
