"""Which columns a file must have, and which name each header has, from sync to sync."""

from __future__ import annotations

import json

import pytest

from tap_billing_reports.declare.catalogue import catalogue
from tap_billing_reports.sandbox.stripe.catalogue import report_types
from tap_billing_reports.singer.tap import TapBillingReports
from tests.vendors.stripe.emulated import ITEMIZED, SUMMARY

ROWS = "stripe_balance_change_from_activity_itemized_3"
MONTH = {"report_type": ITEMIZED, "window": "month"}
CONTENTS = r"/v1/files/.*/contents"
# Witnesses outside this project: the headers of public samples of files for which no columns were asked. The first is
# that of balance_change_from_activity.itemized.3 (quoted cells and all), the second that of
# payout_reconciliation.itemized.5, the third that of payouts.itemized.3.
WITNESS = (
    b'"balance_transaction_id","created","available_on","currency","gross","fee","net","reporting_category","description"\n'
    b'"txn_1","2026-11-25 10:04:26","2026-11-27 01:00:00","nok","100.00","3.00","97.00","charge","Order 1"\n'
)
SETTLED = (
    '"automatic_payout_id","automatic_payout_effective_at","balance_transaction_id","created",'
    '"available_on","currency","gross","fee","net","reporting_category","description"'
)
PAID = (
    '"payout_id","effective_at","currency","gross","fee","net","reporting_category","balance_transaction_id",'
    '"description","payout_expected_arrival_date","payout_status"'
)


def test_the_default_columns_of_the_public_sample_are_read(stripe):
    """The README's own first example: no `columns`, and the file that Stripe then delivers."""
    stripe.control.fault({"status": 200, "body": WITNESS.decode()}, {"path": CONTENTS})
    size = {"pattern": r'"size": ?\d+', "to": f'"size": {len(WITNESS)}'}
    stripe.control.fault({"alter": size}, {"path": r"/v1/reporting/report_runs"})
    ended = stripe.sync({**MONTH, "timezone": "Europe/Oslo"})
    assert ended.code == 0, ended.log
    (row,) = ended.of(ROWS)
    assert (row["currency"], row["gross"], row["fee"], row["net"]) == ("NOK", "100.00", "3.00", "97.00")
    assert row["created"] == "2026-11-25T09:04:26Z"
    assert row["customer_facing_amount"] is None
    types = catalogue("stripe")["report_types"][ITEMIZED]["columns"]
    assert {*types} <= ended.schemas[ROWS][0]["properties"].keys(), "SCHEMA holds all that may be asked for"


@pytest.mark.parametrize(
    ("kind", "header"),
    [
        (ITEMIZED, WITNESS.decode().partition("\n")[0]),
        ("payout_reconciliation.itemized.5", SETTLED),
        ("payouts.itemized.3", PAID),
    ],
)
def test_the_sandbox_has_the_default_columns_of_public_samples(kind, header):
    assert ",".join(f'"{column}"' for column in report_types()[kind].default_columns) == header


@pytest.mark.parametrize(
    "kind", sorted(name for name in report_types() if "payout" not in report_types()[name].required)
)
def test_every_type_is_read_with_its_default_columns(stripe, kind):
    ended = stripe.sync({"report_type": kind, "window": "month", "name": "one"}, start_date="2026-10-01")
    assert ended.code == 0, ended.log
    (file,) = ended.of("report_files")
    assert json.loads(file["columns"]) == [*report_types()[kind].default_columns]


def test_the_sandbox_has_each_column_that_the_catalogue_knows():
    """Both are written from the vendor's pages, each for itself."""
    known = catalogue("stripe")["report_types"]
    differing = {
        name: {*known[name]["columns"]} ^ {column for column in kind.columns if "[" not in column}
        for name, kind in report_types().items()
        if known[name]["columns"]
    }
    assert not {name: columns for name, columns in differing.items() if columns}


@pytest.mark.parametrize("version", [1, 2, 3, 4])
@pytest.mark.parametrize("family", ["ending_balance_reconciliation", "payout_reconciliation"])
def test_what_pays_out_or_waits_has_its_amounts_as_decimals(family, version):
    """The witness is the vendor's page: each version has its columns, the older ones with times in UTC alone."""
    columns = catalogue("stripe")["report_types"][f"{family}.itemized.{version}"]["columns"]
    always = {"automatic_payout_id", "balance_transaction_id", "currency", "gross", "fee", "net", "created_utc"}
    assert always <= {*columns}
    assert ("created" in columns) is (version >= 3 if family.startswith("ending") else version == 4)
    assert ("card_address_city" in columns) is (version in (2, 4) if family.startswith("ending") else version == 3)
    assert ("destination_payment_id" in columns) is family.startswith("payout")


