"""Runs a command of the package in a process that is forked from a warm one, as `python -m` would in a new one.

For tests in which the start of an interpreter proves nothing: it is most of what such a command costs.
"""

from __future__ import annotations

import atexit
import os
import runpy
import subprocess
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.killing import _context
from tests.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def run(
    module: str, arguments: Sequence[str], folder: Path, environment: Mapping[str, str], cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """How it ended, and what it printed.

    Args:
        module: what follows `python -m`.
        folder: for its output.
        environment: all of its variables.
        cwd: its working directory; this one's without it.
    """
    out, err = folder / "forked.out", folder / "forked.err"
    given = (module, [*arguments], str(out), str(err), dict(environment), str(cwd or Path.cwd()))
    process = _context.Process(target=_child, args=given)
    process.start()
    try:
        process.join(HANG_SECONDS)
        assert process.exitcode is not None, "the command hangs"
    finally:
        if process.is_alive():
            process.kill()
            process.join()
    said = [path.read_text(encoding="utf-8") for path in (out, err)]
    for path in (out, err):
        path.unlink()
    return subprocess.CompletedProcess([module, *arguments], process.exitcode, *said)


def _child(module: str, arguments: list[str], out: str, err: str, environment: dict[str, str], cwd: str) -> None:
    for number, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    sys.argv = [module, *arguments]
    code: Any = 1
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as ended:
        code = ended.code
        if isinstance(code, str):
            sys.stderr.write(f"{code}\n")
    except BaseException:  # noqa: BLE001 - told as the interpreter tells it
        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code if isinstance(code, int) else int(code is not None))
