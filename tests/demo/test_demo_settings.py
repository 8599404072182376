"""The demo's settings and the environment that Meltano runs in."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

from scripts.demo.meltano import Meltano, as_variable
from scripts.demo.settings import demo_settings
from tap_billing_reports.sandbox.core import Sandbox
from tap_billing_reports.sandbox.stripe.accounts import LARGE_AMOUNTS


def test_settings_start_days_ago_and_keep_what_the_sandbox_says():
    sandbox = {"stripe_api_key": "k", "start_date": "2000-01-01", "stripe_connected_accounts": ["a", "b"]}
    settings = demo_settings(sandbox, today=date(2026, 3, 11), days=10)
    assert settings["start_date"] == "2026-03-01"
    assert settings["stripe_api_key"] == "k"
    assert settings["stripe_connected_accounts"] == ["a"]
    # Without a period that is read again the second sync would bring report rows at the turn of a month only.
    assert "all" in {report["window"] for report in settings["stripe_reports"]}


def test_accounts_with_amounts_of_twenty_digits_are_left_out():
    """They would be the whole of every sum that a person looks at."""
    with Sandbox(vendors=("stripe", "bring", "brp")) as sandbox:
        settings = json.dumps(demo_settings(sandbox.settings(), today=date(2026, 3, 11)))
        # Settings that name no customers or companies load those that the vendor lists.
        totals = sandbox.control.totals(json.loads(settings))
    assert LARGE_AMOUNTS.id not in settings
    invoiced = [totals["invoices"][source]["sums"]["total_amount"] for source in ("stripe", "bring", "brp")]
    assert all(abs(Decimal(amount)) < Decimal("1e9") for amount in invoiced)


def test_values_become_what_meltano_parses():
    assert as_variable("plain text") == "plain text"
    assert json.loads(as_variable(True)) is True
    assert json.loads(as_variable([{"window": "day"}])) == [{"window": "day"}]


def test_the_environment_holds_the_demo_and_nothing_of_the_users(tmp_path):
    inherited = {
        "PATH": "/bin",
        "NO_PROXY": "example.org",
        "TAP_BILLING_REPORTS_STRIPE_API_KEY": "of the user",
        "TAP_BILLING_REPORTS_STORAGE_URL": "of the user",
        "TARGET_BILLING_REPORTS_URL": "of the user",
        "MELTANO_ENVIRONMENT": "prod",
    }
    meltano = Meltano(
        root=tmp_path,
        folder=tmp_path,
        url="duckdb:demo.duckdb",
        settings={"stripe_api_key": "of the sandbox", "brp_company_ids": ["1"]},
        inherited=inherited,
    )
    env = meltano.environment()
    assert "of the user" not in env.values()
    assert env["PATH"] == "/bin"
    assert env["NO_PROXY"] == "example.org,127.0.0.1,localhost"
    assert env["TAP_BILLING_REPORTS_STRIPE_API_KEY"] == "of the sandbox"
    assert env["TAP_BILLING_REPORTS_BRP_COMPANY_IDS"] == '["1"]'
    assert env["TARGET_BILLING_REPORTS_URL"] == "duckdb:demo.duckdb"
    assert env["MELTANO_DATABASE_URI"] == f"sqlite:///{tmp_path / 'meltano.db'}"
    assert env["MELTANO_SEND_ANONYMOUS_USAGE_STATS"] == "false"
    assert "MELTANO_ENVIRONMENT" not in env
