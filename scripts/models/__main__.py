"""The models on real warehouses: built, tested, held to the views, to each other and to the sandbox's totals.

python -m scripts.models            everything; writes docs/models.md and output/models/index.html, dbt's own pages
python -m scripts.models --break    one row of a report is taken out of the warehouse: this must be noticed

Exit status 0 only if all is equal.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.demo.processes import status_of
from scripts.demo.sandbox import running_sandbox
from scripts.demo.settings import MODEL_REPORTS, demo_settings
from scripts.models import dbt, page
from scripts.models.compare import SETTLED_STREAM, by_days, identities, totals
from scripts.models.stores import ANSWERS, ORDER_COLUMN, ORDERS, Store
from scripts.targets import trial
from scripts.targets.loaders import LOADERS
from scripts.targets.postgres import postgres_server
from scripts.venvs import ROOT, provide
from scripts.verb import Work, command, ends
from scripts.warehouse import FILE
from tap_billing_reports.sandbox.emulation import VENDORS
from tap_billing_reports.views.models import models

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scripts.targets.postgres import Server

OUTPUT = ROOT / "output" / "models"
SCHEMA = "billing"
# Of others, that people load with today.
OTHERS = ("target-duckdb", "meltanolabs-target-postgres")
# The day of this run, whatever day it is: the rows on docs/models.md are the same ones each time. As in the demo the
# vendors' clock starts a day before.
TODAY = datetime(2026, 11, 28, 12, tzinfo=timezone.utc)
VENDORS_NOW = TODAY - timedelta(days=1)
# As `billing-reports sandbox`, which knows no other start than so many days ago.
SERVE_AT = (
    "import sys, datetime; from tap_billing_reports.sandbox.server import serve; "
    "serve(now=datetime.datetime.fromisoformat(sys.argv[2]), ready_file=sys.argv[1], vendors=sys.argv[3:])"
)
NAMES = tuple(models().marts)
# Each warehouse is filled by a sync of its own, whose runs have ids and seconds of their own.
OF_ONE_SYNC = frozenset({"report_timeline"})
VARIABLES = {"orders_relation": ORDERS, "order_column": ORDER_COLUMN}


@dataclass
class Models:
    """One run of this verb."""

    folder: Path
    server: Server
    settings: Mapping[str, Any]
    orders: list[dict[str, str]]
    work: Work

    def stores(self) -> list[Store]:
        """All warehouses, filled."""
        config = self.folder / "config.json"
        config.write_text(json.dumps({**self.settings, **VARIABLES}))
        ours = [
            Store("duckdb", f"{FILE}{OUTPUT / 'models.duckdb'}", SCHEMA, has_views=True),
            Store("postgres", self.server.create("ours"), SCHEMA, has_views=True),
        ]
        for store in ours:
            store.load_orders(self.orders)
            self._ours("billing-reports", "sync", "--config", str(config), "--into", store.url)
            self.work.say(f"billing-reports sync has filled {store.name}.")
        return [*ours, *self._others(config)]

    def _others(self, config: Path) -> list[Store]:
        """The same by messages, through targets of others."""
        messages = self.folder / "messages.jsonl"
        self._ours("tap-billing-reports", "--config", str(config), said=messages)
        found = []
        for loader in (one for one in LOADERS if one.name in OTHERS):
            provide(loader.environment)
            place = loader.place(self.folder, "models", self.server)
            trial.load(loader, messages, place)
            url = place.file_url if loader.name == "target-duckdb" else place.database_url
            store = Store(loader.name, url, SCHEMA, has_views=False)
            store.load_orders(self.orders)
            found.append(store)
            self.work.say(f"{loader.name} has filled its own.")
        return found

    def _ours(self, program: str, *words: str, said: Path | None = None) -> None:
        command = [sys.executable, "-m", "scripts.models.at", TODAY.isoformat(), program, *words]
        log = self.folder / "commands.log"
        if status_of(command, log, cwd=self.folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, said=said):
            raise RuntimeError(f"{program} failed; see {log}")

    def build(self, store: Store) -> dict[str, Any]:
        """The rows of all marts, once they are built, tested and held to the views; none if dbt fails."""
        if dbt.run(OUTPUT, store, "build", **VARIABLES):
            self.work.problems.append(f"dbt build fails on {store.name}; see {OUTPUT / f'dbt-{store.name}.log'}")
            return {}
        self.work.say(f"dbt has built and tested all models on {store.name}.")
        marts = {name: store.mart(name) for name in NAMES}
        if store.has_views:
            self.work.problems += [
                f"{store.name}: the view {name} has other rows than the model"
                for name in NAMES
                if store.mart(name, SCHEMA) != marts[name]
            ]
        return marts

    def document(self, store: Store) -> None:
        """dbt's own pages, as one file; and the rows on our page, if there is nothing wrong with them."""
        if dbt.run(OUTPUT, store, "docs", "generate", "--static", **VARIABLES):
            self.work.problems.append(f"dbt docs generate fails; see {OUTPUT / f'dbt-{store.name}.log'}")
            return
        shutil.copy(OUTPUT / f"target-{store.name}" / "static_index.html", OUTPUT / "index.html")
        if not self.work.problems:
            page.write(ROOT / "docs" / "models.md", store, TODAY.date())


