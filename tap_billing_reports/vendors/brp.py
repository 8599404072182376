"""BRP Systems on one page: the invoices of API2, per company, in XML or JSON.

Facts: BRP's wiki (API2). Amounts are integers in minor units and name no currency; states are numbers whose
words vary with the language and which move backwards as well as forwards; there is no date filter, so all
invoices are read each time. Only GET, only the paths below: the same paths take writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tap_billing_reports import declare as d
from tap_billing_reports.core.redaction import sentence
from tap_billing_reports.declare import converters as to
from tap_billing_reports.declare.paths import local_name, tree, value_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import date

EVERY_PERSON = "*"

SETTINGS = d.settings_of(
    "BRP",
    d.Setting("brp_api_url", "the installation's API2 address (https), as BRP handed it out.", required=True),
    d.Setting("brp_api_key", "the API key.", required=True, secret=True),
    d.Setting(
        "brp_currency",
        "the currency of all amounts (ISO 4217); API2 does not name it.",
        {"type": "string", "pattern": "^([A-Za-z]{3})?$"},
        required=True,
    ),
    d.Setting("brp_username", "the person to sign in as, where the key needs one."),
    d.Setting("brp_password", "that person's password.", secret=True),
    d.Setting("brp_company_ids", "companies to read; unset: all that business units name.", d.TEXTS),
    d.Setting(
        "brp_person_ids",
        'persons whose invoices to read; ["*"]: every person that a level-3 key lists; unset: the key\'s own.',
        d.TEXTS,
    ),
    d.Setting(
        "brp_person_parameter",
        "the query parameter that selects a person; BRP does not document its name.",
        default="personid",
    ),
    d.Setting(
        "brp_states",
        "read only invoices in these states (numbers); an invoice that leaves them is missed.",
        {"type": "array", "items": {"type": "integer"}},
    ),
    d.Setting("brp_product_ids", "read only invoices with any of these products.", d.TEXTS),
    d.Setting("brp_format", "xml or json.", {"type": "string", "enum": ["xml", "json"]}, default="xml"),
)


def _endpoint(
    values: d.Values, plural: str, singular: str, objection: Callable[[d.Asked], d.Objection | None] = d.no_objection
) -> d.Endpoint:
    """An answer is a list, or one object by itself; XML and JSON name both alike."""
    form = values["brp_format"]
    accept = f"application/{form}"
    path = f"/{plural}.{form}"
    return d.Endpoint("brp", path, accept=accept, records=(plural,), record=singular, objection=objection)


def _same_company_and_state(asked: d.Asked) -> d.Objection:
    """Objects to invoices of another company or state; BRP's wiki has both in the record. A person is in none."""
    names = {"companyid": "company.id", "state": "state.number"}
    wanted = [(name, path, asked.params[name]) for name, path in names.items() if name in asked.params]

    def said(records: Sequence[d.Record]) -> str | None:
        for record in records:
            for name, path, value in wanted:
                found = value_at(record, path)
                if found is not None and str(found) != value:
                    return f"invoice {record.get('id')} has {name} {found}, and {value} was asked"
        return None

    return said


