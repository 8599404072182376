"""Ending a process with all that it has started."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from scripts.airflow import tree

pytestmark = pytest.mark.skipif(not tree.PROC.is_dir(), reason="needs /proc")
# A child in a session of its own, as Airflow starts its tasks, and its child.
NESTED = """
import subprocess, sys, time
child = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
subprocess.run([sys.executable, "-c", child], start_new_session=True)
"""


def test_the_whole_family_ends_and_nobody_else():
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    parent = subprocess.Popen([sys.executable, "-c", NESTED])
    try:
        deadline = time.monotonic() + 20
        while len(members := tree.family(parent.pid)) < 3 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert members[0].pid == parent.pid
        assert len(members) == 3
        assert "time.sleep(60)" in members[-1].command
        assert all(1 < member.mib < 200 for member in members)
        assert tree.kill(members) == 3
        assert parent.wait(10) == -9
        assert other.poll() is None
        while any(member.alive for member in members) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not [member for member in members if member.alive]
        assert tree.family(parent.pid) == []
        assert tree.kill(members) == 0, "a number that is used again is somebody else's"
    finally:
        other.kill()
        other.wait()
