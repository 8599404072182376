"""The whole demo, emulated vendors to warehouse, with a line left out: it must not pass for equal.

Slow beside its neighbours (it makes Meltano's environment when that is not there yet), so it runs once.
"""

from __future__ import annotations

import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from scripts.demo.warehouse import DuckDb, Held
from tests.waiting import HANG_SECONDS

ROOT = Path(__file__).resolve().parents[2]
NAME = "demo-broken"
LOADER_PYTHON = ROOT / ".meltano" / "loaders" / "target-billing-reports" / "venv" / "bin" / "python"


@pytest.fixture(scope="module")
def broken_demo():
    subprocess.run([sys.executable, "scripts/venvs.py", "meltano"], cwd=ROOT, check=True)
    command = [sys.executable, "-m", "scripts.demo", "--break", "--days", "10", "--name", NAME]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=HANG_SECONDS)


def processes_of_the_demo():
    """The sandbox has its ready file on its command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace")
        except OSError:
            continue  # it has just ended
        if f"output/{NAME}/" in words:
            found.append(words)
    return found


def test_a_line_left_out_is_noticed(broken_demo):
    said = broken_demo.stdout
    assert broken_demo.returncode == 1, said + broken_demo.stderr
    assert "Sync 1: exit status 0" in said
    assert re.search(r"^stripe_activity_to_date +stripe +rows .* DIFFERS$", said, re.MULTILINE), said
    assert re.search(r"^invoices +stripe +total_amount .* ok$", said, re.MULTILINE), said
    assert re.search(r"^accounts +stripe +rows .* ok$", said, re.MULTILINE), said
    assert re.search(r"^demo: \d+ of \d+ control totals differ$", said, re.MULTILINE), said
    assert "proves nothing" not in said
    assert not processes_of_the_demo()


@pytest.fixture
def warehouse(broken_demo, tmp_path):
    def loaded(*amounts):
        database = tmp_path / "exact.duckdb"
        rows = [("stripe", amount, None) for amount in amounts]
        program = (
            "import duckdb\n"
            f"with duckdb.connect({str(database)!r}) as connection:\n"
            "    connection.execute('CREATE SCHEMA billing')\n"
            "    connection.execute('CREATE TABLE billing.charges"
            " (source VARCHAR, amount VARCHAR, _sdc_deleted_at TIMESTAMP)')\n"
            f"    connection.executemany('INSERT INTO billing.charges VALUES (?, ?, ?)', {rows!r})\n"
            "    connection.execute(\"INSERT INTO billing.charges VALUES ('stripe', '9', '2026-01-01')\")\n"
        )
        subprocess.run([str(LOADER_PYTHON), "-c", program], check=True)
        return DuckDb(database, LOADER_PYTHON, "billing")

    return loaded


def test_sums_in_the_warehouse_are_exact_and_leave_deleted_rows_out(warehouse):
    charges = warehouse("12345678901234567890.123", "-0.003", "1e0", None)
    assert charges.columns() == {"charges": ["source", "amount", "_sdc_deleted_at"]}
    assert charges.held("charges", ["amount"]) == {"stripe": Held(4, {"amount": Decimal("12345678901234567891.120")})}
    assert charges.row_counts() == {"charges": 4}


def test_a_fraction_that_the_sum_would_round_is_an_error(warehouse):
    with pytest.raises(RuntimeError, match="amount: too many digits"):
        warehouse("0.0000000000001").held("charges", ["amount"])
