"""Mistakes of a declaration: found when it is loaded, else the end of one account or period; never silent."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tap_billing_reports import declare as d
from tap_billing_reports.core.errors import DeclarationError
from tap_billing_reports.declare import converters as to
from tap_billing_reports.declare.paths import fill
from tests.declare.shop import (
    INVOICE_API,
    INVOICES,
    ORDERED,
    REPORT_API,
    SETTINGS,
    SHOP,
    Answered,
    accounts,
    synced,
    with_reports,
)

VALUES = {setting.name: setting.default for setting in SETTINGS} | {"shop_reports": [{"report_type": "sales"}]}


def fails(*_args, **_named):
    raise RuntimeError("not thought of")


def test_a_sync_of_the_shop_reads_all(monkeypatch, shop):
    found = synced(monkeypatch, shop)
    assert found.status == 0, found.log
    assert [row["amount"] for row in found.of("shop_sales")] == ["1.00"] * 4
    assert {invoice["invoice_id"] for invoice in found.of("invoices")} == {"i-one", "i-two"}


def test_nothing_is_wrong_with_the_shop():
    assert SHOP.problems(VALUES) == []


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (
            replace(SHOP, settings=(*SETTINGS, d.Setting("other_key", "Another's."))),
            "settings and columns other_key do",
        ),
        (replace(SHOP, settings=(*SETTINGS, SETTINGS[0])), "the settings shop_key stand there twice"),
        (replace(SHOP, columns={"invoices": {"project": {"type": ["string", "null"]}}}), "and columns project do not"),
        (
            replace(SHOP, columns={"invoice": {"shop_x": {"type": ["string", "null"]}}}),
            "invoice is none of the streams",
        ),
        (replace(SHOP, columns={"invoices": {"shop_x": {"type": "string"}}}), "shop_x does not allow null"),
        (replace(SHOP, hosts=(d.Host("shop", "shop_link"),)), "the setting shop_link of the host shop is not declared"),
        (replace(SHOP, hosts=(d.Host("till", "shop_url"),)), "reports.retrieval.order: the host shop is not declared"),
        (
            replace(SHOP, settings=(SETTINGS[0], d.Setting("shop_url", "The URL."), SETTINGS[2])),
            "hosts: shop has no URL, and its setting shop_url",
        ),
        (
            with_reports(status=d.Endpoint("shop", "/runs/{id}")),
            "reports.retrieval.status: nothing fills id in the path /runs/{id}: it knows account_id, run_id",
        ),
        (
            with_reports(order=d.Endpoint("shop", "runs", method="POST")),
            "reports.retrieval.order: the path runs does not begin",
        ),
        (
            # Not called: it is what makes a form.
            with_reports(csv=lambda _report: d.CsvForm(cells={"Day": d.cells.instants})),  # type: ignore[dict-item]
            "reports.csv of sales: Day has no form of cells",
        ),
        (
            with_reports(cells=lambda _report: {"Day": lambda _cells: []}),
            "reports.cells of sales: Day has no form of cells",
        ),
        (
            with_reports(runs=d.Endpoint("shop", "/runs", records="runs"), read_listed=fails),  # type: ignore[arg-type]
            "reports.retrieval.runs: records must be a tuple of names, such as ('runs',)",
        ),
        (
            replace(
                SHOP,
                invoices=replace(INVOICE_API, fields=lambda _values: (d.Field("invoice_no", "id", to.text),)),
            ),
            "invoices.fields: the stream invoices has no column invoice_no",
        ),
        (
            replace(
                SHOP,
                invoices=replace(INVOICE_API, fields=lambda _values: 2 * (d.Field("invoice_id", "id", to.text),)),
            ),
            "invoices.fields: the columns invoice_id stand there twice",
        ),
        (
            replace(SHOP, invoices=replace(INVOICE_API, endpoint=lambda _values: replace(INVOICES, host="till"))),
            "invoices.endpoint: the host till is not declared",
        ),
    ],
)
def test_what_is_found_when_a_declaration_is_loaded(source, said):
    (line,) = {line.partition(":")[0]: line for line in source.problems(VALUES) if said in line}.values()
    assert "\n" not in line


def test_a_sync_does_not_begin_with_a_wrong_declaration(monkeypatch, shop):
    wrong = replace(SHOP, invoices=replace(INVOICE_API, fields=lambda _values: (d.Field("invoice_no", "id", to.text),)))
    with pytest.raises(Exception, match="Config validation failed") as refused:
        synced(monkeypatch, shop, wrong)
    assert "the declaration of Shop: invoices.fields: the stream invoices has no column invoice_no" in str(
        vars(refused.value)["errors"]
    )
    assert shop.asked == []


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        (d.Endpoint("till", "/accounts", records=("accounts",)), "GET /accounts: the host till is not declared"),
        (d.Endpoint("shop", "/accounts", records="accounts"), "GET /accounts: records must be a tuple"),  # type: ignore[arg-type]
    ],
)
def test_an_endpoint_within_a_function_is_looked_at_when_it_is_asked(monkeypatch, shop, endpoint, said):
    found = synced(monkeypatch, shop, replace(SHOP, accounts=lambda client: client.records(endpoint)))  # type: ignore[arg-type,return-value]
    assert (found.status, shop.asked) == (1, [])
    assert said in found.log


def test_a_path_with_a_name_that_nobody_fills_is_not_asked_for():
    with pytest.raises(DeclarationError, match="nothing fills run_id in the path /a/x%7By%7D/\\{run_id\\}"):
        fill("/a/{account_id}/{run_id}", {"account_id": "x{y}"})


@pytest.mark.parametrize("name", ["parameters", "order_call", "read_order", "extra_files"])
def test_a_mistake_of_a_reports_function_ends_its_period_or_account(monkeypatch, shop, name):
    part, of = (ORDERED, "OrderedRuns") if hasattr(ORDERED, name) else (REPORT_API, "the source shop")
    own = getattr(part, name)

    def for_the_first_alone(*args, **named):
        # A file's own name is not known to all of them: each fails once, for whatever comes first.
        if not calls:
            calls.append(args)
            fails()
        return own(*args, **named)

    calls: list[object] = []
    found = synced(monkeypatch, shop, with_reports(**{name: for_the_first_alone}))
    assert found.status == 1
    assert found.of("shop_sales")
    assert len(found.of("invoices")) == 2
    (line,) = {line for line in found.log.splitlines() if "failed: " in line}
    assert f"the function {name} of {of} fails: RuntimeError: not thought of" in line
    assert "test_mistakes.py, line" in line


def test_orders_say_how_a_run_is_read():
    with pytest.raises(ValueError, match="read_run, or both read_order and read_status, must be declared"):
        d.OrderedRuns(order=ORDERED.order, order_call=ORDERED.order_call, status=ORDERED.status)
    with pytest.raises(ValueError, match="runs are listed: read_run or read_listed must be declared"):
        replace(ORDERED, runs=d.Endpoint("shop", "/runs"))


def test_a_vendors_runs_are_ordered_in_one_way():
    entries = [{"report_type": "sales"}, {"report_type": "fees"}]
    made = with_reports(retrieval=lambda report: ORDERED if report.report_type == "sales" else replace(ORDERED))
    assert made.problems({**VALUES, "shop_reports": entries}) == [
        "reports.retrieval of fees: all reports that are ordered share one OrderedRuns"
    ]
    # Without settings nothing tells which it is.
    assert made.problems() == []


def for_the_first_account(result):
    """A function that fails for the account `one`, and else gives a result."""

    def function(account, *_):
        return fails() if account.account_id == "one" else result

    return function


SALES = d.Endpoint("shop", "/sales", records=("sales",))


@pytest.mark.parametrize(
    ("retrieval", "cadence", "called"),
    [
        (d.PagedRows(SALES, query=for_the_first_account([])), d.Windowed(), "query of PagedRows"),
        (d.PagedRows(SALES, path=for_the_first_account({})), d.Windowed(), "path of PagedRows"),
        (
            d.ReadyFiles(for_the_first_account([d.RemoteFile("f", "ndjson", "shop", "/sales.ndjson")])),
            d.Windowed(),
            "files of ReadyFiles",
        ),
        (
            d.PagedRows(SALES),
            d.Listed(d.Listing(SALES, for_the_first_account([]), subject="Id", day="day")),
            "query of Listing",
        ),
        (
            d.PagedRows(SALES),
            d.Listed(d.Listing(SALES, lambda *_: [], "Id", "day", path=for_the_first_account({}))),
            "path of Listing",
        ),
    ],
)
def test_a_mistake_within_a_part_ends_its_account_too(monkeypatch, shop, retrieval, cadence, called):
    row = {"Id": "s", "Amount": "1.00", "day": "2026-11-19"}
    shop.more["/sales"] = lambda _asked: Answered({"sales": [row]})
    shop.more["/sales.ndjson"] = lambda _asked: Answered(json.dumps(row))
    reports = [d.Report("shop", "sales", "sales", "UTC", cadence)]
    made = with_reports(
        retrieval=retrieval, configured=lambda _values: reports, parameters=lambda _report, period: {"key": period.key}
    )
    found = synced(monkeypatch, shop, made)
    assert found.status == 1
    assert {row["account_id"] for row in found.of("shop_sales")} == {"two"}
    assert f"the function {called} fails: RuntimeError: not thought of (test_mistakes.py, line" in found.log


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_a_mistake_of_a_form_of_cells_ends_its_period(monkeypatch, shop, kind):
    def form(written, _other):
        return fails() if "2026-11-18" in written else written

    shop.files = lambda day: (f"Id,Amount\n{day},1.00\n" if kind == "csv" else f'{{"Id": "{day}"}}\n').encode()
    made = with_reports(
        read_order=lambda answer: run_as(kind, answer),
        csv=lambda _report: d.CsvForm(cells={"Id": form}),
        cells=lambda _report: {"Id": form},
    )
    found = synced(monkeypatch, shop, made)
    assert found.status == 1
    assert {row["id"] for row in found.of("shop_sales")} == {"2026-11-19"}
    assert "the function cells of Id fails: RuntimeError: not thought of (test_mistakes.py, line" in found.log


def run_as(kind, answer):
    run = ORDERED.read_order(answer)
    assert run.file is not None
    return replace(run, file=replace(run.file, format=kind))


@pytest.mark.parametrize("is_generator", [False, True])
def test_a_mistake_of_queries_ends_its_account(monkeypatch, shop, is_generator):
    def queries(_client, account, _since, _until):
        if account.account_id == "one":
            fails()
        return [[]]

    def generated(*args):
        yield from queries(*args)

    api = replace(INVOICE_API, queries=generated if is_generator else queries)
    found = synced(monkeypatch, shop, replace(SHOP, invoices=api))
    assert found.status == 1
    assert [invoice["invoice_id"] for invoice in found.of("invoices")] == ["i-two"]
    assert "the function queries of the source shop fails" in found.log
    assert "source shop account one" in found.log or "shop account one" in found.log


def test_a_mistake_of_the_accounts_function_is_no_traceback(monkeypatch, shop):
    def wrong(client):
        return [one.nothing for one in accounts(client)]  # type: ignore[attr-defined]

    found = synced(monkeypatch, shop, replace(SHOP, accounts=wrong))
    assert found.status == 1
    assert "the function accounts of the source shop fails: AttributeError" in found.log


@pytest.mark.parametrize("sign", [";", "\t", "|"])
def test_a_file_of_another_delimiter_is_not_one_column(monkeypatch, shop, sign):
    shop.files = lambda day: f"Id{sign}Amount\n{day}{sign}1.00\n".encode()
    found = synced(monkeypatch, shop)
    assert found.status == 1
    assert found.of("shop_sales") == []
    assert f"line 1: the header is one column with {sign!r} in it" in found.log
