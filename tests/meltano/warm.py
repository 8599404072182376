"""Run by Meltano's own interpreter: each command that is read from stdin runs in a fork of this process.

Meltano takes seconds to import, for each of the tests' commands anew. A line holds a command as JSON: its arguments,
environment, folder, and the files for its output. Its exit status is printed.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import sys
from typing import Any


def run(main: Any, asked: dict[str, Any]) -> None:
    """In the fork; ends it as the program would end."""
    status: Any = 1
    try:
        for number, path in ((0, os.devnull), (1, asked["out"]), (2, asked["err"])):
            os.dup2(os.open(path, os.O_RDWR | os.O_CREAT), number)
        os.environ.clear()
        os.environ.update(asked["environment"])
        os.chdir(asked["folder"])
        sys.argv = ["meltano", *asked["arguments"]]
        try:
            main()
            status = 0
        except SystemExit as ended:
            status = ended.code
            if isinstance(status, str):
                sys.stderr.write(status)
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status if isinstance(status, int) else int(status is not None))


def serve() -> None:
    main = importlib.import_module("meltano.cli").main
    for line in sys.stdin:
        child = os.fork()
        if not child:
            run(main, json.loads(line))
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
