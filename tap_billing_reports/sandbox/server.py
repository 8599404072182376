"""The sandbox as a process of its own, for the command line and for demos in other languages."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .core import Sandbox
from .emulation import VENDORS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime


def serve(
    *,
    port_base: int | None = None,
    now: datetime | None = None,
    seed: int = 1,
    ready_file: str | os.PathLike[str] | None = None,
    options: Mapping[str, Any] | None = None,
    vendors: Sequence[str] = tuple(VENDORS),
) -> None:
    """Serve until SIGTERM or SIGINT; call it from the main thread.

    Prints a line on stdout when it is ready, and without `ready_file` where the settings are. Writes
    {"urls": {host: url}, "settings": {flat settings of the tap}, "pid": n} to `ready_file`, which is there in
    full or not at all.

    Raises:
        OSError: a port is taken, or the file cannot be written.
    """
    stop = threading.Event()
    previous = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with Sandbox(now, seed, vendors, port_base=port_base, **(options or {})) as sandbox:
            if ready_file is not None:
                _write(
                    Path(ready_file),
                    {"urls": sandbox.urls, "settings": sandbox.settings(), "pid": os.getpid()},
                )
            sys.stdout.write(f"sandbox ready, control at {sandbox.urls['control']}\n")
            if ready_file is None:
                sys.stdout.write(f"settings for the tap at {sandbox.urls['control']}/settings\n")
            sys.stdout.flush()
            stop.wait()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _write(path: Path, ready: Mapping[str, Any]) -> None:
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    partial.write_text(json.dumps(ready, indent=2) + "\n", encoding="utf-8")
    partial.replace(path)
