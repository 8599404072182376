"""The models on real warehouses: built, tested, held to the views, to each other and to the sandbox's totals.

python -m scripts.models            everything; writes docs/models.md and output/models/index.html, dbt's own pages
python -m scripts.models --break    one row of a report is taken out of the warehouse: this must be noticed

Exit status 0 only if all is equal.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.demo.compare import columns_of
from scripts.demo.processes import leave_on_sigterm
from scripts.demo.sandbox import running_sandbox
from scripts.models import page
from scripts.models.compare import differing, identities, totals
from scripts.models.dbt import Dbt
from scripts.models.settings import SETTLED, TODAY, VENDORS_NOW, model_settings, stream_of
from scripts.models.stores import ANSWERS, ORDER_COLUMN, ORDERS, Store
from scripts.targets import stores as targets_stores
from scripts.targets import trial
from scripts.targets.loaders import LOADERS
from scripts.targets.postgres import postgres_server
from scripts.venvs import ROOT, provide
from tap_billing_reports.sandbox.emulation import SERVED
from tap_billing_reports.views.models import models

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scripts.models.compare import Line
    from scripts.targets.postgres import Server

OUTPUT = ROOT / "output" / "models"
SCHEMA = "billing"
# Of others, that people load with today.
OTHERS = ("target-duckdb", "meltanolabs-target-postgres")
TIME_LIMIT_SECONDS = 600
NAMES = tuple(models().marts)
VARIABLES = {"orders_relation": ORDERS, "order_column": ORDER_COLUMN}


@dataclass
class Models:
    """One run of this verb; `problems` is why it fails."""

    folder: Path
    server: Server
    settings: Mapping[str, Any]
    orders: list[dict[str, str]]
    problems: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def say(self, text: str) -> None:
        print(f"[{time.monotonic() - self.began:5.1f} s] {text}", flush=True)

    def stores(self) -> list[Store]:
        """All warehouses, filled."""
        config = self.folder / "config.json"
        config.write_text(json.dumps({**self.settings, **VARIABLES}))
        self.server.create("ours")
        ours = [
            Store("duckdb", SCHEMA, has_views=True, place=OUTPUT / "models.duckdb"),
            Store("postgres", SCHEMA, has_views=True, place="ours", server=self.server),
        ]
        for store in ours:
            store.load_orders(self.orders)
            self._ours("billing-reports", "sync", "--config", str(config), "--into", store.url())
            self.say(f"billing-reports sync has filled {store.name}.")
        return [*ours, *self._others(config)]

    def _others(self, config: Path) -> list[Store]:
        """The same by messages, through targets of others."""
        messages = self.folder / "messages.jsonl"
        with messages.open("w") as said:
            self._ours("tap-billing-reports", "--config", str(config), output=said)
        found = []
        for loader in LOADERS:
            if loader.name not in OTHERS:
                continue
            provide(loader.environment)
            place = trial.place_of(loader, self.folder, "models", self.server)
            trial.load(loader, messages, place)
            is_file = loader.name == "target-duckdb"
            store = Store(
                loader.name, targets_stores.SCHEMA, has_views=False,
                place=place.folder / "warehouse.duckdb" if is_file else place.database,
                server=None if is_file else self.server,
            )  # fmt: skip
            store.load_orders(self.orders)
            found.append(store)
            self.say(f"{loader.name} has filled its own.")
        return found

    def _ours(self, program: str, *words: str, output: Any = subprocess.DEVNULL) -> None:
        with (self.folder / "commands.log").open("a") as log:
            ran = subprocess.run(
                [sys.executable, "-m", "scripts.models.at", TODAY.isoformat(), program, *words],
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=log,
                cwd=self.folder,
                timeout=TIME_LIMIT_SECONDS,
                check=False,
            )
        if ran.returncode:
            raise RuntimeError(f"{program} failed; see {self.folder / 'commands.log'}")

    def judge(self, what: str, lines: list[Line]) -> None:
        """A table of comparisons; those that differ are a problem."""
        print(f"\n{what}:\n")
        rows = [
            (line.what, f"{line.expected:f}", f"{line.actual:f}", "ok" if line.equal else "DIFFERS") for line in lines
        ]
        print(columns_of([("", "expected", "found", ""), *rows], right=(1, 2)))
        off = sum(not line.equal for line in lines)
        if off:
            self.problems.append(f"{what}: {off} of {len(lines)} differ")

    def build(self, dbt: Dbt, store: Store) -> dict[str, Any]:
        """The rows of all marts, once they are built, tested and held to the views; none if dbt fails."""
        if dbt.run(store, "build", **VARIABLES):
            self.problems.append(f"dbt build fails on {store.name}; see {dbt.log(store)}")
            return {}
        self.say(f"dbt has built and tested all models on {store.name}.")
        marts = {name: store.mart(name) for name in NAMES}
        if store.has_views:
            views = {name: store.mart(name, SCHEMA) for name in NAMES}
            self.problems += [
                f"{store.name}: the view {name} has other rows than the model"
                for name in differing(NAMES, views, marts)
            ]
        return marts

    def document(self, dbt: Dbt, store: Store) -> None:
        """dbt's own pages, as one file; and the rows on our page, if there is nothing wrong with them."""
        if dbt.run(store, "docs", "generate", "--static", **VARIABLES):
            self.problems.append(f"dbt docs generate fails; see {dbt.log(store)}")
            return
        shutil.copy(OUTPUT / f"target-{store.name}" / "static_index.html", OUTPUT / "index.html")
        if not self.problems:
            page.write(ROOT / "docs" / "models.md", store, TODAY.date())


