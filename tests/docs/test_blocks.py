"""Every `sh` block of README and docs runs as it stands there, page by page, against the emulated vendors.

A block that cannot run here is marked: a comment right before it says why, or it is one of the project's long verbs,
which are listed below. At most eight are.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from tap_billing_reports.sandbox.core import Sandbox
from tests.docs.pages import PAGES, ROOT
from tests.forking import COMMAND, TAP, Program, forking
from tests.waiting import HANG_SECONDS

LONG = {
    "make demo": "minutes; makes environments from the package registry",
    "make test": "runs this test",
    "make targets": "minutes; makes environments from the package registry",
    "make faults": "up to 40 minutes",
    "make bench": "minutes, and its figures are worth nothing beside other tests",
    "make airflow": "minutes; makes environments from the package registry",
    "make airflow-celery": "minutes; makes environments from the package registry",
}
MOST_MARKED = 9
# Pages whose blocks a test of their own runs, one by one.
ELSEWHERE = {"docs/operations.md": "tests/cli/test_operations.py"}
REPORTS = ("stripe_balance_change_from_activity_itemized_3", "stripe_payouts_itemized_3")

BLOCK = re.compile(r"(?:^<!-- not run: (?P<why>.+?) -->\n+)?^```sh\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)


def reason(why, code):
    """Why a block is not run, None for one that is."""
    commands = [line.partition("#")[0].strip() for line in code.splitlines() if line.partition("#")[0].strip()]
    if why is None and commands and all(command in LONG for command in commands):
        return LONG[commands[0]]
    return why


FOUND = [
    (page, found["code"], reason(found["why"], found["code"]))
    for page in PAGES
    for found in BLOCK.finditer(page.read_text())
]


def named(page):
    return page.relative_to(ROOT).as_posix()


RUN = {page: [code for other, code, why in FOUND if other is page and why is None] for page in PAGES}


def test_few_blocks_are_not_run():
    marked = [(page.name, code) for page, code, why in FOUND if why is not None]
    assert len(marked) <= MOST_MARKED, marked
    assert sum(map(len, RUN.values())) > len(marked)
    for page, test in ELSEWHERE.items():
        assert 'blocks(PAGE, "sh")' in (ROOT / test).read_text(), page


def test_no_block_of_commands_hides_under_another_name():
    others = {"bash", "shell", "console", "zsh", "terminal", "sh-session"}
    for page in PAGES:
        assert not others & set(re.findall(r"^```([\w-]+)", page.read_text(), re.MULTILINE)), page.name


# No three vendors more where README has shown all: each day of a ledger is two calls.
OF_ORDERS = "stripe bring brp"


@pytest.fixture(scope="module")
def vendors():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def commands(tmp_path_factory):
    """A folder with the commands of an installed tap, and a target that hands STATE back and stores nothing."""
    folder = tmp_path_factory.mktemp("bin")
    target = (
        "import json, sys\n"
        "assert json.load(open(sys.argv[sys.argv.index('--config') + 1])) == {}\n"
        "messages = map(json.loads, sys.stdin)\n"
        "[print(json.dumps(m['value'])) for m in messages if m['type'] == 'STATE']\n"
    )
    (folder / "target.py").write_text(target)
    for name, arguments in {"python3": "", "target-postgres": f'"{folder}/target.py"'}.items():
        (folder / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n')
        (folder / name).chmod(0o755)
    with forking("tests.warm", "tests.docs.command") as warm:
        warm.put(TAP, folder)
        warm.put(Program(COMMAND.name, "tests.docs.command:main"), folder)
        yield folder


def past_month():
    """The first day of the month before last: whatever the hour, the vendors have all of it."""
    day = datetime.now(timezone.utc).date()
    for _ in range(2):
        day = day.replace(day=1) - timedelta(days=1)
    return day.replace(day=1)


@pytest.fixture
def prepared(vendors, tmp_path):
    """The files that a reader of the pages has by then: settings, a STATE, a target's settings."""
    start = (datetime.now(timezone.utc) - timedelta(days=40)).date().isoformat()
    settings = vendors.settings(start_date=start) | {
        "stripe_connected_accounts": [],
        "bring_customers": ["20000770011"],
        "stripe_reports": [{"report_type": "payouts.itemized.3", "name": "payouts", "window": "month"}],
    }
    month = past_month()
    for name, content in {
        "config.json": settings,
        "rerun.json": {
            "start_date": month.isoformat(),
            "end_date": (month + timedelta(days=31)).replace(day=1).isoformat(),
            "reuse_runs_since": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        },
        "state.json": {"bookmarks": {}},
        "target.json": {},
    }.items():
        (tmp_path / name).write_text(json.dumps(content))
    return tmp_path


def script(blocks):
    """One shell for a page: what an earlier block has started or made is there for a later one."""
    return "".join(f"echo 'block {number}' >&2\n{block}\n" for number, block in enumerate(blocks))


