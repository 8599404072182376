"""The example vendor through Meltano, from its own package: two syncs, and the emulator's own sums beside what arrived.

    python -m scripts.example

Needs .tools/meltano (`make demo` makes it) and no network: the extractor is that of the example's README with the
built package in front of what is installed here, the loader is ours. Exit status 0 only when both syncs went well,
every sum is equal and the second sync ordered nothing.
"""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

from scripts.demo.meltano import ENVIRONMENT, LOADER, Meltano
from scripts.totals import Line, compare
from scripts.venvs import ROOT
from scripts.verb import Work, ends
from scripts.warehouse import FILE, tables

EXAMPLE = ROOT / "examples" / "tap-billing-reports-acme"
EXTRACTOR = "tap-billing-reports-acme"
_TAP = """#!{python}
import sys
sys.path.insert(0, {wheel!r})
from tap_billing_reports.singer.tap import TapBillingReports
TapBillingReports.cli()
"""


def project(folder: Path) -> None:
    """The README's extractor, with the built package, and our loader, in a Meltano project of its own."""
    build = "import sys, hatchling.build as backend; backend.build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(folder)], cwd=EXAMPLE, capture_output=True, check=True)
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        archive.extractall(folder / "wheel")
    tap = folder / "tap"
    tap.write_text(_TAP.format(python=sys.executable, wheel=str(folder / "wheel")))
    tap.chmod(0o755)
    (snippet,) = re.findall(r"^```yaml\n(.*?)^```$", (EXAMPLE / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    plugins = re.sub(r"^    pip_url: .*\n", "", snippet, flags=re.MULTILINE)
    plugins = re.sub(r"^    executable: .*$", f"    executable: {tap}", plugins, flags=re.MULTILINE)
    (folder / "meltano.yml").write_text(
        f"project_id: acme-example\nenvironments:\n- name: {ENVIRONMENT}\n{plugins}"
        f"  loaders:\n  - name: {LOADER}\n    namespace: target_billing_reports\n"
        f"    executable: {Path(sys.executable).with_name(LOADER)}\n    settings: [{{name: url}}]\n"
    )


def run() -> int:
    """Both syncs; the exit status."""
    work = Work("example")
    sys.path.insert(0, str(EXAMPLE))
    acme: Any = importlib.import_module("tap_billing_reports_acme.emulator")
    serving: Any = importlib.import_module("tap_billing_reports_acme.serving")
    emulator = acme.Emulator()
    start = emulator.invoices("m_north")[0]["issued"]
    with tempfile.TemporaryDirectory() as name, serving.served(emulator.answer) as url:
        folder, warehouse = Path(name), f"{FILE}{name}/acme.duckdb"
        project(folder)
        settings = {"acme_api_key": acme.KEY, "acme_base_url": url, "start_date": start}
        meltano = Meltano(folder, folder, warehouse, settings, EXTRACTOR)
        orders: list[int] = []
        for number in (1, 2):
            status = meltano.run("sync.log")
            orders.append(len(emulator.orders))
            work.say(f"Sync {number}: exit status {status}, {orders[-1]} exports ordered so far.")
            if status:
                raise RuntimeError((folder / "sync.log").read_text()[-4000:])
        held = tables(warehouse, "billing")
    asked = [
        Decimal(line.split(",")[4])
        for merchant, _, first, last in emulator.orders
        for line in emulator.settlements(merchant, first, last)[1:]
    ]
    invoiced = [Decimal(record["gross"]) for one in acme.MERCHANTS for record in emulator.invoices(one["id"])]
    lines = compare(
        {
            "invoices": {"acme": {"rows": len(invoiced), "sums": {"total_amount": sum(invoiced)}}},
            "acme_settlements": {"acme": {"rows": len(asked), "sums": {"gross": sum(asked)}}},
        },
        held,
    )
    twice = sum(count - 1 for count in Counter(emulator.orders).values())
    lines += [
        Line("acme_settlements", "acme", "exports ordered twice", Decimal(0), Decimal(twice)),
        Line("acme_settlements", "acme", "exports of the second sync", Decimal(0), Decimal(orders[1] - orders[0])),
    ]
    work.judge(lines, "numbers differ", "The emulator's own sums, and what arrived")
    if not asked:
        work.problems.append("nothing was ordered: this proves nothing")
    return work.ended("all sums are equal, and the second sync ordered nothing")


if __name__ == "__main__":
    sys.exit(ends("example", run))
