"""BRP Systems on one page: the invoices of API2, per company, in XML or JSON.

Facts: BRP's wiki (API2). Amounts are integers in minor units and name no currency; states are numbers whose
words vary with the language and which move backwards as well as forwards; there is no date filter, so all
invoices are read each time. Only GET, only the paths below: the same paths take writes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_billing_reports import converters as to
from tap_billing_reports.answers import Answer, Problem
from tap_billing_reports.auth import Authenticator, QueryKeyAuthenticator
from tap_billing_reports.declarations import (
    Account,
    Asker,
    Endpoint,
    Field,
    Host,
    InvoiceApi,
    Query,
    Record,
    Setting,
    Source,
    Values,
)
from tap_billing_reports.reading import tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

EVERY_PERSON = "*"
_IDS = {"type": "array", "items": {"type": "string", "minLength": 1}}

SETTINGS = (
    Setting(
        "brp_api_url", "BRP: the installation's API2 address (https), as BRP handed it out.", required=True
    ),
    Setting("brp_api_key", "BRP: the API key.", required=True, secret=True),
    Setting(
        "brp_currency",
        "BRP: the currency of all amounts (ISO 4217); API2 does not name it.",
        {"type": "string", "pattern": "^([A-Za-z]{3})?$"},
        required=True,
    ),
    Setting("brp_username", "BRP: the person to sign in as, where the key needs one."),
    Setting("brp_password", "BRP: that person's password.", secret=True),
    Setting("brp_company_ids", "BRP: companies to read; unset: all that business units name.", _IDS),
    Setting(
        "brp_person_ids",
        'BRP: persons whose invoices to read; ["*"]: every person that a level-3 key lists; unset: the key\'s own.',
        _IDS,
    ),
    Setting(
        "brp_person_parameter",
        "BRP: the query parameter that selects a person; BRP does not document its name.",
        default="personid",
    ),
    Setting(
        "brp_states",
        "BRP: read only invoices in these states (numbers); an invoice that leaves them is missed.",
        {"type": "array", "items": {"type": "integer"}},
    ),
    Setting("brp_product_ids", "BRP: read only invoices with any of these products.", _IDS),
    Setting("brp_format", "BRP: xml or json.", {"type": "string", "enum": ["xml", "json"]}, default="xml"),
)


def _endpoint(values: Values, path: str, records: str, record: str) -> Endpoint:
    form = values["brp_format"]
    return Endpoint("brp", f"{path}.{form}", accept=f"application/{form}", records=(records,), record=record)


def _invoices(values: Values) -> Endpoint:
    return _endpoint(values, "/invoices", "invoices", "invoice")


def _units(values: Values) -> Endpoint:
    return _endpoint(values, "/businessunits", "businessunits", "businessunit")


def _persons(values: Values) -> Endpoint:
    return _endpoint(values, "/persons", "persons", "person")


# 1 not sent, 2 pending at the bank, 3 settled, 4 reminded, 5 and 6 with a collector, 7 sent, 8 exported, 9 queued
_STATES = {
    "1": "draft",
    "9": "draft",
    "2": "open",
    "4": "open",
    "7": "open",
    "8": "open",
    "5": "collection",
    "6": "collection",
    "3": "closed",
}


def _printed_number(record: Any, _record: Record) -> str:
    return f"{record.get('prefix') or ''}{record['number']}"


def _type(value: Any, record: Record) -> str:
    return "credit_note" if to.whole(value, record) < 0 else "invoice"


def _fields(values: Values) -> tuple[Field, ...]:
    amount = to.minor_of(values["brp_currency"])
    return (
        Field("invoice_id", "id", to.text),
        Field("invoice_number", "", _printed_number),
        Field("type", "totalamount", _type),
        Field("status", "state.number", to.lookup(_STATES, "unknown")),
        Field("source_status", "state.number", to.text),
        Field("invoice_date", "invoicedate", to.day),
        Field("due_date", "duedate", to.day),
        Field("paid_date", "payeddate", to.day),
        Field("currency", "id", to.constant(values["brp_currency"].upper())),
        Field("total_amount", "totalamount", amount),
        Field("amount_due", "rest", amount),
        Field("fee_amount", "reminderamount", amount),
        Field("issuer", "company.name", to.text),
        Field("recipient", "orderedby", to.text),
        Field("customer_id", "orderedbycustomerid", to.text),
        Field("order_id", "orderid", to.text),
    )


def _authenticator(values: Values) -> Authenticator:
    return QueryKeyAuthenticator(
        "apikey",
        values["brp_api_key"],
        username=values.get("brp_username") or "",
        password=values.get("brp_password") or "",
    )


def _read_problem(answer: Answer) -> Problem | None:
    """BRP reports errors in the body, with status 200 too."""
    head = answer.body[:200].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"{") and b'"errors"' in answer.body[:1000]:
        errors = answer.json().get("errors")
    elif head.startswith(b"<") and b"<errors" in answer.body[:1000]:
        errors = (tree(answer.xml()) or {}).get("error")
    else:
        return None
    first = errors[0] if isinstance(errors, list) and errors else errors
    if not isinstance(first, dict):
        return Problem(message="an error without a description")
    return Problem(message=str(first.get("message") or ""), code=str(first.get("code") or ""))


def _accounts(asker: Asker) -> Iterator[Account]:
    """Companies are the accounts; only business units name them."""
    wanted = asker.values.get("brp_company_ids")
    names: dict[str, Record] = {}
    if not wanted:
        for unit in asker.records(_units(asker.values), params=[("showall", "true")]):
            if unit.get("companyid") is not None:
                names.setdefault(str(unit["companyid"]), unit)
    for company_id in wanted or sorted(names):
        unit = names.get(company_id, {})
        record = {"id": company_id, "name": unit.get("companyname")} if unit else None
        yield Account("brp", company_id, "brp_company", name=unit.get("companyname"), record=record)


def _queries(asker: Asker, account: Account, _since: date, _until: date) -> Iterable[Query]:
    """One request a person and state; without either, one for the company."""
    values = asker.values
    fixed: Query = [("companyid", account.account_id)]
    if values.get("brp_product_ids"):
        fixed.append(("productids", ",".join(values["brp_product_ids"])))
    persons: list[str | None] = list(values.get("brp_person_ids") or [None])
    if persons == [EVERY_PERSON]:
        persons = [str(person["id"]) for person in asker.records(_persons(values))]
    for person in persons:
        for state in values.get("brp_states") or [None]:
            query = list(fixed)
            if person is not None:
                query.append((values["brp_person_parameter"], person))
            if state is not None:
                query.append(("state", str(state)))
            yield query


BRP = Source(
    name="brp",
    title="BRP Systems",
    zone="Europe/Stockholm",
    settings=SETTINGS,
    hosts=(Host("brp", "brp_api_url"),),
    authenticator=_authenticator,
    account_label=lambda values: values.get("brp_username") or "of brp_api_key",
    accounts=_accounts,
    headers=lambda _values: {"Accept-Language": "en"},
    read_problem=_read_problem,
    invoices=InvoiceApi(
        endpoint=_invoices,
        queries=_queries,
        path=lambda _account: {},
        fields=_fields,
        lookback=None,
    ),
)
