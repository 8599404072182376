"""A small declared vendor, its server on loopback, and the whole tap against it."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import parse_qsl, urlsplit

import pytest

from tap_billing_reports import declare as d
from tap_billing_reports.cli import plan
from tap_billing_reports.config.settings import config_jsonschema
from tap_billing_reports.declare import converters as to
from tap_billing_reports.http.auth import BearerAuthenticator
from tap_billing_reports.singer import tap as tap_module
from tests.fakes import FakeClock
from tests.running import Result, run_tap
from tests.typed import writer_of
from tests.waiting import LOOK_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HEADER = "Id,Amount\n"


@dataclass
class Asked:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))


@dataclass
class Answered:
    """One answer: a body of bytes, text, or what becomes JSON."""

    body: Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


class Shop:
    """The vendor: two accounts, one invoice each, and reports by window whose file is `files`.

    Attributes:
        files: the bytes of a run's file, by the run's first day; unset: one row.
        more: path -> what answers it, before anything else does.
        asked: the requests so far.
    """

    def __init__(self) -> None:
        self.files: Callable[[str], bytes] = lambda day: f"{HEADER}{day},1.00\n".encode()
        self.more: dict[str, Callable[[Asked], Answered]] = {}
        self.asked: list[Asked] = []
        self.url = ""

    def answer(self, asked: Asked) -> Answered:
        self.asked.append(asked)
        if asked.path in self.more:
            return self.more[asked.path](asked)
        first, *rest = asked.path.strip("/").split("/")
        usual = {
            ("accounts",): lambda: Answered({"accounts": [{"id": "one"}, {"id": "two"}]}),
            ("one", "invoices"): lambda: Answered({"invoices": [{"id": "i-one", "day": "2026-11-18"}]}),
            ("two", "invoices"): lambda: Answered({"invoices": [{"id": "i-two", "day": "2026-11-18"}]}),
            ("one", "runs"): lambda: Answered({"id": f"one.{asked.form['day']}", "state": "made"}, 201),
            ("two", "runs"): lambda: Answered({"id": f"two.{asked.form['day']}", "state": "made"}, 201),
        }
        own = usual.get((first, *rest))
        if own is not None:
            return own()
        if first == "runs":
            return Answered({"id": rest[0], "state": "made"})
        if first == "files":
            return Answered(self.files(rest[0].partition(".")[2]), headers={"Content-Type": "text/csv"})
        return Answered({"error": "unknown"}, 404)

    def paths(self, ending: str) -> list[str]:
        return [asked.path for asked in self.asked if asked.path.endswith(ending)]


class Served(Protocol):
    """What answers requests, and is told where it can be asked."""

    url: str

    def answer(self, asked: Asked) -> Answered: ...


Vendor = TypeVar("Vendor", bound=Served)


@contextmanager
def served(shop: Vendor) -> Iterator[Vendor]:
    """The vendor on loopback until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = Asked(self.command, parts.path, dict(parse_qsl(parts.query)), dict(self.headers), body)
            answered = shop.answer(asked)
            self.send_response(answered.status)
            for name, value in {"Content-Type": "application/json", **answered.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answered.content)))
            self.end_headers()
            self.wfile.write(answered.content)

        do_GET = do_POST = _answer  # noqa: N815 - names of http.server's

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    # It looks for its end this often: with the default of 0.5 s, most of a test was waiting for that.
    thread = threading.Thread(target=server.serve_forever, args=(LOOK_SECONDS,), daemon=True)
    thread.start()
    shop.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield shop
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


# -- the declaration -----------------------------------------------------------------------------------

SETTINGS = (
    d.Setting("shop_key", "Shop: the key.", required=True, secret=True),
    d.Setting("shop_url", "Shop: the base URL.", default="https://api.shop.example"),
    d.Setting("shop_reports", "Shop: reports.", d.reports_schema("^[a-z]+$", ("day",)), default=[]),
)
INVOICES = d.Endpoint("shop", "/{account_id}/invoices", records=("invoices",))


def accounts(client: d.SourceClient) -> list[d.Account]:
    listed = client.records(d.Endpoint("shop", "/accounts", records=("accounts",)))
    return [d.Account("shop", one["id"], "shop_account") for one in listed]


def run_of(answer: Any) -> d.Run:
    record = answer.record()
    file = d.RemoteFile(record["id"], "csv", "shop", f"/files/{record['id']}")
    return d.Run(record["id"], {"made": d.RunStatus.READY}[record["state"]], record["state"], file=file)


