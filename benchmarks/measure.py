"""Running measured programs, the median of interleaved pairs, and what a measured program tells."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

PROJECT = Path(__file__).parent.parent
PAIRS = 3
# The tap's command, which leaves what the kernel knows of it in the file of the last argument.
_TAP = (
    "import atexit, sys; from pathlib import Path; status = Path(sys.argv.pop()); "
    "atexit.register(lambda: status.write_text(Path('/proc/self/status').read_text())); "
    "import tap_billing_reports.__main__"
)


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
    memory = peak_mib(Path("/proc/self/status").read_text())
    print("\n" + json.dumps({"rows": rows, "rss_mib": memory, **more}), file=sys.stderr)


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


def peak_mib(status):
    """Peak memory in a process's `/proc/<pid>/status`; unlike `ru_maxrss` it holds nothing of the parent's."""
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def ended(process):
    """Waits for a process; its processor seconds.

    Raises:
        RuntimeError: it failed.
    """
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{process.args}: exit status {process.returncode}")
    return used.ru_utime + used.ru_stime


def piped(sample, target, folder, said=subprocess.DEVNULL):
    """The rows as a tap sends them, into the pipe of a target: wall seconds, and the tap's share of processor time."""
    tap = [sys.executable, "-m", "benchmarks.taps", "fast", *sample.arguments]
    nowhere = subprocess.DEVNULL
    started = time.monotonic()
    with (
        subprocess.Popen(tap, stdout=subprocess.PIPE, stderr=nowhere, cwd=PROJECT) as source,
        subprocess.Popen(target, stdin=source.stdout, stdout=nowhere, stderr=said, cwd=folder) as sink,
    ):
        source.stdout.close()
        spent = [ended(process) for process in (source, sink)]
    return time.monotonic() - started, spent[0] / sum(spent)


class Synced(NamedTuple):
    """What one sync took."""

    found: Any
    """What its reader made of its lines."""
    seconds: float
    processor_seconds: float
    rss_mib: float


def synced(box, start, read, *, before="", **settings):
    """A sync of the sandbox's Stripe from that day on, its lines given to `read`; `before` is run by its process first.

    Raises:
        RuntimeError: it failed.
    """
    config = {**box.settings(start_date=start), "stripe_connected_accounts": [], **settings}
    with tempfile.TemporaryDirectory() as folder:
        path, log, status = (Path(folder, name) for name in ("config.json", "log", "status"))
        path.write_text(json.dumps(config))
        command = [sys.executable, "-c", before + _TAP, "--config", str(path), str(status)]
        started = time.monotonic()
        with log.open("wb") as said, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, cwd=PROJECT) as tap:
            found = read(tap.stdout)
            try:
                processor = ended(tap)
            except RuntimeError as error:
                raise RuntimeError(f"{error}: {log.read_text()[-2000:]}") from None
        return Synced(found, time.monotonic() - started, processor, peak_mib(status.read_text()))
