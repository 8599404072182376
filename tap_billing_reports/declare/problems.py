"""Reads the error bodies of vendors."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import TYPE_CHECKING

from tap_billing_reports.declare.paths import path_slip, value_at
from tap_billing_reports.http.responses import Problem

if TYPE_CHECKING:
    from tap_billing_reports.http.responses import Answer, Kind


def problem_at(path: str, *codes: str, throttled: Container[str] = ()) -> Callable[[Answer], Problem | None]:
    """Reads JSON error bodies: the error object stands at `path` and has a `message`, a code and maybe a `param`.

    Args:
        path: keys joined by a dot; empty where the body is the object.
        codes: the keys that may hold the code, the most telling first.
        throttled: the codes that ask to wait, whatever the HTTP status.

    Raises:
        ValueError: no body can have anything at `path`.
    """
    if path and (slip := path_slip(path)):
        raise ValueError(f"problem_at: {slip}")

    def read(answer: Answer) -> Problem | None:
        if answer.status < 400:
            return None
        body = answer.json()
        error = value_at(body, path) if path else body
        if not isinstance(error, Mapping):
            return None
        code = next((error[key] for key in codes if error.get(key)), "")
        kind: Kind | None = "throttled" if code in throttled else None
        return Problem(kind, str(error.get("message") or ""), code=str(code), param=str(error.get("param") or ""))

    return read
