"""Running a measured program, and the median of interleaved pairs."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parent.parent
PAIRS = 3


def run(*arguments):
    """A Python program of the project with its RECORDs thrown away; what it reports on stderr."""
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
        finished = subprocess.run(
            [sys.executable, *map(str, arguments)],
            stdout=nowhere,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=PROJECT,
            check=False,
        )
    if finished.returncode:
        raise RuntimeError(finished.stderr.decode())
    return json.loads(finished.stderr.splitlines()[-1])


def emitted(kind, sample):
    """What one sync of a sample takes, through `fast`, `stock` or `floor`."""
    program = ("benchmarks/floor.py",) if kind == "floor" else ("-m", "benchmarks.taps")
    return run(*program, kind, sample.path, json.dumps(sample.columns), sample.zone)


def rate(report):
    """Rows a second of processor time: the programs wait for nothing, and neighbours on the machine do not count."""
    return report["rows"] / report["seconds"]


def ratio(mine, others):
    """The median of mine by others, taken in turns so that both meet the same machine.

    `mine` and `others` are called without arguments and give a rate. Returns the median ratio, and both medians.
    """
    pairs = [(mine(), others()) for _ in range(PAIRS)]
    return (
        round(statistics.median(one / other for one, other in pairs), 3),
        round(statistics.median(one for one, _ in pairs)),
        round(statistics.median(other for _, other in pairs)),
    )


def peak_mib(status):
    """Peak memory in a process's `/proc/<pid>/status`; unlike `ru_maxrss` it holds nothing of the parent's."""
    return int(status.split("VmHWM:")[1].split()[0]) / 1024
