"""Shards: settings of one account, budgets, STATE by shard, the verdict on a run."""

from __future__ import annotations

import json
import os

import billing_shards
import pytest
from billing_shards import BUDGETS, ONLY, SOURCES, Shard, States

from tap_billing_reports.config.settings import all_settings, with_defaults
from tap_billing_reports.singer.tap import TapBillingReports
from tap_billing_reports.vendors.bring import BRING
from tap_billing_reports.vendors.brp import BRP
from tap_billing_reports.vendors.stripe import STRIPE
from tests.typed import some

BUILT_IN = (BRING, BRP, STRIPE)

SETTINGS = {
    "start_date": "2026-01-01",
    "storage_url": "s3://kept/",
    "stripe_api_key": "rk_1",
    "stripe_account_id": "acct_1",
    "stripe_connected_accounts": ["acct_2", "acct_3"],
    "bring_api_uid": "a@b.no",
    "bring_api_key": "k",
    "bring_client_url": "https://a.no",
    "bring_max_concurrent_runs": 12,
    "brp_api_url": "https://brp.example/api",
    "brp_api_key": "k",
    "brp_currency": "SEK",
}


def settings_of(source, account, at_once=1, **more):
    return billing_shards.of_shard({**SETTINGS, **more}, Shard(source, account), at_once=at_once)


def test_every_source_of_the_tap_can_be_sharded():
    assert set(SOURCES) == {source.name for source in BUILT_IN}
    known = {setting.name for setting in all_settings(BUILT_IN)}
    assert {name for source in SOURCES for name in ONLY[source](SETTINGS, "acct_2")} <= known


def test_the_budgets_are_the_taps_own():
    defaults = with_defaults({}, BUILT_IN)
    assert {s: defaults[f"{s}_max_concurrent_runs"] for s in BUDGETS} == BUDGETS


@pytest.mark.parametrize(
    ("source", "account", "expected"),
    [
        ("bring", "20000770011", [("bring", "20000770011")]),
        ("brp", "7", [("brp", "7")]),
        ("stripe", "acct_1", [("stripe", "acct_1")]),
        ("stripe", "acct_3", [("stripe", "acct_3")]),
    ],
)
def test_the_tap_reads_the_shards_account_and_no_other(source, account, expected):
    only = settings_of(source, account, storage_url="")
    tap = TapBillingReports(config=only)
    try:
        found = [(client.name, one.account_id) for client, one in tap.session.all_accounts()]
    finally:
        tap.session.close()
    assert found == expected
    assert "accounts" not in {name for name, stream in tap.streams.items() if stream.selected and _sent(tap, stream)}


def _sent(tap, stream):
    return "__NULL__" not in str((tap.config.get("stream_maps") or {}).get(stream.name))


def test_a_shard_holds_no_other_vendors_credentials():
    assert not [name for name in settings_of("brp", "7") if name.startswith(("stripe_", "bring_"))]


@pytest.mark.parametrize(("at_once", "budget"), [(1, 12), (4, 3), (5, 2), (50, 1)])
def test_the_credentials_budget_is_divided_among_those_that_run_at_once(at_once, budget):
    assert settings_of("bring", "1", at_once)["bring_max_concurrent_runs"] == budget


def test_without_a_setting_the_default_budget_is_divided():
    assert settings_of("stripe", "acct_2", 2)["stripe_max_concurrent_runs"] == 1
    assert "brp_max_concurrent_runs" not in settings_of("brp", "7", 2)


def test_each_shard_keeps_its_files_in_a_place_of_its_own():
    assert settings_of("stripe", "acct_2")["storage_url"] == "s3://kept/stripe-acct_2"
    assert "storage_url" not in billing_shards.for_listing(SETTINGS, "stripe")


def test_stream_maps_of_the_user_stay():
    maps = settings_of("brp", "7", stream_maps={"invoices": {"recipient": None}})["stream_maps"]
    assert maps == {"invoices": {"recipient": None}, "accounts": "__NULL__"}


def test_a_source_without_settings_has_none():
    left = {name: value for name, value in SETTINGS.items() if not name.startswith("brp_")}
    assert billing_shards.for_listing(left, "brp") == {}
    assert billing_shards.for_listing(left, "bring")["bring_api_key"] == "k"


def test_names_are_fit_for_files_and_differ():
    shards = [Shard("bring", text) for text in ("a/b", "a.b", "a_b", "../../etc", "ø")]
    names = {shard.name for shard in shards}
    assert len(names) == len(shards)
    assert not [name for name in names if "/" in name or "." in name]
    assert [Shard.of(shard.facts) for shard in shards] == shards


