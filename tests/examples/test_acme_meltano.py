"""The example vendor through Meltano, from its own package. Collected where .tools/meltano is (see conftest)."""

from __future__ import annotations

import subprocess
import sys

from tests.examples.places import ROOT
from tests.waiting import HANG_SECONDS


def test_two_syncs_bring_everything_once():
    command = [sys.executable, "-m", "scripts.example"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=HANG_SECONDS, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.count("  ok\n") == 6
