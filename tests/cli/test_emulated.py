"""`billing-reports sandbox` writes settings to sync with, and lets a day pass."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tap_billing_reports.cli import emulated, init
from tap_billing_reports.cli.main import main
from tap_billing_reports.core.errors import ConfigError
from tap_billing_reports.sandbox.core import Sandbox


@pytest.fixture(scope="module")
def box():
    with Sandbox(vendors=["brp"]) as sandbox:
        yield sandbox


def test_a_day_passes(box, tmp_path):
    ready = tmp_path / "ready.json"
    ready.write_text(json.dumps({"urls": box.urls}))
    before = box.control.now()
    done = CliRunner().invoke(main, ["sandbox", "--next-day", str(ready)])
    assert done.exit_code == 0, done.output
    assert re.fullmatch(r"a day has passed: the vendors' clock shows \d{4}-\d\d-\d\d \d\d:\d\d UTC\n", done.output)
    assert (box.control.now() - before).days == 1


def test_a_file_that_is_not_of_emulated_vendors_and_vendors_that_are_gone_are_named(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "old.json").write_text(json.dumps({"urls": {"control": "http://127.0.0.1:9"}}))
    for name, said in (("config.json", "--ready-file` has written"), ("old.json", "start them again")):
        done = CliRunner().invoke(main, ["sandbox", "--next-day", str(tmp_path / name)])
        assert done.exit_code == 1
        assert said in " ".join(done.output.split())


@pytest.mark.parametrize(
    ("asked", "served"),
    [
        ((), ("stripe", "bring", "brp", "vipps", "klarna")),
        (("--vendor", "klarna", "--vendor", "vipps"), ("klarna", "vipps")),
    ],
)
def test_the_vendors_that_are_asked_for_are_emulated(monkeypatch, tmp_path, asked, served):
    given: dict[str, Any] = {}
    monkeypatch.setattr("tap_billing_reports.sandbox.server.serve", given.update)
    done = CliRunner().invoke(main, ["sandbox", "--config-file", str(tmp_path / "config.json"), *asked])
    assert done.exit_code == 0, done.output
    assert given["vendors"] == served
    assert all(name.startswith(served) for name in given["suggested"])
    assert bool(given["suggested"]) is ("stripe" in served)


def test_a_vendor_that_is_not_emulated_is_named():
    done = CliRunner().invoke(main, ["sandbox", "--vendor", "acme"])
    assert done.exit_code == 1
    assert "--vendor acme: the emulated ones are stripe, bring, brp, vipps, klarna" in " ".join(done.output.split())


def test_settings_of_real_vendors_are_not_replaced(tmp_path):
    path = tmp_path / "config.json"
    emulated.check_replaceable(path)
    path.write_text(json.dumps({"stripe_api_url": "http://127.0.0.1:3333", "stripe_api_key": "x"}))
    emulated.check_replaceable(path)
    real = {"stripe_api_key": "rk_live_x", "bring_client_url": "https://shop.example"}
    path.write_text(json.dumps(real))
    done = CliRunner().invoke(main, ["sandbox", "--config-file", str(path)])
    assert done.exit_code == 1
    assert "name another file" in done.output
    assert json.loads(path.read_text()) == real


def test_the_suggested_reports_are_those_of_init():
    assert [entry["report_type"] for entry in init.suggested()["stripe_reports"]] == [
        "balance_change_from_activity.itemized.3",
        "payouts.itemized.3",
        "payout_reconciliation.itemized.5",
        "balance.summary.1",
        "ending_balance_reconciliation.itemized.4",
    ]
    with pytest.raises(ConfigError, match="cannot be read"):
        emulated.next_day(Path("/nowhere/ready.json"))
