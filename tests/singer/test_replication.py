"""A catalogue that asks for another way to read a stream, or for other keys, is refused before anything is sent."""

from __future__ import annotations

import json

import pytest

from tap_billing_reports.singer.tap import TapBillingReports
from tests.running import run_tap
from tests.singer.test_secrets_in_records import CONFIG

INCREMENTAL = ("invoices", "invoice_documents", "report_runs", "report_files", "reconciliations", "stripe_daily")
WHOLE = ("accounts", "report_types")
SETTINGS = {**CONFIG, "stripe_reports": [{"name": "daily", "report_type": "payouts.itemized.3"}]}


def asking(stream, *, top=None, root=None):
    catalog = json.loads(json.dumps(TapBillingReports(config=SETTINGS).catalog_dict))
    (entry,) = [entry for entry in catalog["streams"] if entry["tap_stream_id"] == stream]
    (metadata,) = [part["metadata"] for part in entry["metadata"] if not part["breadcrumb"]]
    metadata.update(root or {})
    for name, value in (top or {}).items():
        if value is None:
            del entry[name]
        else:
            entry[name] = value
    return catalog


def refusal(catalog):
    done = run_tap(SETTINGS, catalog=catalog)
    assert done.status == 1
    assert done.messages == []
    (line,) = [line for line in done.log.splitlines() if "failed: " in line]
    return line


METHODS = [(stream, method) for stream in INCREMENTAL for method in ("FULL_TABLE", "LOG_BASED", "full_table")]
METHODS += [(stream, method) for stream in WHOLE for method in ("INCREMENTAL", "LOG_BASED")]


@pytest.mark.parametrize("name", ["replication_method", "replication-method", "forced-replication-method"])
@pytest.mark.parametrize(("stream", "method"), METHODS)
def test_another_method(stream, method, name):
    place = {"top": {name: method}} if "_" in name else {"root": {name: method}}
    line = refusal(asking(stream, **place))
    assert f"asks for the replication method {method} of {stream}, which has" in line
    assert ("--full-refresh" in line) == (method == "FULL_TABLE")


@pytest.mark.parametrize("stream", INCREMENTAL + WHOLE)
@pytest.mark.parametrize(
    "place", [{"top": {"replication_key": "status"}}, {"root": {"replication-key": "status"}}], ids=["top", "metadata"]
)
def test_another_replication_key(stream, place):
    assert f"asks for the replication key status of {stream}, which has" in refusal(asking(stream, **place))


@pytest.mark.parametrize("stream", INCREMENTAL + WHOLE)
@pytest.mark.parametrize(
    "place",
    [{"top": {"key_properties": ["source"]}}, {"root": {"table-key-properties": ["source"]}}],
    ids=["top", "metadata"],
)
def test_another_key(stream, place):
    assert f"asks for the key source of {stream}, which has" in refusal(asking(stream, **place))


@pytest.mark.parametrize("stream", INCREMENTAL + WHOLE)
def test_the_own_ones_in_any_place(stream):
    own = TapBillingReports(config=SETTINGS).streams[stream]
    root = {"replication-method": own.replication_method, "forced-replication-method": own.replication_method}
    tap = TapBillingReports(config=SETTINGS, catalog=asking(stream, root=root))
    assert _facts(tap.streams[stream]) == _facts(own)


@pytest.mark.parametrize("stream", INCREMENTAL + WHOLE)
def test_a_catalogue_that_says_nothing_of_them(stream):
    """Without a key a target would append what it should write over."""
    own = TapBillingReports(config=SETTINGS).streams[stream]
    catalog = asking(stream)
    for entry in catalog["streams"]:
        for name in ("key_properties", "replication_key", "replication_method"):
            entry.pop(name, None)
        for part in entry["metadata"]:
            for name in ("table-key-properties", "replication-key", "forced-replication-method"):
                part["metadata"].pop(name, None)
    assert _facts(TapBillingReports(config=SETTINGS, catalog=catalog).streams[stream]) == _facts(own)


def test_a_stream_that_is_not_selected_may_ask_for_anything():
    from tap_billing_reports.singer.selection import check_selection

    catalog = asking("invoices", root={"replication-method": "FULL_TABLE", "selected": False})
    check_selection(TapBillingReports(config=SETTINGS, catalog=catalog))


def _facts(stream):
    return tuple(stream.primary_keys), stream.replication_key, stream.replication_method
