"""docs/add-a-source.md quotes the example, or what `new-source` writes: each block of code is lines of it.

Blocks of commands are run by tests/docs/test_blocks.py.
"""

from __future__ import annotations

import re
import textwrap

import pytest

from tests.examples.places import EXAMPLE, ROOT

GUIDE = (ROOT / "docs" / "add-a-source.md").read_text()
BLOCKS = re.findall(r"^```(?!sh\n)\w+\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
TEMPLATES = ROOT / "templates" / "new-source"
FILES = [
    path for folder in (EXAMPLE, TEMPLATES) for path in folder.rglob("*") if path.suffix in {".py", ".toml", ".json"}
]


def test_there_is_something_to_check():
    assert len(BLOCKS) > 10


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.strip().split("\n")[0][:40])
def test_a_block_is_quoted(block):
    wanted = textwrap.dedent(block).rstrip("\n").split("\n")
    for path in FILES:
        lines = path.read_text().split("\n")
        for start in range(len(lines) - len(wanted) + 1):
            found = textwrap.dedent("\n".join(lines[start : start + len(wanted)])).split("\n")
            if found == wanted:
                return
    pytest.fail("no file of the example or of the templates has these lines")


def test_the_examples_readme_names_its_settings():
    readme = (EXAMPLE / "README.md").read_text()
    declared = re.findall(r'd\.Setting\(\s*"(\w+)"', (EXAMPLE / "tap_billing_reports_acme" / "source.py").read_text())
    assert declared
    table = re.findall(r"^\| `(acme_\w+)` \|", readme, re.MULTILINE)
    assert table == declared
    assert re.findall(r"name: (acme_\w+)", readme) == declared
