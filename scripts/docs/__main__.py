"""`make docs`: writes the generated parts of the pages, then builds the site into `site/`, without a warning.

    python -m scripts.docs [--parts]

    --parts    only the generated parts of the pages, and the files that are generated whole

Exit status 1 when a page has lost its markers, when a link is broken, when the builder warns, or when the site would
load anything from another host.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.docs.foreign import foreign
from scripts.docs.numbers import filled
from scripts.docs.parts import FILES, PARTS
from scripts.docs.tables import between
from scripts.venvs import ENVIRONMENTS, ROOT

SITE = ROOT / "site"
# Warnings are errors, all of them are shown, and every reference must lead somewhere.
STRICT = ("-W", "--keep-going", "-n", "-q", "-E")


def write_parts() -> None:
    for name, whole in FILES.items():
        (ROOT / name).write_text(whole(), encoding="utf-8")
    for name, parts in PARTS.items():
        page = ROOT / name
        text = page.read_text(encoding="utf-8")
        for part, written in parts.items():
            before, _old, after = between(text, part, name)
            text = f"{before}\n{written()}\n{after}"
        page.write_text(text, encoding="utf-8")
    for page in (ROOT / "docs").rglob("*.md"):
        page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")


def build() -> None:
    """Builds the site anew.

    Raises:
        CalledProcessError: the builder failed, or warned; it has said why.
    """
    shutil.rmtree(SITE, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="docs-") as doctrees:
        where = ("-c", str(Path(__file__).parent), "-d", doctrees, str(ROOT), str(SITE))
        command = (str(ENVIRONMENTS["docs"].python), "-m", "sphinx", "-b", "html", *STRICT, *where)
        subprocess.run(command, check=True)
    # Servers and people open a folder by this name.
    shutil.copyfile(SITE / "README.html", SITE / "index.html")


def main(arguments: list[str]) -> None:
    write_parts()
    if "--parts" in arguments:
        return
    try:
        build()
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
    if found := foreign(SITE):
        sys.exit("\n".join(["the site would load these from other hosts:", *found]))
    print(f"site/index.html: {len(list(SITE.rglob('*.html')))} pages; nothing in them is loaded from another host")


if __name__ == "__main__":
    main(sys.argv[1:])
