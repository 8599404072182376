"""`billing-reports query`, and which warehouse a command means that is not told."""

from __future__ import annotations

import json
import os
from datetime import date
from decimal import Decimal

import duckdb
import pytest
from click.testing import CliRunner

from tap_billing_reports.cli.main import main
from tap_billing_reports.cli.query import cell, table


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a warehouse of one table."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("TAP_BILLING_REPORTS_", "BILLING_REPORTS_"))]:
        monkeypatch.delenv(name)
    with duckdb.connect("some.duckdb") as connection:
        connection.execute("create schema billing")
        connection.execute("create table billing.t as select 'NOK' as currency, 12.5::decimal(38, 12) as total")
    return tmp_path


def ask(*arguments, **environment):
    return CliRunner().invoke(main, ["query", *arguments], env=environment)


def test_the_rows_are_shown_as_a_table(folder):
    done = ask("select * from billing.t", "--in", "duckdb:some.duckdb")
    assert done.exit_code == 0, done.output
    assert done.output == "currency  total\nNOK       12.50\n(1 row)\n"


def test_nothing_can_be_changed(folder):
    done = ask("drop table billing.t", "--in", "duckdb:some.duckdb")
    assert done.exit_code == 1
    assert "read-only" in done.output
    assert ask("select count(*) from billing.t", "--in", "duckdb:some.duckdb").exit_code == 0


def test_a_query_that_the_database_refuses_is_one_message(folder):
    done = ask("select nothing from billing.t", "--in", "duckdb:some.duckdb")
    assert done.exit_code == 1
    assert done.output.startswith("Error: warehouse duckdb:some.duckdb: ")


@pytest.mark.parametrize("command", ["query", "views", "page", "state"])
def test_a_command_that_is_not_told_takes_the_warehouse_of_the_folder(folder, command):
    words = {"query": ["query", "select 1"], "views": ["views"], "page": ["page"], "state": ["state", "show"]}[command]
    refused = CliRunner().invoke(main, words)
    assert refused.exit_code == 1
    assert "no warehouse is named" in refused.output
    (folder / "config.json").write_text(json.dumps({"warehouse": "duckdb:of-config.duckdb"}))
    assert "of-config.duckdb" in CliRunner().invoke(main, words).output
    told = {"TAP_BILLING_REPORTS_WAREHOUSE": "duckdb:of-environment.duckdb"}
    assert "of-environment.duckdb" in CliRunner().invoke(main, words, env=told).output
    (folder / ".env").write_text("TAP_BILLING_REPORTS_WAREHOUSE=duckdb:of-env-file.duckdb\n")
    assert "of-env-file.duckdb" in CliRunner().invoke(main, words).output


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Decimal("0.100000000000"), "0.10"),
        (Decimal("-12.345600000000"), "-12.3456"),
        (Decimal(393960), "393960"),
        (Decimal("1E+3"), "1000"),
        (None, ""),
        (date(2026, 11, 20), "2026-11-20"),
        ("two\nlines \x1b[31mred", "two lines  [31mred"),
    ],
)
def test_a_cell_is_one_line_with_all_digits(value, shown):
    assert cell(value) == shown


def test_numbers_stand_to_the_right_and_no_rows_are_a_line_of_names():
    assert list(table(("a", "amount"), [("x", Decimal("1.50")), ("y", None)])) == ["a  amount", "x    1.50", "y"]
    assert list(table(("a", "b"), [])) == ["a  b"]
