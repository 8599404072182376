"""The short spellings of a declaration, facts of the request, and the one import for authors."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tap_billing_reports import declare as d
from tap_billing_reports.config.settings import with_defaults
from tap_billing_reports.vendors import all_sources
from tests.declare.shop import (
    INVOICE_API,
    INVOICES,
    ORDERED,
    REPORT_API,
    SETTINGS,
    SHOP,
    Answered,
    synced,
    with_reports,
)

FIELDS = INVOICE_API.fields_by({})
MORE = d.settings_of(
    "Shop", d.Setting("shop_days", "days.", d.DAYS, default=5), d.Setting("shop_most", "runs.", d.COUNT, default=1)
)


def run_of(record: d.Record) -> d.Run:
    file = d.RemoteFile(record["id"], "csv", "shop", f"/files/{record['id']}")
    return d.Run(record["id"], {"made": d.RunStatus.READY, "new": d.RunStatus.PENDING}[record["state"]], "", file=file)


SHORT = d.Source(
    name="shop",
    title="Shop",
    zone="UTC",
    settings=(*SETTINGS, *MORE),
    hosts=SHOP.hosts,
    authenticator=SHOP.authenticator,
    account_label="shop_url",
    accounts=SHOP.accounts,
    invoices=d.InvoiceApi(INVOICES, INVOICE_API.queries, FIELDS, lookback="shop_days"),
    reports=d.ReportApi(
        configured=REPORT_API.configured,
        parameters=REPORT_API.parameters,
        retrieval=d.OrderedRuns(
            order=ORDERED.order,
            # Nothing fills the path: the account's id is always there.
            order_call=lambda _account, _report, asked: d.OrderCall(form=list(asked.items())),
            status=ORDERED.status,
            read_run=run_of,
        ),
        headers=REPORT_API.headers,
        column_type=REPORT_API.column_type,
        budget="shop_most",
    ),
)


def test_the_short_spellings_mean_what_the_long_ones_do(monkeypatch, shop):
    long, short = synced(monkeypatch, shop), synced(monkeypatch, shop, SHORT)
    assert (short.status, SHORT.problems(with_defaults({"shop_key": "k"}, [SHORT]))) == (0, []), short.log
    assert short.records.keys() == long.records.keys()
    for stream in ("accounts", "invoices", "shop_sales", "report_files"):
        assert short.of(stream) == long.of(stream)
    assert SHORT.label({"shop_url": "u"}) == "u"


def test_the_vendors_name_stands_once():
    assert [setting.description for setting in MORE] == ["Shop: days.", "Shop: runs."]
    for source in all_sources():
        begins = {setting.description.partition(": ")[0] for setting in source.settings}
        assert len(begins) == 1
        assert not any(setting.description.count(f"{begins}: ") > 1 for setting in source.settings)


def test_a_name_that_is_no_setting_is_told_when_the_declaration_is_loaded():
    assert SHORT.invoices is not None
    assert SHORT.reports is not None
    again = replace(ORDERED, reorder_setting="shop_again")
    wrong = replace(
        SHORT,
        account_label="shop_name",
        invoices=replace(SHORT.invoices, lookback="shop_dayz", wants_documents="shop_pdf"),
        reports=replace(SHORT.reports, budget="shop_mots", skip_setting="shop_skip", retrieval=again),
    )
    assert wrong.problems() == [
        "account_label: the setting shop_name is not declared",
        "invoices.lookback: the setting shop_dayz is not declared",
        "invoices.wants_documents: the setting shop_pdf is not declared",
        "reports.budget: the setting shop_mots is not declared",
        "reports.skip_setting: the setting shop_skip is not declared",
        "reports.retrieval.reorder_setting: the setting shop_again is not declared",
    ]


def test_a_state_that_one_reading_does_not_know_ends_its_period(monkeypatch, shop):
    shop.more["/one/runs"] = lambda _asked: Answered({"id": "one.2026-11-18", "state": "odd"}, 201)
    found = synced(monkeypatch, shop, SHORT)
    assert found.status == 1
    # Where in the declaration: here, not in what reads it.
    assert "the answer to the order has an unknown shape or status ('odd', test_spellings.py, line " in found.log
    assert len(found.of("shop_sales")) == 2


# -- the request, and an answer that has it all ----------------------------------------------------------


def test_what_was_asked_is_there_when_its_answer_is_read(monkeypatch, shop):
    seen: list[d.Sent] = []

    def read_order(answer: d.Answer) -> d.Run:
        seen.append(answer.sent)
        assert answer.sent.form is not None
        return d.Run(f"{answer.sent.account}.{answer.sent.form['day']}", d.RunStatus.PENDING, "new")

    def read_status(answer: d.Answer, run_id: str) -> d.Run:
        seen.append(answer.sent)
        return d.Run(run_id, d.RunStatus.READY, "made", file=d.RemoteFile(run_id, "csv", "shop", f"/files/{run_id}"))

    # The vendor says nothing of the run but that it takes the order.
    shop.more["/one/runs"] = shop.more["/two/runs"] = lambda _asked: Answered({}, 201)
    found = synced(monkeypatch, shop, with_reports(read_order=read_order, read_status=read_status))
    assert found.status == 0, found.log
    assert len(found.of("shop_sales")) == 4
    assert {(sent.method, sent.host, sent.path) for sent in seen} >= {
        ("POST", "shop", "/one/runs"),
        ("GET", "shop", "/runs/two.2026-11-19"),
    }
    assert "a-secret-key" not in repr(seen)


def test_a_run_that_is_made_when_it_is_ordered_is_not_asked_about(monkeypatch, shop):
    found = synced(monkeypatch, shop, SHORT)
    assert (found.status, len(found.of("shop_sales"))) == (0, 4)
    assert not [asked for asked in shop.asked if asked.path.startswith("/runs/")]
    # One that is not is, and so is one without its file.
    shop.more["/one/runs"] = lambda asked: Answered({"id": f"one.{asked.form['day']}", "state": "new"}, 201)
    found = synced(monkeypatch, shop, SHORT)
    assert (found.status, len(found.of("shop_sales"))) == (0, 4)
    assert len([asked for asked in shop.asked if asked.path.startswith("/runs/one")]) == 2


# -- one import ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", d.__all__)
def test_what_authors_import_is_there(name):
    assert getattr(d, name) is not None