@pytest.mark.parametrize("page", [page for page in PAGES if RUN[page] and named(page) not in ELSEWHERE], ids=named)
def test_the_blocks_of_a_page(page, commands, prepared):
    assert shutil.which("bash")
    env = dict(os.environ)
    # A temporary folder of the page's own: a sync removes what killed ones have left there.
    (prepared / "temporary").mkdir()
    env |= {"PATH": f"{commands}:{env['PATH']}", "PYTHONPATH": str(ROOT), "TMPDIR": str(prepared / "temporary")}
    env |= {"NO_COLOR": "1"} | ({} if named(page) == "README.md" else {"EMULATED": OF_ORDERS})
    log = prepared / "said.txt"
    # Into a file: what a block leaves running would keep a pipe open.
    with log.open("w") as output, subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", script(RUN[page])],
        cwd=prepared, env=env, stdout=output, stderr=output, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            process.wait(HANG_SECONDS)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
    said = log.read_text()
    assert process.returncode == 0, said[-3000:]
    CHECKS.get(named(page), lambda _folder, _said: None)(prepared, said)


# -- what the pages say comes of it --------------------------------------------------------------------


def messages(folder, name):
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def records(folder, name):
    found: dict[str, list[dict[str, Any]]] = {}
    for message in messages(folder, name):
        if message["type"] == "RECORD":
            found.setdefault(message["stream"], []).append(message["record"])
    return found


def asked(folder, sql):
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def of_singer(folder, _said):
    streams = {entry["tap_stream_id"] for entry in json.loads((folder / "catalog.json").read_text())["streams"]}
    assert {"accounts", "invoices", "bring_invoice_lines", "stripe_payouts"} <= streams
    # Piped into the target: what it handed back last is the next STATE.
    states = [json.loads(line) for line in (folder / "states.jsonl").read_text().splitlines()]
    assert json.loads((folder / "state.json").read_text()) == states[-1]
    assert states[-1]["bookmarks"]["bring_invoice_lines"]["ledger"]
    found = records(folder, "messages.jsonl")
    assert {"accounts", "invoices", "bring_invoice_lines", "report_runs", "report_files"} <= set(found)
    assert messages(folder, "messages.jsonl")[-1]["type"] == "STATE"


def loaded_twice(said):
    """The rows of the two syncs, by stream."""
    both = re.findall(r"loaded rows: (.*?); commits", said)
    assert len(both) == 2, said[-3000:]
    return [{name: int(count) for name, count in re.findall(r"(\w+) (\d+)", line)} for line in both]


def of_readme(folder, said):
    first, second = loaded_twice(said)
    assert {"accounts", "invoices", "bring_invoice_lines", "vipps_funds", "klarna_payouts", *REPORTS} <= set(first)
    # The day that has passed has brought something; what was there stays and is not loaded again.
    assert second["invoices"] >= 1
    assert second.get("bring_invoice_lines", 0) < first["bring_invoice_lines"]
    assert "not_checked" in said
    assert (folder / "billing.html").read_text().startswith("<!doctype html>")


def of_quick_start(folder, said):
    loaded_twice(said)
    assert re.search(r"order \d+", said)
    sums = asked(folder, f"select currency, sum(net) from billing.{REPORTS[0]} group by currency order by currency")
    shown = re.findall(r"^([A-Z]{3}) +(-?[\d.]+)$", said, re.MULTILINE)
    # The second sync has perhaps added to the present month; whole months alone are read.
    assert [(name, Decimal(net)) for name, net in shown] == [(name, net.normalize()) for name, net in sums]


def of_privacy(folder, _said):
    found = messages(folder, "messages.jsonl")
    gone = {"recipient", "source_record", "receiver_name", "cust_po_number"}
    streams = {message["stream"] for message in found if message["type"] == "RECORD"}
    assert {"invoices", "bring_invoice_lines"} <= streams
    for message in found:
        if message["type"] == "RECORD":
            assert not gone & set(message["record"])
        elif message["type"] == "SCHEMA":
            assert not gone & set(message["schema"]["properties"])


def of_backfill(folder, said):
    assert re.search(r"^stripe_payouts +acct_sandbox +(?:order|adopt) +[1-9]", said, re.MULTILINE)
    runs = [run for run in records(folder, "rerun.jsonl")["report_runs"] if run["report_name"] == "payouts"]
    assert {run["period"][:10] for run in runs} == {past_month().isoformat()}
    assert records(folder, "rerun.jsonl")["stripe_payouts"]


CHECKS = {
    "README.md": of_readme,
    "docs/singer.md": of_singer,
    "docs/quick-start.md": of_quick_start,
    "docs/privacy.md": of_privacy,
    "docs/backfill.md": of_backfill,
}
