"""docs/targets.md: about the versions and settings that the project offers, of which nothing may be lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml

from scripts.targets import page
from scripts.targets.edge_cases import CASES
from scripts.targets.findings import Findings, Values
from scripts.targets.loaders import BY_COPY, LOADERS, OURS, POSTGRES, TUNED, WITHOUT_METADATA
from scripts.targets.page import MARK, OFFERED, PAGE, must_be_right, set_up, tables
from scripts.targets.trial import Trial
from scripts.venvs import ROOT
from tests.docs.pages import rows

TEXT = PAGE.read_text(encoding="utf-8")
SEEN = {cells[0]: cells for cells in rows(TEXT, "target")}
WHOLE = Findings(
    stored=3, living=2, deleted=1, marked=1, sums=1, sums_equal=1, updates=1, updated=1, nulls=1, nulls_kept=1,
    types={"decimal": ["numeric"]}, values={"decimal": Values({"identical": 2})}, new_column="text", new_values=1,
    new_values_kept=1, edge_cases=dict.fromkeys(CASES, "identical"),
)  # fmt: skip


def trial(name: str, found: Findings | None = WHOLE, failure: str = "") -> Trial:
    (loader,) = (loader for loader in LOADERS if loader.name == name)
    return Trial(loader, failure, {"x": "1"}, [1.0, 2.5], state_kept=True, findings=found, numbers=found)


def test_each_target_was_tried_as_it_is_set_up_now():
    """Where this fails: `make targets` again."""
    assert [tuple(cells[:3]) for cells in SEEN.values()] == [set_up(loader) for loader in LOADERS]


def test_what_meltano_installs_is_what_was_tried():
    project = yaml.safe_load((ROOT / "meltano.yml").read_text())
    tried = {" ".join(loader.requirements) for loader in LOADERS if not loader.is_variant}
    foreign = [one for one in project["plugins"]["loaders"] if one["name"] != OURS]
    assert {loader["pip_url"].replace("'", "") for loader in foreign} <= tried


def test_what_meltano_sets_is_what_was_tried():
    project = yaml.safe_load((ROOT / "meltano.yml").read_text())
    (postgres,) = (one for one in project["plugins"]["loaders"] if one["pip_url"].startswith(POSTGRES))
    values = {setting["name"]: setting.get("value") for setting in postgres["settings"]}
    assert TUNED.items() <= values.items()
    # The page tells what these cost.
    assert not values.keys() & {*BY_COPY, *WITHOUT_METADATA}


@pytest.mark.parametrize("name", OFFERED)
def test_offered_targets_lost_nothing_when_they_were_seen(name):
    kept, sums, changed, second, deleted, new, _nulls, state = SEEN[name][3:]
    right, of = sums.split(" of ")
    assert kept.startswith("all ")
    assert "never told" not in kept
    assert int(right) == int(of) > 0
    assert (changed, deleted, state) == ("none", "marked", "kept")
    assert second.startswith(("updates by key", "appends"))
    assert "lost" not in new


def test_the_page_tells_what_the_others_lose():
    assert SEEN["target-duckdb with duckdb 1.3"][3].endswith(" lost")
    assert SEEN["target-duckdb without metadata columns"][3].startswith("1 of ")
    assert SEEN[f"{POSTGRES} by COPY"][5].endswith(" of decimal")
    assert SEEN[f"{POSTGRES} without metadata"][7].endswith("still there")
    assert SEEN["meltanolabs-target-csv as it comes"][6] == "replaces the first"
    assert "does not run" in SEEN["target-csv"][3]


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        ({"missing": {"invoices": 1}}, "rows"),
        ({"surplus": {"invoices": 1}}, "rows"),
        ({"sums_equal": 0}, "sums"),
        ({"sums": 0, "sums_equal": 0}, "sums"),
        ({"updated": 0}, "updated rows"),
        ({"marked": 0}, "deleted rows"),
        ({"new_values_kept": 0}, "the new column"),
        ({"values": {"text": Values({"different": 1})}}, "values"),
        ({"values": {"text": Values({"NULL": 1})}}, "values turned NULL"),
    ],
)
def test_any_loss_of_an_offered_target_is_a_problem(spoil: dict[str, Any], problem):
    assert must_be_right([trial(name) for name in OFFERED]) == []
    spoilt = [trial(name, replace(WHOLE, **spoil)) for name in OFFERED]
    assert must_be_right(spoilt) == [f"{name}: {problem} are not as they should be" for name in OFFERED]
    assert must_be_right([trial("target-sqlite", replace(WHOLE, **spoil))]) == []


def test_an_offered_target_that_does_not_run_is_a_problem():
    failed = trial("target-jsonl", None, "does not run: Oops")
    assert must_be_right([failed]) == ["target-jsonl: does not run: Oops"]


def test_the_tables_say_what_was_found(monkeypatch, tmp_path):
    spoilt = replace(
        WHOLE, missing={"invoices": 1}, surplus={"invoices": 2}, sums_equal=0, marked=0, new_values_kept=0,
        nulls_kept=0, values={"decimal": Values({"different": 3, "NULL": 4}, [("1.10", "1.1000001")])}, updated=0,
        edge_cases=dict.fromkeys(CASES, "different: 'x'"),
    )  # fmt: skip
    text = tables([trial("target-jsonl", spoilt), trial("target-csv", None, "does not install")], "Seen today.")
    for said in (
        "1 of 2 lost, 2 never told | 0 of 1 | 3 of decimal, 4 of decimal to NULL | replaces the first | 1 still there",
        "text, 1 of 1 values lost | as empty text | kept |", "| does not install |", "`1.10` became `1.1000001`",
        "| empty text | different `'x'` |",
    ):  # fmt: skip
        assert said in text
    monkeypatch.setattr(page, "PAGE", tmp_path / "page.md")
    page.PAGE.write_text(f"before\n{MARK}old\n")
    page.write([trial("target-jsonl")], "Seen today.")
    written = page.PAGE.read_text()
    assert written.startswith(f"before\n{MARK}\nSeen today.\n\n## What was seen\n")
    assert "old" not in written
