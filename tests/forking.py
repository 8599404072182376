"""Commands that run in a fork of a warm process: for tests in which the start of an interpreter proves nothing.

That start, and the imports after it, are most of what such a command costs. See `tests/forking_server.py`.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from tests.typed import some
from tests.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parents[1]
SERVER = Path(__file__).with_name("forking_server.py")

# A program that a shell or Meltano starts: it hands its files, arguments and environment on, and each signal; it ends
# as the command has ended.
CALLER = """#!{python} -IS
import json, os, signal, socket, sys
connection = socket.socket(socket.AF_UNIX)
connection.connect({path!r})
socket.send_fds(connection, [b"."], [0, 1, 2])
command = {command!r} | {{"arguments": sys.argv[1:], "environment": dict(os.environ), "folder": os.getcwd()}}
connection.sendall(json.dumps(command).encode() + b"\\n")
answers = connection.makefile()
command = int(answers.readline())
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
    if signal.getsignal(number) != signal.SIG_IGN:
        signal.signal(number, lambda number, _: os.kill(command, number))
status = int(answers.readline())
if status < 0:
    signal.signal(-status, signal.SIG_DFL)
    os.kill(os.getpid(), -status)
os._exit(status)
"""


@dataclass(frozen=True)
class Program:
    """An installed program.

    Attributes:
        name: of its file.
        entry: what it calls, as `module:attribute`.
    """

    name: str
    entry: str


TAP = Program("tap-billing-reports", "tap_billing_reports.singer.tap:TapBillingReports.cli")
TARGET = Program("target-billing-reports", "tap_billing_reports.warehouse.target:main")
COMMAND = Program("billing-reports", "tap_billing_reports.cli.main:main")


@dataclass(frozen=True)
class Forking:
    """A warm process.

    Attributes:
        path: of its socket.
    """

    path: Path

    def run(
        self, program: Program, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """How the program ended in that folder, with these variables and no others, and what it printed."""
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err, Path(os.devnull).open() as none:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(HANG_SECONDS)
                connection.connect(str(self.path))
                socket.send_fds(connection, [b"."], [file.fileno() for file in (none, out, err)])
                command = asdict(program) | {
                    "arguments": [*map(str, arguments)], "environment": {**environment}, "folder": str(folder)
                }  # fmt: skip
                connection.sendall(f"{json.dumps(command)}\n".encode())
                with connection.makefile() as answers:
                    _, status = answers.readline(), answers.readline()
            return subprocess.CompletedProcess([program.name, *arguments], int(status), _said(out), _said(err))

    def put(self, program: Program, folder: Path) -> Path:
        """A file there that runs the program as its installed one would; called by no test itself."""
        path = folder / program.name
        path.write_text(
            CALLER.format(python=sys.executable, path=str(self.path), command=asdict(program)), encoding="utf-8"
        )
        path.chmod(0o755)
        return path


def _said(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


@contextmanager
def forking(*modules: str, python: Path | None = None, packages: Sequence[Path] = ()) -> Iterator[Forking]:
    """A warm process with these modules imported, of this interpreter or another; ends with all of its forks.

    Args:
        modules: what is not installed there is left out.
        python: another interpreter, which does not know these tests.
        packages: folders to look into before all others.
    """
    ours = {"PYTHONPATH": os.pathsep.join(map(str, (*packages, ROOT)))} if python is None else {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "socket"
        with subprocess.Popen(
            # Without the server's own folder on the path: it holds a package `http`.
            [python or sys.executable, "-P", SERVER, path, *modules], text=True,
            env={**os.environ, "NO_COLOR": "1", **ours},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
        ) as server:  # fmt: skip
            try:
                assert some(server.stdout).readline() == "ready\n"
                yield Forking(path)
                some(server.stdin).close()
                server.wait(HANG_SECONDS)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(server.pid, signal.SIGKILL)
