"""API2 of the emulated BRP: invoices, business units, persons; XML or JSON by suffix, read-only.

Options: `brp_error_status` (200, 400, 401, 403: the status that error bodies come with), `brp_require_basic`,
`brp_person_parameter` (name of the person selector, `personid`).
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from .ledger import COMPANIES, LARGE_AMOUNTS, PERSONS, STATES, UNITS, Invoice, Ledger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from tap_billing_reports.sandbox.world import World

ROOT = "/brponline/api/ver2"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

KEY_LEVEL_1 = "brp1-33893489743854"
KEY_LEVEL_3 = "brp3-90218845120077"
USERNAME = "kassan@gym.example"
PASSWORD = "brp-sandbox-password"  # noqa: S105 - opens nothing but the emulator

INVALID_PARAMETER, NOT_AUTHORIZED = 1001, 1003


class VendorError(Exception):
    """An answer of the form `<errors>`.

    Attributes:
        code: the vendor's number.
        debuginfo: what it says for developers.
    """

    def __init__(self, code: int, message: str, debuginfo: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.debuginfo = debuginfo


class Api:
    """Handlers of API2. Every call needs the `apikey` parameter; Basic is optional."""

    def __init__(self, world: World, ledger: Ledger) -> None:
        self._world = world
        self._ledger = ledger

    def routes(self) -> list[Route]:
        paths = {
            "/invoices.{suffix}": self._invoices,
            "/invoices/{id}.{suffix}": self._invoice,
            "/businessunits.{suffix}": self._units,
            "/persons.{suffix}": self._persons,
        }
        writes = Route("/{path:path}", self._endpoint(self._missing), methods=METHODS)
        return [*(Route(ROOT + p, self._endpoint(h), methods=METHODS) for p, h in paths.items()), writes]

    def _endpoint(self, handler: Callable[[Request], tuple[str, str, Any]]) -> Callable[[Request], Awaitable[Response]]:
        """A handler answers the plural name, the singular name, and one object or a list of them."""

        async def endpoint(request: Request) -> Response:
            if request.method != "GET":
                self._world.note("write", vendor="brp", method=request.method, path=request.url.path)
                return Response(status_code=405, headers={"Allow": "GET"})
            suffix = request.path_params.get("suffix", "")
            if suffix not in {"xml", "json"}:
                return PlainTextResponse("Not Found", 404)
            try:
                self._authenticate(request)
                plural, singular, value = handler(request)
            except VendorError as error:
                return self._failure(error, suffix)
            if suffix == "json":
                return JSONResponse({plural if isinstance(value, list) else singular: value})
            body = _wrap(plural, singular, value) if isinstance(value, list) else _element(singular, value)
            return _xml(body)

        return endpoint

    def _authenticate(self, request: Request) -> None:
        if request.query_params.get("apikey") not in {KEY_LEVEL_1, KEY_LEVEL_3}:
            raise VendorError(NOT_AUTHORIZED, "Invalid API key", "field=apikey")
        given = request.headers.get("authorization")
        expected = "Basic " + base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
        if given != expected and (given is not None or self._world.options.get("brp_require_basic")):
            raise VendorError(NOT_AUTHORIZED, "Invalid username or password", "field=username")

    def _failure(self, error: VendorError, suffix: str) -> Response:
        status = int(self._world.options.get("brp_error_status", 200))
        record = {"code": error.code, "message": str(error), "debuginfo": error.debuginfo}
        if suffix == "json":
            return JSONResponse({"errors": [record]}, status)
        return _xml(_wrap("errors", "error", [record]), status)

    def _invoices(self, request: Request) -> tuple[str, str, Any]:
        query = request.query_params
        company = _integer(query, "companyid", COMPANIES[0].id)
        state = _integer(query, "state", None)
        products = _integers(query, "productids")
        person = self._person(request)
        if company not in {c.id for c in (*COMPANIES, LARGE_AMOUNTS)}:
            raise VendorError(INVALID_PARAMETER, "Invalid parameter, companyid", "field=companyid")
        found = [
            _invoice_record(invoice)
            for invoice in self._ledger.invoices
            if invoice.company == company
            and (state is None or invoice.state == state)
            and (person is None or invoice.person == person)
            and query.get("number") in {None, invoice.number}
            and (not products or products & set(invoice.products))
        ]
        return "invoices", "invoice", found

    def _invoice(self, request: Request) -> tuple[str, str, Any]:
        company = _integer(request.query_params, "companyid", None)
        if company is None:
            raise VendorError(INVALID_PARAMETER, "Missing parameter, companyid", "field=companyid")
        for invoice in self._ledger.invoices:
            if (str(invoice.id), invoice.company) == (request.path_params["id"], company):
                return "invoices", "invoice", _invoice_record(invoice)
        raise VendorError(INVALID_PARAMETER, "Invalid parameter, id", "field=id")

    @staticmethod
    def _units(request: Request) -> tuple[str, str, Any]:
        company = _integer(request.query_params, "companyid", None)
        show_all = request.query_params.get("showall") == "true"
        names = {c.id: c.name for c in COMPANIES}
        found = [
            {"id": u.id, "name": u.name, "companyid": u.company, "companyname": names[u.company]}
            for u in UNITS
            if (show_all or not u.hidden) and company in {None, u.company}
        ]
        return "businessunits", "businessunit", found

    @staticmethod
    def _persons(request: Request) -> tuple[str, str, Any]:
        _demand_level_3(request)
        found = [
            {"id": p.id, "firstname": p.first, "lastname": p.last, "customernumber": str(p.id)}
            for p in PERSONS
            if not p.deleted
        ]
        return "persons", "person", found

    @staticmethod
    def _missing(request: Request) -> tuple[str, str, Any]:
        raise AssertionError(request.url.path)  # no suffix in the route: answered with 404 before

    def _person(self, request: Request) -> int | None:
        """The selected person; without a selector the authenticated user, who owns all of the company's."""
        name = self._world.options.get("brp_person_parameter", "personid")
        person = _integer(request.query_params, name, None)
        if person is None:
            return None
        _demand_level_3(request)
        if person not in {p.id for p in PERSONS}:
            raise VendorError(INVALID_PARAMETER, f"Invalid parameter, {name}", f"field={name}")
        return person