def run(*, broken: bool) -> int:
    """Everything; the exit status."""
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir(parents=True)
    work = Work("models")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="models-")))
        box = stack.enter_context(running_sandbox(folder, VENDORS_NOW.isoformat(), *VENDORS, program=SERVE_AT))
        server = stack.enter_context(postgres_server(folder / "postgres.log"))
        # As the demo's, with no other reports than those that the models read; from the first of a month on: Klarna's
        # payouts are listed by whole months, their transactions from the first day.
        settings = demo_settings(box.settings, today=TODAY.date(), reports=MODEL_REPORTS)
        settings["start_date"] = date.fromisoformat(settings["start_date"]).replace(day=1).isoformat()
        verb = Models(folder, server, settings, box.shop_orders(), work)
        provide(dbt.ENVIRONMENT)
        stores = verb.stores()
        first = stores[0]
        if broken:
            take_one_row(first)
        dbt.write_profile(OUTPUT, stores)
        marts = {store.name: verb.build(store) for store in stores}
        for name, found in marts.items():
            if found and marts[first.name]:
                work.problems += [
                    f"{mart} has other rows on {name} than on {first.name}"
                    for mart in NAMES
                    if mart not in OF_ONE_SYNC and by_days(found[mart]) != by_days(marts[first.name][mart])
                ]
        told = box.totals(settings)
        for store in stores[:2]:
            what = f"The sandbox's control totals and the models on {store.name}"
            work.judge(totals(store, ANSWERS, told), f"totals differ on {store.name}", what)
        work.judge(identities(first, ANSWERS), "identities do not hold", "Rows for which an identity does not hold")
        verb.document(first)
    return work.ended(
        f"{len(NAMES) - len(OF_ONE_SYNC)} marts are equal on {len(stores)} warehouses, and {len(NAMES)} as views",
        f"dbt's own pages are in {(OUTPUT / 'index.html').relative_to(ROOT)}",
    )


def take_one_row(store: Store) -> None:
    """What `--break` does: the first transaction of the oldest payouts is taken out of a warehouse."""
    stream = f"{SCHEMA}.{SETTLED_STREAM}"
    store.change(f"delete from {stream} where row_number = 1 and period = (select min(period) from {stream})")


def main() -> int:
    """Reads the command line; the exit status."""
    parser = command("scripts.models", str(__doc__))
    parser.add_argument("--break", dest="broken", action="store_true", help="take out one row")
    given = parser.parse_args()
    return ends("models", lambda: run(broken=given.broken))


if __name__ == "__main__":
    sys.exit(main())
