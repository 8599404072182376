"""Calls of the emulated Klarna Settlements API.

Options: `klarna_order` (`oldest`: payouts oldest first; the newest are first otherwise), `klarna_grows` (`payouts` or
`transactions`: what is read first of such a list lacks its newest record, which is there for the next page),
`klarna_without_total` (no `total` in `pagination`), `klarna_sparse_totals` (totals that are zero are left out),
`klarna_signed` (amounts that are taken off a payout are below zero), `klarna_new_fields` (fields that the published
description does not have).
"""

from __future__ import annotations

import base64
import uuid
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .amounts import OPTIONAL, SIGNS, TOTAL_OF
from .books import MERCHANT, REGISTERED, Books, Payout, Row, utc_text
from .documents import payout_csv, payout_pdf

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from starlette.requests import Request

    from tap_billing_reports.sandbox.world import World

ROOT = "/settlements/v1"
USERNAME = f"{MERCHANT}_9f3c1d"
PASSWORD = "klarna-sandbox-password"  # noqa: S105 - opens nothing but the emulator
MOST, BY_DEFAULT = 500, 20


class VendorError(Exception):
    """A refusal in the vendor's form."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


class Api:
    """Handlers of the Settlements API. It is read-only."""

    def __init__(self, world: World, books: Books) -> None:
        self._world = world
        self._books = books
        self._begun: set[str] = set()
        self._refusals = 0

    def routes(self) -> list[Route]:
        calls: dict[str, tuple[Callable[[Request], Response], str]] = {
            "/payouts": (self._payouts, "application/json"),
            "/payouts/{reference}": (self._one, "application/json"),
            "/transactions": (self._transactions, "application/json"),
            "/reports/payout-with-transactions": (self._csv, "text/csv"),
            "/reports/payout": (self._pdf, "application/pdf"),
        }
        return [Route(ROOT + path, self._guarded(*call)) for path, call in calls.items()]

    def _guarded(self, call: Callable[[Request], Response], media: str) -> Callable[[Request], Awaitable[Response]]:
        """A call's errors have its own media type, even where that is not what they are."""
        expected = "Basic " + base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()

        async def endpoint(request: Request) -> Response:
            try:
                if request.headers.get("authorization") != expected:
                    raise VendorError(401, "UNAUTHORIZED", "Invalid credentials")
                return call(request)
            except VendorError as error:
                self._refusals += 1
                number = str(uuid.UUID(int=self._world.rng(f"klarna/refusal/{self._refusals}").getrandbits(128)))
                body = {"error_code": error.code, "error_messages": [str(error)], "correlation_id": number}
                return JSONResponse(body, error.status, media_type=media)

        return endpoint

    def _payouts(self, request: Request) -> Response:
        query = request.query_params
        begin, end, currency = _instant(query, "start_date"), _instant(query, "end_date"), query.get("currency_code")
        found = [
            payout
            for payout in self._books.payouts()
            if (begin is None or payout.at >= begin)
            and (end is None or payout.at <= end)
            and currency in {None, payout.currency}
        ]
        if self._world.options.get("klarna_order") != "oldest":
            found.reverse()
            grown = found[1:]
        else:
            grown = found[:-1]
        shown, pagination = self._page(request, found, grown, "payouts")
        return JSONResponse({"payouts": [self._payout(one) for one in shown], "pagination": pagination})

    def _one(self, request: Request) -> Response:
        return JSONResponse(self._payout(self._named(request.path_params["reference"])))

    def _transactions(self, request: Request) -> Response:
        reference, order = request.query_params.get("payment_reference"), request.query_params.get("order_id")
        found = [
            (payout, row)
            for payout in self._books.payouts()
            if reference in {None, payout.reference}
            for row in payout.rows
            if order in {None, row.facts["order_id"]}
        ]
        shown, pagination = self._page(request, found, found[:-1], "transactions")
        return JSONResponse({"transactions": [self._row(*one) for one in shown], "pagination": pagination})

    def _csv(self, request: Request) -> Response:
        payout = self._named(request.query_params.get("payment_reference"))
        return Response(payout_csv(payout), media_type="text/csv")

    def _pdf(self, request: Request) -> Response:
        payout = self._named(request.query_params.get("payment_reference"))
        return Response(payout_pdf(payout), media_type="application/pdf")

    def _named(self, reference: str | None) -> Payout:
        if not reference:
            raise VendorError(400, "BAD_REQUEST", "payment_reference is required")
        for payout in self._books.payouts():
            if payout.reference == reference:
                return payout
        raise VendorError(404, "NOT_FOUND", f"no payout {reference}")

    def _page(
        self, request: Request, records: Sequence[Any], before: Sequence[Any], kind: str
    ) -> tuple[Sequence[Any], dict[str, Any]]:
        """One page of `records`, and what is told of it; of `before`, if the list is one that grows and is new."""
        query = request.query_params
        size, offset = _whole(query, "size", BY_DEFAULT), _whole(query, "offset", 0)
        if not 0 < size <= MOST or offset < 0:
            raise VendorError(400, "BAD_REQUEST", "size or offset is out of bounds")
        others = urlencode([(name, value) for name, value in query.multi_items() if name not in {"size", "offset"}])
        if self._world.options.get("klarna_grows") == kind and f"{kind}?{others}" not in self._begun:
            self._begun.add(f"{kind}?{others}")
            records = before
        shown = records[offset : offset + size]
        pagination: dict[str, Any] = {"count": len(shown), "total": len(records), "offset": offset}
        if self._world.options.get("klarna_without_total"):
            del pagination["total"]
        places = {"next": offset + size, "prev": max(0, offset - size)}
        there = {"next": offset + size < len(records), "prev": offset > 0}
        for name in (name for name, is_there in there.items() if is_there):
            asked = urlencode({"size": size, "offset": places[name]})
            pagination[name] = f"{self._base}/{kind}?{others}{'&' if others else ''}{asked}"
        return shown, pagination

    @property
    def _base(self) -> str:
        return self._world.urls["klarna"] + ROOT

    def _sign(self, total: str) -> int:
        return SIGNS.get(total, 1) if self._world.options.get("klarna_signed") else 1

    def _payout(self, payout: Payout) -> dict[str, Any]:
        sparse = self._world.options.get("klarna_sparse_totals")
        totals = {
            name: self._sign(name) * amount
            for name, amount in payout.totals.items()
            if amount or not (sparse or name in OPTIONAL)
        }
        if self._world.options.get("klarna_new_fields"):
            totals["commission_reversal_amount"] = 0
        found: dict[str, Any] = {
            "totals": totals,
            "payment_reference": payout.reference,
            "payout_date": utc_text(payout.at),
            "currency_code": payout.currency,
            "merchant_settlement_type": payout.settled,
            "merchant_id": MERCHANT,
            "transactions": f"{self._base}/transactions?payment_reference={payout.reference}",
        }
        if payout.currency != REGISTERED:
            found["currency_code_of_registration_country"] = REGISTERED
        return found

    def _row(self, payout: Payout, row: Row) -> dict[str, Any]:
        total = TOTAL_OF.get(row.kind)
        found: dict[str, Any] = {
            "amount": row.amount * (self._sign(total) if total else 1),
            "type": row.kind,
            "detailed_type": row.detailed,
            "currency_code": payout.currency,
            "payment_reference": payout.reference,
            "payout": f"{self._base}/payouts/{payout.reference}",
            **row.facts,
        }
        if self._world.options.get("klarna_new_fields"):
            found["merchant_id"] = MERCHANT
        return found


def _whole(query: Any, name: str, default: int) -> int:
    try:
        return int(query.get(name, default))
    except ValueError as error:
        raise VendorError(400, "BAD_REQUEST", f"{name} is no number") from error


def _instant(query: Any, name: str) -> datetime | None:
    """A date is its first instant: the vendor recommends to give the time, too."""
    if name not in query:
        return None
    try:
        found = datetime.fromisoformat(query[name])
    except ValueError as error:
        raise VendorError(400, "BAD_REQUEST", f"{name} is no date-time") from error
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)
