"""The example vendor through Meltano, from its own package: two syncs, and the emulator's own sums beside what arrived.

    python -m scripts.example

Needs .tools/meltano (`make demo` makes it) and no network: the extractor is that of the example's README, run from
an environment that holds the built package, and the loader keeps messages as lines. Exit status 0 only when both
syncs went well, every sum is equal and the second sync ordered nothing.
"""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
import tempfile
import venv
import zipfile
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

from scripts.demo.processes import sheltered
from scripts.targets.truth import read_messages
from scripts.totals import Line, compare, table
from scripts.venvs import ENVIRONMENTS, ROOT

EXAMPLE = ROOT / "examples" / "tap-billing-reports-acme"
MELTANO = ENVIRONMENTS["meltano"].path / "bin" / "meltano"
EXTRACTOR, LOADER = "tap-billing-reports-acme", "target-lines"
# Keeps every record, and passes STATE on as a target does.
_LOADER = """
import json, sys
with open(sys.argv[0] + ".jsonl", "a") as kept:
    for line in sys.stdin:
        message = json.loads(line)
        if message["type"] == "STATE":
            print(json.dumps(message["value"]), flush=True)
        kept.write(line)
"""


def environment(folder: Path) -> Path:
    """An environment with the built example in it; ours lends it the tap and the dependencies. Its interpreter."""
    build = "import sys, hatchling.build as backend; backend.build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(folder)], cwd=EXAMPLE, capture_output=True, check=True)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    (site,) = folder.glob("venv/lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    lent = [path for path in sys.path if path.endswith("site-packages")]
    (site / "lent.pth").write_text("\n".join([str(ROOT), *lent]) + "\n")
    return folder / "venv" / "bin" / "python"


def script(path: Path, python: Path | str, program: str) -> str:
    path.write_text(f"#!{python}\n{program}\n")
    path.chmod(0o755)
    return str(path)


def project(folder: Path) -> None:
    """The README's extractor and a loader, in a Meltano project of its own."""
    (snippet,) = re.findall(r"^```yaml\n(.*?)^```$", (EXAMPLE / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    program = "from tap_billing_reports.singer.tap import TapBillingReports; TapBillingReports.cli()"
    tap = script(folder / "tap", environment(folder), program)
    loader = script(folder / "loader", sys.executable, _LOADER)
    plugins = re.sub(r"^    pip_url: .*\n", "", snippet, flags=re.MULTILINE)
    plugins = re.sub(r"^    executable: .*$", f"    executable: {tap}", plugins, flags=re.MULTILINE)
    (folder / "meltano.yml").write_text(
        f"project_id: acme-example\ndefault_environment: dev\nenvironments:\n- name: dev\n{plugins}"
        f"  loaders:\n  - name: {LOADER}\n    namespace: target_lines\n    executable: {loader}\n"
    )


def run(folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """One `meltano run`; nothing of the caller's own Meltano or tap reaches it."""
    env = sheltered(os.environ)
    env |= {f"TAP_BILLING_REPORTS_ACME_{name.upper()}": value for name, value in settings.items()}
    env |= {"MELTANO_PROJECT_ROOT": str(folder), "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false"}
    command = [str(MELTANO), "--env-file", os.devnull, "run", EXTRACTOR, LOADER]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=300, check=False)


def main() -> int:
    """Both syncs; the exit status."""
    sys.path.insert(0, str(EXAMPLE))
    acme: Any = importlib.import_module("tap_billing_reports_acme.emulator")
    serving: Any = importlib.import_module("tap_billing_reports_acme.serving")
    emulator = acme.Emulator()
    start = emulator.invoices("m_north")[0]["issued"]
    with tempfile.TemporaryDirectory() as name, serving.served(emulator.answer) as url:
        folder = Path(name)
        project(folder)
        orders: list[int] = []
        for number in (1, 2):
            ran = run(folder, acme_api_key=acme.KEY, acme_base_url=url, start_date=start)
            orders.append(len(emulator.orders))
            print(f"Sync {number}: exit status {ran.returncode}, {orders[-1]} exports ordered so far.", flush=True)
            if ran.returncode:
                print(ran.stderr[-4000:])
                return 1
        held = read_messages([folder / "loader.jsonl"]).tables()
    asked = [
        line.split(",")
        for merchant, _, first, last in emulator.orders
        for line in emulator.settlements(merchant, first, last)[1:]
    ]
    invoices = [record for one in acme.MERCHANTS for record in emulator.invoices(one["id"])]
    totals = {
        "invoices": (invoices, {"total_amount": sum(Decimal(record["gross"]) for record in invoices)}),
        "acme_settlements": (asked, {"gross": sum(Decimal(line[4]) for line in asked)}),
    }
    lines = compare(
        {stream: {"acme": {"rows": len(rows), "sums": sums}} for stream, (rows, sums) in totals.items()}, held
    )
    twice = sum(count - 1 for count in Counter(emulator.orders).values())
    lines += [
        Line("acme_settlements", "acme", "exports ordered twice", Decimal(0), Decimal(twice)),
        Line("acme_settlements", "acme", "exports of the second sync", Decimal(0), Decimal(orders[1] - orders[0])),
    ]
    print(table(lines))
    return 0 if asked and all(line.equal for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
