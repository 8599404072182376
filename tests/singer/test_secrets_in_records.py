"""A vendor's echo of a secret in its data reaches no record, whichever stream and column it would stand in."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from tap_billing_reports.core.redaction import MASK
from tap_billing_reports.singer.tap import TapBillingReports

KEYS = {
    "stripe_api_key": "sk_test_51RecordsRecords+/=aVbNcMdLfPg",
    "bring_api_key": "5c1f0a52-7d1c-4f5e-9a53-5f0d5a3e1c77",
    "brp_api_key": "b7e1c9d4a2f84c3e9d5a6b7c8d9e0f12",
}
CONFIG = {
    **KEYS,
    "start_date": "2026-01-01",
    "stripe_account_id": "acct_1",
    "bring_api_uid": "somebody@firm.test",
    "bring_client_url": "https://firm.test",
    "brp_api_url": "https://brp.test/api",
    "brp_currency": "NOK",
}
STREAMS = (
    "accounts", "report_types", "invoices", "invoice_documents", "report_runs", "report_files", "reconciliations",
)  # fmt: skip


@pytest.fixture(scope="module")
def tap():
    return TapBillingReports(config=CONFIG)


@pytest.mark.parametrize("setting", KEYS)
@pytest.mark.parametrize("stream", STREAMS)
def test_no_column_of_any_stream(tap, stream, setting):
    key = KEYS[setting]
    echoes = [
        f"no such key {key}",
        f"https://x.test/?apikey={quote(key)}&page=2",
        quote(quote(key)),
        key[:-3],
        key[:14],
    ]
    streamed = tap.streams[stream]
    columns = list(streamed.schema["properties"])
    for echo in echoes:
        sent = streamed.complete({name: json.dumps({"link": echo}) for name in columns})
        assert list(sent) == columns
        for text in sent.values():
            assert key[:12] not in text
            assert MASK in json.loads(text)["link"]


def test_other_records_are_as_they_were(tap):
    record = {"run_id": "frr_1", "error": "sk_test_***77", "parameters": '{"a":1}'}
    sent = tap.streams["report_runs"].complete(record)
    assert {name: sent[name] for name in record} == record
