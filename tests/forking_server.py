"""Run by any interpreter: imports once what commands import, and runs each command in a fork of this process.

Arguments: the path of the socket to listen at, then the modules to import. A connection brings a command: three open
files, and a line of JSON with its name, entry point, arguments, environment and folder. Two lines go back: its process
id, and how it ended, as `subprocess` says it. A caller that goes away ends its command. Ends when stdin does.
"""

from __future__ import annotations

import atexit
import json
import os
import pkgutil
import select
import signal
import socket
import sys
import tempfile
import time
import traceback
from contextlib import suppress
from importlib import import_module
from typing import Any


def run(command: dict[str, Any]) -> None:
    """In the fork; ends it as an installed program would end."""
    status: Any = 1
    try:
        sys.stdin, sys.stdout, sys.stderr = (
            os.fdopen(number, mode, closefd=False) for number, mode in enumerate(("r", "w", "w"))
        )
        os.environ.clear()
        os.environ.update(command["environment"])
        os.chdir(command["folder"])
        # What the warm process knows of its own variables.
        tempfile.tempdir = None
        time.tzset()
        sys.argv = [command["name"], *command["arguments"]]
        try:
            status = pkgutil.resolve_name(command["entry"])()
        except SystemExit as ended:
            status = ended.code
        except BaseException:  # noqa: BLE001 - told as the interpreter tells it
            traceback.print_exc()
        if isinstance(status, str):
            sys.stderr.write(f"{status}\n")
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status if isinstance(status, int) else int(status is not None))


def keep(connection: socket.socket) -> None:
    """In a fork of its own: begins the command, waits for its end and tells it."""
    _, files, _, _ = socket.recv_fds(connection, 1, 3)
    with connection.makefile("r") as asked:
        command = json.loads(asked.readline())
    ended, running = os.pipe()
    child = os.fork()
    if not child:
        connection.close()
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        run(command)
    for file in (*files, running):
        os.close(file)
    told(connection, child)
    if ended not in select.select([ended, connection.fileno()], [], [])[0]:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    told(connection, os.waitstatus_to_exitcode(status))


def told(connection: socket.socket, number: int) -> None:
    with suppress(OSError):  # the caller has gone away
        connection.sendall(f"{number}\n".encode())


def serve(listener: socket.socket) -> None:
    keepers: list[int] = []
    while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
        connection, _ = listener.accept()
        keeper = os.fork()
        if not keeper:
            try:
                keep(connection)
            finally:
                os._exit(0)
        connection.close()
        keepers = [one for one in [*keepers, keeper] if not os.waitpid(one, os.WNOHANG)[0]]


if __name__ == "__main__":
    with socket.socket(socket.AF_UNIX) as at:
        at.bind(sys.argv[1])
        at.listen()
        for module in sys.argv[2:]:
            with suppress(ModuleNotFoundError):  # not everything is installed everywhere
                import_module(module)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        serve(at)
