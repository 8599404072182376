"""What stands before every Bring call: credentials, the client's address, throttling, language."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

if TYPE_CHECKING:
    from starlette.requests import Request

    from tap_billing_reports.sandbox.world import World

Handler = Callable[["Request"], Awaitable[Response]]

UID = "sandbox@shop.example"
KEY = "5a4db0c5-51a7-4c0d-9e0f-7be1b01d5eed"
CLIENT_URL = "https://shop.example"

IDENTICAL_PER_SECOND = 15
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
LOGIN_PAGE_BYTES = 3881
XML_HEAD = "<?xml version='1.0' encoding='UTF-8'?>"


def login_page() -> HTMLResponse:
    """Status 200 and a page for people: what the vendor sends to a caller that it does not know."""
    page = (
        '<!DOCTYPE html>\n<html lang="no"><head><title>Logg inn - Mybring</title></head>\n'
        '<body><form action="/login" method="post"><input name="username">'
        '<input name="password" type="password">'
        "<button>Logg inn</button></form></body></html>\n"
    )
    return HTMLResponse(page + "<!--" + " " * (LOGIN_PAGE_BYTES - len(page) - 8) + "-->\n")


def not_acceptable() -> Response:
    return Response(f"{XML_HEAD}<String>Not Acceptable</String>", 406, media_type="application/xml")


def forbidden() -> Response:
    return Response(f"{XML_HEAD}<String>Forbidden</String>", 403, media_type="application/xml")


def not_found() -> Response:
    return PlainTextResponse("Not Found", 404)


def no_document() -> Response:
    """In the form of errors of Bring's other APIs; how these two say it, nobody has published."""
    return JSONResponse({"errors": [{"code": "NOT_FOUND", "description": "No document for this invoice"}]}, 404)


def invalid_parameters() -> Response:
    return PlainTextResponse("Invalid input parameters", 400)


def norwegian(request: Request) -> bool:
    """True when the first language that the caller names is Norwegian; all others are answered in English."""
    return request.headers.get("accept-language", "").lower().startswith(("no", "nb", "nn"))


def split_suffix(name: str) -> tuple[str, str]:
    """`x.json` -> (`x`, `json`); a name without one of the two suffixes has the suffix ``."""
    stem, dot, suffix = name.rpartition(".")
    return (stem, suffix) if dot and suffix in {"json", "xml"} else (name, "")


def wants_xml(request: Request, suffix: str) -> bool:
    """The suffix decides; without one `Accept` does, and JSON is the default."""
    accept = request.headers.get("accept", "")
    return suffix == "xml" or (not suffix and "xml" in accept and "json" not in accept)


class Gate:
    """Lets a request through to its handler, or answers it as the vendor does."""

    def __init__(self, world: World) -> None:
        self._world = world

    def guard(self, handler: Handler, *, translated: bool = False) -> Handler:
        """Wrap a handler; `translated` endpoints need a concrete `Accept-Language`."""

        async def endpoint(request: Request) -> Response:
            return self._refusal(request, translated=translated) or await handler(request)

        return endpoint

    def throttled(self) -> Response:
        """429; with `Retry-After` only if the option `bring_retry_after` (seconds) is set."""
        retry_after = self._world.options.get("bring_retry_after")
        return Response(status_code=429, headers=None if retry_after is None else {"Retry-After": str(retry_after)})

    def _refusal(self, request: Request, *, translated: bool) -> Response | None:
        headers = request.headers
        if request.method != "GET":
            return Response(status_code=405, headers={"Allow": "GET"})
        if (headers.get("x-mybring-api-uid"), headers.get("x-mybring-api-key")) != (UID, KEY):
            status = self._world.options.get("bring_wrong_key_status", 200)
            return login_page() if status == 200 else Response(status_code=status)
        if not headers.get("x-bring-client-url"):
            return PlainTextResponse("X-Bring-Client-URL is required", 400)
        if self._world.throttle(f"bring {request.url.path}?{request.url.query}", IDENTICAL_PER_SECOND):
            return self.throttled()
        if translated and headers.get("accept-language", "").strip() in {"", "*"}:
            return not_acceptable()
        return None
