"""With CI=true a skipped test fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

SUITE = """
import pytest
def test_passes(): pass
def test_skips(): pytest.skip("no database")
@pytest.mark.skip(reason="later")
def test_marked(): raise AssertionError
@pytest.mark.xfail(strict=True)
def test_expected(): raise AssertionError
"""
MODULE = 'import pytest\npytest.skip("not here", allow_module_level=True)\n'


@pytest.mark.parametrize(
    ("ci", "content", "status", "summary"),
    [
        ("true", SUITE, 1, "1 failed, 1 passed, 1 xfailed, 1 error"),
        ("", SUITE, 0, "1 passed, 2 skipped, 1 xfailed"),
        ("true", MODULE, 2, "1 error"),
        ("", MODULE, 5, "1 skipped"),
    ],
)
def test_skips(tmp_path, ci, content, status, summary):
    (tmp_path / "test_it.py").write_text(content)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.no_skips",
        "-q",
        "--rootdir",
        str(tmp_path),
        str(tmp_path),
    ]
    env = {**os.environ, "CI": ci, "PYTEST_ADDOPTS": "", "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert summary in ran.stdout
    assert ran.returncode == status
