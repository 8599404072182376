"""What a release needs, for the publish workflow: the tag is the version, the changelog has its notes.

python3 -m scripts.release check v0.2.0     exit status 1, one line for each thing that is missing
python3 -m scripts.release notes v0.2.0     prints the version's section of the changelog

With Python 3.11 or later it needs nothing else: it runs before anything is installed.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
_HEADING: Final = re.compile(r"^## \[([^\]]+)\](?: - (\d{4}-\d\d-\d\d))?$", re.MULTILINE)


def version(root: Path = ROOT) -> str:
    """As the package says it: the one place where it stands."""
    text = (root / "tap_billing_reports" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    if found is None:
        sys.exit("tap_billing_reports/__init__.py has lost its __version__")
    return found[1]


def sections(changelog: str) -> dict[str, tuple[str | None, str]]:
    """Version -> its date, None without one, and its text."""
    heads = list(_HEADING.finditer(changelog))
    ends = [head.start() for head in heads[1:]] + [len(changelog)]
    return {head[1]: (head[2], changelog[head.end() : end].strip()) for head, end in zip(heads, ends, strict=True)}


def problems(tag: str, root: Path = ROOT) -> list[str]:
    """What keeps a tag from being a release."""
    found = []
    wanted = tag.removeprefix("v")
    if tag != f"v{version(root)}":
        found.append(f"the tag {tag} is not v{version(root)}, the version of tap_billing_reports/__init__.py")
    noted = sections((root / "CHANGELOG.md").read_text(encoding="utf-8"))
    date, text = noted.get(wanted, (None, ""))
    if not text:
        found.append(f"CHANGELOG.md has no section [{wanted}] with notes: docs/releasing.md says how it gets one")
    elif date is None:
        found.append(f"the section [{wanted}] of CHANGELOG.md has no date")
    if noted.get("Unreleased", (None, ""))[1]:
        found.append("CHANGELOG.md has notes under [Unreleased]: they belong to this version")
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    if not project.get("urls"):
        found.append("pyproject.toml has no [project.urls]: add where the repository lives")
    return found


def main(arguments: list[str]) -> int:
    """The exit status."""
    if len(arguments) != 2 or arguments[0] not in {"check", "notes"}:
        print(__doc__, file=sys.stderr)
        return 2
    word, tag = arguments
    if word == "check":
        found = problems(tag)
        for line in found:
            print(f"release: {line}", file=sys.stderr)
        return 1 if found else 0
    _date, text = sections((ROOT / "CHANGELOG.md").read_text(encoding="utf-8")).get(tag.removeprefix("v"), (None, ""))
    print(text)
    return 0 if text else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