def _demand_level_3(request: Request) -> None:
    if request.query_params["apikey"] != KEY_LEVEL_3:
        raise VendorError(NOT_AUTHORIZED, "API key level 3 required", "field=apikey")


def _integer(query: Any, name: str, default: int | None) -> int | None:
    if name not in query:
        return default
    try:
        return int(query[name])
    except ValueError as error:
        raise VendorError(INVALID_PARAMETER, f"Invalid parameter, {name}", f"field={name}") from error


def _integers(query: Any, name: str) -> set[int]:
    try:
        return {int(part) for part in query.get(name, "").split(",") if part}
    except ValueError as error:
        raise VendorError(INVALID_PARAMETER, f"Invalid parameter, {name}", f"field={name}") from error


def _invoice_record(invoice: Invoice) -> dict[str, Any]:
    company = next(c for c in (*COMPANIES, LARGE_AMOUNTS) if c.id == invoice.company)
    person = next(p for p in PERSONS if p.id == invoice.person)
    return {
        "id": invoice.id,
        "number": invoice.number,
        "prefix": company.prefix,
        "orderid": invoice.order,
        "orderedby": f"{person.first} {person.last}",
        "orderedbycustomerid": person.id,
        "totalamount": invoice.total,
        "rest": invoice.rest,
        "invoicedate": invoice.day.isoformat(),
        "duedate": invoice.due.isoformat(),
        "payeddate": invoice.paid.isoformat() if invoice.paid else "",
        "state": {"number": invoice.state, "value": STATES[invoice.state]},
        "reminderamount": invoice.fee,
        "company": {"id": company.id, "name": company.name},
    }


def _wrap(plural: str, singular: str, records: list[dict[str, Any]]) -> str:
    return f"<{plural}>{''.join(_element(singular, record) for record in records)}</{plural}>"


def _element(name: str, value: Any) -> str:
    if value == "":
        return f"<{name}/>"
    if isinstance(value, dict):
        return f"<{name}>{''.join(_element(*field) for field in value.items())}</{name}>"
    return f"<{name}>{escape(str(value))}</{name}>"


def _xml(body: str, status: int = 200) -> Response:
    return Response(f'<?xml version="1.0" encoding="UTF-8"?>\n{body}', status, media_type="application/xml")
