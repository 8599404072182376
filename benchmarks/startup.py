"""`--discover` against importing the SDK and reading our schemas: processor time of whole processes."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys

from benchmarks.measure import PROJECT

PAIRS = 9
BARE = """
import pathlib
import singer_sdk
for path in pathlib.Path("schemas").rglob("*.json"):
    path.read_bytes()
"""


def _seconds(*arguments):
    # As installed: with the byte code that pip leaves beside the modules.
    env = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], capture_output=True, env=env, cwd=PROJECT, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _discover():
    return _seconds("-m", "tap_billing_reports", "--discover")


def _bare():
    return _seconds("-c", BARE)


def measure():
    _discover(), _bare()  # the first time writes byte code
    pairs = [(_discover(), _bare()) for _ in range(PAIRS)]
    return {
        "startup.ratio_to_sdk_import": round(statistics.median(mine / others for mine, others in pairs), 3),
        "startup.discover_seconds": round(statistics.median(mine for mine, _ in pairs), 3),
        "startup.sdk_import_seconds": round(statistics.median(others for _, others in pairs), 3),
    }
