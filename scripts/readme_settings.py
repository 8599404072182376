"""Writes the README's settings table anew, from what the tap says about itself.

    python scripts/readme_settings.py

The table stands between two marker lines. A test compares it with `tap-billing-reports --about --format=json`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BEGIN, END = "<!-- settings: written by scripts/readme_settings.py -->\n", "<!-- end of settings -->\n"


def about() -> dict[str, Any]:
    """What the Singer command answers to `--about --format=json`."""
    command = [sys.executable, "-m", "tap_billing_reports", "--about", "--format=json"]
    answer: dict[str, Any] = json.loads(
        subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    )
    return answer


def groups() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Setting -> the heading it stands under, and the settings that its source cannot do without."""
    from tap_billing_reports.config.settings import TOP  # noqa: PLC0415 - the path is set up in `main`
    from tap_billing_reports.vendors import all_sources  # noqa: PLC0415

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
            lines += ["", f"### {title}", "", "| setting | required | default | what it does |", "|---|---|---|---|"]
        required = "yes" if name in always else f"for {title}" if name in needed else ""
        default = schema.get("default")
        shown = "" if default is None else f"`{json.dumps(default).strip(chr(34))}`"
        described = " ".join(schema["description"].split()).replace("|", "\\|")
        secret = " Secret." if schema.get("secret") else ""
        lines.append(f"| `{name}` | {required} | {shown} | {described}{secret} |")
    return "\n".join([*lines, "", ""])


def between(text: str) -> tuple[str, str, str]:
    """The text before, of and after the table."""
    before, begin, rest = text.partition(BEGIN)
    inside, end, after = rest.partition(END)
    if not (begin and end):
        sys.exit(f"readme_settings.py: {README.name} has lost the lines {BEGIN.strip()} and {END.strip()}")
    return before + begin, inside, end + after


def main() -> None:
    """Rewrites the file in place."""
    sys.path.insert(0, str(ROOT))
    before, _old, after = between(README.read_text(encoding="utf-8"))
    README.write_text(before + table(about()) + after, encoding="utf-8")


if __name__ == "__main__":
    main()
