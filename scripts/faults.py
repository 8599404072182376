"""Proves that nothing is lost, doubled or leaked, and that no sync fails in silence: all of it, in one table.

python -m scripts.faults                  every part
python -m scripts.faults matrix kills     only these parts
python -m scripts.faults --pick REGEX     only cells whose name matches

The report with every cell that does not apply, and why, goes to output/faults.md. The exit status is 0 when
nothing was lost, doubled, leaked or silent and nothing else was found.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.venvs import ROOT
from tests.faults.cases import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

WORKERS = 2
REPORT = ROOT / "output" / "faults.md"
LONGEST_LOG = 3000  # characters of a shard's that failed
COUNTS = ("lost", "doubled", "leaked", "silent")

PARTS: dict[str, tuple[str, int]] = {
    # In the order in which they are begun: the long ones first, so that both workers end together.
    "postgres": ("kill points against a real PostgreSQL", 1),
    "warehouse": ("our loader and sync into DuckDB and PostgreSQL", 2),
    "hostile": ("hostile files, 10,000 a reader", 1),
    "model": ("the stateful model, 20,000 lives", 1),
    "kills": ("kill points", 8),
    "whole": ("every case of tests that `make test` samples", 4),
    "matrix": ("vendor x phase x fault", 10),
    "signals": ("SIGTERM, SIGINT", 2),
    "output": ("the target dies, disks are full, shorter files and days", 2),
    "calendar": ("clocks that are off, DST nights, month ends", 2),
    "unsettled": ("invoices that are asked for again; deleted drafts", 2),
    "states": ("every STATE a restart point; damaged ones", 2),
    "secrets": ("canary secrets", 1),
    "names": ("file names on local and S3 storage", 1),
    "alone": ("one's trouble stays its own; the lock", 1),
}


@dataclass
class Tally:
    """What a part has shown so far."""

    cells: int = 0
    seconds: float = 0.0
    not_applicable: list[Verdict] = field(default_factory=list)
    found: list[Verdict] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def take(self, verdict: Verdict) -> None:
        if verdict.why_not:
            self.not_applicable.append(verdict)
            return
        self.cells += 1
        self.seconds += verdict.seconds
        for name in COUNTS:
            self.counts[name] += getattr(verdict, name)
        if not verdict.is_good:
            self.found.append(verdict)


def run_shard(part: str, shard: int, pick: str, temporary: str) -> Iterator[Verdict]:
    """Every so manieth cell of a part, in a process of its own: what a cell leaves behind reaches no other shard."""
    numbers = (str(shard), str(PARTS[part][1]))
    command = [sys.executable, "-m", "tests.faults.shard", part, *numbers, pick]
    with tempfile.TemporaryFile("w+") as log:
        # Syncs that are killed leave their temporary folders: they go with this one.
        environment = {**os.environ, "TMPDIR": temporary}
        with subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True, env=environment
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                yield Verdict(**json.loads(line))
        if process.returncode:
            log.seek(0)
            said = log.read()[-LONGEST_LOG:]
            yield Verdict(f"shard {shard + 1}", remarks=[f"it ended with exit status {process.returncode}: {said}"])


def run(parts: list[str], pick: str) -> dict[str, Tally]:
    """All parts, two shards at a time."""
    tallies = {part: Tally() for part in parts}
    began = time.monotonic()
    lock = threading.Lock()

    def one(part: str, shard: int) -> None:
        ran = 0
        for verdict in run_shard(part, shard, pick, temporary):
            with lock:
                tallies[part].take(verdict)
                ran += not verdict.why_not
                if not verdict.is_good:
                    print(f"  {part}: {verdict.said()}", flush=True)
        minutes = (time.monotonic() - began) / 60
        print(f"[{minutes:5.1f} min] {part} {shard + 1}/{PARTS[part][1]}: {ran} cells", flush=True)

    with (
        tempfile.TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True) as temporary,
        ThreadPoolExecutor(WORKERS) as pool,
    ):
        # PostgreSQL's server, which refuses to be root's, has to come through.
        Path(temporary).chmod(0o711)
        futures = [pool.submit(one, part, shard) for part in parts for shard in range(PARTS[part][1])]
        for future in futures:
            future.result()
    return tallies


def table(tallies: dict[str, Tally]) -> list[str]:
    """The lines of the table, the last of which is the sum."""
    names = f"{'lost':>6} {'doubled':>8} {'leaked':>7} {'silent':>7} {'else':>5} {'time':>8}"
    head = f"{'part':<10} {'cells':>6} {'n/a':>6} {names}"
    lines = [head, "-" * len(head)]
    for part, tally in tallies.items():
        counts = tally.counts
        other = sum(bool(verdict.remarks) for verdict in tally.found)
        lines.append(
            f"{part:<10} {tally.cells:>6} {len(tally.not_applicable):>6} {counts['lost']:>6} {counts['doubled']:>8} "
            f"{counts['leaked']:>7} {counts['silent']:>7} {other:>5} {tally.seconds:>6.0f} s"
        )
    cells = sum(tally.cells for tally in tallies.values())
    left_out = sum(len(tally.not_applicable) for tally in tallies.values())
    total = sum((tally.counts for tally in tallies.values()), Counter[str]())
    sums = ", ".join(f"{total[name]} {name}" for name in COUNTS)
    return [*lines, f"faults: {cells} cells ({left_out} n/a), {sums}"]


def report(tallies: dict[str, Tally], lines: list[str]) -> str:
    """The page: the table, what was found, and each cell that does not apply, by its reason."""
    text = ["# Faults", "", "```", *lines, "```", ""]
    text += [f"- {part}: {PARTS[part][0]}" for part in tallies]
    for part, tally in tallies.items():
        if tally.found:
            text += ["", f"## Found: {part}", "", *(f"- {verdict.said()}" for verdict in tally.found)]
    for part, tally in tallies.items():
        reasons: dict[str, list[str]] = {}
        for verdict in tally.not_applicable:
            reasons.setdefault(verdict.why_not, []).append(verdict.cell)
        for reason, names in reasons.items():
            text += ["", f"## Not applicable: {part}, {len(names)} cells: {reason}", "", *(f"- {n}" for n in names)]
    return "\n".join([*text, ""])


def main() -> int:
    """Reads the command line, runs the parts, prints the table."""
    parser = argparse.ArgumentParser(prog="python -m scripts.faults", description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all when none is named")
    parser.add_argument("--pick", default="", help="only cells whose name matches this regular expression")
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.parts) - set(PARTS)):
        parser.error(f"no such part: {', '.join(unknown)}")
    parts = [part for part in PARTS if not arguments.parts or part in arguments.parts]
    tallies = run(parts, arguments.pick)
    lines = table(tallies)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(report(tallies, lines), encoding="utf-8")
    print("\n".join(lines[:-1]))
    print(f"every cell that does not apply, and why: {REPORT.relative_to(ROOT)}")
    print(lines[-1])
    return 1 if any(tally.found for tally in tallies.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
