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

from detect_secrets.core import baseline
from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import default_settings

from scripts.venvs import ROOT

BASELINE = ROOT / ".secrets.baseline"
# Ids and hashes that the emulators have invented, all of which look like secrets; its test looks for their keys.
RECORDED = "tests/singer/written/"


def files() -> list[str]:
    """Those that git knows or would take in, from the folder that it is asked in."""
    command = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    listed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.split("\0")
    names = [name for name in listed if name != BASELINE.name and not name.startswith(RECORDED)]
    return [name for name in names if (ROOT / name).is_file()]


def main(arguments: list[str]) -> int:
    """The exit status; to be called in the project's folder."""
    found = SecretsCollection()
    with default_settings():
        found.scan_files(*files(), num_processors=2)
        report = baseline.format_for_output(found)
    if arguments == ["--accept"]:
        # The time of the scan would be a change without a reason.
        del report["generated_at"]
        BASELINE.write_text(json.dumps(report, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        return 0
    new = found - SecretsCollection.load_from_baseline(baseline.load_from_file(str(BASELINE)))
    for file, secret in new:
        place = f"{file}:{secret.line_number}: {secret.type}"
        print(f"{place}: take it out, or accept it with `python -m scripts.known_secrets --accept`")
    return 1 if new else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
