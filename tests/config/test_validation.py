"""Whatever is wrong with the settings is told in one line that names the setting, and never shows its value."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_billing_reports.config.settings import Settings, config_jsonschema, learn_secrets, with_defaults
from tap_billing_reports.config.validation import malformed, problems, unknown, unknown_types
from tap_billing_reports.core.redaction import Redactor
from tap_billing_reports.vendors import all_sources

SOURCES = all_sources()
SCHEMA = config_jsonschema(SOURCES)
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=timezone.utc)
CANARY = "CaNaRy-0123456789"

STRIPE = {"stripe_api_key": "sk_test_1", "stripe_account_id": "acct_1"}
WEEKLY = {"report_type": "b", "window": "week"}
BRING = {"bring_api_uid": "me@x.no", "bring_api_key": "k-1", "bring_client_url": "https://x.no"}
BRP = {"brp_api_url": "https://brp.example.test/api2", "brp_api_key": "k-2", "brp_currency": "SEK"}
ALL: dict[str, Any] = {"start_date": "2026-01-01", **STRIPE, **BRING, **BRP}


def check(**changed: Any) -> list[str]:
    """The problems of good settings with some changed; None takes one away."""
    values = {name: value for name, value in {**ALL, **changed}.items() if value is not None}
    found = problems(with_defaults(values, SOURCES), SOURCES, SCHEMA, NOW)
    assert all("\n" not in line for line in found)
    return found


def test_good_settings():
    assert check() == []
    assert check(**dict.fromkeys(BRING), **dict.fromkeys(BRP)) == []
    assert check(start_date="2026-01-01T00:00:00Z", end_date="2026-02-01T00:00:00.000+00:00") == []


@pytest.mark.parametrize("name", ["start_date", *STRIPE, *BRING, *BRP])
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_setting_is_named(name, value):
    (line,) = check(**{name: value})
    assert line.startswith(f"setting {name} is missing")


def test_nothing_at_all():
    assert problems({}, SOURCES, SCHEMA, NOW) == ["setting start_date is missing"]
    (line,) = problems(with_defaults({"start_date": "2026-01-01"}, SOURCES), SOURCES, SCHEMA, NOW)
    assert line.startswith("no source is configured: set stripe_api_key, stripe_account_id; or bring_api_uid")


WRONG: list[Any] = [
    CANARY,
    987654321987654321,
    98765.4321,
    True,
    [CANARY],
    [[CANARY]],
    [{CANARY: CANARY}],
    {CANARY: CANARY},
    {CANARY: [CANARY, 987654321987654321]},
    f"{CANARY}\n",
    f"https://{CANARY}@host/",
]


def shows_value(line: str) -> bool:
    return CANARY in line or "987654321" in line or "98765.4" in line


@pytest.mark.parametrize("name", sorted(SCHEMA["properties"]))
@pytest.mark.parametrize("wrong", range(len(WRONG)))
def test_no_value_of_a_wrong_type_is_shown(name, wrong):
    value = WRONG[wrong]
    if name in {"stripe_account_id", "brp_username"} and value == CANARY:
        return
    for line in (*check(**{name: value}), *malformed({name: value}, SOURCES, SCHEMA)):
        assert line.startswith("setting "), line
        assert name in line
        assert not shows_value(line)


REPORT_KEYS = {
    f"{source}_reports": sorted(SCHEMA["properties"][f"{source}_reports"]["items"]["properties"])
    for source in ("stripe", "bring")
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(CANARY) | st.just(""),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([CANARY, "a"]), inner, max_size=2),
    max_leaves=6,
)


@given(
    st.sampled_from([(setting, key) for setting, keys in REPORT_KEYS.items() for key in keys if key != "report_type"]),
    JSON,
)
@settings(max_examples=200)
def test_whatever_stands_in_a_report_is_refused_by_name_or_taken(place, value):
    setting, key = place
    report = {"report_type": "balance-summary" if "bring" in setting else "a.b.1", key: value}
    for line in check(storage_url="kept", **{setting: [report]}):
        assert line.startswith(f"setting {setting}"), line
        assert CANARY not in line


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"start_date": "yesterday"}, "setting start_date does not have the form that it needs: The first day to read"),
        ({"start_date": "2026-02-30"}, "no day or instant of the calendar"),
        ({"start_date": "2026-01-01T12:00:00Z"}, "setting start_date"),
        ({"start_date": "0001-01-01"}, "setting start_date must lie between the years 1970 and 2999"),
        ({"end_date": "9999-12-31"}, "setting end_date must lie between"),
        ({"reuse_runs_since": "0001-01-01T00:00+14:00"}, "setting reuse_runs_since must lie between"),
        ({"end_date": "2026-01-01"}, "setting end_date must be after start_date"),
        ({"end_date": "2025-12-31"}, "setting end_date must be after start_date"),
        ({"reuse_runs_since": "2026-11-22"}, "setting reuse_runs_since must not lie in the future"),
        ({"reuse_runs_since": "2026-13-01"}, "no day or instant of the calendar"),
        ({"on_mismatch": "shrug"}, "setting on_mismatch must be one of warn, fail"),
        ({"max_new_runs": 0}, "setting max_new_runs must be at least 1"),
        ({"stripe_lookback_days": 10**12}, "setting stripe_lookback_days must be at most 36500"),
        (
            {"bring_reports": [{"report_type": "x", "lookback_days": 10**9}]},
            "setting bring_reports[0].lookback_days must be at most 36500",
        ),
        ({"bring_language": "E"}, "setting bring_language"),
        ({"stripe_reports": [{"report_type": "a.1", "timezone": ""}]}, "[0].timezone must not be empty"),
        ({"brp_states": [1, "x"]}, "setting brp_states[1] must be a whole number"),
        ({"stripe_reports": [{}]}, "setting stripe_reports[0].report_type is missing"),
        (
            {"stripe_reports": [{"report_type": "a.1", "colums": []}]},
            "setting stripe_reports[0] has a key that is none of report_type, name, window",
        ),
        ({"stripe_reports": [{"report_type": "a.1", "name": "Upper"}]}, "setting stripe_reports[0].name must match"),
        ({"stripe_reports": [{"report_type": "a.1", "timezone": "Mars/Olympus"}]}, "no IANA time zone"),
        (
            {"stripe_reports": [{"report_type": "a.1"}, {"report_type": "a.1", "window": "month"}]},
            "setting stripe_reports: two reports would be the stream stripe_a_1: give one of them another name",
        ),
        (
            {"stripe_reports": [{"report_type": "a.1"}, {"report_type": "b.1", "name": "a_1"}]},
            "two reports would be the stream stripe_a_1",
        ),
        (
            {"bring_reports": [{"report_type": "x", "name": "invoice_lines"}]},
            "two reports would be the stream bring_invoice_lines",
        ),
        (
            {"stripe_reports": [{"report_type": "a" * 57 + ".1"}]},
            "setting stripe_reports: the report of type " + "a" * 57 + ".1 has no name that a stream can have",
        ),
        (
            {"stripe_reports": [{"report_type": "a.1", "extra_parameters": {"x": {"y": "canary"}}}]},
            "setting stripe_reports[0].extra_parameters must be a text or a whole number or true or false or a list",
        ),
        (
            {"stripe_reports": [{"report_type": "a.1", "extra_parameters": {"x": None}}]},
            "setting stripe_reports[0].extra_parameters must be a text or a whole number or true or false or a list",
        ),
        (
            {"stripe_reports": [{"report_type": "a.1", "extra_parameters": {"interval_end": "1795132800"}}]},
            "interval_start, interval_end, columns, payout have one",
        ),
        ({"stripe_reports": [{"report_type": "1.a"}]}, "has no name that a stream can have"),
        ({"brp_api_url": "http://brp.example.test"}, "setting brp_api_url must be an https URL"),
        ({"brp_api_url": "brp.example.test"}, "setting brp_api_url must be an https URL"),
        ({"brp_api_url": "https://[::1"}, "setting brp_api_url is no URL"),
        ({"stripe_files_url": "https://u:p@files.stripe.com"}, "setting stripe_files_url must be a URL of host and"),
        ({"stripe_api_key": "sk_test_1\n"}, "setting stripe_api_key begins or ends with a blank"),
        ({"stripe_api_key": " sk_test_1"}, "setting stripe_api_key begins or ends with a blank"),
        ({"bring_client_url": "https://x.no\r\nX: 1"}, "setting bring_client_url begins or ends with a blank"),
        ({"bring_customers": ["1\n2"]}, "setting bring_customers begins or ends with a blank"),
        ({"bring_customers": "1,2"}, "setting bring_customers must be a list"),
        ({"bring_invoice_documents": True}, "setting storage_url is missing"),
        (
            {"bring_reports": [{"report_type": "a"}, {**WEEKLY, "parameters": {"fromDate": "01.01.2026"}}]},
            "setting bring_reports[1].parameters has fromDate or toDate, which window sets: take them out",
        ),
        ({"bring_reports": [{**WEEKLY, "parameters": {"y": 1, "todate": "x"}}]}, "fromDate or toDate, which window"),
    ],
)
def test_each_mistake_has_its_line(changed, said):
    (line,) = check(**changed)
    assert said in line


@pytest.mark.parametrize(
    ("key", "said"),
    [("timezome", ": timezome; is timezone meant?"), ("colour_of_it", ": colour_of_it"), (CANARY, "include_partial")],
)
def test_a_misspelt_key_of_an_entry_is_named_and_the_nearest_suggested(key, said):
    (line,) = check(stripe_reports=[{"report_type": "a.1", key: []}])
    assert line.endswith(said)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("balance_change_from_activity.itemised.3", "balance_change_from_activity.itemized.3"),
        ("payout.itemized.3", "payouts.itemized.3"),
        ("payouts.itemized.3", None),
        ("payouts.itemized.99", None),
        ("something.else.1", None),
    ],
)
def test_a_report_type_that_is_nearly_a_known_one_is_told_of(written, meant):
    values = with_defaults({**ALL, "stripe_reports": [{"report_type": written}]}, SOURCES)
    found = list(unknown_types(values, [source for source in SOURCES if source.is_on(values)]))
    assert bool(found) == (meant is not None)
    assert all(line.endswith(f"no report type {written} is known: is {meant} meant?") for line in found)


def test_a_bring_report_without_a_window_has_dates_of_its_own():
    own = {"fromDate": "01.01.2026", "toDate": "31.01.2026"}
    assert not check(bring_reports=[{"report_type": "x", "parameters": own}, {**WEEKLY, "parameters": {"y": 1}}])


def test_several_mistakes_are_told_at_once():
    found = check(start_date="x", max_new_runs="many", stripe_api_key=None)
    assert len(found) == 2
    assert {line.split()[1] for line in found} == {"start_date", "max_new_runs"}


def test_discovery_asks_for_no_more_than_form():
    assert malformed({}, SOURCES, SCHEMA) == []
    assert malformed(with_defaults({"stripe_api_key": "sk"}, SOURCES), SOURCES, SCHEMA) == []
    (line,) = malformed(with_defaults({"stripe_reports": "[{"}, SOURCES), SOURCES, SCHEMA)
    assert line.startswith("setting stripe_reports must be a list; the given text is no JSON at line 1, column 3: look")


def test_loopback_may_be_http():
    for url in ("http://localhost:1234", "http://127.0.0.1:1", "http://[::1]:8080/api2/"):
        assert check(brp_api_url=url, stripe_api_url=url) == []
    assert check(brp_api_url="http://localhost.example.test") != []


def test_empty_texts_are_unset():
    values = with_defaults({"start_date": "", "max_new_runs": "", "stripe_reports": "", "fail_fast": None}, SOURCES)
    assert "start_date" not in values
    assert (values["max_new_runs"], values["stripe_reports"], values["fail_fast"]) == (60, [], False)
    empty = dict.fromkeys(SCHEMA["properties"], "")
    assert check(**{**empty, **ALL}) == []


def test_the_typed_form():
    typed = Settings.of(
        with_defaults({**ALL, "end_date": "2026-02-01", "reuse_runs_since": "2026-01-02 03:04+02:00"}, SOURCES)
    )
    assert (typed.start_date.isoformat(), str(typed.end_date)) == ("2026-01-01", "2026-02-01")
    assert typed.reuse_runs_since == datetime(2026, 1, 2, 1, 4, tzinfo=timezone.utc)
    assert typed.run_deadline_seconds == 180 * 60
    assert typed.storage_url is None
    assert "sk_test_1" not in repr(typed)
    day = Settings.of(with_defaults({**ALL, "reuse_runs_since": "2026-01-02"}, SOURCES)).reuse_runs_since
    assert day == datetime(2026, 1, 2, tzinfo=timezone.utc)


def test_every_secret_is_learnt(monkeypatch):
    mask = Redactor()
    monkeypatch.setattr("tap_billing_reports.config.settings.redact", mask)
    secrets = [setting.name for source in SOURCES for setting in source.settings if setting.secret]
    values: dict[str, Any] = {name: f"secret-of-{name}" for name in secrets}
    values["storage_options"] = {
        "key": "AKIA1234",
        "client_kwargs": {"endpoint_url": "https://s3.test", "x": ["in-list"]},
    }
    values["storage_url"] = "ftp://reader:p%40ssword@files.test/billing"
    learn_secrets(values, SOURCES)
    hidden = [*(values[name] for name in secrets), "AKIA1234", "in-list", "p%40ssword", "p@ssword", "reader:p%40ssword"]
    for secret in hidden:
        assert secret not in mask(f"an error about {secret}")
    assert mask("files.test and billing") == "files.test and billing"
    assert secrets == [
        "stripe_api_key",
        "bring_api_key",
        "brp_api_key",
        "brp_password",
        "vipps_client_secret",
        "vipps_subscription_key",
        "klarna_password",
    ]


@pytest.mark.parametrize("url", [None, 5, "s3://bucket/x", "https://[::1@x", "s3://key@bucket"])
def test_urls_without_a_password(url):
    learn_secrets({"storage_url": url}, SOURCES)


def test_the_schema_marks_secrets():
    marked = {name for name, schema in SCHEMA["properties"].items() if schema.get("secret")}
    assert marked == {
        "stripe_api_key",
        "bring_api_key",
        "brp_api_key",
        "brp_password",
        "vipps_client_secret",
        "vipps_subscription_key",
        "klarna_password",
        "storage_options",
    }


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("stripe_lookbak_days", "does not exist and has no effect: is stripe_lookback_days meant?"),
        ("xero_key", "setting xero_key does not exist and has no effect"),
    ],
)
def test_a_setting_that_does_not_exist_is_told_without_its_value(name, said):
    (line,) = unknown({**ALL, name: CANARY}, SCHEMA)
    assert line.endswith(said)
    assert CANARY not in line
    assert not list(unknown(with_defaults(ALL, SOURCES), SCHEMA))
