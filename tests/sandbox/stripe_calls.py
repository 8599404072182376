"""Plain HTTP to the emulated Stripe, at a fixed moment."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import requests

from tap_billing_reports.sandbox.stripe.accounts import FULL_KEY
from tests.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from tap_billing_reports.sandbox.core import Sandbox

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=timezone.utc)
RUNS = "/v1/reporting/report_runs"
TYPES = "/v1/reporting/report_types"


def at(*moment: int) -> int:
    """Unix seconds of a UTC moment."""
    return int(datetime(*moment, tzinfo=timezone.utc).timestamp())  # type: ignore[misc,arg-type]


class StripeCalls:
    """Plain HTTP to the emulated Stripe, without the vendor's own client."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.session = requests.Session()
        self.session.trust_env = False

    def call(self, method: str, path: str, *, host: str = "stripe_api", key: str = FULL_KEY, **more: Any):
        headers = {"Authorization": f"Bearer {key}", **more.pop("headers", {})}
        return self.session.request(
            method, self.sandbox.urls[host] + path, headers=headers, timeout=HANG_SECONDS, **more
        )

    def get(self, path: str, **more: Any):
        return self.call("GET", path, **more)

    def order(self, report_type: str, headers: dict[str, str] | None = None, key: str = FULL_KEY, **parameters: Any):
        form: list[tuple[str, str]] = [("report_type", report_type)]
        for name, value in parameters.items():
            if isinstance(value, list):
                form += [(f"parameters[{name}][]", item) for item in value]
            else:
                form.append((f"parameters[{name}]", str(value)))
        return self.call("POST", RUNS, data=form, headers=headers or {}, key=key)

    def file(self, report_type: str, headers: dict[str, str] | None = None, **parameters: Any) -> bytes:
        """The bytes of a report: ordered, waited for on the sandbox's clock, fetched."""
        ordered = self.order(report_type, headers, **parameters)
        assert ordered.status_code == 200, ordered.text
        self.sandbox.control.advance(1)
        run = self.get(f"{RUNS}/{ordered.json()['id']}", headers=headers or {}).json()
        assert run["status"] == "succeeded", run
        answer = self.get(f"/v1/files/{run['result']['id']}/contents", host="stripe_files", headers=headers or {})
        assert answer.status_code == 200, answer.text
        assert len(answer.content) == run["result"]["size"]
        return answer.content
