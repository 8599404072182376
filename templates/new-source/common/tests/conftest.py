"""What the tests share: the emulated vendor, and the tap's own command against it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tap_billing_reports_newvendor.emulator import KEY, Emulator
from tap_billing_reports_newvendor.serving import served


class Synced(NamedTuple):
    """What one sync gave: exit status, log, last STATE, and records by stream."""

    status: int
    log: str
    state: dict[str, Any]
    records: dict[str, list[dict[str, Any]]]


@pytest.fixture
def vendor() -> Iterator[Emulator]:
    emulator = Emulator()
    with served(emulator.answer) as url:
        emulator.url = url
        yield emulator


@pytest.fixture
def sync(vendor: Emulator, tmp_path: Path) -> Callable[..., Synced]:
    """Runs the tap as users do, over three days that are long past. A setting of None is left out."""

    def run(state: dict[str, Any] | None = None, **settings: Any) -> Synced:
        values = {
            "start_date": "2025-03-01",
            "end_date": "2025-03-04",
            "newvendor_api_key": KEY,
            "newvendor_base_url": vendor.url,
            **settings,
        }
        given = {name: value for name, value in values.items() if value is not None}
        (tmp_path / "config.json").write_text(json.dumps(given))
        (tmp_path / "state.json").write_text(json.dumps(state or {}))
        command = [sys.executable, "-m", "tap_billing_reports", "--config", "config.json", "--state", "state.json"]
        ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        records: dict[str, list[dict[str, Any]]] = defaultdict(list)
        last: dict[str, Any] = {}
        for line in ran.stdout.splitlines():
            message = json.loads(line)
            if message["type"] == "RECORD":
                records[message["stream"]].append(message["record"])
            elif message["type"] == "STATE":
                last = message["value"]
        return Synced(ran.returncode, ran.stderr, last, records)

    return run
