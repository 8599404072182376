"""The fault matrix: vendor x phase x fault, each a cell with a rule for the sandbox, or the reason why not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

# Where each phase of each vendor happens: (method, path as a regular expression).
PHASES: dict[str, dict[str, tuple[str, str]]] = {
    "stripe": {
        "list": ("GET", r"^/v1/invoices$"),
        "types": ("GET", r"^/v1/reporting/report_types"),
        "runs": ("GET", r"^/v1/reporting/report_runs$"),
        "order": ("POST", r"^/v1/reporting/report_runs$"),
        "poll": ("GET", r"^/v1/reporting/report_runs/frr_"),
        "download": ("GET", r"^/v1/files/.*/contents$"),
    },
    "bring": {
        "accounts": ("GET", r"^/reports/api/generate\.json$"),
        "list": ("GET", r"^/invoicearchive/api/invoices/"),
        "types": ("GET", r"^/reports/api/generate/[^/]+\.json$"),
        "order": ("GET", r"^/reports/api/generate/[^/]+/[^/]+\.json$"),
        "poll": ("GET", r"^/reports/api/report/[^/]+/status"),
        "download": ("GET", r"^/reports/api/report/[^/]+\.xml$"),
    },
    "brp": {
        "accounts": ("GET", r"/businessunits"),
        "list": ("GET", r"/invoices\."),
    },
}
ALL_PHASES = ("accounts", "list", "types", "runs", "order", "poll", "download")

WITHOUT: dict[tuple[str, str], str] = {
    ("stripe", "accounts"): "accounts come from the settings",
    ("bring", "runs"): "Bring lists no runs",
    ("brp", "types"): "BRP has no reports",
    ("brp", "runs"): "BRP has no reports",
    ("brp", "order"): "BRP has no reports",
    ("brp", "poll"): "BRP has no reports",
    ("brp", "download"): "BRP has no reports",
}


@dataclass(frozen=True)
class Fault:
    """A way to go wrong.

    Attributes:
        do: the sandbox's rule.
        once: it happens one time and passes; else it lasts.
        heals: a sync may end well all the same; else it must end non-zero.
        waits: seconds before which the call must not be made again.
        phases: where it makes sense, with the reason for the others.
    """

    name: str
    do: dict[str, Any]
    once: bool = True
    heals: bool = True
    waits: float = 0.0
    phases: tuple[str, ...] = ALL_PHASES
    why_not: str = ""
    vendors: tuple[str, ...] = ("stripe", "bring", "brp")
    why_not_there: str = ""


def _status(status: int, **headers: str) -> dict[str, Any]:
    return {"status": status, "headers": headers, "body": {"error": {"type": "api_error", "message": "injected"}}}


BODIES = ("accounts", "list", "types", "runs", "order", "poll")
FILE_ONLY = "only files are longer than one answer"

FAULTS: tuple[Fault, ...] = (
    Fault("429 Retry-After 7", _status(429, **{"Retry-After": "7"}), waits=7),
    Fault("429 Retry-After date", _status(429, **{"Retry-After": "@in 9"}), waits=8),
    Fault("429 bare", _status(429)),
    Fault("429 for ever", _status(429), once=False, heals=False),
    Fault("500", _status(500)),
    Fault("502", _status(502)),
    Fault("503", _status(503)),
    Fault("504", _status(504)),
    Fault("503 for ever", _status(503), once=False, heals=False),
    Fault("408", _status(408)),
    Fault("409", _status(409)),
    Fault("stall before headers", {"stall": True}),
    Fault("stall for ever", {"stall": True}, once=False, heals=False),
    Fault("drip 1 byte/s", {"drip": 1}),
    Fault("reset", {"reset": 3}),
    Fault("reset for ever", {"reset": 3}, once=False, heals=False),
    Fault("short Content-Length", {"cut": {"after": 11, "framing": "length"}}),
    Fault("cut, chunked", {"cut": {"after": 11, "framing": "chunked"}}),
    Fault("cut, closed", {"cut": {"after": 11, "framing": "close"}}),
    Fault("cut, chunked, for ever", {"cut": {"after": 11, "framing": "chunked"}}, once=False, heals=False),
    Fault(
        "cut at a line's end",
        {"alter": {"drop_line": -1}},
        once=False,
        heals=False,
        phases=("download",),
        why_not=FILE_ONLY,
    ),
    Fault(
        "a line left out",
        {"alter": {"drop_line": 40}},
        once=False,
        heals=False,
        phases=("download",),
        why_not=FILE_ONLY,
        vendors=("stripe",),
        why_not_there="Bring declares no size: whole XML with all its rows and sums is all that can be checked",
    ),
    Fault(
        "more rows declared than there are",
        {"alter": {"from": "<NumberOfRows>", "to": "<NumberOfRows>9"}},
        once=False,
        heals=False,
        phases=("download",),
        why_not=FILE_ONLY,
        vendors=("bring",),
        why_not_there="only Bring's files declare their rows",
    ),
    Fault("HTML 200", {"html": True}, once=False, heals=False),
    Fault("empty 200", {"empty": True}, once=False, heals=False),
    Fault("empty 200 once", {"empty": True}),
    Fault("malformed", {"status": 200, "body": '{"broken": [<'}, once=False, heals=False),
    Fault("malformed XML", {"status": 200, "body": "<broken><a>"}, once=False, heals=False),
    Fault("wrong shape", {"status": 200, "body": "[[1], 2]"}, once=False, heals=False),
    Fault("401", _status(401), once=False, heals=False),
    Fault("403", _status(403), once=False, heals=False),
    Fault("404", _status(404), once=False, heals=False),
    Fault("410", _status(410), once=False, heals=False),
    Fault("404 once", _status(404)),
    Fault("400", _status(400), once=False, heals=False),
    Fault("406", _status(406), once=False, heals=False),
    Fault("lost answer", {"lose": True}),
    Fault("lost answer for ever", {"lose": True}, once=False, heals=False),
    Fault("redirect to a foreign host", {"redirect": "@foreign"}, once=False, heals=False),
    Fault("redirect to http", {"redirect": "http://billing.example.invalid/x"}, once=False, heals=False),
    Fault("redirect for ever", {"redirect": "@self"}, once=False, heals=False),
)


@dataclass(frozen=True)
class Cell:
    """One run of the matrix. `why_not` says why there is nothing to run."""

    vendor: str
    phase: str
    fault: Fault
    why_not: str = ""

    @property
    def name(self) -> str:
        return f"{self.vendor} / {self.phase} / {self.fault.name}"

    @property
    def match(self) -> dict[str, str]:
        method, path = PHASES[self.vendor][self.phase]
        return {"method": method, "path": path}


@dataclass
class Verdict:
    """What a cell showed. Anything but zeros is a fault of ours."""

    cell: str
    lost: int = 0
    doubled: int = 0
    leaked: int = 0
    silent: int = 0
    ended: str = ""
    remarks: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.doubled or self.leaked or self.silent or self.remarks)


def cells() -> Iterator[Cell]:
    """Every cell, those that do not apply with their reason."""
    for vendor in PHASES:
        for phase in ALL_PHASES:
            for fault in FAULTS:
                reason = WITHOUT.get((vendor, phase), "")
                if not reason and phase not in fault.phases:
                    reason = fault.why_not
                if not reason and vendor not in fault.vendors:
                    reason = fault.why_not_there
                yield Cell(vendor, phase, fault, reason)
