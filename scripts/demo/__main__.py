"""The demo's steps. Exit status 0 only when both syncs went well and every control total is equal.

python -m scripts.demo            the whole way
python -m scripts.demo --break    the sandbox leaves out a line of its output: this must be noticed
python -m scripts.demo --hide     the sandbox hides three faults in the books: all totals are equal, people find them
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.demo.compare import OF_SYNCS, columns_of, compare, differences, table
from scripts.demo.meltano import Meltano
from scripts.demo.one_command import OneCommand
from scripts.demo.orders import write_orders
from scripts.demo.processes import leave_on_sigterm
from scripts.demo.sandbox import RunningSandbox, running_sandbox
from scripts.demo.settings import DAYS, demo_settings
from scripts.demo.warehouse import DuckDb

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scripts.demo.compare import Line
    from scripts.demo.warehouse import Invoice

ROOT = Path(__file__).resolve().parent.parent.parent
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
    command, url = ".venv/bin/billing-reports", f"duckdb:{database}"
    return (
        "",
        f"The data are in {database}, in the schema {SCHEMA}. Ask them:",
        f'  {command} query --in {url} "{QUESTION}"',
        f"  {command} page --from {url} --out output/billing.html",
    )


class Demo:
    """One demo run; `problems` is what a reader has to know before trusting the table."""

    def __init__(self, name: str, days: int) -> None:
        self.folder = ROOT / "output" / name
        self.database = ROOT / "output" / f"{name}.duckdb"
        self.second = ROOT / "output" / f"{name}-sync.duckdb"
        self.system_database = ROOT / ".meltano" / f"{name}.db"
        self.days = days
        self.problems: list[str] = []
        self._began = time.monotonic()

    def run(self, *, broken: bool, hidden: bool) -> int:
        """Everything; the exit status."""
        self._remove_earlier_output()
        with running_sandbox(self.folder, root=ROOT, hidden_faults=hidden) as sandbox:
            today = datetime.now(timezone.utc).date()
            settings = demo_settings(sandbox.settings, today=today, days=self.days, storage=self.folder / "storage")
            self._say("The sandbox answers for five vendors; its clock stands one day back.")
            meltano = Meltano(ROOT, self.folder, self.database, self.system_database, settings)
            meltano.install()
            self._say("Meltano has its plugins.")
            warehouse = DuckDb(self.database, meltano.loader_python, SCHEMA)

            self._sync(1, meltano, sandbox)
            rows, invoices = warehouse.row_counts(), warehouse.invoices()
            sandbox.next_day()
            self._say("A day goes by at the vendors.")
            if broken:
                sandbox.fault(ONE_LINE_LESS)
            self._sync(2, meltano, sandbox)
            self._show_increment(rows, warehouse.row_counts())
            self._show_changes(invoices, warehouse.invoices())

            self._judge_kept_files(warehouse)
            write_orders(self.folder / "orders.csv", sandbox.shop_orders())
            lines = compare(sandbox.totals(settings), warehouse)
            again = self._sync_in_one_command(settings, sandbox)
            totals = sandbox.totals(settings)
            # A single sync has fewer runs behind it than the two that went before.
            lines_again = compare({name: totals[name] for name in totals.keys() - OF_SYNCS}, again)
            if not broken:
                self.problems += differences(warehouse, again)
            if broken and not sandbox.fault_uses():
                self.problems.append("no answer lost a line: this proves nothing")
        print(f"\nControl totals of the sandbox, and {self.database.relative_to(ROOT)} by SQL:\n")
        print(table(lines))
        self._judge(lines, "control totals differ")
        self._judge(lines_again, f"control totals differ in {self.second.relative_to(ROOT)}")
        print()
        for problem in self.problems:
            print(f"demo: {problem}")
        if self.problems:
            return 1
        print(f"demo: all {len(lines)} control totals are equal ({time.monotonic() - self._began:.0f} s)")
        print(f"demo: billing-reports sync has the same rows in {self.second.relative_to(ROOT)}")
        print("\n".join(where_to_ask(self.second.relative_to(ROOT))))
        return 0

    def _judge(self, lines: Sequence[Line], said: str) -> None:
        different = [line for line in lines if not line.equal]
        if different:
            self.problems.append(f"{len(different)} of {len(lines)} {said}")

    def _judge_kept_files(self, warehouse: DuckDb) -> None:
        """Of each of Klarna's payouts whose transactions are loaded the CSV and the PDF are kept."""
        payouts = warehouse.distinct("klarna_transactions", "payment_reference")
        kept = {kind: len([*(self.folder / "storage").rglob(f"klarna/**/*.{kind}")]) for kind in ("csv", "pdf")}
        self._say(f"Files of Klarna's payouts: {kept['csv']} CSV, {kept['pdf']} PDF.")
        if not payouts or set(kept.values()) != {payouts}:
            self.problems.append(f"{payouts} of Klarna's payouts are loaded, but the files kept of them are {kept}")

    def _sync_in_one_command(self, settings: Mapping[str, Any], sandbox: RunningSandbox) -> DuckDb:
        """The same job without Meltano, into a file of its own; a failed one is a problem."""
        before, began = sum(sandbox.orders().values()), time.monotonic()
        status = OneCommand(ROOT, self.folder, self.second, settings).run("one-command.log")
        ordered, seconds = sum(sandbox.orders().values()) - before, time.monotonic() - began
        self._say(f"billing-reports sync: exit status {status}, {seconds:.0f} s, {ordered} reports ordered.")
        if status:
            self.problems.append(f"billing-reports sync failed; see {self.folder / 'one-command.log'}")
        return DuckDb(self.second, Path(sys.executable), SCHEMA)

    def _sync(self, number: int, meltano: Meltano, sandbox: RunningSandbox) -> None:
        """One sync; a failed one is a problem, and the table will show what is missing."""
        before = sum(sandbox.orders().values())
        began = time.monotonic()
        log = f"sync-{number}.log"
        status = meltano.run(log)
        ordered = sum(sandbox.orders().values()) - before
        seconds = time.monotonic() - began
        self._say(f"Sync {number}: exit status {status}, {seconds:.0f} s, {ordered} reports ordered.")
        if status:
            self.problems.append(f"sync {number} failed with exit status {status}; see {self.folder / log}")
            print(meltano.log_end(log))

    def _show_increment(self, before: dict[str, int], after: dict[str, int]) -> None:
        print("\nRows in the warehouse after each sync:\n")
        rows = [
            (stream, str(before.get(stream, 0)), str(count), f"{count - before.get(stream, 0):+d}")
            for stream, count in after.items()
        ]
        print(columns_of([("stream", "first", "second", "change"), *rows], right=(1, 2, 3)))

    def _show_changes(self, before: Sequence[Invoice], after: Sequence[Invoice]) -> None:
        """What the second sync changed in invoices that the first had loaded: at least one."""
        known = {invoice.key: invoice for invoice in before}
        changed = [(known[new.key], new) for new in after if new.key in known and new != known[new.key]]
        print("\nInvoices that changed between the two syncs:\n")
        for old, new in changed:
            status = "deleted" if new.deleted else f"{new.status} ({new.source_status})"
            number = new.number or old.number or new.invoice_id
            print(f"  {new.source} {new.account_id} {number}: {old.status} ({old.source_status}) -> {status}")
        if not changed:
            self.problems.append("no invoice changed between the two syncs")

    def _remove_earlier_output(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.system_database.parent.mkdir(exist_ok=True)
        for path in (self.database, self.second, self.system_database):
            for file in path.parent.glob(f"{path.name}*"):
                file.unlink()

    def _say(self, text: str) -> None:
        print(f"[{time.monotonic() - self._began:5.1f} s] {text}", flush=True)


def main() -> int:
    """Reads the command line; expected failures end in their message, not in a traceback."""
    parser = argparse.ArgumentParser(prog="python -m scripts.demo", description=__doc__.partition("\n")[0])
    parser.add_argument("--break", dest="broken", action="store_true", help="leave out one line")
    parser.add_argument("--hide", dest="hidden", action="store_true", help="hide three faults for people to find")
    parser.add_argument("--days", type=int, default=DAYS, help="days before today to start from")
    parser.add_argument("--name", help="name of the output, for runs side by side (demo, demo-break, demo-hide)")
    arguments = parser.parse_args()
    # What is broken on purpose has its own warehouse: `make pictures` must not draw it.
    name = arguments.name or ("demo-break" if arguments.broken else "demo-hide" if arguments.hidden else "demo")
    leave_on_sigterm()
    try:
        return Demo(name, arguments.days).run(broken=arguments.broken, hidden=arguments.hidden)
    except (RuntimeError, OSError, ValueError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
