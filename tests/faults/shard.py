"""Run as a program by `scripts.faults`: every so manieth cell of a part, each verdict a line of JSON.

python -m tests.faults.shard PART SHARD SHARDS PICK
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import re
import sys
from contextlib import ExitStack
from dataclasses import asdict


def main(part: str, shard: str, shards: str, pick: str) -> None:
    module = importlib.import_module(f"tests.faults.part_{part}")
    wanted = re.compile(pick).search
    # What cells write must not get between the verdicts, nor anything that a process of theirs writes.
    with os.fdopen(os.dup(1), "w") as told, ExitStack() as stack:
        os.dup2(2, 1)
        stack.enter_context(contextlib.redirect_stdout(sys.stderr))
        cases = [case for case in module.cases(stack) if wanted(case.name)]
        for case in cases[int(shard) :: int(shards)]:
            told.write(json.dumps(asdict(case.verdict())) + "\n")
            told.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