def run(*, broken: bool) -> int:
    """Everything; the exit status."""
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir(parents=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="models-")))
        box = stack.enter_context(running_sandbox(folder, root=ROOT, vendors=SERVED, now=VENDORS_NOW))
        server = stack.enter_context(postgres_server(folder / "postgres.log"))
        settings = model_settings(box.settings, today=TODAY.date())
        work = Models(folder, server, settings, box.shop_orders())
        dbt = Dbt(OUTPUT)
        dbt.install()
        stores = work.stores()
        first = stores[0]
        if broken:
            take_one_row(first)
        dbt.profile(stores)
        marts = {store.name: work.build(dbt, store) for store in stores}
        for name, found in marts.items():
            if found and marts[first.name]:
                work.problems += [
                    f"{mart} has other rows on {name} than on {first.name}"
                    for mart in differing(NAMES, marts[first.name], found)
                ]
        told = box.totals(settings)
        for store in stores[:2]:
            work.judge(f"The sandbox's control totals and the models on {store.name}", totals(store, ANSWERS, told))
        work.judge("Rows for which an identity does not hold", identities(first, ANSWERS))
        work.document(dbt, first)
    return ended(work, stores)


def take_one_row(store: Store) -> None:
    """What `--break` does: the first transaction of the oldest payouts is taken out of a warehouse."""
    stream = f"{SCHEMA}.{stream_of(SETTLED)}"
    store.change(f"delete from {stream} where row_number = 1 and period = (select min(period) from {stream})")


def ended(work: Models, stores: Sequence[Store]) -> int:
    """Say how it ended; the exit status: 0 only without a problem."""
    print()
    for problem in work.problems:
        print(f"models: {problem}")
    if work.problems:
        return 1
    print(f"models: {len(NAMES)} marts are equal on {len(stores)} warehouses and as views")
    print(f"models: dbt's own pages are in {(OUTPUT / 'index.html').relative_to(ROOT)}")
    return 0


def main() -> int:
    """Reads the command line; expected failures end in their message, not in a traceback."""
    parser = argparse.ArgumentParser(prog="python -m scripts.models", description=__doc__.partition("\n")[0])
    parser.add_argument("--break", dest="broken", action="store_true", help="take out one row")
    arguments = parser.parse_args()
    leave_on_sigterm()
    try:
        return run(broken=arguments.broken)
    except (RuntimeError, OSError, ValueError) as error:
        print(f"models: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
