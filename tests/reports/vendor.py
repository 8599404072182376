"""A vendor in memory: orders, polls, lists and serves reports; counts what was asked; fails when told to."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict, deque
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from tap_billing_reports.core.dates import utc_text
from tap_billing_reports.core.errors import NotFound, Refused, Throttled, Unavailable
from tap_billing_reports.declare import (
    Account,
    Endpoint,
    Interval,
    OrderCall,
    OrderedRuns,
    Period,
    RemoteFile,
    Report,
    ReportApi,
    Run,
    RunStatus,
)
from tap_billing_reports.http.client import Download
from tap_billing_reports.reports.jobs import ReportClient, fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_billing_reports.http.sent import FileRequest
    from tests.fakes import FakeClock

ORDER = Endpoint("fake", "/order", method="POST")
STATUS = Endpoint("fake", "/run/{run_id}")
LIST = Endpoint("fake", "/runs")
YEAR = timedelta(days=365)


@dataclass
class Made:
    """One run at the vendor."""

    run_id: str
    report_type: str
    parameters: dict[str, Any]
    created_at: datetime
    ready_at: datetime
    fate: str = "succeeded"
    rows: int = 3
    gone: bool = False
    """The vendor knows neither the run nor its file any more."""
    file_gone: bool = False
    garbled: bool = False
    """Its file is cut in the middle, which nothing but reading it shows."""

    @property
    def is_dead(self) -> bool:
        return self.gone or self.file_gone or self.fate != "succeeded"

    @property
    def content(self) -> bytes:
        lines = [f"{fingerprint(self.report_type, self.parameters)}#{number}" for number in range(1, self.rows + 1)]
        if self.garbled:
            lines.insert(self.rows // 2 + 1, "!")
        return "\n".join(["row", *lines, ""]).encode()


@dataclass
class Vendor:
    """Takes the places of a source's HTTP client and source client.

    Args:
        keyed: orders carry a key, and runs are listed; else each call orders anew and none is listed.
        run_seconds: how long a run takes.
        limit: more runs than this in the making are refused with 429.
    """

    clock: FakeClock
    keyed: bool = True
    run_seconds: float = 0.0
    limit: int | None = None
    budget: int = 2
    available: Interval | None = None
    listed_for: timedelta = YEAR
    xlsx: bool = False
    free: bool = False
    reorders: bool | None = None
    """The setting that allows another order for a run that is no good; None: there is none."""
    """Another order of the same costs nothing."""
    hook: Callable[[str], None] = lambda _event: None
    """Called with the name of each event; raises to break off there."""
    runs: dict[str, Made] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    next_rows: deque[int] = field(default_factory=deque)
    next_fates: deque[str] = field(default_factory=deque)
    """succeeded, failed, or an exception to raise instead of taking the order."""
    errors: dict[str, deque[Exception]] = field(default_factory=lambda: defaultdict(deque))
    """Kind of call -> exceptions that its next calls end in."""
    replayed: dict[str, Made | Exception] = field(default_factory=dict)
    last_ordered: Made | None = None
    served: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def __post_init__(self) -> None:
        self.source = SimpleNamespace(name="fake", zone="UTC", global_ids=False)
        self.http = self
        self.account = "fake"
        self.realm: dict[str, str] = {}

    @property
    def values(self) -> dict[str, Any]:
        return {"budget": self.budget, "fake_reorder_bad_files": self.reorders}

    # -- the declaration -------------------------------------------------------------------------------

    def client(self) -> ReportClient:
        api = ReportApi(
            configured=lambda _values: (),
            parameters=_parameters,
            retrieval=self._ordered(),
            headers=lambda _report: (),
            column_type=lambda _report, _header: "text",
            budget=lambda values: values["budget"],
            refuses_report=lambda error: error.code == "report",
            availability=self._availability if self.available is not None else None,
            out_of_range=lambda error: isinstance(error, Refused) and error.code == "range",
            extra_files=lambda _report, run: (self._file(self.runs[run.run_id], "xlsx"),) if self.xlsx else (),
        )
        return ReportClient(self, api)  # type: ignore[arg-type]

    def _ordered(self) -> OrderedRuns:
        return OrderedRuns(
            order=ORDER,
            order_call=lambda _account, report, parameters: OrderCall(
                form=[("type", report.report_type), ("parameters", json.dumps(parameters))]
            ),
            # As most vendors' answers to an order do, it names no file: the run is asked about.
            read_order=lambda made: replace(self._read(made), file=None),
            status=STATUS,
            read_status=lambda answer, _run_id: self._read(answer),
            orders_are_free=self.free,
            reorder_setting="" if self.reorders is None else "fake_reorder_bad_files",
            idempotency_header="Key" if self.keyed else None,
            runs=LIST if self.keyed else None,
            list_query=lambda since: [("since", utc_text(since))],
            read_listed=self._read,
            listed_for=self.listed_for,
        )

    def _read(self, made: Any) -> Run:
        ready = self.clock.now() >= made.ready_at
        word = made.fate if ready else "pending"
        file = self._file(made, "csv") if word == "succeeded" else None
        return Run(
            made.run_id,
            RunStatus(word),
            word,
            report_type=made.report_type,
            parameters=made.parameters,
            created_at=made.created_at,
            finished_at=made.ready_at if ready else None,
            error="it went wrong" if word == "failed" else None,
            file=file,
        )

    def _file(self, made: Any, kind: Any) -> RemoteFile:
        size = len(made.content) if kind == "csv" and self.keyed else None
        expires_at = self.clock.now() if made.file_gone else made.created_at + YEAR
        return RemoteFile(
            f"{made.run_id}.{kind}", kind, "fake", f"/file/{made.run_id}.{kind}", size, made.created_at, expires_at
        )

    def _availability(self, _source_client: Any, _account: Account, _report_type: str) -> Interval:
        self._begin("availability")
        assert self.available is not None
        return self.available

    # -- the source client -----------------------------------------------------------------------------

    def judge(self, *_: Any, **_more: Any) -> Callable[[Any], None]:
        return lambda _answer: None

    def ask(
        self,
        endpoint: Endpoint,
        *,
        path: Any = None,
        params: Any = None,
        account: Any = None,
        judge: Any = None,
    ) -> Any:
        assert endpoint == STATUS.of_known
        self._begin("status")
        made = self.runs.get(path["run_id"])
        if made is None or made.gone:
            raise NotFound("no such run", status=404)
        if judge is not None:
            judge(made)
        return made

    def records(
        self, endpoint: Endpoint, *, path: Any = None, params: Any = None, account: Any = None
    ) -> Iterator[Made]:
        assert endpoint is LIST
        self._begin("list")
        since = dict(params)["since"]
        made = [made for made in self.runs.values() if utc_text(made.created_at) >= since and not made.gone]
        return iter(reversed(made))

    def today(self) -> Any:
        return self.clock.today("UTC")

    # -- the HTTP client -------------------------------------------------------------------------------

    def call(self, _method: str, _host: str, _path: str, *, form: Any, headers: Any, **_: Any) -> Made:
        """Order a run."""
        self._begin("order")
        asked = dict(form)
        key = headers.get("Key")
        if key in self.replayed:
            stored = self.replayed[key]
            if isinstance(stored, Exception):
                raise stored
            self.last_ordered = stored
            self.hook("ordered")
            return stored
        if (
            self.limit is not None
            and sum(made.ready_at > self.clock.now() for made in self.runs.values()) >= self.limit
        ):
            raise Throttled("too many at once")
        now = self.clock.now()
        made = Made(
            run_id=f"run{len(self.runs) + 1}",
            report_type=asked["type"],
            parameters=json.loads(asked["parameters"]),
            created_at=now,
            ready_at=now + timedelta(seconds=self.run_seconds),
            fate=self.next_fates.popleft() if self.next_fates else "succeeded",
            rows=self.next_rows.popleft() if self.next_rows else 3,
        )
        self.runs[made.run_id] = self.last_ordered = made
        if key is not None:
            self.replayed[key] = made
        self.hook("ordered")
        return made

    def download(self, wanted: FileRequest, to: Any) -> Download:
        self._begin("download")
        run_id, _dot, kind = wanted.path.rpartition("/")[2].partition(".")
        made = self.runs[run_id]
        if made.gone or made.file_gone:
            raise NotFound("the file has expired", status=404)
        content = made.content if kind == "csv" else b"PK\x03\x04 workbook PK\x05\x06"
        to.write(content)
        to.flush()
        self.served[run_id] += 1
        self.hook("downloaded")
        return Download(len(content), hashlib.sha256(content).hexdigest(), "")

    def _begin(self, kind: str) -> None:
        self.hook(kind)
        self.calls.append(kind)
        if self.errors[kind]:
            raise self.errors[kind].popleft()

    # -- for tests -------------------------------------------------------------------------------------

    def fail_and_replay(self) -> Unavailable:
        """What a vendor says that stored its failure under the order's key."""
        return Unavailable("HTTP 500", replayed=True)

    def orders_of(self, **parameters: Any) -> list[Made]:
        return [made for made in self.runs.values() if parameters.items() <= made.parameters.items()]


def _parameters(report: Report, period: Period) -> dict[str, Any]:
    asked: dict[str, Any] = dict(report.parameters)
    if report.columns:
        asked["columns"] = list(report.columns)
    if period.subject is not None:
        asked["subject"] = period.subject
    for name, moment in (("start", period.start), ("end", period.end)):
        if moment is not None:
            asked[name] = utc_text(moment)
    return asked
