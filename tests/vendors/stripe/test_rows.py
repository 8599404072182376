"""Files and rows: what is collected is whole, typed and exact, or no bookmark moves."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from pathlib import Path

import pytest

from tap_billing_reports.singer.tap import TapBillingReports
from tap_billing_reports.vendors.stripe_checks import KNOWN
from tests.vendors.stripe.emulated import ITEMIZED, SUMMARY

ROWS = "stripe_balance_change_from_activity_itemized_3"
MONTH = {"report_type": ITEMIZED, "window": "month"}
EVERYTHING = {**MONTH, "columns": ["*"]}
CONTENTS = r"/v1/files/.*/contents"


def test_amounts_are_exact_text_and_empty_cells_null(stripe):
    large = {"stripe_connected_accounts": ["acct_sandbox_large"]}
    ended = stripe.sync(MONTH, **large)
    assert ended.code == 0, ended.log
    rows = ended.of(ROWS)
    kinds = ended.schemas[ROWS][0]["properties"]
    assert (kinds["gross"]["type"], kinds["gross"]["format"]) == (["string", "null"], "x-singer.decimal")
    assert all(isinstance(row["gross"], str) for row in rows)
    digits = {row["currency"]: len(row["gross"].partition(".")[2]) for row in rows}
    assert digits["JPY"] == 0
    assert digits["KWD"] == 3
    assert digits["USD"] == 2
    assert any(len(row["gross"].replace(".", "").lstrip("-")) >= 20 for row in rows), "20 digits survive"
    assert any(row["gross"].startswith("-") for row in rows)
    assert not any(value == "" for row in rows for value in row.values())
    assert any("\n" in (row["description"] or "") for row in rows), "quoted newlines are one cell"
    totals = stripe.control.totals(stripe.settings(MONTH, **large))[ROWS]["stripe"]
    assert totals["rows"] == len(rows)
    for column, total in totals["sums"].items():
        assert sum(Decimal(row[column]) for row in rows if row[column]) == Decimal(total)


def test_decimals_as_number(stripe):
    ended = stripe.sync(MONTH, decimals_as="number")
    assert ended.code == 0, ended.log
    gross = ended.schemas[ROWS][0]["properties"]["gross"]
    assert gross["type"] == ["number", "null"]
    assert "format" not in gross
    assert all(isinstance(row["gross"], int | float) for row in ended.of(ROWS))
    assert all(isinstance(row["total_amount"], int | float) for row in ended.of("invoices"))


def test_times_of_the_runs_zone_leave_as_utc(stripe):
    utc = stripe.sync(MONTH)
    there = stripe.sync({**MONTH, "timezone": "America/Los_Angeles", "name": "there"}, start_date="2026-10-01")
    assert (utc.code, there.code) == (0, 0)
    created = {row["balance_transaction_id"]: row["created"] for row in utc.of(ROWS)}
    both = [row for row in there.of("stripe_there") if row["balance_transaction_id"] in created]
    assert len(both) > 50
    assert all(row["created"] == created[row["balance_transaction_id"]] for row in both)
    assert all(row["created"].endswith("Z") for row in both)


# Stripe's page calls it the date on which a payout is scheduled to arrive in the bank, without a word of the run's
# zone, which it has of every time beside it; files that others have published say midnight whatever the zone.
@pytest.mark.parametrize("zone", ["Europe/Oslo", "America/New_York", "Asia/Kolkata", "UTC"])
def test_the_day_on_which_a_payout_arrives_is_the_same_in_every_zone(stripe, zone):
    payouts = {
        "report_type": "payouts.itemized.3",
        "window": "all",
        "name": "payouts",
        "timezone": zone,
        "columns": ["*"],
    }
    found = stripe.sync({**payouts, "extra_parameters": {}}, start_date="2026-10-01")
    assert found.code == 0, found.log
    kinds = found.schemas["stripe_payouts"][0]["properties"]
    assert kinds["payout_expected_arrival_date"]["format"] == "date"
    assert kinds["effective_at"]["format"] == "date-time"
    rows = found.of("stripe_payouts")
    assert len(rows) > 5
    days = [
        (row["effective_at_utc"][:10], row["payout_expected_arrival_date"])
        for row in rows
        if not row["payout_reversed_at"]
    ]
    assert days
    assert all(utc == day for utc, day in days)


@pytest.mark.parametrize("option", ["stripe_csv_crlf", "stripe_csv_bom"])
def test_line_ends_and_byte_order_mark_make_no_difference(stripe, option):
    plain = stripe.sync(MONTH)
    stripe.control.reset()
    stripe.control.options[option] = True
    other = stripe.sync(MONTH)
    assert other.code == 0, other.log

    def values(ended):
        skip = {"run_id", "file_id"}
        return [{k: str(v).replace("\r\n", "\n") for k, v in row.items() if k not in skip} for row in ended.of(ROWS)]

    assert values(other) == values(plain)


@pytest.mark.parametrize("path", [{}, {"flattening_enabled": True, "flattening_max_depth": 1}], ids=["fast", "sdk"])
def test_a_column_that_the_file_has_lost_is_null_and_not_left_out(stripe, path):
    whole = stripe.sync(MONTH, **path)
    assert any(row["description"] for row in whole.of(ROWS))
    stripe.control.fault({"alter": {"from": '"description"', "to": '"descripti0n"'}}, {"path": CONTENTS})
    again = stripe.sync(MONTH, on_new_column="ignore", allow_missing_columns={ROWS: ["description"]}, **path)
    assert again.code == 0, again.log
    assert again.records[ROWS].keys() == whole.records[ROWS].keys()
    for row in again.of(ROWS):
        assert row.keys() == again.schemas[ROWS][0]["properties"].keys()
        assert row["description"] is None, "a target that upserts forgets what an earlier file had there"


def test_a_column_that_is_left_out_of_the_catalogue_is_no_null_either(stripe):
    catalog = TapBillingReports(config=stripe.settings(EVERYTHING)).catalog_dict
    (entry,) = [entry for entry in catalog["streams"] if entry["stream"] == ROWS]
    for part in entry["metadata"]:
        if part["breadcrumb"][-1:] in (["description"], ["currency"]):
            part["metadata"]["selected"] = False
    ended = stripe.sync(MONTH, catalog=catalog)
    assert ended.code == 0, ended.log
    for row in ended.of(ROWS):
        assert row.keys() == ended.schemas[ROWS][0]["properties"].keys()
        assert not {"description", "currency"} & row.keys()
        assert row["customer_id"] is None


def test_metadata_and_chosen_columns(stripe):
    columns = ["balance_transaction_id", "net", "payment_metadata[order_id]"]
    ended = stripe.sync({**MONTH, "columns": columns, "name": "few"})
    assert ended.code == 0, ended.log
    first = ended.of("stripe_few")[0]
    assert {"balance_transaction_id", "net", "payment_metadata_order_id"} <= set(first)
    assert "gross" not in first
    assert any(row["payment_metadata_order_id"] for row in ended.of("stripe_few"))
    assert "payment_metadata_order_id" in ended.schemas["stripe_few"][0]["properties"], "no second SCHEMA needed"


@pytest.mark.parametrize(("policy", "code"), [("add", 0), ("ignore", 0), ("fail", 1)])
def test_a_new_column(stripe, policy, code):
    stripe.control.options["stripe_extra_columns"] = {"Brand New": "x"}
    ended = stripe.sync(MONTH, on_new_column=policy)
    assert ended.code == code, ended.log
    known = [("brand_new" in schema["properties"]) for schema in ended.schemas[ROWS]]
    if policy == "add":
        assert known == [False, True]
        assert all("brand_new" in row for row in ended.of(ROWS))
    else:
        assert known == [False]
    if policy == "fail":
        assert "Brand New" in ended.log
        assert not ended.of(ROWS)


def test_a_type_whose_columns_nobody_knows_begins_with_its_keys(stripe):
    kind = "payout_reconciliation.itemized.7"
    assert not KNOWN[kind].get("columns"), "take another type, whose columns stand nowhere"
    ended = stripe.sync({"report_type": kind, "window": "month", "name": "new"})
    assert ended.code == 0, ended.log
    first, second = ended.schemas["stripe_new"]
    assert "row_number" in first["properties"]
    assert set(second["properties"]) > set(first["properties"])
    assert ended.of("stripe_new")


def test_the_file_comes_from_the_files_host_with_the_key_and_from_nowhere_else(stripe, tmp_path):
    keep = tmp_path / "kept"
    ended = stripe.sync(MONTH, storage_url=str(keep))
    assert ended.code == 0, ended.log
    seen = stripe.control.counters()["credentials"]
    assert set(seen) <= {"stripe_api", "stripe_files"}
    file = ended.of("report_files")[0]
    path = Path(file["uri"].removeprefix("file://"))
    data = path.read_bytes()
    assert (len(data), hashlib.sha256(data).hexdigest()) == (file["size"], file["sha256"])
    assert file["rows"] == len(ended.of(ROWS))
    assert keep in path.parents
    assert not list(keep.rglob(".*")), "nothing is left half-written"


@pytest.mark.parametrize(
    "fault",
    [
        {"cut": {"after": 5000, "framing": "chunked"}},
        {"cut": {"after": 5000, "framing": "close"}},
        {"cut": {"after": 5000, "framing": "length"}},
        {"cut": {"after": 0, "framing": "chunked"}},
        {"alter": {"drop_line": 5}},
        {"empty": True},
        {"html": True},
    ],
    ids=str,
)
def test_a_file_that_is_not_whole_moves_no_bookmark(stripe, fault):
    stripe.control.fault(fault, {"path": CONTENTS})
    ended = stripe.sync(MONTH)
    assert ended.code == 1
    assert ROWS in ended.log
    assert not ended.of(ROWS), "nothing of it was sent"
    entry = ended.state["bookmarks"][ROWS]["ledger"][0]
    assert "through" not in entry
    assert entry["open"], "the run itself is kept"
    stripe.control.clear_faults()
    again = stripe.sync(MONTH, state=ended.state)
    assert again.code == 0, again.log
    assert stripe.ordered() == 1
    assert again.of(ROWS)


def test_a_transfer_that_was_cut_once_is_repeated(stripe):
    stripe.control.fault({"cut": {"after": 5000, "framing": "chunked"}}, {"path": CONTENTS}, times=1)
    ended = stripe.sync(MONTH)
    assert ended.code == 0, ended.log
    assert ended.of(ROWS)


def test_a_row_of_another_width_ends_the_period_with_its_line(stripe):
    # The same number of bytes, one cell fewer: only the width can tell.
    stripe.control.fault({"alter": {"from": ',"charge",', "to": ';"charge",'}}, {"path": CONTENTS})
    ended = stripe.sync(MONTH)
    assert ended.code == 1
    assert "line " in ended.log
    assert "through" not in ended.state["bookmarks"][ROWS]["ledger"][0]


def test_a_shorter_second_reading_takes_the_surplus_back(stripe):
    report = {"report_type": SUMMARY, "window": "all", "name": "sum"}
    first = stripe.sync(report)
    stripe.control.options["stripe_drop_rows"] = 3
    stripe.control.advance(86400 / 2)
    second = stripe.sync(report, state=first.state)
    assert (first.code, second.code) == (0, 0), second.log
    before = len(first.of("stripe_sum"))
    gone = [row for row in second.of("stripe_sum") if row["_sdc_deleted_at"]]
    kept = [row for row in second.of("stripe_sum") if not row["_sdc_deleted_at"]]
    assert len(kept) + len(gone) >= before
    assert [row["row_number"] for row in gone] == list(range(len(kept) + 1, before + 1))
    assert all(row["net"] is None for row in gone)
    third = stripe.sync(report, state=second.state)
    assert third.of("stripe_sum") == []


def test_a_deselected_column_stays_out_and_none_is_added_uninvited(stripe):
    whole = stripe.sync(MONTH)
    stripe.control.options["stripe_extra_columns"] = {"Brand New": "x"}
    schema = whole.schemas[ROWS][0]
    metadata = [{"breadcrumb": [], "metadata": {"selected": True, "inclusion": "available"}}]
    metadata += [
        {"breadcrumb": ["properties", name], "metadata": {"selected": name != "customer_email"}}
        for name in schema["properties"]
    ]
    stream = {
        "tap_stream_id": ROWS,
        "stream": ROWS,
        "schema": schema,
        "key_properties": ["source", "account_id", "report_name", "period", "row_number"],
        "metadata": metadata,
    }
    stripe.control.options["stripe_extra_columns"] = {"Brand New": "x"}
    ended = stripe.sync(MONTH, catalog={"streams": [stream]}, reuse_runs_since="2026-11-20T23:00:00Z")
    assert ended.code == 0, ended.log
    assert ended.of(ROWS)
    assert not any("customer_email" in row or "brand_new" in row for row in ended.of(ROWS))
    told = [line for line in ended.log.splitlines() if f"{ROWS}: column 'Brand New' is new and is left out" in line]
    assert len(told) == 2, "at once, and at the end"


def test_a_column_that_nobody_knows_stays_known_and_is_null_once_it_is_gone(stripe):
    stripe.control.fault({"alter": {"from": '"description"', "to": '"descripti0n"'}}, {"path": CONTENTS})
    gone = {"allow_missing_columns": {ROWS: ["description", "descripti0n"]}}
    first = stripe.sync(MONTH, **gone)
    assert any(row["descripti0n"] for row in first.of(ROWS))
    stripe.control.clear_faults()
    more = {"start_date": "2026-09-01", **gone}
    again = stripe.sync({**MONTH, "window": "week", "name": "weeks"}, MONTH, state=first.state, **more)
    assert again.code == 0, again.log
    assert "descripti0n" in again.schemas[ROWS][0]["properties"], "from the first SCHEMA on"
    assert len(again.schemas[ROWS]) == 1
    assert again.of(ROWS)
    assert all(row["descripti0n"] is None for row in again.of(ROWS))
    assert all("descripti0n" not in row for row in again.of("stripe_weeks"))
    ignoring = stripe.sync(MONTH, state=first.state, on_new_column="ignore", **{**gone, "start_date": "2026-08-01"})
    assert "descripti0n" not in ignoring.schemas[ROWS][0]["properties"]


@pytest.mark.parametrize("columns", ["x", [1], [["A"]], [["A", "b"]], {"A": "a"}, None])
def test_a_state_with_damaged_columns_is_refused(stripe, columns):
    ended = stripe.sync(MONTH, state={"bookmarks": {ROWS: {"columns": columns}}})
    assert (ended.code, ended.messages) == (1, [])
    assert "holds damaged columns" in ended.log
