"""Running measured programs, the median of interleaved pairs, and what a measured program tells."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parent.parent
PAIRS = 3


def run(*words):
    """A Python program of the project with its RECORDs thrown away; what it tells on stderr."""
    command = [sys.executable, *map(str, words)]
    ended = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=PROJECT, check=False)
    if ended.returncode:
        raise RuntimeError(ended.stderr.decode())
    return json.loads(ended.stderr.splitlines()[-1])


def told(program, kind, sample, *more):
    """What a program of this folder tells of a sample."""
    return run("-m", f"benchmarks.{program}", kind, *more, *sample.arguments)


def tell(rows, **more):
    """What a measured program says in the end, in one line on stderr: rows, peak memory, and what is `more`."""
    # Unlike `ru_maxrss` it holds nothing of the parent's.
    peak = Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]
    print("\n" + json.dumps({"rows": rows, "rss_mib": int(peak) / 1024, **more}), file=sys.stderr)


def rate(program, kind, sample):
    """Rows a second of processor time: the programs wait for nothing, and neighbours on the machine do not count."""
    report = told(program, kind, sample)
    return report["rows"] / report["seconds"]


def ratio(mine, others, pairs=PAIRS):
    """The medians of mine by others, of mine and of others, taken in turns so that all meet the same machine.

    `mine` and `others` are called without arguments and give a number.
    """
    seen = [(mine(), others()) for _ in range(pairs)]
    return [
        statistics.median(values) for values in zip(*((one / other, one, other) for one, other in seen), strict=True)
    ]


def against(prefix, other, mine, others):
    """The figures of two rates of rows: ours, and that of what it is held against."""
    ours_by_other, ours, theirs = ratio(mine, others)
    return {
        f"{prefix}ratio_to_{other}": ours_by_other,
        f"{prefix}rows_per_second": ours,
        f"{prefix}{other}_rows_per_second": theirs,
    }