def test_a_star_asks_for_all_that_the_catalogue_knows(stripe):
    ended = stripe.sync({**MONTH, "columns": ["*", "payment_metadata[order_id]"]})
    assert ended.code == 0, ended.log
    ((_, _, parameters),) = [json.loads(key) for key in stripe.orders()]
    known = catalogue("stripe")["report_types"][ITEMIZED]["columns"]
    assert parameters["columns"] == [*known, "payment_metadata[order_id]"]
    assert any(row["customer_facing_amount"] for row in ended.of(ROWS))
    totals = stripe.control.totals(stripe.settings({**MONTH, "columns": ["*"]}))[ROWS]["stripe"]
    assert totals["rows"] == len(ended.of(ROWS))
    assert "customer_facing_amount" in totals["sums"]


def test_a_star_for_a_type_that_nobody_knows_is_refused(stripe):
    ended = stripe.sync({"report_type": "nobody.knows.1", "columns": ["*"]})
    assert (ended.code, ended.messages) == (1, [])
    assert "stripe_reports[0].columns has *" in ended.log


@pytest.mark.parametrize("column", ["currency", "fee", "description", "reporting_category"])
def test_a_file_without_a_default_column_fails(stripe, column):
    stripe.control.options["stripe_missing_columns"] = [column]
    ended = stripe.sync(MONTH)
    assert ended.code == 1
    assert f"the column '{column}' is missing" in ended.log
    assert f'set allow_missing_columns to {{"{ROWS}":["{column}"]}}' in ended.log.replace(": [", ":[")
    assert not ended.of(ROWS)
    confirmed = stripe.sync(MONTH, state=ended.state, allow_missing_columns={ROWS: [column]})
    assert confirmed.code == 0, confirmed.log
    assert {row[column] for row in confirmed.of(ROWS)} == {None}
    settled = stripe.sync(MONTH, state=confirmed.state)
    assert settled.code == 0, settled.log


def test_a_file_without_a_column_that_was_asked_for_fails(stripe):
    stripe.control.options["stripe_missing_columns"] = ["net"]
    ended = stripe.sync({**MONTH, "columns": ["balance_transaction_id", "net"]})
    assert ended.code == 1
    assert "the column 'net' is missing" in ended.log


def _shrunk(stripe, column):
    """The vendor's type no longer has a column, and says so itself."""
    stripe.control.options["stripe_missing_columns"] = [column]
    stripe.control.fault(
        {"alter": {"from": f'"{column}"', "to": '"description"'}}, {"path": "/v1/reporting/report_types/"}
    )


@pytest.mark.parametrize("kind", [ITEMIZED, "balance.summary.2", "activity.itemized.2"])
@pytest.mark.parametrize("column", ["currency"])
def test_what_the_last_good_reading_had_must_be_there(stripe, kind, column):
    """Whether the catalogue knows the type or not, and whatever the type says now."""
    report = {"report_type": kind, "window": "month", "name": "kept"}
    first = stripe.sync(report)
    assert first.code == 0, first.log
    (group,) = first.state["bookmarks"]["stripe_kept"]["last_columns"]
    assert group == {"accounts": ["acct_sandbox"], "columns": sorted(report_types()[kind].default_columns)}
    _shrunk(stripe, column)
    second = stripe.sync(report, state=first.state, start_date="2026-09-01")
    assert second.code == 1
    assert f"the column '{column}' is missing" in second.log
    assert second.state["bookmarks"]["stripe_kept"]["last_columns"] == [group]
    assert not second.of("stripe_kept")
    third = stripe.sync(
        report, state=second.state, start_date="2026-09-01", allow_missing_columns={"stripe_kept": [column]}
    )
    assert third.code == 0, third.log
    (group,) = third.state["bookmarks"]["stripe_kept"]["last_columns"]
    assert column not in group["columns"]


def test_other_columns_may_be_asked_for_at_any_time(stripe):
    first = stripe.sync(MONTH)
    few = {**MONTH, "columns": ["balance_transaction_id", "net"]}
    second = stripe.sync(few, state=first.state, start_date="2026-09-01")
    assert second.code == 0, second.log
    assert second.state["bookmarks"][ROWS]["last_columns"] == []
    third = stripe.sync(MONTH, state=second.state, start_date="2026-08-01")
    assert third.code == 0, third.log


