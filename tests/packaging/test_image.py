"""The Dockerfile copies what the wheel is built from and nothing else; the image has no secrets and no root."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from scripts.venvs import ROOT
from tests.typed import some

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


@dataclass
class Stage:
    """One FROM and what follows: (instruction, rest of the line)."""

    base: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def of(self, instruction):
        return [rest for name, rest in self.steps if name == instruction]


def stages(text):
    """A Dockerfile's stages. Comments are left out, continued lines joined."""
    lines = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ").splitlines()
    found = []
    for line in filter(None, map(str.strip, lines)):
        name, _, rest = line.partition(" ")
        if name == "FROM":
            found.append(Stage(rest))
        else:
            found[-1].steps.append((name, " ".join(rest.split())))
    return found


BUILD, IMAGE = stages((ROOT / "Dockerfile").read_text())


def copied():
    """The paths of the tree that go into the build."""
    return [source for rest in BUILD.of("COPY") for source in shlex.split(rest)[:-1]]


def test_what_is_copied_is_there_and_nothing_twice():
    assert len(copied()) == len(set(copied()))
    assert all((ROOT / name).exists() for name in copied())


def test_the_context_holds_what_is_copied_and_nothing_else():
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    assert {line.removeprefix("!") for line in lines if line.startswith("!")} == set(copied())


def test_what_the_project_says_it_is_built_from_is_copied():
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {"pyproject.toml", PROJECT["project"]["readme"], *PROJECT["project"]["license-files"]}
    assert needed | {*wheel["packages"], *wheel["force-include"]} | {"constraints.txt"} == set(copied())


def build_wheel(tree, folder):
    program = "import sys, hatchling.build as backend; backend.build_wheel(sys.argv[1])"
    folder.mkdir()
    subprocess.run([sys.executable, "-c", program, str(folder)], cwd=tree, capture_output=True, check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return {item.filename: item.CRC for item in archive.infolist() if not item.filename.endswith("RECORD")}


def test_the_wheel_of_what_is_copied_is_the_wheel_of_the_tree(tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    for name in copied():
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(ROOT / name, tree / name)
    assert build_wheel(tree, tmp_path / "ours") == build_wheel(ROOT, tmp_path / "whole")


def test_the_image_takes_only_what_was_installed_and_runs_without_rights():
    assert IMAGE.of("COPY") == ["--from=build /opt/tap /opt/tap"]
    (user,) = IMAGE.of("USER")
    assert user.isdigit()
    assert int(user) > 0
    assert any(f"useradd --uid {user} " in step for step in IMAGE.of("RUN"))
    # Nothing runs as root after it.
    names = [name for name, _rest in IMAGE.steps]
    assert "RUN" not in names[names.index("USER") :]
    assert user in (ROOT / "docs" / "container.md").read_text()


@pytest.mark.parametrize("stage", [BUILD, IMAGE], ids=["build", "image"])
def test_the_base_is_slim_and_a_python_that_is_supported(stage):
    version = some(re.match(r"python:(3\.\d+)-slim\b", stage.base))[1]
    assert f"Programming Language :: Python :: {version}" in PROJECT["project"]["classifiers"]


def test_no_layer_holds_a_secret_or_fetches_from_an_address():
    for stage in (BUILD, IMAGE):
        assert not stage.of("ADD")
        for name, rest in stage.steps:
            assert not re.search(r"https?://|\.env\b", rest)
            if name in {"ARG", "ENV"}:
                assert not re.search(r"KEY|SECRET|PASSWORD|TOKEN|TAP_BILLING_REPORTS", rest, re.IGNORECASE), rest


def test_the_page_names_the_build_arguments_and_the_commands_that_are_there():
    page = (ROOT / "docs" / "container.md").read_text()
    arguments = set(re.findall(r"--build-arg (\w+)=", page))
    assert arguments == {rest.partition("=")[0] for rest in BUILD.of("ARG")}
    (command,) = IMAGE.of("CMD")
    assert command.partition(",")[0].strip('["') in PROJECT["project"]["scripts"]
    for found in re.findall(r"docker run .*? tap-billing-reports ([\w-]+)", page):
        assert found in PROJECT["project"]["scripts"]


def test_the_parser_joins_lines_and_leaves_out_comments():
    (stage,) = stages("# a\nFROM x\nRUN a \\\n    && b\n# c\nCOPY d e ./\n")
    assert stage.steps == [("RUN", "a && b"), ("COPY", "d e ./")]
    assert Path(ROOT / "Dockerfile").read_text().startswith("#")
