"""The calls about files: their descriptions on the API host, their contents on the files host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import StreamingResponse

from .accounts import ACCOUNTS
from .errors import StripeError, missing
from .files import Files
from .paging import CURSORS, page
from .parameters import allow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from starlette.responses import Response

    from tap_billing_reports.sandbox.world import World

    from .accounts import Account
    from .endpoint import Call
    from .files import ReportFile
    from .runs import Run, Runs
    from .world.balance import Ledger

_PURPOSE = "finance_report_run"


class _Listed:
    """A run's file as an item of a list: its own id and time of creation."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.id = run.file_id
        self.created = int(run.ends_at.timestamp())


class FileCalls:
    """Handlers of /v1/files on both hosts."""

    def __init__(self, world: World, runs: Runs, ledgers: Mapping[str, Ledger]) -> None:
        self._world = world
        self._runs = runs
        self._ledgers = ledgers
        self.files = Files(ledgers)

    def list_files(self, call: Call) -> dict[str, Any]:
        allow(call.given, CURSORS | {"purpose"})
        now = self._world.clock.now()
        found = [_Listed(run) for run in self._runs.of(call.account.id) if run.has_file(now)]
        if call.given.get("purpose", _PURPOSE) != _PURPOSE:
            found = []
        return page(found, call.given, "file", call.url, lambda item: self.file_json(item.run))

    def file(self, call: Call) -> dict[str, Any]:
        allow(call.given, ())
        return self.file_json(self._run(call))

    def contents(self, call: Call) -> Response:
        run = self._run(call)
        made = self.files.of(run)
        headers = {
            "Content-Length": str(made.size),
            "Content-Disposition": f'attachment; filename="{run.id}.csv"',
        }
        return StreamingResponse(_stream(made), media_type="text/csv", headers=headers)

    def file_json(self, run: Run) -> dict[str, Any]:
        created = int(run.ends_at.timestamp())
        return {
            "id": run.file_id,
            "object": "file",
            "created": created,
            "expires_at": int(run.expires_at.timestamp()),
            "filename": f"{run.id}.csv",
            "links": {
                "object": "list",
                "data": [],
                "has_more": False,
                "url": f"/v1/file_links?file={run.file_id}",
            },
            "purpose": _PURPOSE,
            "size": self.files.of(run).size,
            "title": f"FinanceReportRun {run.id}",
            "type": "csv",
            "url": f"{self._world.urls.get('stripe_files', '')}/v1/files/{run.file_id}/contents",
        }

    def check_payout(self, account: Account, parameters: Mapping[str, Any]) -> None:
        """Raises StripeError (400) when the payout is not one of the account that the run reads."""
        owner = parameters.get("connected_account", account.id)
        if owner not in (ACCOUNTS if account.platform else {account.id}):
            raise missing("account", str(owner), "parameters.connected_account", status=400)
        if self._ledgers[owner].payout(parameters["payout"]) is None:
            raise missing("payout", parameters["payout"], "parameters.payout", status=400)

    def _run(self, call: Call) -> Run:
        run = self._runs.find_file(call.account.id, call.path["id"])
        if run is None:
            raise missing("file upload", call.path["id"], "file")
        return run


async def _stream(made: ReportFile) -> AsyncIterator[bytes]:
    for piece in made.pieces():
        yield piece


def unrecognized(call: Call) -> dict[str, Any]:
    """Any path that the API does not have."""
    raise StripeError(404, f"Unrecognized request URL ({call.url}).")
