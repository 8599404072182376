"""The demo's steps. Exit status 0 only when both syncs went well and every control total is equal.

python -m scripts.demo            the whole way
python -m scripts.demo --break    the sandbox leaves out a line of its output: this must be noticed
python -m scripts.demo --hide     the sandbox hides three faults in the books: all totals are equal, people find them
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import sys
import time
from datetime import datetime, timezone
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.demo.meltano import Meltano
from scripts.demo.processes import status_of
from scripts.demo.sandbox import RunningSandbox, running_sandbox
from scripts.demo.settings import DAYS, demo_settings
from scripts.totals import OF_SYNCS, columns_of, compare, differences
from scripts.venvs import ROOT
from scripts.verb import Work, command, ends
from scripts.warehouse import DELETED_AT, FILE, Table, tables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scripts.warehouse import Row

SCHEMA = "billing"
QUESTION = (
    "select source, count(*) as invoices, sum(total_amount) as total from billing.invoices "
    "where currency = 'NOK' and _sdc_deleted_at is null group by source order by source"
)

# One line less in the files of the second sync, whose declared size then no longer fits: the tap has to
# refuse them, and the totals must differ.
ONE_LINE_LESS = {"match": {"host": "stripe_files"}, "do": {"alter": {"drop_line": 2}}}


def where_to_ask(database: Path) -> tuple[str, ...]:
    """How a reader goes on: where the data are, and commands to ask them with."""
    command, url = ".venv/bin/billing-reports", f"{FILE}{database}"
    return (
        "",
        f"The data are in {database}, in the schema {SCHEMA}. Ask them:",
        f'  {command} query --in {url} "{QUESTION}"',
        f"  {command} page --from {url} --out output/billing.html",
    )


def change(old: Row, new: Row) -> str:
    """What has become of an invoice, as a line."""
    number = new["invoice_number"] or old["invoice_number"] or new["invoice_id"]
    status = "deleted" if new[DELETED_AT] else f"{new['status']} ({new['source_status']})"
    return f"  {new['source']} {new['account_id']} {number}: {old['status']} ({old['source_status']}) -> {status}"


class Demo:
    """One demo run."""

    def __init__(self, name: str, days: int) -> None:
        self.folder = ROOT / "output" / name
        self.database = ROOT / "output" / f"{name}.duckdb"
        self.second = ROOT / "output" / f"{name}-sync.duckdb"
        self.days = days
        self.work = Work("demo")

    def run(self, *, broken: bool, hidden: bool) -> int:
        """Everything; the exit status."""
        work = self.work
        self._remove_earlier_output()
        with running_sandbox(self.folder, *(["--hidden-faults"] if hidden else [])) as sandbox:
            today = datetime.now(timezone.utc).date()
            settings = demo_settings(sandbox.settings, today=today, days=self.days, storage=self.folder / "storage")
            work.say("The sandbox answers for five vendors; its clock stands one day back.")
            meltano = Meltano(ROOT, self.folder, f"{FILE}{self.database}", settings)
            meltano.install()
            work.say("Meltano has its plugins.")

            self._sync("Sync 1", sandbox, "sync-1.log", meltano.run)
            first = self._held(self.database)
            sandbox.next_day()
            work.say("A day goes by at the vendors.")
            if broken:
                sandbox.fault(ONE_LINE_LESS)
            self._sync("Sync 2", sandbox, "sync-2.log", meltano.run)
            second = self._held(self.database)
            self._show_increment(first, second)
            self._show_changes(first.get("invoices"), second.get("invoices"))

            self._judge_kept_files(second.get("klarna_transactions"))
            self._write_orders(sandbox.shop_orders())
            totals = sandbox.totals(settings)
            lines = compare(totals, second)
            # The same job without Meltano, into a file of its own. A single sync has fewer runs behind it than two.
            self._sync("billing-reports sync", sandbox, "one-command.log", lambda log: self._one_command(settings, log))
            again = self._held(self.second)
            lines_again = compare({name: totals[name] for name in totals.keys() - OF_SYNCS}, again)
            if not broken:
                work.problems += differences(second, again)
            if broken and not sandbox.fault_uses():
                work.problems.append("no answer lost a line: this proves nothing")
        held = f"Control totals of the sandbox, and {self.database.relative_to(ROOT)} by SQL"
        work.judge(lines, "control totals differ", held)
        work.judge(lines_again, f"control totals differ in {self.second.relative_to(ROOT)}")
        status = work.ended(
            f"all {len(lines)} control totals are equal ({work.seconds:.0f} s)",
            f"billing-reports sync has the same rows in {self.second.relative_to(ROOT)}",
        )
        if not status:
            print("\n".join(where_to_ask(self.second.relative_to(ROOT))))
        return status

    def _sync(self, name: str, sandbox: RunningSandbox, log: str, run: Callable[[str], int]) -> None:
        """One sync; a failed one is a problem, and the table will show what is missing."""
        before, began = sum(sandbox.orders().values()), time.monotonic()
        status = run(log)
        ordered, seconds = sum(sandbox.orders().values()) - before, time.monotonic() - began
        self.work.say(f"{name}: exit status {status}, {seconds:.0f} s, {ordered} reports ordered.")
        if status:
            path = self.folder / log
            self.work.problems.append(f"{name} failed with exit status {status}; see {path}")
            print("\n".join(path.read_text(errors="replace").splitlines()[-40:]))

    def _one_command(self, settings: Mapping[str, Any], log: str) -> int:
        config = self.folder / "one-command.json"
        config.write_text(json.dumps(settings))
        program = str(Path(sys.executable).parent / "billing-reports")
        words = ("sync", "--config", str(config), "--into", f"{FILE}{self.second}")
        return status_of([program, *words], self.folder / log, cwd=ROOT, env=os.environ)

    def _held(self, database: Path) -> dict[str, Table]:
        return tables(f"{FILE}{database}", SCHEMA)

    def _show_increment(self, before: Mapping[str, Table], after: Mapping[str, Table]) -> None:
        counts = (
            (name, len(before[name].living()) if name in before else 0, len(after[name].living())) for name in after
        )
        rows = [(name, str(old), str(new), f"{new - old:+d}") for name, old, new in counts]
        table = columns_of([("stream", "first", "second", "change"), *rows], right=(1, 2, 3))
        print(f"\nRows in the warehouse after each sync:\n\n{table}")

    def _show_changes(self, before: Table | None, after: Table | None) -> None:
        """What the second sync changed in invoices that the first had loaded: at least one."""
        key = itemgetter("source", "account_id", "invoice_id")
        shown = itemgetter("status", "source_status", DELETED_AT, "invoice_number")
        known = {key(row): row for row in before.rows} if before else {}
        pairs = ((known[key(row)], row) for row in (after.rows if after else ()) if key(row) in known)
        lines = sorted(change(old, new) for old, new in pairs if shown(old) != shown(new))
        print("\n".join(["\nInvoices that changed between the two syncs:\n", *lines]))
        if not lines:
            self.work.problems.append("no invoice changed between the two syncs")

    def _judge_kept_files(self, transactions: Table | None) -> None:
        """Of each of Klarna's payouts whose transactions are loaded the CSV and the PDF are kept."""
        payouts = len({row["payment_reference"] for row in transactions.living()}) if transactions else 0
        kept = {kind: len([*(self.folder / "storage").rglob(f"klarna/**/*.{kind}")]) for kind in ("csv", "pdf")}
        self.work.say(f"Files of Klarna's payouts: {kept['csv']} CSV, {kept['pdf']} PDF.")
        if not payouts or set(kept.values()) != {payouts}:
            self.work.problems.append(f"{payouts} of Klarna's payouts are loaded, but the files kept are {kept}")

    def _write_orders(self, orders: list[dict[str, str]]) -> None:
        """A shop's own orders beside the warehouse, for those who join freight to orders."""
        with (self.folder / "orders.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(orders[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(orders)

    def _remove_earlier_output(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        for path in (self.database, self.second):
            for file in path.parent.glob(f"{path.name}*"):
                file.unlink()


def main() -> int:
    """Reads the command line; the exit status."""
    parser = command("scripts.demo", str(__doc__))
    parser.add_argument("--break", dest="broken", action="store_true", help="leave out one line")
    parser.add_argument("--hide", dest="hidden", action="store_true", help="hide three faults for people to find")
    parser.add_argument("--days", type=int, default=DAYS, help="days before today to start from")
    parser.add_argument("--name", help="name of the output, for runs side by side (demo, demo-break, demo-hide)")
    given = parser.parse_args()
    # What is broken on purpose has its own warehouse: `make pictures` must not draw it.
    name = given.name or ("demo-break" if given.broken else "demo-hide" if given.hidden else "demo")
    return ends("demo", lambda: Demo(name, given.days).run(broken=given.broken, hidden=given.hidden))


if __name__ == "__main__":
    sys.exit(main())
