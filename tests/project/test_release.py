"""A tag that is no release is refused with what is missing; the workflow, the hooks and the page say the same."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from scripts import release
from tap_billing_reports import __version__

ROOT = Path(__file__).resolve().parents[2]
PUBLISH = ROOT / ".github" / "workflows" / "publish.yml"
WORKFLOW = yaml.safe_load(PUBLISH.read_text())

CHANGELOG = """# Changelog

## [Unreleased]
{unreleased}
## [1.2.0]{date}

### Added

- A thing.

## [1.1.0] - 2026-01-01

- An older thing.
"""


def tree(folder, *, version="1.2.0", unreleased="", date=" - 2026-12-01", urls='[project.urls]\nSource = "x"\n'):
    (folder / "tap_billing_reports").mkdir()
    (folder / "tap_billing_reports" / "__init__.py").write_text(f'__version__ = "{version}"\n')
    (folder / "CHANGELOG.md").write_text(CHANGELOG.format(unreleased=unreleased, date=date))
    (folder / "pyproject.toml").write_text(f'[project]\nname = "x"\n{urls}')
    return folder


def test_a_release_that_has_everything_is_none_to_complain_of(tmp_path):
    assert release.problems("v1.2.0", tree(tmp_path)) == []


@pytest.mark.parametrize(
    ("tag", "wrong", "said"),
    [
        ("v1.2.1", {}, "is not v1.2.0"),
        ("1.2.0", {}, "is not v1.2.0"),
        ("v1.3.0", {"version": "1.3.0"}, r"no section \[1.3.0\]"),
        ("v1.2.0", {"date": ""}, "has no date"),
        ("v1.2.0", {"unreleased": "\n- Left over.\n"}, "under .Unreleased."),
        ("v1.2.0", {"urls": ""}, "no .project.urls."),
    ],
)
def test_what_is_missing_is_named(tmp_path, tag, wrong, said):
    found = release.problems(tag, tree(tmp_path, **wrong))
    assert any(re.search(said, line) for line in found), found


def test_the_notes_are_the_versions_section(tmp_path):
    text = (tree(tmp_path) / "CHANGELOG.md").read_text()
    assert release.sections(text)["1.2.0"] == ("2026-12-01", "### Added\n\n- A thing.")
    assert release.sections(text)["Unreleased"][1] == ""


def test_the_version_stands_in_one_place():
    assert release.version() == __version__
    project = (ROOT / "pyproject.toml").read_text()
    assert 'dynamic = ["version"]' in project
    assert 'path = "tap_billing_reports/__init__.py"' in project
    assert not re.search(r'^version = "', project, re.MULTILINE)


def test_this_tree_is_no_release_yet_and_the_command_says_so():
    done = subprocess.run(
        [sys.executable, "-m", "scripts.release", "check", "v999.0.0"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "release: the tag v999.0.0 is not" in done.stderr


def test_only_a_tag_of_a_version_publishes_and_nothing_before_the_tests():
    assert WORKFLOW[True] == {"push": {"tags": ["v[0-9]+.[0-9]+.[0-9]+"]}}  # YAML takes `on` for the truth value
    jobs = WORKFLOW["jobs"]
    chain = ["check", "build", "attest", "publish", "image", "release"]
    assert list(jobs) == chain
    assert [jobs[name].get("needs") for name in chain] == [None, *chain[:-1]]
    runs = {name: [step["run"] for step in jobs[name]["steps"] if "run" in step] for name in chain}
    assert any("scripts.release check" in run for run in runs["check"])
    assert "make test" in runs["check"]


def test_each_job_of_the_workflow_may_do_only_what_it_is_for():
    assert WORKFLOW["permissions"] == {"contents": "read"}
    rights = {name: job.get("permissions") for name, job in WORKFLOW["jobs"].items()}
    assert rights == {
        "check": None,
        "build": None,
        "attest": {"contents": "read", "id-token": "write", "attestations": "write"},
        "publish": {"id-token": "write"},
        "image": {"contents": "read", "packages": "write"},
        "release": {"contents": "write"},
    }
    for job in WORKFLOW["jobs"].values():
        assert job["timeout-minutes"]
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")
            assert re.fullmatch(r"actions/[a-z-]+@v\d+", step.get("uses", "actions/x@v1"))
    text = PUBLISH.read_text()
    assert "secrets." not in text
    # Tools by their exact version, as no hash stands between us and them.
    assert all("==" in run for run in re.findall(r"pipx run (\S+)", text))


def test_the_hooks_before_a_commit_are_what_make_lint_runs():
    makefile = (ROOT / "Makefile").read_text()
    recipe = re.search(r"^lint:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert recipe is not None
    # A line that begins with @ only tells something and can refuse nothing.
    lines = [line.strip() for line in recipe[1].splitlines() if not line.strip().startswith("@")]
    wanted = [line.replace("$(PY)", ".venv/bin/python") for line in lines]
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    assert [" ".join(hook["entry"].split()) for hook in hooks] == wanted
    assert all(hook["pass_filenames"] is False for hook in hooks)


def test_dependabot_looks_after_pins_actions_and_the_base_image():
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())["updates"]
    assert {update["package-ecosystem"] for update in updates} == {"pip", "github-actions", "docker"}


def test_forms_ask_for_no_secrets_and_can_be_read():
    forms = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
    assert len(forms) == 2
    for form in forms:
        assert {"name", "description", "body"} <= set(yaml.safe_load(form.read_text()))
    assert "no real key" in (ROOT / ".github" / "ISSUE_TEMPLATE" / "wrong.yml").read_text()