def test_accounts_remember_their_own_columns(stripe):
    config = {"stripe_connected_accounts": ["acct_sandbox_north"]}
    ended = stripe.sync({"report_type": SUMMARY, "window": "month", "name": "sums"}, **config)
    assert ended.code == 0, ended.log
    (group,) = ended.state["bookmarks"]["stripe_sums"]["last_columns"]
    assert group["accounts"] == ["acct_sandbox", "acct_sandbox_north"]


# -- names -------------------------------------------------------------------------------------------------

PLAIN, SPACED = "payment_metadata[order_id]", "payment_metadata[Order ID]"


@pytest.mark.parametrize(
    ("one", "other"),
    [(PLAIN, SPACED), ("payment_metadata[\u6ce8\u6587]", "payment_metadata[\u9867\u5ba2]")],
    ids=["signs", "letters"],
)
def test_columns_that_meet_keep_their_names_whatever_their_order(stripe, one, other):
    columns = ["balance_transaction_id", "net", one, other]
    report = {**MONTH, "name": "few", "columns": columns}
    discovered = TapBillingReports(config=stripe.settings(report)).catalog_dict
    (entry,) = [entry for entry in discovered["streams"] if entry["stream"] == "stripe_few"]
    first = stripe.sync(report)
    assert first.code == 0, first.log
    names = dict(first.state["bookmarks"]["stripe_few"]["columns"])
    assert {one, other} == names.keys()
    assert len({*names.values()}) == 2
    assert {*names.values()} <= entry["schema"]["properties"].keys(), "discovery knows both"
    assert len(first.schemas["stripe_few"]) == 1, "and so does the first SCHEMA"
    for changed in ([*columns[:2], other, one], [*columns[:2], other], [*columns[:2], one]):
        later = stripe.sync({**report, "columns": changed}, state=first.state, start_date="2026-09-01")
        assert later.code == 0, later.log
        assert dict(later.state["bookmarks"]["stripe_few"]["columns"]) == names
        anew = stripe.sync({**report, "columns": [*columns[:2], other, one]})
        assert dict(anew.state["bookmarks"]["stripe_few"]["columns"]) == names, "also without a state"


def test_values_stay_in_their_column_when_the_order_changes(stripe):
    report = {**MONTH, "name": "few", "columns": ["balance_transaction_id", PLAIN, SPACED]}
    turned = {**report, "columns": ["balance_transaction_id", SPACED, PLAIN]}
    first, second = stripe.sync(report), stripe.sync(turned)
    name = dict(first.state["bookmarks"]["stripe_few"]["columns"])[PLAIN]
    assert name == "payment_metadata_order_id"
    filled = {row["balance_transaction_id"]: row[name] for row in first.of("stripe_few") if row[name]}
    assert filled
    assert filled == {row["balance_transaction_id"]: row[name] for row in second.of("stripe_few") if row[name]}


def test_an_older_state_keeps_the_names_of_its_version(stripe):
    report = {**MONTH, "name": "few", "columns": ["balance_transaction_id", SPACED, PLAIN]}
    first = stripe.sync(report)
    older = json.loads(json.dumps(first.state))
    bookmark = older["bookmarks"]["stripe_few"]
    del bookmark["columns"]
    later = stripe.sync(report, state=older, start_date="2026-09-01")
    assert later.code == 0, later.log
    names = dict(later.state["bookmarks"]["stripe_few"]["columns"])
    assert names == {SPACED: "payment_metadata_order_id", PLAIN: "payment_metadata_order_id_2"}
    assert names[PLAIN] in later.schemas["stripe_few"][0]["properties"]


def test_a_list_of_headers_from_an_older_state_is_read_and_does_not_grow(stripe):
    stripe.control.options["stripe_extra_columns"] = {"Brand New": "x", "brand-new": "y"}
    first = stripe.sync(MONTH)
    older = json.loads(json.dumps(first.state))
    older["bookmarks"][ROWS]["columns"] = ["Brand New", "brand-new", "Brand New"]
    state = older
    for day in ("2026-09-01", "2026-08-01", "2026-07-01"):
        later = stripe.sync(MONTH, state=state, start_date=day)
        assert later.code == 0, later.log
        state = later.state
        assert state["bookmarks"][ROWS]["columns"] == [["Brand New", "brand_new"], ["brand-new", "brand_new_2"]]
        assert {(row["brand_new"], row["brand_new_2"]) for row in later.of(ROWS)} <= {("x", "y")}
