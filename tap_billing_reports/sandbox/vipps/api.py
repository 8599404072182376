"""Calls of the emulated Vipps MobilePay: ledgers, and the report of one ledger's day.

Options: `vipps_page_size` (1000), `vipps_ledgers_page` (3), `vipps_unclosed` (`404` or `tryLater`: what every day that
is not closed answers; else each ledger has its own way), `vipps_documented_only` (no word and no field that the
published description does not have), `vipps_renamed_days` (45: since how many days before the clock's start a payout
is called by its newer name), `vipps_server_error` (text: paths with it answer 500).
"""

from __future__ import annotations

import base64
import binascii
import json
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .books import PAYOUT, TOPICS, Books, Entry
from .ledgers import BY_ID, LEDGERS, Ledger
from .signin import SignIn, problem

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from tap_billing_reports.sandbox.world import World

LEDGERS_PATH = "/settlement/v1/ledgers"
DAY_PATH = "/report/v2/ledgers/{ledger}/{topic}/dates/{day}"


class Api:
    """Handlers of the Report API. It is read-only."""

    def __init__(self, world: World, books: Books) -> None:
        self._world = world
        self._books = books
        self._signin = SignIn(world)

    def routes(self) -> list[Route]:
        tokens = [
            Route(path, self._signin.token, methods=["GET", "POST"])
            for path in ("/accesstoken/get", "/accessToken/get")
        ]
        calls = {LEDGERS_PATH: self._ledgers, DAY_PATH: self._day}
        return [*tokens, *(Route(path, self._guarded(call)) for path, call in calls.items())]

    def _guarded(self, call: Callable[[Request], Response]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            failing = self._world.options.get("vipps_server_error")
            if failing and failing in request.url.path:
                return JSONResponse(
                    {
                        "errorCode": 100001,
                        "errorMessage": "Something went wrong on our side.",
                        "contextId": "123e4567-e89b-12d3-a456-426655440000",
                    },
                    500,
                )
            return self._signin.refusal(request) or call(request)

        return endpoint

    def _ledgers(self, request: Request) -> Response:
        query = request.query_params
        handle, after = query.get("settlesForRecipientHandles"), 0
        if "cursor" in query:
            # A cursor says all that the first call did.
            told = _read_cursor(query["cursor"])
            if set(told) != {"afterLedger", "handle"}:
                return problem(400, "Bad Request", "the cursor is not one of this list", request)
            after, handle = told["afterLedger"], told["handle"]
        found = [ledger for ledger in LEDGERS if handle is None or handle in ledger.handles]
        size = int(self._world.options.get("vipps_ledgers_page", 3))
        more = after + size < len(found)
        cursor = _cursor({"afterLedger": after + size, "handle": handle}) if more else ""
        return JSONResponse({"cursor": cursor, "items": [self._ledger(one) for one in found[after : after + size]]})

    def _day(self, request: Request) -> Response:
        ledger = BY_ID.get(request.path_params["ledger"])
        if ledger is None:
            # Not "forbidden": nobody is told of a ledger that is another's.
            return problem(404, "No such ledgerId", "No such ledgerId", request)
        topic, text = request.path_params["topic"], request.path_params["day"]
        try:
            day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=timezone.utc).date()
        except ValueError:
            return problem(400, "Bad Request", f"{text} is no date", request)
        if topic not in TOPICS:
            return problem(400, "Bad Request", f"{topic} is no topic", request)
        place = {"ledgerId": ledger.id, "topic": topic, "ledgerDate": text}
        after = 0
        if "cursor" in request.query_params:
            told = _read_cursor(request.query_params["cursor"])
            if {key: told.get(key) for key in place} != place:
                return problem(400, "Bad Request", "the cursor is not one of this report", request)
            after = int(told.get("after", 0))
        closed = day <= self._books.closed_through(ledger)
        if not closed and self._answers_404(ledger):
            return Response(status_code=404)
        size = int(self._world.options.get("vipps_page_size", 1_000))
        entries = self._books.entries(ledger, topic, day)
        # A page that is full has another one after it, which may be empty.
        more = closed and len(entries) >= after + size
        body: dict[str, Any] = {
            "hasMore": more,
            "tryLater": not closed,
            "items": [self._entry(ledger, entry) for entry in entries[after : after + size]],
        }
        if more:
            body["cursor"] = _cursor({**place, "after": after + size})
        return JSONResponse(body)

    def _answers_404(self, ledger: Ledger) -> bool:
        asked = self._world.options.get("vipps_unclosed")
        return ledger.empty_404 if asked is None else asked == "404"

    @property
    def _documented_only(self) -> bool:
        return bool(self._world.options.get("vipps_documented_only"))

    def _ledger(self, ledger: Ledger) -> dict[str, Any]:
        found: dict[str, Any] = {
            "ledgerId": ledger.id,
            "currency": ledger.currency,
            "payoutBankAccount": {"scheme": ledger.bank[0], "id": ledger.bank[1]},
            "owner": {"scheme": ledger.owner[0], "id": ledger.owner[1]},
            "settlesForRecipientHandles": list(ledger.handles),
        }
        if not self._documented_only:
            found["salesUnits"] = [{"name": ledger.name, "recipientHandle": handle} for handle in ledger.handles]
        return found

    def _entry(self, ledger: Ledger, entry: Entry) -> dict[str, Any]:
        renamed = self._renamed_since()
        found: dict[str, Any] = {
            "pspReference": entry.psp_reference,
            "time": _time(entry.at, ledger),
            "ledgerDate": entry.day.isoformat(),
            "entryType": _word(entry, renamed),
            "reference": entry.reference,
            "currency": ledger.currency,
            "amount": entry.amount,
            "balanceBefore": entry.before,
            "balanceAfter": entry.after,
            "recipientHandle": entry.handle,
        }
        # What an entry does not have is null on a Norwegian ledger, and is left out elsewhere.
        if self._documented_only or not ledger.is_norwegian:
            found = {name: value for name, value in found.items() if value is not None}
        if renamed is not None and entry.day >= renamed:
            found["product"] = "api" if (entry.handle or "").startswith("api:") else "number"
        return found

    def _renamed_since(self) -> date | None:
        """The first day with the newer word and the newer field; None: there is no such day."""
        if self._documented_only:
            return None
        days = int(self._world.options.get("vipps_renamed_days", 45))
        return (self._world.clock.start - timedelta(days=days)).date()


def _word(entry: Entry, renamed: date | None) -> str:
    if entry.kind != PAYOUT:
        return entry.kind
    return "scheduled-for-payout" if renamed is None or entry.day < renamed else "payout-scheduled"


def _time(at: datetime, ledger: Ledger) -> str:
    """RFC 3339 with microseconds: in UTC where an API sells; else with the zone's offset, with a colon or without."""
    if ledger.handles[0].startswith("api:"):
        return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    local = at.astimezone(ZoneInfo(ledger.zone))
    return local.isoformat(timespec="microseconds") if ledger.weekly else local.strftime("%Y-%m-%dT%H:%M:%S.%f%z")


def _cursor(told: dict[str, Any]) -> str:
    return base64.b64encode(json.dumps(told).encode()).decode()


def _read_cursor(text: str) -> dict[str, Any]:
    """What a cursor says; nothing for one that was never given out."""
    try:
        told = json.loads(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return {}
    return told if isinstance(told, dict) else {}
