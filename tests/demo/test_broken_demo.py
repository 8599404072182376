"""The demo, emulated vendors to warehouse, with a line left out: it must not pass for equal.

Slow beside its neighbours (it makes Meltano's environment when that is not there yet), so it runs once, and without
Vipps MobilePay, each of whose days is eight calls: `make demo` has all vendors.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import pytest

from scripts import verb
from scripts.demo import __main__ as demo
from scripts.demo.sandbox import running_sandbox
from tap_billing_reports.sandbox.emulation import VENDORS

ROOT = Path(__file__).resolve().parents[2]
NAME = "demo-broken"


def processes_of_the_demo():
    """The sandbox has its ready file on its command line; that of another checkout is none of ours."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace")
        except OSError:
            continue  # it has just ended
        if f"{ROOT}/output/{NAME}/" in words:
            found.append(words)
    return found


@pytest.mark.usefixtures("started_once")
def test_a_line_left_out_is_noticed(monkeypatch, capsys):
    # The handler would stay behind in this process.
    monkeypatch.setattr(verb, "leave_on_sigterm", lambda: None)
    vendors = [name for name in VENDORS if name != "vipps"]
    monkeypatch.setattr(demo, "running_sandbox", partial(running_sandbox, vendors=vendors))
    monkeypatch.setattr("sys.argv", ["scripts.demo", "--break", "--days", "10", "--name", NAME])
    status = demo.main()
    said = capsys.readouterr().out
    assert status == 1, said
    assert "Sync 1: exit status 0" in said
    assert re.search(r"^stripe_activity_to_date +stripe +rows .* DIFFERS$", said, re.MULTILINE), said
    assert re.search(r"^invoices +stripe +total_amount .* ok$", said, re.MULTILINE), said
    assert re.search(r"^accounts +stripe +rows .* ok$", said, re.MULTILINE), said
    assert re.search(r"^demo: \d+ of \d+ control totals differ$", said, re.MULTILINE), said
    assert "proves nothing" not in said
    assert not processes_of_the_demo()
