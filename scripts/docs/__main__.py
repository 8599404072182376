"""`make docs`: writes the generated parts of the pages, then builds the site into `site/`, without a warning.

    python -m scripts.docs [--parts]

    --parts    only the generated parts of the pages, and the README's settings

Exit status 1 when a page has lost its markers, when the builder warns, or when the site would load anything from
another host.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from scripts import readme_settings
from scripts.docs.foreign import foreign
from scripts.docs.parts import PARTS
from scripts.docs.tables import between

ROOT = Path(__file__).resolve().parents[2]
MKDOCS = ROOT / ".tools" / "docs" / "bin" / "mkdocs"


def write_parts() -> None:
    for name, parts in PARTS.items():
        page = ROOT / name
        text = page.read_text(encoding="utf-8")
        for part, written in parts.items():
            before, _old, after = between(text, part, name)
            text = f"{before}\n{written()}\n{after}"
        page.write_text(text, encoding="utf-8")
    readme_settings.main()


def build() -> None:
    subprocess.run([str(MKDOCS), "build", "--strict", "--clean", "--quiet"], cwd=ROOT, check=True)
    found = foreign(ROOT / "site")
    if found:
        sys.exit("\n".join(["the site would load these from other hosts:", *found]))
    pages = len(list((ROOT / "site").rglob("*.html")))
    print(f"site/index.html: {pages} pages, nothing from another host")


def main(arguments: list[str]) -> None:
    write_parts()
    if "--parts" not in arguments:
        try:
            build()
        except subprocess.CalledProcessError as error:
            sys.exit(error.returncode)


if __name__ == "__main__":
    main(sys.argv[1:])
