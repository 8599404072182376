"""Proves that nothing is lost, doubled or leaked, and that no sync fails in silence: all of it, in one table.

python -m scripts.faults                  every part
python -m scripts.faults matrix kills     only these parts
python -m scripts.faults --pick REGEX     only cells whose name matches

The report with every cell that does not apply, and why, goes to output/faults.md. The exit status is 0 when
nothing was lost, doubled, leaked or silent and nothing else was found.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.totals import columns_of
from scripts.venvs import ROOT
from scripts.verb import Work, command
from tests.faults.cases import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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


def run_shard(part: str, shard: int, pick: str, temporary: str) -> Iterator[Verdict]:
    """Every so manieth cell of a part, in a process of its own: what a cell leaves behind reaches no other shard."""
    numbers = (str(shard), str(PARTS[part][1]))
    program = [sys.executable, "-m", "tests.faults.shard", part, *numbers, pick]
    # Syncs that are killed leave their temporary folders: they go with this one.
    env = {**os.environ, "TMPDIR": temporary}
    with tempfile.TemporaryFile("w+") as log:
        with subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True, env=env) as process:
            assert process.stdout is not None
            for line in process.stdout:
                yield Verdict(**json.loads(line))
        if process.returncode:
            log.seek(0)
            said = log.read()[-LONGEST_LOG:]
            yield Verdict(f"shard {shard + 1}", remarks=[f"it ended with exit status {process.returncode}: {said}"])


def run(parts: list[str], pick: str) -> dict[str, list[Verdict]]:
    """All parts, two shards at a time; what their cells have shown."""
    seen: dict[str, list[Verdict]] = {part: [] for part in parts}
    work = Work("faults")

    def one(part: str, shard: int) -> None:
        ran = 0
        for verdict in run_shard(part, shard, pick, temporary):
            seen[part].append(verdict)
            ran += not verdict.why_not
            if not verdict.is_good:
                work.say(f"{part}: {verdict.said()}")
        work.say(f"{part} {shard + 1}/{PARTS[part][1]}: {ran} cells")

    with (
        tempfile.TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True) as temporary,
        ThreadPoolExecutor(WORKERS) as pool,
    ):
        # PostgreSQL's server, which refuses to be root's, has to come through.
        Path(temporary).chmod(0o711)
        futures = [pool.submit(one, part, shard) for part in parts for shard in range(PARTS[part][1])]
        for future in futures:
            future.result()
    return seen


def counted(verdicts: Sequence[Verdict]) -> list[int]:
    """Cells, those that do not apply, each of `COUNTS`, and cells of which there is a remark."""
    ran = [verdict for verdict in verdicts if not verdict.why_not]
    counts = (sum(getattr(verdict, name) for verdict in ran) for name in COUNTS)
    return [len(ran), len(verdicts) - len(ran), *counts, sum(bool(verdict.remarks) for verdict in ran)]


def table(seen: dict[str, list[Verdict]]) -> list[str]:
    """The lines of the table, the last of which is the sum."""
    rows: list[tuple[str, ...]] = [("part", "cells", "n/a", *COUNTS, "else", "time")]
    for part, verdicts in seen.items():
        rows.append((part, *map(str, counted(verdicts)), f"{sum(verdict.seconds for verdict in verdicts):.0f} s"))
    cells, left_out, *counts, _else = counted([verdict for verdicts in seen.values() for verdict in verdicts])
    sums = ", ".join(f"{count} {name}" for count, name in zip(counts, COUNTS, strict=True))
    lines = columns_of(rows, right=range(1, len(rows[0]))).splitlines()
    return [*lines, f"faults: {cells} cells ({left_out} n/a), {sums}"]


def report(seen: dict[str, list[Verdict]], lines: list[str]) -> str:
    """The page: the table, what was found, and each cell that does not apply, by its reason."""
    text = ["# Faults", "", "```", *lines, "```", "", *(f"- {part}: {PARTS[part][0]}" for part in seen)]
    for part, verdicts in seen.items():
        found = [f"- {verdict.said()}" for verdict in verdicts if not verdict.is_good]
        text += ["", f"## Found: {part}", "", *found] if found else []
    for part, verdicts in seen.items():
        reasons: dict[str, list[str]] = {}
        for verdict in verdicts:
            if verdict.why_not:
                reasons.setdefault(verdict.why_not, []).append(verdict.cell)
        for reason, names in reasons.items():
            text += ["", f"## Not applicable: {part}, {len(names)} cells: {reason}", "", *(f"- {n}" for n in names)]
    return "\n".join([*text, ""])


def main() -> int:
    """Reads the command line, runs the parts, prints the table."""
    parser = command("scripts.faults", str(__doc__))
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all when none is named")
    parser.add_argument("--pick", default="", help="only cells whose name matches this regular expression")
    given = parser.parse_args()
    if unknown := sorted(set(given.parts) - set(PARTS)):
        parser.error(f"no such part: {', '.join(unknown)}")
    seen = run([part for part in PARTS if not given.parts or part in given.parts], given.pick)
    lines = table(seen)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(report(seen, lines), encoding="utf-8")
    print("\n".join(["", *lines[:-1]]))
    print(f"every cell that does not apply, and why: {REPORT.relative_to(ROOT)}")
    print(lines[-1])
    return 0 if all(verdict.is_good for verdicts in seen.values() for verdict in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
