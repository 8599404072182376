"""examples/meltano as its user has it: copied, its `.env` filled in, installed, run twice, the views made."""

from __future__ import annotations

import shutil
import subprocess
from datetime import timedelta

import duckdb
import pytest
import yaml

from scripts import venvs
from scripts.demo.meltano import EXTRACTOR, Meltano, variable
from tests.forking import TAP, TARGET
from tests.meltano.project import NOW, called, forking_plugin

ROWS = "stripe_balance_change_from_activity_itemized_3"


def fill_in(root, settings):
    """What a user does: `.env` from its example; other settings under `config`."""
    left, lines = dict(settings), []
    places = {variable(EXTRACTOR, name): name for name in settings}
    for line in (root / ".env.example").read_text().splitlines():
        name, equals, _ = line.partition("=")
        if equals and name in places:
            lines.append(f"{name}={left.pop(places[name])}")
        else:
            lines.append(f"BILLING_REPORTS={venvs.ROOT}" if name == "BILLING_REPORTS" else line)
    (root / ".env").write_text("\n".join(lines) + "\n")
    project = yaml.safe_load((root / "meltano.yml").read_text())
    project["plugins"]["extractors"][0]["config"] |= left
    (root / "meltano.yml").write_text(yaml.safe_dump(project, sort_keys=False))


@pytest.fixture(scope="module")
def meltano(sandbox, forking_meltano, tmp_path_factory):
    """The copy, with its plugins installed; runs a command of Meltano's there."""
    sandbox.control.options["stripe_run_seconds"] = 0
    root = tmp_path_factory.mktemp("copied") / "my-billing"
    shutil.copytree(venvs.ROOT / "examples" / "meltano", root)
    given = sandbox.settings((NOW - timedelta(days=40)).date().isoformat())
    fill_in(root, {**given, "stripe_connected_accounts": []})
    environment = {
        name: text for name, text in Meltano(root, root, "", {}).environment().items() if not name.startswith("TARGET_")
    }
    environment["UV_CONSTRAINT"] = environment["PIP_CONSTRAINT"] = str(venvs.ROOT / "constraints.txt")

    def run(*arguments):
        return called(forking_meltano, root, environment, arguments)

    run("install")
    with forking_plugin(root, "extractors", TAP), forking_plugin(root, "loaders", TARGET):
        yield root, run


def test_it_loads_and_goes_on(meltano, sandbox):
    root, run = meltano

    def ordered():
        return sum(count["total"] for count in sandbox.control.counters()["orders"].values())

    run("run", "billing")
    before = ordered()
    assert before > 0
    with duckdb.connect(str(root / "warehouse.duckdb"), read_only=True) as warehouse:
        ((rows, kind),) = warehouse.execute(f"select count(*), any_value(typeof(net)) from billing.{ROWS}").fetchall()
        sources = {source for (source,) in warehouse.execute("select distinct source from billing.invoices").fetchall()}
    assert rows > 0
    assert kind == "DECIMAL(38,12)"
    assert sources == {"stripe", "brp"}
    run("run", "billing")
    assert ordered() == before, "STATE was kept"


def test_its_views_and_its_page(meltano):
    root, run = meltano
    said, _ = run("invoke", "target-billing-reports:views")
    assert "billing.close_checklist" in said.split()
    run("invoke", "target-billing-reports:page")
    assert "<html" in (root / "billing.html").read_text()


def test_its_schedule_runs_its_job(meltano):
    _, run = meltano
    said, _ = run("schedule", "list")
    assert "billing-daily" in said


def test_nothing_that_a_run_leaves_would_be_committed(meltano):
    root, _ = meltano
    subprocess.run(["git", "init", "-q", root], check=True)
    command = ["git", "-C", root, "status", "--porcelain", "--untracked-files=all"]
    seen = subprocess.run(command, capture_output=True, check=True, text=True).stdout.splitlines()
    there = {path.name for path in (venvs.ROOT / "examples" / "meltano").iterdir()}
    assert {line.removeprefix("?? ") for line in seen} <= there | {"meltano.db"}, "the database is this test's"
    assert (root / ".env").exists()
