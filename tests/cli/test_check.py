"""`billing-reports check` says what each credential can do, and does nothing but read."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from tap_billing_reports.sandbox.stripe import accounts as stripe_keys
from tests.cli.desk import DAILY


def lines(printed):
    """Source and account -> the rest of its line."""
    return dict(line.split(": ", 1) for line in printed.output.splitlines())


def test_all_is_well(desk):
    config = desk.config(DAILY, stripe_connected_accounts=["acct_sandbox_north"], storage_url=str(desk.folder / "kept"))
    printed = desk.command("check", config)
    found = lines(printed)
    assert printed.exit_code == 0, printed.output
    assert set(found) == {
        "stripe acct_sandbox", "stripe acct_sandbox_north", "bring 20000770011", "brp 1", "storage_url",
    }  # fmt: skip
    assert found["brp 1"] == "reachable ok; credentials ok; invoices ok", "BRP has no reports"
    for account in ("stripe acct_sandbox", "stripe acct_sandbox_north", "bring 20000770011"):
        assert found[account].startswith("reachable ok; credentials ok; invoices ok; reports ok; files not tried")


def test_it_only_reads_and_orders_nothing(desk):
    kept = desk.folder / "kept"
    desk.command("check", desk.config(DAILY, storage_url=str(kept)))
    assert desk.methods() == {"GET"}
    assert desk.orders() == 0
    assert not kept.exists()
    invoices = [entry for entry in desk.control.requests() if entry["path"] == "/v1/invoices"]
    assert [dict(parse_qsl(entry["query"]))["limit"] for entry in invoices] == ["1"]


def test_a_folder_that_takes_no_files_is_told(desk, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, _mode: path != desk.folder)
    printed = desk.command("check", desk.only("stripe", storage_url=str(desk.folder / "kept" / "here")))
    assert lines(printed)["storage_url"].startswith("readable ok; writable refused")
    assert printed.exit_code == 1


def test_settings_that_do_not_exist_are_noted(desk):
    printed = desk.command("check", desk.only("stripe", stripe_lookbak_days=3))
    assert "note: setting stripe_lookbak_days does not exist" in printed.output
    assert printed.exit_code == 0


def test_a_file_is_tried_where_a_run_has_one(desk):
    config = desk.only("stripe", DAILY)
    assert desk.sync(config).status == 0
    printed = desk.command("check", config)
    assert printed.exit_code == 0
    assert lines(printed)["stripe acct_sandbox"].endswith("files ok")
    assert [entry["host"] for entry in desk.control.requests() if "/contents" in entry["path"]] == ["stripe_files"]


@pytest.mark.parametrize(
    ("key", "part", "words"),
    [
        (stripe_keys.KEY_WITHOUT_INVOICES, "invoices", "rak_invoice_read"),
        (stripe_keys.KEY_WITHOUT_REPORTS, "reports", "rak_report_runs_and_report_types_read"),
        (stripe_keys.KEY_WITHOUT_FILES, "files", "rak_file_read"),
    ],
)
def test_a_missing_right_is_named_in_the_vendors_words_with_the_remedy(desk, key, part, words):
    desk.sync(desk.only("stripe", DAILY))
    printed = desk.command("check", desk.only("stripe", DAILY, stripe_api_key=key))
    assert printed.exit_code == 1
    line = lines(printed)["stripe acct_sandbox"]
    assert "reachable ok; credentials ok" in line
    refused = [found.strip().split(" ")[0] for found in line.split("->")[0].split(";") if " refused" in found]
    assert refused == [part]
    assert words in line
    assert "-> give the restricted key" in line
    assert key not in printed.output


@pytest.mark.parametrize("source", ["stripe", "bring", "brp"])
def test_wrong_credentials_are_refused_at_once_and_never_shown(desk, source):
    wrong = "not-a-credential-of-anybody"
    printed = desk.command("check", desk.only(source, DAILY, **{f"{source}_api_key": wrong}))
    assert printed.exit_code == 1
    (line,) = printed.output.splitlines()
    assert "reachable ok; credentials refused (" in line
    assert line.count("not tried") == (1 if source == "brp" else 3), "nothing else is asked with them"
    assert f"{source}_api_key" in line or "correct the credentials" in line
    assert wrong not in printed.output
    assert len(desk.control.requests()) == 1


def test_a_vendor_that_is_not_there(desk):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    printed = desk.command("check", desk.config(DAILY, stripe_api_url=f"http://127.0.0.1:{port}"))
    found = lines(printed)
    assert printed.exit_code == 1
    assert found["stripe acct_sandbox"].startswith("reachable failed (")
    assert "stripe_api_url" in found["stripe acct_sandbox"]
    assert found["brp 1"].startswith("reachable ok; credentials ok"), "the others are tried all the same"


def test_one_refused_account_stops_no_other(desk):
    config = desk.only("stripe", DAILY, stripe_connected_accounts=["acct_of_others", "acct_sandbox_north"])
    printed = desk.command("check", config)
    found = lines(printed)
    assert printed.exit_code == 1
    assert "invoices refused" in found["stripe acct_of_others"]
    assert "does not have access to account" in found["stripe acct_of_others"]
    assert found["stripe acct_sandbox_north"].startswith("reachable ok; credentials ok; invoices ok")


def test_a_report_type_that_the_account_has_not(desk):
    strange = {**DAILY, "report_type": "nothing.of_the_kind.1"}
    refused = desk.command("check", desk.only("stripe", strange))
    assert refused.exit_code == 1
    assert "reports refused" in refused.output
    assert "nothing.of_the_kind.1" in refused.output
    excused = desk.command("check", desk.only("stripe", {**strange, "optional": True}))
    assert excused.exit_code == 0, excused.output


def test_accounts_that_cannot_be_listed_are_one_line(desk):
    config = desk.only("bring", bring_api_key="not-a-credential-of-anybody")
    del config["bring_customers"]
    printed = desk.command("check", config)
    assert printed.exit_code == 1
    assert [line.split(":")[0] for line in printed.output.splitlines()] == [f"bring {config['bring_api_uid']}"]


def test_wrong_settings_are_one_line_each_without_a_value(desk):
    printed = desk.command("check", {"stripe_api_key": "sk_test_secret_secret", "start_date": "yesterday"})
    assert printed.exit_code == 1
    assert "setting start_date" in printed.output
    assert "sk_test_secret_secret" not in printed.output
    assert "Traceback" not in printed.output


def test_without_a_file_the_environment_is_read(desk, monkeypatch, tmp_path_factory):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    for name, value in desk.only("brp").items():
        monkeypatch.setenv(f"TAP_BILLING_REPORTS_{name.upper()}", ",".join(value) if isinstance(value, list) else value)
    from click.testing import CliRunner

    from tap_billing_reports.cli.main import main

    printed = CliRunner().invoke(main, ["check"])
    assert printed.exit_code == 0, printed.output
    # A config.json of the folder is read too, as `sync` does.
    Path("config.json").write_text("{")
    assert "config.json" in CliRunner().invoke(main, ["check"]).output
    assert printed.output.startswith("brp 1: reachable ok")
