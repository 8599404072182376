"""What tests import stands in a module with a name; a conftest holds fixtures, which nobody imports."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]


def test_nothing_is_imported_from_a_conftest():
    importing = re.compile(r"^\s*(?:from|import) [\w.]*\bconftest\b", re.MULTILINE)
    assert importing.search("from tests.cli.conftest import NOW")
    files = list(TESTS.rglob("*.py"))
    assert len(files) > 100
    assert [str(path) for path in files if importing.search(path.read_text(encoding="utf-8"))] == []
