"""Tries every target with the demo's data and writes what was seen into docs/targets.md.

python -m scripts.targets                 all of them
python -m scripts.targets target-jsonl    only those that are named; the tables are printed, nothing is written
"""

from __future__ import annotations

import platform
import shutil
import sys
from datetime import datetime, timezone

from scripts.targets.capture import capture
from scripts.targets.loaders import LOADERS
from scripts.targets.page import PAGE, must_be_right, tables, write
from scripts.targets.postgres import postgres_server
from scripts.targets.trial import tried
from scripts.targets.truth import read_messages
from scripts.venvs import ROOT
from scripts.verb import Work, command, ends

OUTPUT = ROOT / "output" / "targets"


def run(names: list[str]) -> int:
    """Exit status 0 when all that the project recommends is right."""
    work = Work("targets")
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir(parents=True)
    captured = capture(OUTPUT)
    streams = read_messages([captured.first, captured.second]).streams
    records = sum(len(stream.records) for stream in streams.values())
    work.say(f"Two syncs as messages; {captured.control_totals} control totals of the vendors are equal.")
    trials = []
    with postgres_server(OUTPUT / "postgres.log") as server:
        for loader in LOADERS:
            if not names or loader.name in names:
                trial = tried(loader, captured, OUTPUT, server)
                trials.append(trial)
                work.say(f"{loader.name}: {trial.failure or 'tried'}")
    seen = (
        f"Seen on {datetime.now(timezone.utc).date()} with Python {'.'.join(platform.python_version_tuple()[:2])} and "
        f"PostgreSQL {server.version}: {records:,} records in {len(streams)} streams; {captured.control_totals} of the "
        "vendors' control totals were compared with them before they were told to any target."
    )
    if names:
        print(tables(trials, seen))
    else:
        write(trials, seen)
        work.say(f"Written: {PAGE.relative_to(ROOT)}")
    work.problems += must_be_right(trials)
    return work.ended()


def main() -> int:
    """Reads the command line; the exit status."""
    parser = command("scripts.targets", str(__doc__))
    parser.add_argument("names", nargs="*", help="targets to try; all when none is named")
    return ends("targets", lambda: run(parser.parse_args().names))


if __name__ == "__main__":
    sys.exit(main())
