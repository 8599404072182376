"""A vendor as Klarna describes its Settlements API: payouts that it lists by date, the rows and files of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tap_billing_reports import declare as d
from tap_billing_reports.declare.csv_form import minor_units
from tap_billing_reports.http.auth import BearerAuthenticator
from tests.declare.shop import Answered

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_billing_reports.core.columns import ColumnType
    from tap_billing_reports.declare.runs import Format
    from tests.declare.shop import Asked


@dataclass
class Payout:
    """A payout, and its transactions."""

    reference: str
    day: str
    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def listed(self) -> dict[str, Any]:
        total = sum(row["amount"] for row in self.rows)
        return {
            "payment_reference": self.reference,
            "payout_date": f"{self.day}T07:52:26Z",
            "currency_code": "SEK",
            "merchant_settlement_type": "NET",
            "totals": {"settlement_amount": total},
        }


def payout(reference: str, day: str, *amounts: int) -> Payout:
    rows = [
        {"capture_id": f"{reference}-{number}", "type": "SALE", "amount": amount, "currency_code": "SEK"}
        for number, amount in enumerate(amounts, 1)
    ]
    return Payout(reference, day, rows)


class Payouts:
    """The vendor.

    Attributes:
        payouts: those that there are.
        before: called with each request; what it returns is the answer.
        asked: the requests so far.
    """

    def __init__(self) -> None:
        self.payouts: list[Payout] = []
        self.before: Callable[[Asked], Answered | None] = lambda _asked: None
        self.asked: list[Asked] = []
        self.url = ""

    def answer(self, asked: Asked) -> Answered:
        self.asked.append(asked)
        if (own := self.before(asked)) is not None:
            return own
        kind, _, name = asked.path.removeprefix("/settlements/v1/").partition("/")
        if kind == "payouts":
            first, last = asked.query["start_date"], asked.query["end_date"]
            found = [one.listed for one in self.payouts if first <= one.day <= last]
            return self._page("payouts", found, asked)
        if kind == "transactions":
            (one,) = [one for one in self.payouts if one.reference == asked.query["payment_reference"]]
            return self._page("transactions", one.rows, asked)
        reference, _, ending = name.partition(".")
        content = {"csv": f"type;amount\nSALE;{reference}\n", "pdf": f"%PDF-1.4\n{reference}\n%%EOF\n"}[ending]
        return Answered(content, headers={"Content-Type": {"csv": "text/csv", "pdf": "application/pdf"}[ending]})

    @staticmethod
    def _page(name: str, found: list[dict[str, Any]], asked: Asked) -> Answered:
        start, size = int(asked.query.get("offset", 0)), int(asked.query["size"])
        page = found[start : start + size]
        return Answered({name: page, "pagination": {"count": len(page), "total": len(found), "offset": start}})

    def references(self) -> list[str]:
        """Whose transactions were asked for, in order."""
        found = [one.query["payment_reference"] for one in self.asked if one.path.endswith("/transactions")]
        return list(dict.fromkeys(found))


PAGES = d.OffsetPaging("offset", "pagination.total", size=("size", "2"))
PAYOUTS = d.Endpoint("payouts", "/settlements/v1/payouts", records=("payouts",), paging=PAGES)
TRANSACTIONS = d.Endpoint("payouts", "/settlements/v1/transactions", records=("transactions",), paging=PAGES)
TYPES: dict[str, ColumnType] = {"amount": "decimal", "currency_code": "currency", "totals.settlement_amount": "decimal"}
MINOR = minor_units("currency_code")


def _dates(_account: d.Account, _report: d.Report, first: Any, last: Any) -> d.Query:
    return [("start_date", first.isoformat()), ("end_date", last.isoformat())]


def _days(_account: d.Account, report: d.Report, period: d.Period) -> d.Query:
    return _dates(_account, report, *period.days("UTC"))


LISTING = d.Listing(PAYOUTS, _dates, subject="payment_reference", day="payout_date")


def _retrieval(report: d.Report) -> d.Retrieval:
    if isinstance(report.cadence, d.Listed):
        return d.PagedRows(TRANSACTIONS, query=lambda _account, _report, period: [("payment_reference", period.key)])
    return d.PagedRows(PAYOUTS, query=_days, key=("payment_reference",))


def _files(report: d.Report, run: d.Run) -> tuple[d.RemoteFile, ...]:
    reference = run.parameters.get("payment_reference")
    if reference is None:
        return ()
    kept: tuple[Format, ...] = ("csv", "pdf")
    return tuple(
        d.RemoteFile(f"{reference}.{kind}", kind, "payouts", f"/settlements/v1/reports/{reference}.{kind}")
        for kind in kept
        if kind in report.kept_formats
    )


def _headers(report: d.Report) -> tuple[str, ...]:
    if isinstance(report.cadence, d.Listed):
        return ("capture_id", "type", "amount", "currency_code")
    return ("payment_reference", "payout_date", "currency_code", "totals.settlement_amount")


def _configured(values: Any) -> list[d.Report]:
    listed = d.Listed(LISTING, values["payouts_lookback_days"])
    return [
        d.Report("payouts", "payouts", "all", "UTC", d.Windowed("month", lookback_days=40, include_partial=True)),
        d.Report("payouts", "transactions", "transactions", "UTC", listed, kept_formats=("csv", "pdf")),
    ]


SOURCE = d.Source(
    name="payouts",
    title="Payouts",
    zone="UTC",
    settings=(
        d.Setting("payouts_key", "Payouts: the key.", required=True, secret=True),
        d.Setting("payouts_url", "Payouts: the base URL.", default="https://api.payouts.example"),
        d.Setting("payouts_lookback_days", "Payouts: days that are listed again.", d.DAYS, default=5),
    ),
    hosts=(d.Host("payouts", "payouts_url"),),
    authenticator=lambda values: BearerAuthenticator(values["payouts_key"]),
    account_label=lambda values: values["payouts_url"],
    accounts=lambda _client: [d.Account("payouts", "merchant", "merchant")],
    reports=d.ReportApi(
        configured=_configured,
        parameters=lambda report, period: (
            {"payment_reference": period.key} if isinstance(report.cadence, d.Listed) else {"month": period.key}
        ),
        retrieval=_retrieval,
        extra_files=_files,
        headers=_headers,
        column_type=lambda _report, header: TYPES.get(header, "text"),
        cells=lambda _report: {"amount": MINOR, "totals.settlement_amount": MINOR},
    ),
)
