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


def table(told: dict[str, Any]) -> str:
    """One Markdown table a group, in the order of `--about`."""
    properties, always = told["settings"]["properties"], told["settings"]["required"]
    groups = {"All sources": [setting.name for setting in TOP]}
    groups |= {source.title: [setting.name for setting in source.settings] for source in all_sources()}
    ours = {name for names in groups.values() for name in names}
    groups["Of the Meltano Singer SDK"] = [name for name in properties if name not in ours]
    needed = {name: f"for {source.title}" for source in all_sources() for name in source.required}
    needed |= dict.fromkeys(always, "yes")
    lines = []
    for title, names in groups.items():
        lines += [f"## {title}", "", "| setting | required | default | what it does |", "|---|---|---|---|"]
        for name in names:
            schema = properties[name]
            default = schema.get("default")
            shown = "" if default is None else f"`{json.dumps(default).strip(chr(34))}`"
            described = " ".join(schema["description"].split()).replace("|", "\\|")
            secret = " Secret." if schema.get("secret") else ""
            lines.append(f"| `{name}` | {needed.get(name, '')} | {shown} | {described}{secret} |")
        lines.append("")
    return "\n".join(lines[:-1]) + "\n"
