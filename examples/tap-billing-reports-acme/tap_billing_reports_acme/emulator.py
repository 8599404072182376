"""Acme Pay emulated: two merchants, their invoices, exports that take two looks to finish. Knows nothing of the tap.

python -m tap_billing_reports_acme.emulator [port]
"""

from __future__ import annotations

import socket
import sys
import threading
import time
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

KEY = "acme-emulator-key"
MERCHANTS = [{"id": "m_north", "name": "Acme North"}, {"id": "m_south", "name": "Acme Sør"}]
DAYS = 90
PAGE_SIZE = 40


class RefusedError(Exception):
    """An answer of the form {"error": {...}}."""

    def __init__(self, status: int, code: str, param: str = "") -> None:
        super().__init__(code)
        self.answer = JSONResponse({"error": {"code": code, "message": f"refused: {code}", "param": param}}, status)


class Emulator:
    """The vendor's whole state.

    Args:
        now: the instant at which it stands still, aware; unset: the machine's clock when it was made.

    Attributes:
        today: its current day; invoices and settlements are of the `DAYS` days up to it, one of each a day.
        orders: what was ordered, one entry an export that was made.
    """

    def __init__(self, now: datetime | None = None) -> None:
        self.now = now or datetime.now(timezone.utc)
        self.today = self.now.date()
        self.orders: list[tuple[str, str, str, str]] = []
        self._exports: dict[str, dict[str, Any]] = {}
        self._by_key: dict[str, str] = {}

    # -- what there is ---------------------------------------------------------------------------------

    def invoices(self, merchant: str) -> list[dict[str, Any]]:
        """A merchant's invoices, oldest first: the newest are open, one in ten is a credit memo."""
        found = []
        for number in range(DAYS):
            day = self.today - timedelta(days=DAYS - 1 - number)
            net = Decimal(number * 37 % 9000 + 100) / 100 * (-1 if number % 10 == 9 else 1)
            is_paid = number < DAYS - 20
            found.append(
                {
                    "id": f"{merchant}-{number + 1}",
                    "kind": "credit_memo" if net < 0 else "invoice",
                    "status": "PAID" if is_paid else "OPEN",
                    "issued": day.isoformat(),
                    "paid_at": f"{day + timedelta(days=10)}T12:00:00+02:00" if is_paid else None,
                    "currency": "dkk",
                    "net": f"{net:.2f}",
                    "gross": f"{net * 125 / 100:.4f}",
                    "customer": {"id": f"c_{number % 7}", "name": f"Customer №{number % 7}"},
                    "project": "harbour" if number % 2 else None,
                }
            )
        return found

    def settlements(self, merchant: str, first: str, last: str) -> list[str]:
        """The lines of an export: one payment an invoice, in file order."""
        lines = ["EntryId,SettledAt,InvoiceId,Currency,Gross,Fee,Note"]
        for record in self.invoices(merchant):
            if first <= record["issued"] <= last:
                cells = (
                    f"e_{record['id']}",
                    f"{record['issued']} 09:30:00",
                    record["id"],
                    "DKK",
                    record["gross"],
                    "0.25",
                )
                lines.append(",".join(cells) + ',"paid, in full"')
        return lines

    # -- the API ---------------------------------------------------------------------------------------

    def app(self) -> Starlette:
        """The API as an ASGI application."""
        routes = {
            ("GET", "/v2/merchants"): lambda request: self._page(request, "merchants", MERCHANTS),
            ("GET", "/v2/invoices"): self._list_invoices,
            ("POST", "/v2/exports"): self._order,
            ("GET", "/v2/exports"): self._list_exports,
            ("GET", "/v2/exports/{id}"): self._look,
            ("GET", "/v2/exports/{id}/file"): self._file,
        }
        return Starlette(
            routes=[
                Route(path, self._endpoint(handler), methods=[method]) for (method, path), handler in routes.items()
            ]
        )

    @staticmethod
    def _endpoint(handler: Any) -> Any:
        async def endpoint(request: Request) -> Response:
            if request.headers.get("authorization") != f"Bearer {KEY}":
                return RefusedError(401, "wrong_key").answer
            request.state.form = dict(parse_qsl((await request.body()).decode()))
            try:
                answer: Response = handler(request)
            except RefusedError as error:
                return error.answer
            return answer

        return endpoint

    @staticmethod
    def _merchant(request: Request) -> str:
        merchant = request.headers.get("x-acme-merchant")
        if merchant not in {known["id"] for known in MERCHANTS}:
            raise RefusedError(400, "unknown_merchant", "X-Acme-Merchant")
        return str(merchant)

    @staticmethod
    def _page(request: Request, key: str, records: list[Any]) -> Response:
        size = min(int(request.query_params.get("page_size", PAGE_SIZE)), PAGE_SIZE)
        start = int(request.query_params.get("page_token", "t0")[1:])
        following = f"t{start + size}" if start + size < len(records) else None
        return JSONResponse({key: records[start : start + size], "paging": {"next": following}})

    def _list_invoices(self, request: Request) -> Response:
        first, last = request.query_params["from"], request.query_params["to"]
        found = [record for record in self.invoices(self._merchant(request)) if first <= record["issued"] <= last]
        return self._page(request, "invoices", found)

    def _order(self, request: Request) -> Response:
        merchant, form = self._merchant(request), request.state.form
        if form["type"] != "settlements":
            raise RefusedError(400, "unknown_type", "type")
        key = request.headers["idempotency-key"]
        if key not in self._by_key:
            self._by_key[key] = run_id = f"x_{len(self._exports) + 1}"
            lines = self.settlements(merchant, form["from"], form["to"])
            self._exports[run_id] = {
                "id": run_id,
                "type": form["type"],
                "from": form["from"],
                "to": form["to"],
                "state": "queued",
                "created_at": self.now.replace(microsecond=0).isoformat(),
                "error": None,
                "file": None,
                "_merchant": merchant,
                "_text": "".join(f"{line}\r\n" for line in lines),
            }
            self.orders.append((merchant, form["type"], form["from"], form["to"]))
        return JSONResponse(_shown(self._exports[self._by_key[key]]), 201)

    def _list_exports(self, request: Request) -> Response:
        merchant, since = self._merchant(request), datetime.fromisoformat(request.query_params["created_from"][:19])
        if since > self.now.replace(tzinfo=None):
            return self._page(request, "exports", [])
        found = [_shown(export) for export in self._exports.values() if export["_merchant"] == merchant]
        return self._page(request, "exports", found[::-1])

    def _export(self, request: Request) -> dict[str, Any]:
        export = self._exports.get(request.path_params["id"])
        if export is None or export["_merchant"] != self._merchant(request):
            raise RefusedError(404, "unknown_export")
        return export

    def _look(self, request: Request) -> Response:
        """Each look moves an export on."""
        export = self._export(request)
        export["state"] = {"queued": "running"}.get(export["state"], "done")
        if export["state"] == "done":
            export["file"] = {"id": f"f_{export['id']}", "bytes": len(export["_text"].encode())}
        return JSONResponse(_shown(export))

    def _file(self, request: Request) -> Response:
        return Response(self._export(request)["_text"], media_type="text/csv")


def _shown(export: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in export.items() if not name.startswith("_")}


@contextmanager
def served(app: Any, port: int = 0) -> Iterator[str]:
    """An ASGI application on loopback until the block ends; its base URL."""
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, log_level="critical"))
    # The protocol is named because asyncio switches delays off (TCP_NODELAY) only where it is.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", port))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.005)
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        bound.close()


def main() -> None:
    """Serve until the keyboard interrupts."""
    with served(Emulator().app(), int(sys.argv[1]) if len(sys.argv) > 1 else 0) as url:
        sys.stdout.write(f"Acme Pay emulated at {url}, with the key {KEY}\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
