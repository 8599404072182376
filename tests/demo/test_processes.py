"""What the demo starts is gone when the demo is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from scripts.demo.processes import child
from tests.typed import some
from tests.waiting import HANG_SECONDS, until

ROOT = Path(__file__).resolve().parents[2]

# A parent that ignores SIGTERM and has a child of its own; both must go.
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
inner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(inner.pid, flush=True)
time.sleep(600)
"""


def alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_the_whole_group_is_gone_after_the_block(tmp_path, monkeypatch):
    # It would wait for nothing: this one does not go by itself.
    monkeypatch.setattr("scripts.demo.processes.PATIENCE_SECONDS", 0)
    log = tmp_path / "log"
    command = [sys.executable, "-c", STUBBORN]
    with log.open("w") as output, child(command, cwd=tmp_path, env=os.environ, output=output) as process:
        until(lambda: log.read_text().strip())
    assert process.returncode == -signal.SIGKILL
    until(lambda: not alive(int(log.read_text())))


def test_sigterm_ends_what_was_started(tmp_path):
    program = (
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "from scripts.demo.processes import child, leave_on_sigterm\n"
        "leave_on_sigterm()\n"
        "with open(os.devnull, 'w') as out, child([sys.executable, '-c', 'import time; time.sleep(600)'],"
        " cwd=Path('.'), env=os.environ, output=out) as inner:\n"
        "    print(inner.pid, flush=True)\n"
        "    time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True) as outer:
        inner = int(some(outer.stdout).readline())
        outer.terminate()
        assert outer.wait(HANG_SECONDS) == 128 + signal.SIGTERM
    until(lambda: not alive(inner))
