"""Access tokens of the emulated Vipps MobilePay, and who is let in by one.

Options: `vipps_token_seconds` (a token's life, 3600), `vipps_token_calls` (after so many calls a token is refused,
whatever life it was said to have).
"""

from __future__ import annotations

import base64
import json
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

if TYPE_CHECKING:
    from starlette.requests import Request

    from tap_billing_reports.sandbox.world import World

CLIENT_ID = "5b492b5e-7907-4d83-ba20-c7fb60ca35de"
CLIENT_SECRET = "vipps-sandbox-client-secret"  # noqa: S105 - opens nothing but the emulator
SUBSCRIPTION_KEY = "vipps-sandbox-subscription-key"
SERIAL_NUMBER = "123455"
SIGNATURE = "vipps-sandbox-token-signature"
"""The last part of every token, by which one is known wherever it turns up."""

_LONGEST = 30
_NAMES = ("name", "version", "plugin-name", "plugin-version")


@dataclass
class _Token:
    ends: datetime
    calls: int = 0


class SignIn:
    """Gives tokens out and looks at those that come back; several may be good at once."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tokens: dict[str, _Token] = {}
        self._lock = threading.Lock()

    async def token(self, request: Request) -> Response:
        """The answer to `POST /accesstoken/get`, whose body says nothing."""
        if request.method != "POST":
            return Response(status_code=405, headers={"Allow": "POST"})
        if refused := self._strangers(request):
            return refused
        given = (request.headers.get("client_id"), request.headers.get("client_secret"))
        if given != (CLIENT_ID, CLIENT_SECRET):
            return unauthorized("client_id and client_secret do not belong together", request)
        life, now = int(self._world.options.get("vipps_token_seconds", 3_600)), self._world.clock.now()
        with self._lock:
            text = _jwt({"n": len(self._tokens) + 1, "exp": int(now.timestamp()) + life})
            self._tokens[text] = _Token(now + timedelta(seconds=life))
        self._world.note("sign_in", vendor="vipps")
        return JSONResponse(
            {
                "token_type": "Bearer",
                "expires_in": str(life),
                "ext_expires_in": "0",
                "expires_on": str(int(now.timestamp()) + life),
                "not_before": str(int(now.timestamp())),
                "resource": "00000002-0000-0000-c000-000000000000",
                "access_token": text,
            }
        )

    def refusal(self, request: Request) -> Response | None:
        """Why a call does not get through, if it does not."""
        if refused := self._strangers(request):
            return refused
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        with self._lock:
            token = self._tokens.get(text) if scheme == "Bearer" else None
            if token is None or token.ends <= self._world.clock.now():
                return unauthorized("Please check your API keys", request)
            token.calls += 1
            limit = self._world.options.get("vipps_token_calls")
            ended = limit and token.calls > limit
            return unauthorized("The token is no longer valid", request) if ended else None

    @staticmethod
    def _strangers(request: Request) -> Response | None:
        """The refusal of what signing in and every other call have in common."""
        if request.headers.get("ocp-apim-subscription-key") != SUBSCRIPTION_KEY:
            return unauthorized("Access denied due to invalid subscription key", request)
        long = [name for name in _NAMES if len(request.headers.get(f"vipps-system-{name}", "")) > _LONGEST]
        return problem(400, "Bad Request", f"Vipps-System-{long[0]} is too long", request) if long else None


def unauthorized(message: str, request: Request) -> Response:
    """A refusal in the form of the called part of the API: settlements have the one of all their problems."""
    if request.url.path.startswith("/settlement/"):
        return problem(401, "Unauthorized", message, request)
    return JSONResponse({"code": "Unauthorized", "message": message}, 401)


def problem(status: int, title: str, detail: str, request: Request) -> Response:
    """An error as the vendor tells all but 401 and 500."""
    body = {
        "type": "https://api.vipps.no/problem",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request.url.path,
    }
    return JSONResponse(body, status, media_type="application/problem+json")


def _jwt(claims: dict[str, Any]) -> str:
    parts = ({"typ": "JWT", "alg": "RS256"}, claims)
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, SIGNATURE])
