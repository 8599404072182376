"""The built wheel stands alone: installed into an empty environment and used from another folder."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from trove_classifiers import classifiers as KNOWN_CLASSIFIERS  # noqa: N812 - a constant there

from scripts import schema_snapshot
from scripts.venvs import ROOT
from tap_billing_reports import __version__
from tests.typed import some

SCHEMAS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "schemas").rglob("*.json"))


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The folder with the wheel and the sdist, built by the backend that pyproject.toml names."""
    folder = tmp_path_factory.mktemp("dist")
    program = (
        "import sys, hatchling.build as backend;backend.build_wheel(sys.argv[1]); backend.build_sdist(sys.argv[1])"
    )
    subprocess.run([sys.executable, "-c", program, str(folder)], cwd=ROOT, capture_output=True, check=True)
    return folder


@pytest.fixture(scope="session")
def wheel(built):
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def installed(wheel, tmp_path_factory):
    """An environment with the wheel from outside the tree; our dependencies are lent to it by a path file."""
    folder = tmp_path_factory.mktemp("empty") / "venv"
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    lent = sysconfig.get_path("purelib")
    (site / "lent.pth").write_text(f"{lent}\n")
    return folder / "bin" / "python"


def run(python, *arguments, cwd):
    """A command in the empty environment, that knows nothing of the tree."""
    env = {name: text for name, text in os.environ.items() if not name.startswith(("PYTHON", "TAP_"))}
    ran = subprocess.run([str(python), *arguments], cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def entry_points(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/entry_points.txt")]
        return archive.read(name).decode()


def test_discovery_works_from_another_folder_with_the_schemas_of_the_wheel(installed, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(schema_snapshot.settings()))
    found = run(installed, "-m", "tap_billing_reports", "--config", "config.json", "--discover", cwd=tmp_path)
    catalog = {stream["tap_stream_id"]: stream for stream in json.loads(found)["streams"]}
    contract = json.loads(schema_snapshot.SNAPSHOT.read_text())
    assert {name: sorted(stream["schema"]["properties"]) for name, stream in catalog.items()} == {
        name: sorted(facts["columns"]) for name, facts in contract.items()
    }
    where = "import tap_billing_reports.core.schema_files as s; print(s.__file__); print(s.carried('schemas'))"
    module, schemas = run(installed, "-c", where, cwd=tmp_path).split()
    environment = installed.parents[1].resolve()
    assert Path(module).resolve().is_relative_to(environment)
    assert sorted(path.name for path in Path(schemas).glob("*.json")) == [
        Path(name).name for name in SCHEMAS if name.count("/") == 1
    ]


def test_the_commands_are_there_and_answer(wheel, installed, tmp_path):
    commands = dict(line.split(" = ") for line in entry_points(wheel).splitlines() if " = " in line)
    assert set(commands) == {"tap-billing-reports", "target-billing-reports", "billing-reports"}
    for target in commands.values():
        module, _, name = target.partition(":")
        code = f"import sys, {module}; sys.argv[1:] = ['--version']; {module}.{name}()"
        assert __version__ in run(installed, "-c", code, cwd=tmp_path)


def test_it_writes_packages_for_other_vendors(installed, tmp_path):
    run(installed, "-m", "tap_billing_reports.cli.main", "new-source", "nordpay", "--report", "listed", cwd=tmp_path)
    package = tmp_path / "tap-billing-reports-nordpay"
    assert {path.name for path in package.iterdir()} == {
        "pyproject.toml",
        "README.md",
        "tap_billing_reports_nordpay",
        "tests",
    }


def test_the_wheel_says_what_it_is_and_carries_what_it_needs(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (info,) = {name.partition("/")[0] for name in names if ".dist-info/" in name}
        metadata = Parser().parsestr(archive.read(f"{info}/METADATA").decode())
        licence = archive.read(f"{info}/licenses/LICENSE").decode()
    assert {f"tap_billing_reports/{name}" for name in SCHEMAS} <= names
    modules = (path.relative_to(ROOT).as_posix() for path in (ROOT / "tap_billing_reports").rglob("*.py"))
    assert {*modules, "tap_billing_reports/py.typed"} <= names
    assert {name.partition("/")[0] for name in names} == {"tap_billing_reports", info}
    assert metadata["License-Expression"] == "Apache-2.0"
    assert "Apache License" in licence
    assert metadata["Requires-Python"] == "<3.15,>=3.11"
    classifiers = set(some(metadata.get_all("Classifier")))
    assert classifiers <= KNOWN_CLASSIFIERS
    assert {f"Programming Language :: Python :: 3.{minor}" for minor in range(11, 15)} <= classifiers
    assert "Typing :: Typed" in classifiers
    extras = set(some(metadata.get_all("Provides-Extra")))
    assert {"sandbox", "parquet"} <= extras
    # Each is named where people look for it.
    text = metadata.get_payload()
    assert isinstance(text, str)
    assert all(re.search(rf"`{extra}`|\[{extra}\]", text) for extra in extras)
    assert text == (ROOT / "README.md").read_text()


def test_the_source_distribution_can_be_built_tested_and_read(built):
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert set(SCHEMAS) <= names
    wanted = {"README.md", "CHANGELOG.md", "LICENSE", "Makefile", "meltano.yml", "Dockerfile", ".ci/run"}
    pages = (path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.*"))
    scripts = (path.relative_to(ROOT).as_posix() for path in (ROOT / "scripts").rglob("*.py"))
    assert {*wanted, *pages, *scripts} <= names
    tests = (path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("test_*.py"))
    assert set(tests) <= names
    # What the verbs make, and what a user keeps beside the tree, goes to nobody.
    private = (".venv/", ".tools/", ".meltano/", ".hypothesis/", "output/", "site/", "benchmarks/data/", ".env")
    assert [name for name in names if name.startswith(private)] == [".env.example"]
