"""With CI=true a skipped test fails."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

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
        ("true", SUITE, 1, {"failed": 1, "passed": 1, "xfailed": 1, "errors": 1}),
        ("", SUITE, 0, {"passed": 1, "skipped": 2, "xfailed": 1}),
        ("true", MODULE, 2, {"errors": 1}),
        ("", MODULE, 5, {"skipped": 1}),
    ],
)
def test_skips(pytester, monkeypatch, ci, content, status, summary):
    monkeypatch.setenv("CI", ci)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    pytester.makepyfile(test_it=content)
    ran = pytester.runpytest_inprocess("-p", "tests.no_skips", "-p", "no:cacheprovider")
    assert ran.parseoutcomes() == summary
    assert ran.ret == status
