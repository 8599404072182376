"""Syncs that end by SIGKILL: a real process for each, forked from a warm one so that hundreds are cheap."""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import sys
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tap_billing_reports.core.clock import Clock
from tests.waiting import HANG_SECONDS, pause

if TYPE_CHECKING:
    from pathlib import Path

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.warm"])


class HastyClock(Clock):
    """The machine's clock, but waits pass at once."""

    def __init__(self, start: datetime | None = None) -> None:
        self._skipped = 0.0
        self._offset = timedelta(0) if start is None else start - super().now()

    def now(self) -> datetime:
        return super().now() + self._offset

    def monotonic(self) -> float:
        return super().monotonic() + self._skipped

    def sleep(self, seconds: float) -> None:
        self._skipped += seconds
        pause()


@dataclass
class Ended:
    """What a sync left behind: its exit code (negative: the signal) and what a target has read from it."""

    code: int | None
    records: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = field(default_factory=dict)
    """Stream -> key -> record, after upsert."""
    schemas: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Stream -> its SCHEMA messages' schemas, in order."""
    states: list[dict[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    """All of them, in order."""
    torn: int = 0
    """Lines in the middle that are no message; the last line of a killed process may be cut."""
    log: str = ""

    @property
    def state(self) -> dict[str, Any] | None:
        return self.states[-1] if self.states else None

    def of(self, stream: str) -> list[dict[str, Any]]:
        """A stream's records."""
        return list(self.records.get(stream, {}).values())


def sync(
    config: dict[str, Any],
    folder: Path,
    *,
    state: dict[str, Any] | None = None,
    catalog: dict[str, Any] | None = None,
    now: datetime | None = None,
    kill_after: Any = None,
    prepare: Any = None,
) -> Ended:
    """Run one sync in a process of its own.

    Args:
        kill_after: called with the process id before the sync begins; arranges its end.
        prepare: called there with the tap before it runs; something that can be pickled.
    """
    out, log = folder / "out.jsonl", folder / "log.txt"
    ours, theirs = _context.Pipe()
    process = _context.Process(target=_child, args=(theirs, config, state, catalog, now, prepare, str(out), str(log)))
    process.start()
    try:
        if kill_after is not None:
            kill_after(process.pid)
        ours.send("go")
        process.join(HANG_SECONDS)
        assert process.exitcode is not None, "the sync hangs"
    finally:
        if process.is_alive():
            process.kill()
            process.join()
    ended = Ended(process.exitcode, log=log.read_text() if log.exists() else "")
    keys: dict[str, list[str]] = {}
    lines = out.read_bytes().split(b"\n") if out.exists() else []
    for number, line in enumerate(lines):
        try:
            message = json.loads(line)
        except ValueError:
            ended.torn += bool(line) and number < len(lines) - 1
            continue
        ended.messages.append(message)
        if message["type"] == "SCHEMA":
            keys[message["stream"]] = message["key_properties"]
            ended.schemas.setdefault(message["stream"], []).append(message["schema"])
        elif message["type"] == "RECORD":
            key = tuple(message["record"][name] for name in keys[message["stream"]])
            ended.records.setdefault(message["stream"], {})[key] = message["record"]
        elif message["type"] == "STATE":
            ended.states.append(message["value"])
    for path in (out, log):
        path.unlink(missing_ok=True)
    return ended


def merged(*syncs: Ended) -> dict[str, dict[tuple[Any, ...], dict[str, Any]]]:
    """What a target that upserts holds after these syncs."""
    held: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = {}
    for ended in syncs:
        for stream, records in ended.records.items():
            held.setdefault(stream, {}).update(records)
    return held


def _child(
    pipe: Any,
    config: dict[str, Any],
    state: dict[str, Any] | None,
    catalog: dict[str, Any] | None,
    now: datetime | None,
    prepare: Any,
    out: str,
    log: str,
) -> None:
    pipe.recv()
    descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(descriptor, 1)
    os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
    sys.stdout = os.fdopen(1, "w")
    sys.stderr = os.fdopen(2, "w")
    from singer_sdk.exceptions import ConfigValidationError

    from tap_billing_reports.core.errors import BillingError
    from tap_billing_reports.singer.tap import TapBillingReports

    TapBillingReports.clock = HastyClock(now)
    code = 1
    logging.basicConfig(stream=sys.stderr, level="INFO", format="%(levelname)s %(name)s %(message)s")
    try:
        tap = TapBillingReports(config=config, state=state, catalog=catalog)
        if prepare is not None:
            prepare(tap)
        code = tap.run()
    except ConfigValidationError as error:
        sys.stderr.write("\n".join(error.errors))
    except BillingError as error:
        sys.stderr.write(f"{error}\n")
    finally:
        sys.stderr.flush()
        sys.stdout.flush()
        if code == 0:
            os._exit(0)
    os._exit(code)
