"""`billing-reports new-source`: each kind is a package that is lint-clean and passes its own tests as it is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile

import pytest
from click.testing import CliRunner

from tap_billing_reports.cli.main import main
from tap_billing_reports.cli.new_source import KINDS, TEMPLATE_NAME
from tests.examples.places import EXAMPLE, ROOT
from tests.waiting import HANG_SECONDS

# The longest name that there is, and the shortest: lines are neither too long nor laid out otherwise.
NAMES = {"ordered": "abcdefghijklmno", "listed": "x", "paged": "ex2mple"}


def new_source(*arguments):
    return CliRunner().invoke(main, ["new-source", *map(str, arguments)])


def python(*arguments, cwd, path=()):
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, [*path, ROOT])), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=HANG_SECONDS, check=False)


@pytest.fixture(params=KINDS)
def made(request, tmp_path):
    name = NAMES[request.param]
    said = new_source(name, "--report", request.param, "--into", tmp_path)
    assert said.exit_code == 0, said.output
    return tmp_path / f"tap-billing-reports-{name}"


def test_its_own_tests_pass_where_it_is_installed(made, tmp_path):
    """Installed as its wheel, without a registry."""
    program = "import sys, hatchling.build as backend; backend.build_wheel(sys.argv[1])"
    built = python("-c", program, tmp_path, cwd=made)
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    ran = python("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=made, path=[tmp_path / "site"])
    assert ran.returncode == 0, ran.stdout[-4000:]
    assert " passed" in ran.stdout


def test_it_is_clean_by_its_own_rules(made, tmp_path_factory):
    # What the packages import is read once for all of them.
    cache = tmp_path_factory.getbasetemp() / "mypy"
    for check in (
        ["ruff", "check", "--no-cache"],
        ["ruff", "format", "--check", "--no-cache"],
        ["mypy", "--cache-dir", cache],
    ):
        ran = python("-m", *check, ".", cwd=made)
        assert ran.returncode == 0, ran.stdout
    assert "strict = true" in (made / "pyproject.toml").read_text()


def test_nothing_of_the_template_is_left_and_its_facts_are_marked(made):
    for path in (path for path in made.rglob("*") if path.is_file()):
        assert TEMPLATE_NAME not in f"{path.relative_to(made)} {path.read_text()}".lower()
    (source,) = made.glob("*/source.py")
    assert len(re.findall(r"VENDOR:", source.read_text())) >= 8
    assert len(source.read_text().splitlines()) <= 120


@pytest.mark.parametrize("name", ["Acme", "acme-pay", "1acme", "a" * 16, "acme\n", "../acme"])
def test_a_name_that_the_tap_would_not_take_is_refused(name, tmp_path):
    said = new_source(name, "--into", tmp_path)
    assert said.exit_code == 1
    assert "cannot be used: lower case letters and digits" in said.output
    assert list(tmp_path.iterdir()) == []


def test_the_name_of_another_source_is_refused(tmp_path):
    said = new_source("stripe", "--into", tmp_path)
    assert said.exit_code == 1
    assert "the name stripe is taken" in said.output
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_is_left_as_it_is(tmp_path):
    (tmp_path / "tap-billing-reports-acme2").mkdir()
    said = new_source("acme2", "--into", tmp_path)
    assert said.exit_code == 1
    assert "is there already" in said.output
    assert [path.name for path in tmp_path.rglob("*")] == ["tap-billing-reports-acme2"]


def test_nothing_half_written_is_left(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.rename", full)
    said = new_source("acme2", "--into", tmp_path)
    assert said.exit_code == 1
    assert "cannot be written (No space left on device)" in said.output
    assert list(tmp_path.iterdir()) == []


def test_the_example_is_what_is_written_as_far_as_it_is_of_no_vendor(tmp_path):
    """One of them changed: make the package `acme` anew, and copy its file."""
    assert new_source("acme", "--into", tmp_path).exit_code == 0
    made = tmp_path / EXAMPLE.name
    package = "tap_billing_reports_acme"
    for name in ("pyproject.toml", "tests/conftest.py", f"{package}/__init__.py", f"{package}/serving.py"):
        assert (EXAMPLE / name).read_text() == (made / name).read_text(), name


def test_the_command_takes_each_kind():
    (option,) = [one for one in main.commands["new-source"].params if one.name == "kind"]
    assert tuple(option.type.choices) == KINDS  # type: ignore[attr-defined]
