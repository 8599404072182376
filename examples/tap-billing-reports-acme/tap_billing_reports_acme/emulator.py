"""Acme Pay emulated: two merchants, their invoices, exports that take two looks to finish. Knows nothing of the tap.

python -m tap_billing_reports_acme.emulator [port]
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tap_billing_reports_acme.serving import Reply, Request, serve_until_interrupted

KEY = "acme-emulator-key"
MERCHANTS = [{"id": "m_north", "name": "Acme North"}, {"id": "m_south", "name": "Acme Sør"}]
DAYS = 90
PAGE_SIZE = 40


class RefusedError(Exception):
    """An answer of the form {"error": {...}}."""

    def __init__(self, status: int, code: str, param: str = "") -> None:
        super().__init__(code)
        self.reply = Reply({"error": {"code": code, "message": f"refused: {code}", "param": param}}, status)


class Emulator:
    """The vendor's whole state.

    Args:
        now: the instant at which it stands still, aware; unset: the machine's clock when it was made.

    Attributes:
        today: its current day; invoices and settlements are of the `DAYS` days up to it, one of each a day.
        orders: what was ordered, one entry an export that was made.
        url: where it is served.
    """

    def __init__(self, now: datetime | None = None) -> None:
        self.now = now or datetime.now(UTC)
        self.today = self.now.date()
        self.orders: list[tuple[str, str, str, str]] = []
        self.url = ""
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

    def answer(self, request: Request) -> Reply:
        try:
            if request.headers.get("authorization") != f"Bearer {KEY}":
                raise RefusedError(401, "wrong_key")
            return self._answer(request)
        except RefusedError as error:
            return error.reply

    def _answer(self, request: Request) -> Reply:
        match request.method, request.path.strip("/").split("/"):
            case "GET", ["v2", "merchants"]:
                return self._page(request, "merchants", MERCHANTS)
            case "GET", ["v2", "invoices"]:
                return self._list_invoices(request)
            case "POST", ["v2", "exports"]:
                return self._order(request)
            case "GET", ["v2", "exports"]:
                return self._list_exports(request)
            case "GET", ["v2", "exports", run_id]:
                return self._look(self._export(request, run_id))
            case "GET", ["v2", "exports", run_id, "file"]:
                return Reply(self._export(request, run_id)["_text"], media_type="text/csv")
        raise RefusedError(404, "unknown_path")

    @staticmethod
    def _merchant(request: Request) -> str:
        merchant = request.headers.get("x-acme-merchant")
        if merchant not in {known["id"] for known in MERCHANTS}:
            raise RefusedError(400, "unknown_merchant", "X-Acme-Merchant")
        return str(merchant)

    @staticmethod
    def _page(request: Request, key: str, records: list[Any]) -> Reply:
        size = min(int(request.query.get("page_size", PAGE_SIZE)), PAGE_SIZE)
        start = int(request.query.get("page_token", "t0")[1:])
        following = f"t{start + size}" if start + size < len(records) else None
        return Reply({key: records[start : start + size], "paging": {"next": following}})

    def _list_invoices(self, request: Request) -> Reply:
        first, last = request.query["from"], request.query["to"]
        found = [record for record in self.invoices(self._merchant(request)) if first <= record["issued"] <= last]
        return self._page(request, "invoices", found)

    def _order(self, request: Request) -> Reply:
        merchant, form = self._merchant(request), request.body
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
        return Reply(_shown(self._exports[self._by_key[key]]), 201)

    def _list_exports(self, request: Request) -> Reply:
        merchant, since = self._merchant(request), datetime.fromisoformat(request.query["created_from"][:19])
        if since > self.now.replace(tzinfo=None):
            return self._page(request, "exports", [])
        found = [_shown(export) for export in self._exports.values() if export["_merchant"] == merchant]
        return self._page(request, "exports", found[::-1])

    def _export(self, request: Request, run_id: str) -> dict[str, Any]:
        export = self._exports.get(run_id)
        if export is None or export["_merchant"] != self._merchant(request):
            raise RefusedError(404, "unknown_export")
        return export

    @staticmethod
    def _look(export: dict[str, Any]) -> Reply:
        """Each look moves an export on."""
        export["state"] = {"queued": "running"}.get(export["state"], "done")
        if export["state"] == "done":
            export["file"] = {"id": f"f_{export['id']}", "bytes": len(export["_text"].encode())}
        return Reply(_shown(export))


def _shown(export: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in export.items() if not name.startswith("_")}


if __name__ == "__main__":
    serve_until_interrupted(Emulator().answer, KEY)
