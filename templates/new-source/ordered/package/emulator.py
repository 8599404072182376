"""Newvendor emulated on loopback. It knows nothing of the tap: write it from the vendor's documents.

python -m tap_billing_reports_newvendor.emulator [port]
"""

from __future__ import annotations

from datetime import date, timedelta

from tap_billing_reports_newvendor.serving import Reply, Request, serve_until_interrupted

KEY = "newvendor-emulator-key"


def refused(status: int, code: str) -> Reply:
    """An error in the vendor's own form."""
    return Reply({"error": {"code": code, "message": f"refused: {code}"}}, status)


def days(first: str, last: str) -> list[date]:
    """Each day from a first to a last one, both included."""
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    return [start + timedelta(days=number) for number in range((end - start).days + 1)]


class Emulator:
    """The vendor's whole state.

    Attributes:
        orders: what was ordered, one entry a run.
        url: where it is served.
    """

    def __init__(self) -> None:
        self.orders: list[dict[str, str]] = []
        self.url = ""

    @staticmethod
    def lines(order: dict[str, str]) -> list[str]:
        """The lines of a report without its header: one a day."""
        return [f"e{day:%Y%m%d},{day.isoformat()},EUR,{day.day}.10,0.25" for day in days(order["from"], order["to"])]

    def answer(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return refused(401, "wrong_key")
        match request.method, request.path.strip("/").split("/"):
            case "POST", ["v1", "report-runs"]:
                self.orders.append(request.body)
                return Reply({"id": f"run{len(self.orders)}", "state": "processing"}, 201)
            case "GET", ["v1", "report-runs", run_id]:
                return Reply({"id": run_id, "state": "completed"})
            case "GET", ["v1", "report-runs", run_id, "file"]:
                lines = self.lines(self.orders[int(run_id.removeprefix("run")) - 1])
                text = "\r\n".join(["entry_id,settled_on,currency,gross,fee", *lines, ""])
                return Reply(text, media_type="text/csv")
        return refused(404, "unknown_path")


if __name__ == "__main__":
    serve_until_interrupted(Emulator().answer, KEY)
