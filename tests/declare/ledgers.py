"""A vendor as Vipps MobilePay describes its Report API: ledgers as accounts, rows by ledger day, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_billing_reports import declare as d
from tap_billing_reports.declare.csv_form import instants, minor_units
from tap_billing_reports.http.auth import BearerAuthenticator
from tests.declare.shop import Answered

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_billing_reports.core.columns import ColumnType
    from tests.declare.shop import Asked

PROBLEM = {"Content-Type": "application/problem+json"}


class Ledgers:
    """The vendor.

    Attributes:
        days: ledger, topic and day -> its items; a day that is not here is not closed.
        size: items a page.
        before: called with each request for rows; what it returns is the answer.
        asked: the requests so far.
    """

    def __init__(self) -> None:
        self.days: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
        self.size = 2
        self.before: Callable[[Asked], Answered | None] = lambda _asked: None
        self.asked: list[Asked] = []
        self.url = ""

    def answer(self, asked: Asked) -> Answered:
        if asked.path == "/settlement/v1/ledgers":
            return Answered({"items": [{"ledgerId": "302321", "currency": "NOK"}], "cursor": ""})
        self.asked.append(asked)
        if (own := self.before(asked)) is not None:
            return own
        _report, _v2, _ledgers, ledger, topic, _dates, day = asked.path.strip("/").split("/")
        items = self.days.get((ledger, topic, day))
        if items is None:
            return Answered({"title": "not closed", "status": 404}, 404, PROBLEM)
        start = int(asked.query.get("cursor") or asked.query.get("offset") or 0)
        more = start + self.size < len(items)
        page = {"items": items[start : start + self.size], "hasMore": more, "tryLater": False, "total": len(items)}
        return Answered({**page, **({"cursor": str(start + self.size)} if more else {})})


def item(number: int, day: str, **more: Any) -> dict[str, Any]:
    return {
        "pspReference": f"p{number}",
        "time": f"{day}T10:00:0{number % 10}.123456+0100",
        "ledgerDate": day,
        "entryType": "capture",
        "currency": "NOK",
        "amount": 100 + number,
        "balanceAfter": 1000,
        **more,
    }


ZONE = "Europe/Oslo"
TYPES: dict[str, ColumnType] = {
    "time": "timestamp_utc",
    "ledgerDate": "date",
    "amount": "decimal",
    "balanceAfter": "decimal",
}
MINOR = minor_units("currency")
CELLS = {"time": instants(), "amount": MINOR, "balanceAfter": MINOR}
ENTRIES = d.PagedRows(
    d.Endpoint(
        "ledgers",
        "/report/v2/ledgers/{account_id}/{topic}/dates/{day}",
        records=("items",),
        paging=d.TokenPaging("cursor", "cursor", more="hasMore"),
    ),
    path=lambda _account, report, period: {
        "topic": report.report_type,
        "day": period.days(ZONE)[0].isoformat(),
    },
)
LEDGERS = d.Source(
    name="ledgers",
    title="Ledgers",
    zone=ZONE,
    settings=(
        d.Setting("ledgers_key", "Ledgers: the key.", required=True, secret=True),
        d.Setting("ledgers_url", "Ledgers: the base URL.", default="https://api.ledgers.example"),
    ),
    hosts=(d.Host("ledgers", "ledgers_url"),),
    authenticator=lambda values: BearerAuthenticator(values["ledgers_key"]),
    account_label=lambda values: values["ledgers_url"],
    accounts=lambda client: [
        d.Account("ledgers", one["ledgerId"], "ledger", record=one)
        for one in client.records(
            d.Endpoint(
                "ledgers",
                "/settlement/v1/ledgers",
                records=("items",),
                paging=d.TokenPaging("cursor", "cursor"),
            )
        )
    ],
    reports=d.ReportApi(
        configured=lambda _values: [
            d.Report("ledgers", topic, topic, ZONE, d.Windowed("day")) for topic in ("funds", "fees")
        ],
        parameters=lambda report, period: {
            "topic": report.report_type,
            "day": period.days(ZONE)[0].isoformat(),
        },
        retrieval=ENTRIES,
        not_yet=d.NotYetWhen(statuses={404}, flag="tryLater"),
        headers=lambda _report: ("pspReference", "time", "entryType", "currency", "amount", "balanceAfter"),
        column_type=lambda _report, header: TYPES.get(header, "text"),
        cells=lambda _report: CELLS,
    ),
)
