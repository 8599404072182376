"""The Reports API: customers, report types, orders, statuses, files.

Options beside those of `runs`: `bring_customers_key` (`customer`, `customers`), `bring_single_customer` (one
object, no list), `bring_list_old_numbers`, `bring_reports_key` (`reports`, `report`), `bring_parameters_key`
(`parameter`, `parameters`), `bring_foreign_links` (true, or the base URL that every link of a run points at),
`bring_concurrent_limit`, `bring_lines_multiplier` with `bring_multiplied_invoice` (unset: every report),
`bring_rows_count_blank`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from .catalogue import PARAMETERS, ReportType, report_types
from .content import Contents, InvalidParametersError
from .documents import Sheet, report_xlsx, report_xml
from .gate import (
    METHODS,
    XML_HEAD,
    Gate,
    forbidden,
    invalid_parameters,
    norwegian,
    not_found,
    split_suffix,
    wants_xml,
)
from .ledger import OSLO, Customer
from .runs import CONCURRENT_RUNS, Run, Runs

if TYPE_CHECKING:
    from starlette.requests import Request

    from tap_billing_reports.sandbox.world import World

    from .invoice_api import InvoiceApi
    from .ledger import Ledger

ROOT = "/reports/api"
ELSEWHERE = "https://api.bring.com.com"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class ReportApi:
    """Handlers of `/reports/api`."""

    def __init__(self, world: World, ledger: Ledger, gate: Gate, invoices: InvoiceApi) -> None:
        self._world = world
        self._ledger = ledger
        self._gate = gate
        self._allowed = invoices.allowed
        self.contents = Contents(world, ledger)
        self.runs = Runs(world)

    def routes(self) -> list[Route]:
        customers = self._gate.guard(self.list_customers)
        types = self._gate.guard(self.list_types, translated=True)
        order = self._gate.guard(self.order)
        status = self._gate.guard(self.status)
        file = self._gate.guard(self.download, translated=True)
        paths = {
            "/generate": customers,
            "/generate/": customers,
            "/generate.json": customers,
            "/generate.xml": customers,
            "/generate/{customer}": types,
            "/generate/{customer}/": types,
            "/generate/{customer}/{type}": order,
            "/generate/{customer}/{type}/": order,
            "/report/{run}/status": status,
            "/report/{run}/status/": status,
            "/report/{run}/status.json": status,
            "/report/{run}/status.xml": status,
            "/report/{file}": file,
        }
        return [Route(ROOT + path, endpoint, methods=METHODS) for path, endpoint in paths.items()]

    def listed(self) -> list[tuple[str, Customer]]:
        """Customer numbers as the vendor lists them."""
        customers = self._ledger.customers
        if self._world.options.get("bring_single_customer"):
            customers = customers[:1]
        found = [(c.number, c) for c in customers]
        if self._world.options.get("bring_list_old_numbers"):
            found += [(c.old_number, c) for c in customers if c.old_number]
        return found

    async def list_customers(self, request: Request) -> Response:
        records = [
            {
                "id": number,
                "name": c.name,
                "fullName": f"{c.name} ({number})",
                "reports": f"https://www.mybring.com{ROOT}/generate/{number}/",
            }
            for number, c in self.listed()
        ]
        if wants_xml(request, split_suffix(request.url.path)[1]):
            body = "".join(
                f"<customers><id>{r['id']}</id><name>{escape(r['name'])}</name><reports>{r['reports']}</reports></customers>"
                for r in records
            )
            return _xml(f"<CustomerList>{body}</CustomerList>")
        key = self._world.options.get("bring_customers_key", "customer")
        if self._world.options.get("bring_single_customer"):
            return JSONResponse({key: records[0]})
        return JSONResponse({key: [records[0], None, *records[1:]]})

    async def list_types(self, request: Request) -> Response:
        number, suffix = split_suffix(request.path_params["customer"])
        customer = self._allowed(number)
        if customer is None:
            return forbidden()
        records = [_type_record(kind, number, norwegian=norwegian(request)) for kind in report_types(customer)]
        if wants_xml(request, suffix):
            return _xml(f"<ReportList>{''.join(map(_type_xml, records))}</ReportList>")
        reports_key = self._world.options.get("bring_reports_key", "reports")
        parameters_key = self._world.options.get("bring_parameters_key", "parameter")
        for record in records:
            record[parameters_key] = record.pop("parameters")
        return JSONResponse({reports_key: records})

    async def order(self, request: Request) -> Response:
        """202 and a new run each time it is called."""
        customer = self._allowed(request.path_params["customer"])
        if customer is None:
            return forbidden()
        type_id, suffix = split_suffix(request.path_params["type"])
        parameters = dict(request.query_params)
        kind = self._variant(customer, type_id, parameters)
        if kind is None:
            return invalid_parameters()
        if self.runs.pending() >= self._world.options.get("bring_concurrent_limit", CONCURRENT_RUNS):
            return self._gate.throttled()
        content = self.contents.make(kind, customer, parameters)
        run = self.runs.order(customer, kind, parameters, fails=content is None)
        link = f"{self._links(request)}{ROOT}/report/{run.id}/status/"
        if wants_xml(request, suffix):
            response = _xml(f"<result><statusUrl>{link}</statusUrl></result>", 202)
        else:
            response = JSONResponse({"statusUrl": link}, 202)
        response.headers["Location"] = link
        return response

    async def status(self, request: Request) -> Response:
        run = self.runs.find(request.path_params["run"])
        if run is None:
            return not_found()
        fields = {"status": run.status(self._world.clock.now())}
        if fields["status"] != "NOT_DONE":
            self.runs.note_pending()
        if fields["status"] == "DONE":
            base = f"{self._links(request)}{ROOT}/report/{run.id}"
            fields |= {"xmlUrl": f"{base}.xml", "xlsUrl": f"{base}.xlsx"}
        if wants_xml(request, split_suffix(request.url.path)[1]):
            return _xml(f"<result>{''.join(f'<{k}>{v}</{k}>' for k, v in fields.items())}</result>")
        return JSONResponse(fields)

    async def download(self, request: Request) -> Response:
        name, _, suffix = request.path_params["file"].partition(".")
        if not suffix:
            suffix = "xlsx" if "spreadsheet" in request.headers.get("accept", "") else "xml"
        run = self.runs.find(name)
        if run is None or suffix not in {"xml", "xlsx"} or run.status(self._world.clock.now()) != "DONE":
            return not_found()
        sheet = self._sheet(run, norwegian=norwegian(request))
        if sheet is None:
            return not_found()
        if suffix == "xlsx":
            return Response(report_xlsx(sheet), media_type=XLSX)
        return StreamingResponse(report_xml(sheet), media_type="application/xml")

    def repeats(self, invoice_number: str | None) -> int:
        """How often each line of a report stands in its file."""
        only = self._world.options.get("bring_multiplied_invoice")
        return int(self._world.options.get("bring_lines_multiplier", 1)) if only in {None, invoice_number} else 1

    def _sheet(self, run: Run, *, norwegian: bool) -> Sheet | None:
        content = self.contents.make(run.kind, run.customer, run.parameters)
        if content is None:
            return None
        repeats = self.repeats(content.invoice.number if content.invoice else None)
        blank = len(content.lines) - content.filled if self._world.options.get("bring_rows_count_blank") else 0
        finished = run.ready_at.astimezone(OSLO)
        title = content.titles[norwegian]
        return Sheet(content, run.customer, title, finished, repeats, content.filled * repeats + blank)

    def _variant(self, customer: Customer, type_id: str, parameters: dict[str, str]) -> ReportType | None:
        for kind in report_types(customer):
            if kind.id == type_id:
                try:
                    self.contents.check(kind, customer, parameters)
                except InvalidParametersError:
                    continue
                return kind
        return None

    def _links(self, request: Request) -> str:
        foreign = self._world.options.get("bring_foreign_links")
        if foreign:
            return foreign if isinstance(foreign, str) else ELSEWHERE
        return str(request.base_url).rstrip("/")


def _type_record(kind: ReportType, number: str, *, norwegian: bool) -> dict[str, Any]:
    return {
        "id": kind.id,
        "name": kind.name(norwegian=norwegian),
        "description": kind.description(norwegian=norwegian),
        "url": f"{ELSEWHERE}{ROOT}/generate/{number}/{kind.id}/",
        "parameters": [
            {"name": name, "type": PARAMETERS[name][0], "description": PARAMETERS[name][1 + norwegian]}
            for name in kind.parameters
        ],
    }


def _type_xml(record: dict[str, Any]) -> str:
    def elements(fields: dict[str, str]) -> str:
        return "".join(f"<{name}>{escape(text)}</{name}>" for name, text in fields.items())

    parameters = "".join(f"<parameter>{elements(p)}</parameter>" for p in record["parameters"])
    texts = elements({name: text for name, text in record.items() if name != "parameters"})
    return f"<reports>{texts}<parameters>{parameters}</parameters></reports>"


def _xml(body: str, status: int = 200) -> Response:
    return Response(f"{XML_HEAD}{body}", status, media_type="application/xml")
