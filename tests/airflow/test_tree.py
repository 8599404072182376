"""Ending a process with all that it has started."""

from __future__ import annotations

import subprocess
import sys

from scripts.airflow import tree
from tests.waiting import HANG_SECONDS, until

# A child in a session of its own, as Airflow starts its tasks, and its child.
NESTED = """
import subprocess, sys, time
child = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])"
subprocess.run([sys.executable, "-c", child], start_new_session=True)
"""


def test_the_whole_family_ends_and_nobody_else():
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    parent = subprocess.Popen([sys.executable, "-c", NESTED])
    try:
        # A child that has been forked and runs its own program by now.
        until(
            lambda: [member for member in tree.family(parent.pid) if tree.command(member).endswith("time.sleep(600)")]
        )
        members = tree.family(parent.pid)
        assert members[0].pid == parent.pid
        assert len(members) == 3
        assert "time.sleep(600)" in tree.command(members[-1])
        until(lambda: all(1 < tree.mib(member) < 200 for member in members))
        assert tree.kill(members) == 3
        assert parent.wait(HANG_SECONDS) == -9
        assert other.poll() is None
        until(lambda: not any(map(tree.alive, members)))
        assert tree.family(parent.pid) == []
        assert tree.kill(members) == 0, "a number that is used again is somebody else's"
    finally:
        other.kill()
        other.wait()