def test_shards_come_from_the_records_of_accounts_alone():
    def record(stream, source, account):
        return {"type": "RECORD", "stream": stream, "record": {"source": source, "account_id": account}}

    messages = [
        {"type": "SCHEMA", "stream": "accounts"},
        record("accounts", "bring", "2"),
        record("accounts", "bring", "1"),
        record("accounts", "bring", "2"),
        record("invoices", "bring", "9"),
        {"type": "STATE", "value": {}},
    ]
    lines = [json.dumps(message).encode() for message in messages]
    assert billing_shards.listed([*lines, b"\n"]) == [Shard("bring", "1"), Shard("bring", "2")]


def test_tables_are_made_from_the_catalog():
    catalog = TapBillingReports(config=SETTINGS).catalog_dict
    messages = [json.loads(line) for line in billing_shards.schema_messages(catalog).splitlines()]
    assert {m["stream"] for m in messages} == {s["tap_stream_id"] for s in catalog["streams"]}
    assert {m["type"] for m in messages} == {"SCHEMA"}
    assert all(set(m["key_properties"]) <= set(m["schema"]["properties"]) for m in messages)
    assert all(m["key_properties"] for m in messages)


def test_the_listing_selects_one_stream():
    catalog = TapBillingReports(config=SETTINGS).catalog_dict
    (chosen,) = billing_shards.selecting(catalog, "accounts")["streams"]
    assert chosen["tap_stream_id"] == "accounts"
    (root,) = (entry["metadata"] for entry in chosen["metadata"] if not entry["breadcrumb"])
    assert root["selected"] is True


# -- STATE ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("store", ["folder", "file", "memory"])
def test_a_state_is_kept_for_each_shard(store, tmp_path):
    url = {"folder": f"{tmp_path}/states", "file": f"file://{tmp_path}/states", "memory": f"memory:/{tmp_path}"}[store]
    states = States(url)
    one, other = Shard("bring", "1"), Shard("bring", "2")
    assert states.load(one) is None
    states.save(one, '{"bookmarks": {"a": 1}}')
    states.save(other, '{"bookmarks": {}}')
    states.save(one, '{"bookmarks": {"a": 2}}\n')
    assert json.loads(some(States(url).load(one))) == {"bookmarks": {"a": 2}}
    assert json.loads(some(States(url).load(other))) == {"bookmarks": {}}


@pytest.mark.parametrize("torn", ['{"bookmarks": {"a"', "[]", ""])
def test_a_torn_state_does_not_replace_a_whole_one(torn, tmp_path):
    states = States(str(tmp_path))
    shard = Shard("bring", "1")
    states.save(shard, '{"a": 1}')
    with pytest.raises(ValueError):
        states.save(shard, torn)
    assert states.load(shard) == '{"a": 1}'


def test_a_full_disk_leaves_the_earlier_state_and_no_rubbish(tmp_path, monkeypatch):
    states = States(str(tmp_path))
    shard = Shard("bring", "1")
    states.save(shard, '{"a": 1}')

    def full(_file):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        states.save(shard, '{"a": 2}')
    assert states.load(shard) == '{"a": 1}'
    assert [path.name for path in tmp_path.iterdir()] == ["bring-1.json"]


# -- the verdict ---------------------------------------------------------------------------------------

ONE, TWO = {"source": "bring", "account_id": "1"}, {"source": "bring", "account_id": "2"}


@pytest.mark.parametrize(
    ("shards", "done", "said"),
    [
        ({"bring": [ONE, TWO], "brp": []}, {"bring": [TWO, ONE], "brp": None}, []),
        ({"bring": [ONE, TWO]}, {"bring": [{**ONE, "seconds": 1.0}]}, ["bring 2: failed"]),
        ({"bring": [ONE, TWO]}, {"bring": None}, ["bring 1: failed", "bring 2: failed"]),
        ({"bring": None, "brp": []}, {"bring": None, "brp": []}, ["bring: its accounts could not be listed"]),
        ({"bring": [], "brp": []}, {"bring": None, "brp": None}, ["the settings name no account"]),
    ],
)
def test_what_is_wrong_with_a_run(shards, done, said):
    found = list(billing_shards.problems(shards, done))
    assert len(found) == len(said)
    assert all(line.startswith(start) for line, start in zip(found, said, strict=True))
