"""What `billing-reports sandbox` does for people beside serving: settings to sync with, and a day that passes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import requests

from tap_billing_reports.core.errors import ConfigError
from tap_billing_reports.core.json_files import object_at

if TYPE_CHECKING:
    from pathlib import Path

# The control host is in this machine: it answers at once, or it is not there.
ANSWER_SECONDS: Final = 30


def check_replaceable(path: Path) -> None:
    """Refuse to write over settings that are not an emulator's.

    Raises:
        ConfigError: so it is.
    """
    if path.exists():
        urls = [value for name, value in object_at(str(path), "--config-file", ConfigError).items() if "url" in name]
        if not any(str(url).startswith("http://127.0.0.1:") for url in urls):
            raise ConfigError(f"--config-file {path} is there, with settings of real vendors: name another file")


def next_day(ready_file: Path) -> str:
    """Let a day pass; what the vendors' clock then shows.

    Args:
        ready_file: of vendors that are running.

    Raises:
        ConfigError: it is no such file, or nobody answers any more.
    """
    urls = object_at(str(ready_file), "--next-day", ConfigError).get("urls")
    control = urls.get("control") if isinstance(urls, dict) else None
    if not isinstance(control, str):
        raise ConfigError(
            f"--next-day {ready_file}: give the file that `billing-reports sandbox --ready-file` has written"
        )
    session = requests.Session()
    session.trust_env = False  # a proxy does not lead to this machine
    try:
        answer = session.post(f"{control}/next-day", timeout=ANSWER_SECONDS)
        answer.raise_for_status()
        now = json.loads(answer.text)["now"]
    except (requests.RequestException, ValueError, KeyError):
        raise ConfigError(
            f"--next-day {ready_file}: no emulated vendors answer at {control}: start them again"
        ) from None
    return f"a day has passed: the vendors' clock shows {now[:16].replace('T', ' ')} UTC"