INVOICE_API = d.InvoiceApi(
    endpoint=lambda _values: INVOICES,
    queries=lambda _client, _account, _since, _until: [[]],
    fields=lambda _values: (d.Field("invoice_id", "id", to.text), d.Field("invoice_date", "day", to.day)),
    lookback=lambda _values: 5,
)
ORDERED = d.OrderedRuns(
    order=d.Endpoint("shop", "/{account_id}/runs", method="POST"),
    order_call=lambda account, _report, asked: d.OrderCall(
        path={"account_id": account.account_id}, form=list(asked.items())
    ),
    read_order=run_of,
    status=d.Endpoint("shop", "/runs/{run_id}"),
    read_status=lambda answer, _run_id: run_of(answer),
)
REPORT_API = d.ReportApi(
    configured=lambda values: [d.Report.of("shop", entry, zone="UTC") for entry in values["shop_reports"]],
    parameters=lambda _report, period: {"day": period.days("UTC")[0].isoformat()},
    retrieval=ORDERED,
    headers=lambda _report: ("Id", "Amount"),
    column_type=lambda _report, header: "decimal" if header == "Amount" else "text",
    budget=lambda _values: 4,
)
SHOP = d.Source(
    name="shop",
    title="Shop",
    zone="UTC",
    settings=SETTINGS,
    hosts=(d.Host("shop", "shop_url"),),
    authenticator=lambda values: BearerAuthenticator(values["shop_key"]),
    account_label=lambda values: values["shop_url"],
    accounts=accounts,
    invoices=INVOICE_API,
    reports=REPORT_API,
)


def with_reports(**changes: Any) -> d.Source:
    """The shop, its reports or the ordering of their runs declared otherwise."""
    of_orders = {each.name for each in fields(d.OrderedRuns)} & changes.keys()
    ordered = replace(ORDERED, **{name: changes.pop(name) for name in of_orders})
    return replace(SHOP, reports=replace(REPORT_API, **{"retrieval": ordered, **changes}))


def values_of(shop: Shop, **settings: Any) -> dict[str, Any]:
    """The settings of a sync from 2026-11-18 on."""
    values = {"start_date": "2026-11-18", "shop_key": "a-secret-key", "shop_url": shop.url, **settings}
    values.setdefault("shop_reports", [{"report_type": "sales"}])
    return values


def declared(monkeypatch: pytest.MonkeyPatch, source: d.Source) -> None:
    """The tap has this source and no other."""
    monkeypatch.setattr(tap_module, "all_sources", lambda: (source,))
    monkeypatch.setattr(tap_module.TapBillingReports, "config_jsonschema", config_jsonschema((source,)))


def synced(
    monkeypatch: pytest.MonkeyPatch,
    shop: Shop,
    source: d.Source = SHOP,
    state: dict[str, Any] | None = None,
    clock: FakeClock | None = None,
    **settings: Any,
) -> Result:
    """One sync, at 2026-11-20 09:30 UTC (of two closed days) unless another clock is given."""
    declared(monkeypatch, source)
    return run_tap(values_of(shop, **settings), state=state, clock=clock or FakeClock())


def planned(
    monkeypatch: pytest.MonkeyPatch, shop: Shop, source: d.Source, state: dict[str, Any] | None = None
) -> list[plan.Row]:
    """What `plan` shows at the same instant."""
    declared(monkeypatch, source)
    tap = tap_module.TapBillingReports(config=values_of(shop), state=state)
    tap.clock = FakeClock()
    return list(plan.plan(tap.lifecycle, tap.session, lambda _asked: None))


class Killed(BaseException):
    """The sync is gone: nothing of it goes on."""


def killed(monkeypatch: pytest.MonkeyPatch, values: dict[str, Any], is_now: Callable[[], bool]) -> None:
    """A sync that is gone at the first look at signals for which `is_now`; the rest of its output is lost."""
    taps = []

    def ends() -> None:
        if is_now():
            raise Killed

    def prepare(tap: tap_module.TapBillingReports) -> None:
        taps.append(tap)
        monkeypatch.setattr(tap.lifecycle, "_pulse", ends)

    with pytest.raises(Killed):
        run_tap(values, clock=FakeClock(), prepare=prepare)
    writer_of(taps[0])._buffer.clear()
