"""`billing-reports init`: asks, writes two files, overwrites nothing, shows no key."""

from __future__ import annotations

import json
import os
import stat

import pytest
from click.testing import CliRunner

from tap_billing_reports.cli import init
from tap_billing_reports.cli.main import main
from tap_billing_reports.singer.tap import TapBillingReports

KEY = "rk_live_51HnotARealKey0123"
STRIPE = {"TAP_BILLING_REPORTS_STRIPE_API_KEY": KEY, "TAP_BILLING_REPORTS_STRIPE_ACCOUNT_ID": "acct_1"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(init.PREFIX):
            monkeypatch.delenv(name)
    return tmp_path


def run(*arguments, answers="", **environment):
    return CliRunner().invoke(main, ["init", "--no-check", *arguments], input=answers, env=environment)


def tap():
    """The tap as the written files make it."""
    return TapBillingReports.opened(("config.json", "ENV"))


def test_what_a_person_says(folder):
    done = run(answers=f"stripe\n2026-03-01\n{KEY}\nacct_1\ny\n")
    assert done.exit_code == 0, done.output
    assert KEY not in done.output
    config = json.loads((folder / "config.json").read_text())
    assert config["start_date"] == "2026-03-01"
    assert config["stripe_account_id"] == "acct_1"
    assert config["warehouse"] == "duckdb:warehouse.duckdb"
    assert [entry["report_type"] for entry in config["stripe_reports"]] == [
        "balance_change_from_activity.itemized.3",
        "payouts.itemized.3",
        "payout_reconciliation.itemized.5",
        "balance.summary.1",
        "ending_balance_reconciliation.itemized.4",
    ]
    assert KEY not in (folder / "config.json").read_text()
    assert (folder / ".env").read_text() == f"TAP_BILLING_REPORTS_STRIPE_API_KEY={KEY}\n"
    assert stat.S_IMODE((folder / ".env").stat().st_mode) == 0o600
    assert tap().config["stripe_api_key"] == KEY
    assert [source.name for source in tap().active_sources()] == ["stripe"]


def test_a_warehouse_that_cannot_hold_the_views(folder):
    done = run("--vendor", "stripe", "--yes", "--into", "duckdb:billing.duckdb", **STRIPE)
    assert done.exit_code == 1
    assert "give the file another name" in done.output
    assert not list(folder.iterdir())


def test_yes_asks_nothing_and_writes_no_key_of_the_environment(folder):
    done = run("--vendor", "stripe", "--yes", **STRIPE)
    assert done.exit_code == 0, done.output
    assert not (folder / ".env").exists()
    assert "stripe_api_key" not in (folder / "config.json").read_text()
    only_here = f"in neither file, only in this shell: {', '.join(STRIPE)}; a sync by cron or systemd"
    assert only_here in done.output


def test_what_env_has_already_is_not_only_in_this_shell(folder):
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in STRIPE.items()))
    done = run("--vendor", "stripe", "--yes", **STRIPE)
    assert done.exit_code == 0, done.output
    assert "only in this shell" not in done.output


def test_yes_names_what_is_missing(folder):
    done = run("--vendor", "bring", "--vendor", "stripe", "--yes", **STRIPE)
    assert done.exit_code == 1
    assert "set the variable TAP_BILLING_REPORTS_BRING_API_UID, or leave out --yes" in done.output
    assert [*folder.iterdir()] == []


def test_nothing_is_overwritten_without_being_told(folder):
    (folder / "config.json").write_text("{}")
    done = run("--vendor", "stripe", "--yes", **STRIPE)
    assert done.exit_code == 1
    assert "config.json is there already" in done.output
    assert (folder / "config.json").read_text() == "{}"
    (folder / "config.json").unlink()
    (folder / ".env").write_text("OTHER=1\nTAP_BILLING_REPORTS_STRIPE_API_KEY=old\n")
    answers = f"2026-03-01\n{KEY}\nacct_1\ny\n"
    done = run("--vendor", "stripe", answers=answers)
    assert done.exit_code == 1
    assert ".env has TAP_BILLING_REPORTS_STRIPE_API_KEY already" in done.output
    assert not (folder / "config.json").exists()
    done = run("--vendor", "stripe", "--overwrite", answers=answers)
    assert done.exit_code == 0, done.output
    assert (folder / ".env").read_text() == f"OTHER=1\nTAP_BILLING_REPORTS_STRIPE_API_KEY={KEY}\n"


@pytest.mark.parametrize("key", ["it's", 'a "b" c', "a\\b", "#no-comment", "a$HOME", "\u00e5 b"])
def test_a_key_of_any_letters_is_read_back(folder, key):
    assert run("--vendor", "stripe", answers=f"2026-03-01\n{key}\nacct_1\nn\n").exit_code == 0
    assert tap().config["stripe_api_key"] == key


def test_a_password_of_the_warehouse_goes_into_the_environment(folder, monkeypatch):
    for name, value in STRIPE.items():
        monkeypatch.setenv(name, value)
    url = "postgresql://me:correct-horse@127.0.0.1/money"
    done = run("--vendor", "stripe", "--yes", "--into", url, **STRIPE)
    assert done.exit_code == 0, done.output
    assert "correct-horse" not in (folder / "config.json").read_text() + done.output
    assert tap().config["warehouse"] == url


def test_settings_that_are_wrong_are_named_and_nothing_is_written(folder):
    done = run("--vendor", "stripe", answers=f"1st of March\n{KEY}\nacct_1\ny\n")
    assert done.exit_code == 1
    assert "start_date" in done.output
    assert [*folder.iterdir()] == []
    assert "no such vendor; one of" in run("--vendor", "adyen", "--yes").output


def test_it_ends_with_check(folder, monkeypatch):
    seen = []

    def opened(config):
        seen.append(config)
        return _Stop()

    monkeypatch.setattr("tap_billing_reports.cli.main._tap", opened)
    CliRunner().invoke(main, ["init", "--vendor", "stripe", "--yes"], env=STRIPE)
    assert seen == [("config.json", "ENV")]


class _Stop:
    limits = None

    @property
    def session(self):
        raise SystemExit(0)
