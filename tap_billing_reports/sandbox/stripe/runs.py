"""Report runs: ordered, at work for a while on the sandbox's clock, then succeeded with a file, or failed.

Option `stripe_run_rules` is a list of rules for the runs ordered from now on; the first that matches is used:

    {"match": {"report_type": regular expression, "nth": k, "parameters": {name: value}, "account": id},
     "times": n, "do": {...}}

All parts of `match` are optional; `nth` counts the orders from 1. `do` holds any of `seconds` (how long the
run takes), `fail` (its error text), `status` (another final status), `vanish` (seconds after which the run is
unknown), `expire` (seconds for which the file is kept), `drop_rows` (rows missing at the end of the file, as
after a correction), and alone `answer` (a 5xx for the order; with "create": true the run is there all the
same).
Other options: `stripe_run_seconds` (0.2), `stripe_concurrent_runs` (5), `stripe_drop_rows`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from .errors import rate_limited
from .world.ids import make_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_billing_reports.sandbox.world import World

FILE_LIFE = timedelta(days=365)
_SECONDS = 0.2
_CONCURRENT = 5


@dataclass
class Run:
    """One order and what becomes of it. `options` are the switches as they were when it was ordered."""

    id: str
    file_id: str
    account: str
    livemode: bool
    report_type: str
    parameters: dict[str, Any]
    ordered_at: datetime
    ends_at: datetime
    error: str | None
    final: str
    vanishes_at: datetime | None
    expires_at: datetime
    drop_rows: int
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def created(self) -> int:
        return int(self.ordered_at.timestamp())

    def status(self, now: datetime) -> str:
        return self.final if now >= self.ends_at else "pending"

    def vanished(self, now: datetime) -> bool:
        return self.vanishes_at is not None and now >= self.vanishes_at

    def has_file(self, now: datetime) -> bool:
        """Whether its file is there: written, and not expired."""
        return self.status(now) == "succeeded" and now < self.expires_at


class Runs:
    """All runs of all accounts, in the order of their creation."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rng = world.rng("stripe/runs")
        self._all: list[Run] = []
        self._orders = 0
        self._rule_uses: dict[str, int] = {}

    def everything(self) -> list[Run]:
        """Every run ever created, also those that have vanished."""
        return list(self._all)

    def of(self, account: str) -> list[Run]:
        """An account's runs, newest first."""
        now = self._world.clock.now()
        return [run for run in reversed(self._all) if run.account == account and not run.vanished(now)]

    def find(self, account: str, identifier: str) -> Run | None:
        return next((run for run in self.of(account) if run.id == identifier), None)

    def find_file(self, account: str, identifier: str) -> Run | None:
        """The run whose file this is, while the file is there."""
        now = self._world.clock.now()
        return next((run for run in self.of(account) if run.file_id == identifier and run.has_file(now)), None)

    def check_room(self, account: str) -> None:
        """Raises StripeError (429) when the account has as many runs at work as it may."""
        if self._pending(account) >= int(self._world.options.get("stripe_concurrent_runs", _CONCURRENT)):
            raise rate_limited("Too many report runs are in progress for this account. Wait for some to complete.")

    def rule(self, account: str, report_type: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Count one order; what the first matching rule does with it, or nothing."""
        self._orders += 1
        for rule in self._world.options.get("stripe_run_rules") or ():
            if not self._matches(rule.get("match") or {}, account, report_type, parameters):
                continue
            text = json.dumps(rule, sort_keys=True)
            used = self._rule_uses.get(text, 0)
            if rule.get("times") is None or used < rule["times"]:
                self._rule_uses[text] = used + 1
                return dict(rule["do"])
        return {}

    def create(
        self,
        account: str,
        report_type: str,
        parameters: dict[str, Any],
        do: Mapping[str, Any],
        *,
        livemode: bool,
        idempotency_key: str | None,
    ) -> Run:
        now = self._world.clock.now()
        options = self._world.options
        ends = now + timedelta(seconds=float(do.get("seconds", options.get("stripe_run_seconds", _SECONDS))))
        kept = timedelta(seconds=float(do["expire"])) if "expire" in do else FILE_LIFE
        run = Run(
            id=make_id(self._rng, "frr"),
            file_id=make_id(self._rng, "file"),
            account=account,
            livemode=livemode,
            report_type=report_type,
            parameters=parameters,
            ordered_at=now,
            ends_at=ends,
            error=do.get("fail"),
            final=str(do.get("status", "failed" if "fail" in do else "succeeded")),
            vanishes_at=now + timedelta(seconds=float(do["vanish"])) if "vanish" in do else None,
            expires_at=ends + kept,
            drop_rows=int(do.get("drop_rows", options.get("stripe_drop_rows", 0))),
            options=dict(options),
        )
        self._all.append(run)
        self._world.note(
            "order",
            vendor="stripe",
            account=account,
            type=report_type,
            parameters=parameters,
            run_id=run.id,
            idempotency_key=idempotency_key,
        )
        self._world.note("pending", vendor="stripe", count=self._pending(account))
        return run

    def _pending(self, account: str) -> int:
        now = self._world.clock.now()
        return sum(run.status(now) == "pending" for run in self.of(account))

    def _matches(self, match: Mapping[str, Any], account: str, report_type: str, parameters: Mapping[str, Any]) -> bool:
        return (
            re.search(match.get("report_type", ""), report_type) is not None
            and match.get("account", account) == account
            and match.get("nth", self._orders) == self._orders
            and all(parameters.get(name) == value for name, value in match.get("parameters", {}).items())
        )
