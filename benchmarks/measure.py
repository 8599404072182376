"""Running a measured program, the median of interleaved pairs, and what a measured program tells."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parent.parent
PAIRS = 3
TAP = "import tap_billing_reports.__main__"


def environment():
    return {**os.environ, "PYTHONPATH": str(PROJECT)}


def run(*arguments):
    """A Python program of the project with its RECORDs thrown away; what it tells on stderr."""
    command = [sys.executable, *map(str, arguments)]
    finished = subprocess.run(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment(), cwd=PROJECT, check=False
    )
    if finished.returncode:
        raise RuntimeError(finished.stderr.decode())
    return json.loads(finished.stderr.splitlines()[-1])


def tell(rows, **more):
    """What a measured program says in the end, in one line on stderr: rows, peak memory, and what is `more`."""
    memory = peak_mib(Path("/proc/self/status").read_text())
    print("\n" + json.dumps({"rows": rows, "rss_mib": memory, **more}), file=sys.stderr)


def emitted(kind, sample):
    """What one sync of a sample takes, through `fast`, `stock` or `floor`."""
    program = ("benchmarks/floor.py",) if kind == "floor" else ("-m", "benchmarks.taps")
    return run(*program, kind, *sample.arguments)


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


def piped(sample, target, folder, said=subprocess.DEVNULL):
    """The rows as a tap sends them, into the pipe of a target: wall seconds, and the tap's share of processor time."""
    tap = [sys.executable, "-m", "benchmarks.taps", "fast", *sample.arguments]
    nowhere, env = subprocess.DEVNULL, environment()
    started = time.monotonic()
    with (
        subprocess.Popen(tap, stdout=subprocess.PIPE, stderr=nowhere, cwd=PROJECT, env=env) as source,
        subprocess.Popen(target, stdin=source.stdout, stdout=nowhere, stderr=said, cwd=folder, env=env) as sink,
    ):
        source.stdout.close()
        spent = [_ended(process) for process in (source, sink)]
    if source.returncode or sink.returncode:
        raise RuntimeError(f"{target[0]}: exit status {source.returncode} and {sink.returncode}")
    return time.monotonic() - started, spent[0] / sum(spent)


def _ended(process):
    """Waits for a process; its processor seconds."""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_utime + used.ru_stime


@dataclass
class Sync:
    """A sync that runs; how long it took of clock and processor is known in the end."""

    lines: Any
    seconds: float = 0.0
    processor_seconds: float = 0.0


@contextmanager
def synced(box, start, *words, program=TAP, **settings):
    """A sync of the sandbox's Stripe from that day on, whose lines have to be read in the block.

    Raises:
        RuntimeError: it failed.
    """
    config = {**box.settings(start_date=start), "stripe_connected_accounts": [], **settings}
    with tempfile.TemporaryDirectory() as folder:
        path, log = Path(folder) / "config.json", Path(folder) / "log"
        path.write_text(json.dumps(config))
        command = [sys.executable, "-c", program, "--config", str(path), *words]
        started = time.monotonic()
        with log.open("wb") as said, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, cwd=PROJECT) as tap:
            sync = Sync(tap.stdout)
            yield sync
            sync.processor_seconds = _ended(tap)
        sync.seconds = time.monotonic() - started
        if tap.returncode:
            raise RuntimeError(f"exit status {tap.returncode}: {log.read_text()[-2000:]}")
