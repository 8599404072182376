"""Looks for secrets in all files of the repository with detect-secrets; `make lint` runs it.

python -m scripts.known_secrets            exit status 1 when one is found that is not in .secrets.baseline
python -m scripts.known_secrets --accept   writes the baseline anew, once a person has looked at what is new

What stands in the baseline are the emulator's keys and the tests' canaries, as hashes. Unlike the tool's own
hook this one does not mind that a line has moved.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from scripts.venvs import ROOT

BASELINE = ROOT / ".secrets.baseline"
# Ids and hashes that the emulators have invented, all of which look like secrets; its test looks for their keys.
RECORDED = "tests/singer/written/"


def said(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout


def scanned() -> dict[str, Any]:
    """What the tool finds in the files that git knows or would take in."""
    listed = said("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    names = [name for name in listed if name != BASELINE.name and not name.startswith(RECORDED)]
    tool = Path(sys.executable).with_name("detect-secrets")
    found = said(str(tool), "--cores", "2", "scan", *(name for name in names if (ROOT / name).is_file()))
    result: dict[str, Any] = json.loads(found)
    return result


def keys(report: dict[str, Any]) -> dict[tuple[str, str, str], int]:
    """File, kind and hash of each secret -> its line."""
    return {
        (file, secret["type"], secret["hashed_secret"]): secret["line_number"]
        for file, secrets in report["results"].items()
        for secret in secrets
    }


def main(arguments: list[str]) -> int:
    """The exit status."""
    report = scanned()
    if arguments == ["--accept"]:
        # The time of the scan would be a change without a reason.
        del report["generated_at"]
        BASELINE.write_text(json.dumps(report, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        return 0
    known = keys(json.loads(BASELINE.read_text(encoding="utf-8")))
    new = {key: line for key, line in keys(report).items() if key not in known}
    for (file, kind, _), line in sorted(new.items()):
        print(f"{file}:{line}: {kind}: take it out, or accept it with `python -m scripts.known_secrets --accept`")
    return 1 if new else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
