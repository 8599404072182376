"""The README's way through the sandbox works as it stands there, word by word."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.docs.pages import ROOT, blocks


def test_the_tap_against_the_emulated_vendors(tmp_path):
    _, _, section = (ROOT / "README.md").read_text().partition("### Against the emulated vendors")
    block = blocks(section, "sh")[0]
    commands = {
        "tap-billing-reports": "tap_billing_reports",
        "billing-reports": "tap_billing_reports.cli",
        "python3": "",
    }
    for name, module in commands.items():
        run = f"-m {module} " if module else ""
        command = tmp_path / "bin" / name
        command.parent.mkdir(exist_ok=True)
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" {run}"$@"\n')
        command.chmod(0o755)
    env = {**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    messages = [json.loads(line) for line in (tmp_path / "messages.jsonl").read_text().splitlines()]
    streams = {message["stream"] for message in messages if message["type"] == "RECORD"}
    assert {"accounts", "invoices", "bring_invoice_lines", "report_runs", "report_files"} <= streams
    assert messages[-1]["type"] == "STATE"
