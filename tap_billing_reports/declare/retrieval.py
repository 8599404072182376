"""How a report is got: its run is ordered, or it is there by itself, as rows of a list or as files."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from tap_billing_reports.declare.endpoints import NumberPaging, OffsetPaging
from tap_billing_reports.declare.guarded import guard_functions
from tap_billing_reports.declare.paths import path_slip

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from tap_billing_reports.declare.endpoints import Account, Endpoint, Query, Record
    from tap_billing_reports.declare.report import Report
    from tap_billing_reports.declare.runs import Parameters, Period, RemoteFile, Run
    from tap_billing_reports.http.responses import Answer


@dataclass(frozen=True)
class OrderCall:
    """How an order goes out: query, and a form or JSON as its body; and the path's names."""

    path: Mapping[str, str] = field(default_factory=dict)
    params: Query = field(default_factory=list)
    form: Query | None = None
    json: Mapping[str, Any] | None = None
    """The body as JSON; Decimals keep their digits."""

    def __post_init__(self) -> None:
        if self.form is not None and self.json is not None:
            raise ValueError("form and json: a body is one of them")


def _undeclared(*_: object) -> Any:
    raise ValueError("nothing says how a run is read")


def _no_window(_parameters: Parameters) -> tuple[datetime | None, datetime]:
    raise ValueError("no window")


@dataclass(frozen=True, kw_only=True)
class OrderedRuns:
    """Reports that the vendor makes when they are ordered: each run is ordered, polled and collected.

    There is one for all of a vendor's reports that are ordered.
    """

    order: Endpoint
    order_call: Callable[[Account, Report, Parameters], OrderCall]
    status: Endpoint
    """By `{run_id}`, whatever the vendor calls it."""
    read_run: Callable[[Record], Run] | None = None
    """Instead of the next three, where a run is the same JSON object in all answers."""
    read_order: Callable[[Answer], Run] = _undeclared
    read_status: Callable[[Answer, str], Run] = _undeclared
    """The answer and the run's id."""
    read_listed: Callable[[Record], Run] | None = None
    orders_are_free: bool = False
    """Another order of the same costs nothing: a run that could not be used twice is given up for a new one."""
    reorder_setting: str = ""
    """Where orders may cost: the setting, a flag that is false by default, which allows that all the same."""
    idempotency_header: str | None = None
    """Where set, an order that is sent again with the same key is the same order; else it is never resent."""
    repeatable: bool = False
    """Orders take no key, but one more of the same does no harm: it is sent again when its answer was lost."""
    runs: Endpoint | None = None
    """Lists runs, newest first; None: runs cannot be listed, so none can be adopted."""
    list_query: Callable[[datetime], Query] = lambda _since: []
    """The query for runs created at or after an instant."""
    listed_for: timedelta = timedelta(days=365)
    """How far back runs are listed, by their creation: for as long as the vendor keeps their files, as an older run
    has nothing left to use. The default bounds the list of a vendor that does not say."""
    window: Callable[[Parameters], tuple[datetime | None, datetime]] = _no_window
    """A listed run's window, from its parameters: start (None where the type takes none) and end. ValueError: none."""

    def __post_init__(self) -> None:
        if (read := self.read_run) is not None:
            self._read_by(read)
        if _undeclared in (self.read_order, self.read_status):
            raise ValueError("read_run, or both read_order and read_status, must be declared")
        if self.runs is not None and self.read_listed is None:
            raise ValueError("runs are listed: read_run or read_listed must be declared")
        guard_functions(self)

    def _read_by(self, read: Callable[[Record], Run]) -> None:
        """Take `read_run` for those that are not given: the engine knows those alone."""
        if self.read_order is _undeclared:
            object.__setattr__(self, "read_order", lambda answer: read(answer.record()))
        if self.read_status is _undeclared:
            object.__setattr__(self, "read_status", lambda answer, _run_id: read(answer.record()))
        if self.read_listed is None:
            object.__setattr__(self, "read_listed", read)


@dataclass(frozen=True)
class PagedRows:
    """Rows that are a list: its pages become one NDJSON file, whole, before any row goes out.

    Attributes:
        endpoint: the list, with its paging.
        query: what is asked of each page.
        path: what the names of the endpoint's path stand for; `account_id` is always there.
        key: names (those within others joined by a dot) whose values no two rows share. A row that comes twice, since
            the list has grown while it was read, is then one.
        total: where an answer says how many rows there are. Where the paging knows it, it need not stand here. As many
            are read, or the list is read once more.
    """

    endpoint: Endpoint
    query: Callable[[Account, Report, Period], Query] = lambda _account, _report, _period: []
    path: Callable[[Account, Report, Period], Mapping[str, str]] = lambda _account, _report, _period: {}
    key: tuple[str, ...] = ()
    total: str = ""

    def __post_init__(self) -> None:
        guard_functions(self)

    @property
    def stated_at(self) -> str:
        """Where the number of rows stands in an answer; empty where it stands nowhere."""
        paging = self.endpoint.paging
        return self.total or (paging.total if isinstance(paging, OffsetPaging) else "")

    def problems(self) -> list[str]:
        """What is wrong with it, one line each."""
        places = [*self.key, *filter(None, [self.total])]
        if slips := [slip for place in places if (slip := path_slip(place))]:
            return slips
        if isinstance(self.endpoint.paging, OffsetPaging | NumberPaging) and not (self.key or self.stated_at):
            return ["a list by offset or number needs a key or a total: rows could be lost or doubled while it grows"]
        return []


@dataclass(frozen=True)
class ReadyFiles:
    """Files that the vendor has made by itself.

    Attributes:
        files: of one period. The rows of all of them are read, in this order; what is only kept is for `extra_files`.
    """

    files: Callable[[Account, Report, Period], Sequence[RemoteFile]]

    def __post_init__(self) -> None:
        guard_functions(self)


Retrieval: TypeAlias = OrderedRuns | PagedRows | ReadyFiles