# 1 not sent, 2 pending at the bank, 3 settled, 4 reminded, 5 and 6 with a collector, 7 sent, 8 exported, 9 queued
STATES = {
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


SETTLED = {number: status == "closed" for number, status in STATES.items()}


def _printed_number(number: Any, record: d.Record) -> str:
    return f"{record.get('prefix') or ''}{to.text(number, record)}"


def _type(value: Any, record: d.Record) -> str:
    return "credit_note" if to.whole(value, record) < 0 else "invoice"


def _fields(values: d.Values) -> tuple[d.Field, ...]:
    amount = to.minor_of(values["brp_currency"])
    return (
        d.Field("invoice_id", "id", to.text, d.Need.VALUE),
        d.Field("invoice_number", "number", _printed_number, d.Need.VALUE),
        d.Field("type", "totalamount", _type),
        d.Field("status", "state.number", to.lookup(STATES, "unknown"), d.Need.VALUE),
        d.Field("source_status", "state.number", to.text),
        d.Field("invoice_date", "invoicedate", to.day, d.Need.VALUE),
        d.Field("due_date", "duedate", to.day, d.Need.KEY),
        d.Field("paid_date", "payeddate", to.day),
        d.Field("currency", "id", to.constant(values["brp_currency"].upper())),
        d.Field("total_amount", "totalamount", amount, d.Need.VALUE),
        d.Field("amount_due", "rest", amount, d.Need.VALUE),
        d.Field("amount_remaining", "rest", amount, d.Need.VALUE),
        d.Field("is_settled", "state.number", to.lookup(SETTLED, None)),
        d.Field("fee_amount", "reminderamount", amount),
        d.Field("issuer", "company.name", to.text),
        d.Field("recipient", "orderedby", to.text),
        d.Field("customer_id", "orderedbycustomerid", to.text),
        d.Field("order_id", "orderid", to.text),
    )


def _authenticator(values: d.Values) -> d.QueryKeyAuthenticator:
    user, password = values.get("brp_username") or "", values.get("brp_password") or ""
    return d.QueryKeyAuthenticator("apikey", values["brp_api_key"], username=user, password=password)


def _read_problem(answer: d.Answer) -> d.Problem | None:
    """BRP describes errors in the body, with status 200 too: under the tag or key `errors`, one or several."""
    whole = answer.parsed()
    if answer.is_xml:
        place = whole if local_name(whole) == "errors" else whole.find("{*}errors")
        errors = None if place is None else tree(place)
    else:
        errors = whole.get("errors") if isinstance(whole, Mapping) else None
    if isinstance(errors, Mapping):
        errors = errors.get("error", errors)
    if not errors:
        return None
    first = errors[0] if isinstance(errors, list) else errors
    if not isinstance(first, Mapping):
        return d.Problem(message=str(first))
    parameter = str(first.get("debuginfo") or "").removeprefix("field=")
    return d.Problem(
        kind="authentication" if parameter in _CREDENTIALS else None,
        message=str(first.get("message") or ""),
        code=str(first.get("code") or ""),
        param=parameter,
    )


# What an error's debuginfo names when it is the key or the person that BRP refuses.
_CREDENTIALS = frozenset({"apikey", "username", "password"})


def _accounts(client: d.SourceClient) -> Iterator[d.Account | d.Unreadable]:
    """Companies are the accounts; only business units name them: each one, by BRP's wiki (page 1946812488)."""
    wanted = client.values.get("brp_company_ids")
    named: dict[str, d.Record] = {}
    without: list[d.Unreadable] = []
    if not wanted:
        units = client.records(_endpoint(client.values, "businessunits", "businessunit"), params=[("showall", "true")])
        for place, unit in enumerate(units, 1):
            company = str(unit.get("companyid") or "").strip()
            if company:
                named.setdefault(company, unit)
            else:
                without.append(_without_company(place, unit))
        if not named:
            raise d.AccountError(
                "no business unit names its company: set brp_company_ids", about=d.About("brp", "list")
            )
    yield from without
    for company_id in wanted or sorted(named):
        unit = named.get(company_id, {})
        record = {key: unit[key] for key in ("companyid", "companyname") if key in unit}
        yield d.Account("brp", company_id, "brp_company", name=unit.get("companyname"), record=record or None)


def _without_company(place: int, unit: d.Record) -> d.Unreadable:
    """Nobody knows which company's invoices are missed with this unit, if no other one has the same company."""
    named = [f"{key} {sentence(str(unit[key]), 80)}" for key in ("id", "name") if unit.get(key)]
    said = f"business unit {place} of the list ({', '.join(named) or 'without id and name'}) names no company"
    error = d.Unreadable(f"{said}: invoices of one may be missing", about=d.About("brp", "list"))
    error.remedy = "ask BRP why; until then, name the companies to read in brp_company_ids"
    return error


def _persons(client: d.SourceClient) -> Iterator[str | None]:
    """The persons to ask for; None: the key's own."""
    wanted = client.values.get("brp_person_ids") or []
    if EVERY_PERSON not in wanted:
        yield from wanted or [None]
        return
    for person in client.records(_endpoint(client.values, "persons", "person")):
        if person.get("id") is None:
            raise d.Unreadable("a person has no id: the vendor's format has changed", about=d.About("brp", "list"))
        yield str(person["id"])


def _queries(client: d.SourceClient, account: d.Account, _since: date, _until: date) -> Iterable[d.Query]:
    """One request a person and state; without either, one for the company."""
    values = client.values
    fixed: d.Query = [("companyid", account.account_id)]
    if values.get("brp_product_ids"):
        fixed.append(("productids", ",".join(values["brp_product_ids"])))
    for person in _persons(client):
        selected = [] if person is None else [(values["brp_person_parameter"], person)]
        for state in values.get("brp_states") or [None]:
            yield [*fixed, *selected, *([] if state is None else [("state", str(state))])]


BRP = d.Source(
    name="brp",
    title="BRP Systems",
    zone="Europe/Stockholm",
    settings=SETTINGS,
    hosts=(d.Host("brp", "brp_api_url"),),
    authenticator=_authenticator,
    account_label=lambda values: values.get("brp_username") or "of brp_api_key",
    accounts=_accounts,
    headers=lambda _values: {"Accept-Language": "en"},
    read_problem=_read_problem,
    rights={"invoices": "ask BRP for a key that reads invoices; those of others than oneself need a level-3 key"},
    invoices=d.InvoiceApi(
        endpoint=lambda values: _endpoint(values, "invoices", "invoice", _same_company_and_state),
        queries=_queries,
        fields=_fields,
        lookback=None,
        lists_all=lambda values: (
            not any(values.get(name) for name in ("brp_states", "brp_product_ids", "brp_person_ids"))
        ),
    ),
)
