"""Tries every target with the demo's data, writes what was seen and the page that says it.

python -m scripts.targets                 all of them; docs/targets.md and its facts are written anew
python -m scripts.targets target-jsonl    only those that are named; nothing is written, the facts are printed
python -m scripts.targets --page          the page alone, from the facts that are there
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import sys
import time
from dataclasses import asdict
from datetime import datetime, timezone
from typing import Any

from scripts.demo.processes import leave_on_sigterm
from scripts.demo.settings import DAYS
from scripts.targets.capture import capture
from scripts.targets.loaders import LOADERS
from scripts.targets.page import FACTS, PAGE, must_be_right, page
from scripts.targets.postgres import postgres_server
from scripts.targets.trial import tried
from scripts.targets.truth import read_messages
from scripts.venvs import ROOT

OUTPUT = ROOT / "output" / "targets"


def run(names: list[str], days: int) -> int:
    """Exit status 0 when all that the project recommends is right."""
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:5.1f} s] {text}", flush=True)

    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir(parents=True)
    captured = capture(OUTPUT, root=ROOT, days=days)
    told = read_messages([captured.first, captured.second])
    say(f"Two syncs as messages; {captured.control_totals} control totals of the vendors are equal.")
    facts: dict[str, Any] = {
        "day": datetime.now(timezone.utc).date().isoformat(),
        "python": ".".join(platform.python_version_tuple()[:2]),
        "control_totals": captured.control_totals,
        "streams": {name: len(stream.records) for name, stream in told.streams.items()},
        "trials": [],
    }
    with postgres_server(OUTPUT / "postgres.log") as server:
        facts["postgres"] = server.version
        say(f"PostgreSQL {server.version} answers.")
        for loader in LOADERS:
            if names and loader.name not in names:
                continue
            trial = tried(loader, captured, OUTPUT, server)
            facts["trials"].append(asdict(trial))
            say(f"{loader.name}: {trial.failure or _short(trial.findings)}")
    if names:
        print(json.dumps(facts["trials"], indent=1, ensure_ascii=False))
        return 0
    FACTS.write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    PAGE.write_text(page(facts), encoding="utf-8")
    say(f"Written: {PAGE.relative_to(ROOT)}")
    wrong = must_be_right(facts)
    for problem in wrong:
        print(f"targets: {problem}")
    return 1 if wrong else 0


def _short(found: dict[str, Any]) -> str:
    missing = sum(found["missing"].values())
    return f"{found['sums_equal']} of {found['sums']} sums equal, {missing} of {found['living']} rows missing"


def main() -> int:
    """Reads the command line; expected failures end in their message."""
    parser = argparse.ArgumentParser(prog="python -m scripts.targets", description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="targets to try; all when none is named")
    parser.add_argument("--page", action="store_true", help="write the page alone")
    parser.add_argument("--days", type=int, default=DAYS, help="days before today to start from")
    arguments = parser.parse_args()
    if arguments.page:
        PAGE.write_text(page(json.loads(FACTS.read_text(encoding="utf-8"))), encoding="utf-8")
        return 0
    leave_on_sigterm()
    try:
        return run(arguments.names, arguments.days)
    except (RuntimeError, OSError, ValueError) as error:
        print(f"targets: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
