"""What every call has in common: the key, the account, the error envelope, the headers of an answer."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from .accounts import ACCOUNTS, KEYS, PLATFORM, Account, Key
from .errors import StripeError
from .forms import decode
from .world.ids import make_id

if TYPE_CHECKING:
    from starlette.requests import Request

    from tap_billing_reports.sandbox.world import World

API_VERSION = "2026-10-28.endive"
_VERSION = re.compile(r"^\d{4}-\d\d-\d\d(\.[a-z_]+)?$")
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Call:
    """One authenticated request; `given` are the parameters of its query, or of its form if it is a POST."""

    key: Key
    account: Account
    given: Mapping[str, Any]
    path: Mapping[str, str]
    url: str
    idempotency_key: str | None
    version: str


@dataclass(frozen=True)
class Reply:
    """An answer in JSON."""

    body: dict[str, Any]
    status: int = 200
    headers: Mapping[str, str] | None = None


Handler = Callable[[Call], "Reply | Response | dict[str, Any]"]


def endpoint(world: World, right: str | None, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """A Starlette endpoint around `handler`, which needs the given right (None: any key will do)."""
    ids = world.rng("stripe/requests")

    async def serve(request: Request) -> Response:
        request_id = make_id(ids, "req")
        usual = {
            "Request-Id": request_id,
            "Stripe-Version": request.headers.get("stripe-version", API_VERSION),
        }
        if "idempotency-key" in request.headers and request.method == "POST":
            usual["Idempotency-Key"] = request.headers["idempotency-key"]
        try:
            answer = handler(await _call(world, request, right))
            if isinstance(answer, Response):
                answer.headers.update(usual)
                return answer
            reply = answer if isinstance(answer, Reply) else Reply(answer)
            return JSONResponse(reply.body, reply.status, {**usual, **(reply.headers or {})})
        except StripeError as error:
            return JSONResponse(error.body(request_id), error.status, {**usual, **error.headers})

    return serve


async def _call(world: World, request: Request, right: str | None) -> Call:
    key = _key(request)
    # Option `stripe_ignore_account`: every call is answered for the platform, whatever account it names.
    account = PLATFORM if world.options.get("stripe_ignore_account") else _account(request, key)
    if right is not None and right not in key.rights:
        raise StripeError(
            403,
            f"The provided key '{key.masked}' does not have the required permissions for this endpoint "
            f"on account '{account.id}'. Having the 'rak_{right}' permission would allow this request to "
            "continue.",
        )
    version = request.headers.get("stripe-version", API_VERSION)
    if not _VERSION.match(version):
        raise StripeError(400, f"Invalid Stripe API version: {version}")
    query = decode(request.url.query)
    if request.method != "POST":
        given = query
    elif query:
        raise StripeError(400, "Parameters of a POST belong into its body.", param=next(iter(query)))
    else:
        given = await _form(request)
    return Call(
        key,
        account,
        given,
        request.path_params,
        request.url.path,
        request.headers.get("idempotency-key") or None,
        version,
    )


async def _form(request: Request) -> dict[str, Any]:
    body = (await request.body()).decode("utf-8", "replace")
    kind = request.headers.get("content-type", _FORM).partition(";")[0].strip().lower()
    if kind != _FORM or _is_json(body):
        raise StripeError(400, f"Invalid request: the body must be {_FORM}; the API does not take JSON here.")
    return decode(body)


def _is_json(body: str) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except ValueError:
        return False


def _key(request: Request) -> Key:
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        secret = rest.strip()
    elif scheme.lower() == "basic":
        try:
            secret = base64.b64decode(rest).decode("utf-8", "replace").partition(":")[0]
        except binascii.Error:
            secret = ""
    else:
        secret = ""
    if not secret:
        raise StripeError(
            401,
            "You did not provide an API key. You need to provide your API key in the Authorization header, "
            "using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
            headers={"WWW-Authenticate": 'Bearer realm="Stripe"'},
        )
    if secret not in KEYS:
        raise StripeError(401, f"Invalid API Key provided: {secret[:8]}{'*' * 8}{secret[-4:]}")
    return KEYS[secret]


def _account(request: Request, key: Key) -> Account:
    wanted = request.headers.get("stripe-account")
    if not wanted:
        return PLATFORM
    if wanted not in ACCOUNTS:
        raise StripeError(
            403,
            f"The provided key '{key.masked}' does not have access to account '{wanted}' (or that "
            "account does not exist). Application access may have been revoked.",
            code="account_invalid",
        )
    return ACCOUNTS[wanted]
