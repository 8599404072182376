"""The verbs, the environments they make, the pins, and what continuous integration calls."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from scripts import lines, venvs
from tests.typed import some

ROOT = Path(__file__).resolve().parents[2]
VERBS = (
    "demo", "pictures", "test", "lint", "bench", "faults", "targets", "airflow", "airflow-celery", "dlt", "docs",
    "clean",
)  # fmt: skip


def would_run(*arguments):
    """The commands that make would run."""
    env = {name: text for name, text in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}}
    command = ["make", "--dry-run", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_there(verb):
    assert would_run(verb).strip()


def test_break_reaches_the_demo_only_when_asked_for():
    assert "scripts.demo --break" in would_run("demo", "BREAK=1")
    assert "--break" not in would_run("demo")
    assert "--break" not in would_run("demo", "BREAK=0")


def test_test_covers_lint_and_types():
    commands = would_run("test")
    assert "ruff check ." in commands
    assert "ruff format --check ." in commands
    assert "-m mypy" in commands
    assert commands.index("-m mypy") < commands.index("-m scripts.lines") < commands.index("-m pytest")


def test_lines_are_counted_by_folder(tmp_path, monkeypatch):
    for name, text in {
        "core/a.py": "1\n2\n", "core/deeper/b.sql": "3\n", "__init__.py": "4\n", "py.typed": "no\n",
    }.items():  # fmt: skip
        path = tmp_path / lines.PACKAGE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "page.md").write_text("one\n\nthree")
    monkeypatch.setattr(lines, "ROOT", tmp_path)
    assert lines.counts() == {
        "tap_billing_reports/core": 3, "tap_billing_reports": 4,
        "dbt": 0, "tests": 0, "scripts": 0, "benchmarks": 0, "docs": 3,
    }  # fmt: skip


def test_continuous_integration_runs_the_tests_and_forbids_skips():
    path = ROOT / ".ci" / "run"
    text = path.read_text()
    assert text.startswith("#!/usr/bin/env bash\n")
    assert text.rstrip().endswith("export CI=true\nexec make test")
    assert os.access(path, os.X_OK)


CONSTRAINTS = sorted({made.constraints for made in venvs.ENVIRONMENTS.values() if made.constraints})


def pins(file="constraints.txt"):
    written = (ROOT / file).read_text().splitlines()
    return [Requirement(line) for line in written if line and not line.startswith("#")]


@pytest.mark.parametrize("file", CONSTRAINTS)
def test_pins_are_exact_versions_without_any_address(file):
    assert not re.search(r"://|--|@|hash", (ROOT / file).read_text())
    assert all(re.fullmatch(r"==[^=*,]+", str(pin.specifier)) for pin in pins(file))


@pytest.mark.parametrize("file", CONSTRAINTS)
def test_no_pin_is_for_a_python_that_has_ended(file):
    ended = [{"python_version": f"3.{minor}", "python_full_version": f"3.{minor}.20"} for minor in (8, 9, 10)]
    living = [{"python_version": f"3.{minor}", "python_full_version": f"3.{minor}.1"} for minor in (11, 12, 13, 14)]
    for pin in pins(file):
        if pin.marker and any(pin.marker.evaluate(python) for python in ended):
            assert any(pin.marker.evaluate(python) for python in living), pin


@pytest.mark.parametrize("name", venvs.ENVIRONMENTS)
def test_a_version_is_named_once_by_the_pins_where_there_are_any(name):
    made = venvs.ENVIRONMENTS[name]
    words = [Requirement(word) for word in made.requirements if re.match(r"[a-z]", word) and word != "dev"]
    if made.constraints is None:
        assert all(word.specifier for word in words)
        return
    assert not any(word.specifier for word in words)
    assert {word.name for word in words} <= {pin.name for pin in pins(made.constraints)}


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
def test_a_package_has_one_pin_for_each_python(python):
    names = [pin.name for pin in pins() if pin.marker is None or pin.marker.evaluate({"python_version": python})]
    assert len(names) == len(set(names))
    assert {"singer-sdk", "meltano", "duckdb", "psycopg", "requests", "lxml", "pytest"} <= set(names)


def test_the_loaders_databases_are_those_that_its_extras_allow():
    declared = [Requirement(text) for text in metadata.requires("tap-billing-reports") or ()]
    extras = [one for one in declared if (one.marker and "duckdb" in str(one.marker)) or "postgres" in str(one.marker)]
    assert {one.name for one in extras} == {"duckdb", "pyarrow", "psycopg"}
    for requirement in extras:
        found = [pin for pin in pins() if pin.name == requirement.name]
        assert found
        assert all(requirement.specifier.contains(str(pin.specifier).removeprefix("==")) for pin in found)


def test_the_pins_leave_room_for_the_extra_that_reads_s3():
    """The image installs extras with the pins; botocore, which s3fs needs, refuses python-dateutil 3."""
    found = {pin.name: str(pin.specifier).removeprefix("==") for pin in pins()}
    assert Requirement("python-dateutil>=2.1,<3").specifier.contains(found["python-dateutil"])
    assert found["s3fs"] == found["fsspec"]
    assert {"aiobotocore", "botocore", "aiohttp"} <= set(found)


@pytest.fixture
def environment(tmp_path, monkeypatch):
    (tmp_path / "made-from.txt").write_text("1")
    monkeypatch.setattr(venvs, "ROOT", tmp_path)
    (tmp_path / "constraints.txt").write_text("x==1")
    made = venvs.Environment(tmp_path / "venv", ("--editable", "."), ("made-from.txt",))
    monkeypatch.setitem(venvs.ENVIRONMENTS, "project", made)
    return made


def install_by(monkeypatch, uv, status=0):
    """Let the installers only be noted; the interpreter appears as they would make it."""
    commands = []

    def run(command, **_options):
        commands.append(list(command))
        if "venv" in command and not status:
            python = Path(command[-1]) / "bin" / "python"
            python.parent.mkdir(parents=True)
            python.touch()
        return subprocess.CompletedProcess(command, status)

    monkeypatch.setattr(shutil, "which", lambda _name: uv)
    monkeypatch.setattr(subprocess, "run", run)
    return commands


def test_an_environment_is_made_once_and_again_when_its_origin_changes(environment, monkeypatch, tmp_path):
    commands = install_by(monkeypatch, uv=None)
    venvs.main(["project"])
    assert commands[-1][-4:] == ["--constraint", "constraints.txt", "--editable", "."]
    assert any("pip>=25.1" in command for command in commands)
    commands.clear()
    venvs.main(["project"])
    assert not commands
    for origin in ("made-from.txt", "constraints.txt"):
        commands.clear()
        (tmp_path / origin).write_text("x==2")
        venvs.main(["project"])
        assert commands


def test_uv_is_used_where_it_is(environment, monkeypatch):
    commands = install_by(monkeypatch, uv="/opt/bin/uv")
    venvs.main(["project"])
    assert [command[0] for command in commands] == ["/opt/bin/uv", "/opt/bin/uv"]


def test_a_failed_installation_is_not_taken_for_an_environment(environment, monkeypatch):
    install_by(monkeypatch, uv=None, status=1)
    with pytest.raises(SystemExit, match="exit status 1"):
        venvs.main(["project"])
    assert not environment.is_current()


@pytest.mark.parametrize("found", [True, False])
def test_the_first_supported_python_is_taken_and_none_is_said_in_one_line(tmp_path, found):
    for name, supported in (("python3", False), ("python3.12", found)):
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\n[ "$1" = -c ] && exit {0 if supported else 1}\necho "{name} runs $*"\n')
        program.chmod(0o755)
    script = ROOT / "scripts" / "with_python.sh"
    env = {"PATH": str(tmp_path)}
    ran = subprocess.run(
        ["/bin/sh", str(script), "some.py", "an argument"],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    if found:
        assert (ran.returncode, ran.stdout) == (0, "python3.12 runs some.py an argument\n")
    else:
        assert ran.returncode == 1
        assert ran.stderr.count("\n") == 1
        assert "No Python 3.11" in ran.stderr


def test_requirements_that_pin_enough_are_installed_without_the_projects_pins(environment, monkeypatch, tmp_path):
    commands = install_by(monkeypatch, uv=None)
    alone = venvs.Environment(tmp_path / "other", ("target-jsonl==0.1.4",), constraints=None)
    venvs.provide(alone)
    assert commands[-1][-1] == "target-jsonl==0.1.4"
    assert not any("--constraint" in command for command in commands)
    assert alone.is_current()
    assert not venvs.Environment(alone.path, alone.requirements).is_current(), "pins are part of what it is made from"


def test_of_two_who_need_an_environment_one_makes_it(environment, monkeypatch):
    commands = install_by(monkeypatch, uv=None)

    @contextlib.contextmanager
    def alone():
        # Somebody else held the lock until now, and has made it.
        venvs.build(environment)
        commands.clear()
        yield

    monkeypatch.setattr(venvs, "alone", alone)
    venvs.provide(environment)
    assert not commands


def test_the_lock_is_held_by_one_process_at_a_time(environment):
    with venvs.alone(), (venvs.ROOT / ".tools" / "making.lock").open("w") as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with (venvs.ROOT / ".tools" / "making.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_the_coverage_of_the_whole_package_has_a_floor():
    command = would_run("test")
    assert "--cov " in command
    assert int(some(re.search(r"--cov-fail-under=(\d+)", command))[1]) >= 95
