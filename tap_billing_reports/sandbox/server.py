"""The sandbox as a process of its own, for the command line and for demos in other languages."""

from __future__ import annotations

import csv
import io
import json
import os
import shlex
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

# Of the variables from which the tap reads its settings.
PREFIX = "TAP_BILLING_REPORTS_"


def serve(
    *,
    port_base: int | None = None,
    now: datetime | None = None,
    seed: int = 1,
    ready_file: str | os.PathLike[str] | None = None,
    config_file: str | os.PathLike[str] | None = None,
    suggested: Mapping[str, Any] | None = None,
    env_file: str | os.PathLike[str] | None = None,
    orders_file: str | os.PathLike[str] | None = None,
    options: Mapping[str, Any] | None = None,
    vendors: Sequence[str] = tuple(VENDORS),
) -> None:
    """Serve until SIGTERM or SIGINT; call it from the main thread.

    Prints a line on stdout when it is ready, and without `ready_file` where the settings are. Writes
    {"urls": {host: url}, "settings": {flat settings of the tap}, "pid": n} to `ready_file`, which is there in
    full or not at all. `config_file` gets the settings alone, with those of `suggested`, before it,
    and `env_file` the settings as lines of a shell, with the control host as SANDBOX_CONTROL. `orders_file` gets a
    shop's own orders up to now as CSV; those of later days are at the control host.

    Raises:
        OSError: a port is taken, or the file cannot be written.
    """
    stop = threading.Event()
    previous = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with Sandbox(now, seed, vendors, port_base=port_base, **(options or {})) as sandbox:
            if config_file is not None:
                settings = {**sandbox.settings(), **(suggested or {})}
                _write(Path(config_file), json.dumps(settings, indent=2) + "\n")
            if env_file is not None:
                _write(Path(env_file), _variables(sandbox.urls["control"], sandbox.settings()))
            if orders_file is not None:
                _write(Path(orders_file), _table(sandbox.control.orders()))
            if ready_file is not None:
                ready = {"urls": sandbox.urls, "settings": sandbox.settings(), "pid": os.getpid()}
                _write(Path(ready_file), json.dumps(ready, indent=2) + "\n")
            sys.stdout.write(f"sandbox ready, control at {sandbox.urls['control']}\n")
            if ready_file is None and config_file is None and env_file is None:
                sys.stdout.write(f"settings for the tap at {sandbox.urls['control']}/settings\n")
            sys.stdout.flush()
            stop.wait()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _write(path: Path, text: str) -> None:
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def _table(rows: Sequence[Mapping[str, str]]) -> str:
    """CSV with a header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _variables(control: str, settings: Mapping[str, Any]) -> str:
    found = {"SANDBOX_CONTROL": control}
    for name, value in settings.items():
        found[PREFIX + name.upper()] = value if isinstance(value, str) else json.dumps(value)
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in found.items())
