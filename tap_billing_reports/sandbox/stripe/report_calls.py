"""The calls of the Reporting API: types and runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .accounts import ACCOUNTS
from .catalogue import available, visible
from .endpoint import Call, Reply
from .errors import StripeError, missing
from .idempotency import IdempotencyKeys, Stored
from .paging import CURSORS, page
from .parameters import allow, run_parameters

if TYPE_CHECKING:
    from datetime import datetime

    from tap_billing_reports.sandbox.world import World

    from .catalogue import ReportType
    from .file_calls import FileCalls
    from .runs import Run, Runs

_SERVER_ERROR = 500


class ReportCalls:
    """Handlers of /v1/reporting/report_types and /v1/reporting/report_runs."""

    def __init__(self, world: World, runs: Runs, files: FileCalls) -> None:
        self._world = world
        self._runs = runs
        self._files = files
        self._keys = IdempotencyKeys()

    def types(self, call: Call) -> dict[str, Any]:
        allow(call.given, ())
        data = [self._type_json(kind, call) for kind in visible(call.account).values()]
        return {"object": "list", "data": data, "has_more": False, "url": call.url}

    def type(self, call: Call) -> dict[str, Any]:
        allow(call.given, ())
        kind = visible(call.account).get(call.path["id"])
        if kind is None:
            raise missing("reporting report type", call.path["id"], "report_type")
        return self._type_json(kind, call)

    def list_runs(self, call: Call) -> dict[str, Any]:
        allow(call.given, CURSORS)
        return page(self._runs.of(call.account.id), call.given, "report_run", call.url, self._run_json)

    def run(self, call: Call) -> dict[str, Any]:
        allow(call.given, ())
        run = self._runs.find(call.account.id, call.path["id"])
        if run is None:
            raise missing("report_run", call.path["id"])
        return self._run_json(run)

    def create(self, call: Call) -> Reply:
        """An order: replayed when its key is known, else checked, and refused or begun."""
        now = self._world.clock.now()
        fingerprint = json.dumps(call.given, sort_keys=True)
        key = call.idempotency_key
        if key is not None:
            stored = self._keys.replay(call.account.id, key, fingerprint, now)
            if stored is not None:
                self._world.note("replay", vendor="stripe", account=call.account.id, idempotency_key=key)
                return Reply(stored.body, stored.status, {"Idempotent-Replayed": "true"})
        kind, parameters = self._checked(call, now)
        self._runs.check_room(call.account.id)
        reply = self._begun(call, kind, parameters)
        if key is not None:
            self._keys.store(call.account.id, key, Stored(fingerprint, now, reply.status, reply.body))
        return reply

    def _checked(self, call: Call, now: datetime) -> tuple[ReportType, dict[str, Any]]:
        allow(call.given, {"report_type", "parameters"})
        if not call.given.get("report_type"):
            raise StripeError(
                400, "Missing required param: report_type.", code="parameter_missing", param="report_type"
            )
        name = str(call.given["report_type"])
        kind = visible(call.account).get(name)
        if kind is None:
            raise missing("reporting report type", name, "report_type", status=400)
        if name in (self._world.options.get("stripe_live_only") or ()) and not call.key.livemode:
            raise StripeError(400, f"The report type {name} requires a live-mode key.", param="report_type")
        first, end, _ = available(self._world.clock.start, now)
        own = call.account
        connected = [name for name in ACCOUNTS if name != own.id] if own.platform else [own.id]
        return kind, run_parameters(call.given.get("parameters", {}), kind, first, end, connected)

    def _begun(self, call: Call, kind: ReportType, parameters: dict[str, Any]) -> Reply:
        if "payout" in parameters:
            self._files.check_payout(call.account, parameters)
        do = self._runs.rule(call.account.id, kind.id, parameters)
        failing = int(do.get("answer", 0)) >= _SERVER_ERROR
        if failing and not do.get("create"):
            return _failure(int(do["answer"]))
        run = self._runs.create(
            call.account.id,
            kind.id,
            parameters,
            do,
            livemode=call.key.livemode,
            idempotency_key=call.idempotency_key,
        )
        return _failure(int(do["answer"])) if failing else Reply(self._run_json(run, begun=True))

    def _type_json(self, kind: ReportType, call: Call) -> dict[str, Any]:
        first, end, updated = available(self._world.clock.start, self._world.clock.now())
        return {
            "id": kind.id,
            "object": "reporting.report_type",
            "data_available_end": int(end.timestamp()),
            "data_available_start": int(first.timestamp()),
            "default_columns": list(kind.default_columns) if "columns" in kind.optional else None,
            "livemode": call.key.livemode,
            "name": kind.name,
            "updated": int(updated.timestamp()),
            "version": kind.version,
        }

    def _run_json(self, run: Run, *, begun: bool = False) -> dict[str, Any]:
        """A run as it is now, or (`begun`) as it was when it was ordered."""
        now = self._world.clock.now()
        status = "pending" if begun else run.status(now)
        done = status == "succeeded"
        return {
            "id": run.id,
            "object": "reporting.report_run",
            "created": run.created,
            "error": run.error if status == "failed" else None,
            "livemode": run.livemode,
            "parameters": run.parameters,
            "report_type": run.report_type,
            "result": self._files.file_json(run) if done else None,
            "status": status,
            "succeeded_at": int(run.ends_at.timestamp()) if done else None,
        }


def _failure(status: int) -> Reply:
    message = "An unexpected error occurred while the request was processed."
    return Reply({"error": {"message": message, "type": "api_error"}}, status, {"Stripe-Should-Retry": "true"})
