"""The tables of settings, from what the tap says about itself."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from scripts.venvs import ROOT
from tap_billing_reports.config.settings import TOP
from tap_billing_reports.vendors import all_sources


def about() -> dict[str, Any]:
    """What the Singer command answers to `--about --format=json`."""
    command = [sys.executable, "-m", "tap_billing_reports", "--about", "--format=json"]
    answer: dict[str, Any] = json.loads(
        subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    )
    return answer


def groups() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Setting -> the heading it stands under, and the settings that its source cannot do without."""
    found: dict[str, tuple[str, tuple[str, ...]]] = {setting.name: ("All sources", ()) for setting in TOP}
    for source in all_sources():
        found |= {setting.name: (source.title, source.required) for setting in source.settings}
    return found


def table(told: dict[str, Any]) -> str:
    """One Markdown table a group, in the order of `--about`."""
    settings, always = told["settings"]["properties"], told["settings"]["required"]
    grouped, lines, heading = groups(), [], ""
    for name, schema in settings.items():
        title, needed = grouped.get(name, ("Of the Meltano Singer SDK", ()))
        if title != heading:
            heading = title
            lines += ["", f"## {title}", "", "| setting | required | default | what it does |", "|---|---|---|---|"]
        required = "yes" if name in always else f"for {title}" if name in needed else ""
        default = schema.get("default")
        shown = "" if default is None else f"`{json.dumps(default).strip(chr(34))}`"
        described = " ".join(schema["description"].split()).replace("|", "\\|")
        secret = " Secret." if schema.get("secret") else ""
        lines.append(f"| `{name}` | {required} | {shown} | {described}{secret} |")
    return "\n".join(lines[1:]) + "\n"
