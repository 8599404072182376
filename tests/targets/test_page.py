"""docs/targets.md is what the facts say, and the facts are about the versions that the project offers."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from scripts.targets.loaders import BY_COPY, LOADERS, OURS, POSTGRES, TUNED, WITHOUT_METADATA
from scripts.targets.page import FACTS, OFFERED, PAGE, must_be_right, page
from scripts.targets.wrongs import wrongs
from scripts.venvs import ROOT


@pytest.fixture
def facts():
    return json.loads(FACTS.read_text(encoding="utf-8"))


def trial(facts, name):
    (found,) = (trial for trial in facts["trials"] if trial["name"] == name)
    return found


def test_the_page_is_written_from_the_facts(facts):
    assert PAGE.read_text(encoding="utf-8") == page(facts), "run `make targets` again"


def test_each_target_was_tried_as_it_is_set_up_now(facts):
    seen = {found["name"]: (found["requirements"], found["settings"]) for found in facts["trials"]}
    assert seen == {loader.name: (list(loader.requirements), loader.shown) for loader in LOADERS}


def test_what_meltano_installs_is_what_was_tried():
    project = yaml.safe_load((ROOT / "meltano.yml").read_text())
    tried = {" ".join(loader.requirements) for loader in LOADERS if not loader.variant_of}
    foreign = [one for one in project["plugins"]["loaders"] if one["name"] != OURS]
    assert {loader["pip_url"] for loader in foreign} <= tried


def test_what_meltano_sets_is_what_was_tried():
    project = yaml.safe_load((ROOT / "meltano.yml").read_text())
    (postgres,) = (one for one in project["plugins"]["loaders"] if one["pip_url"].startswith(POSTGRES))
    values = {setting["name"]: setting.get("value") for setting in postgres["settings"]}
    assert TUNED.items() <= values.items()
    # The page tells what these cost.
    assert not values.keys() & {*BY_COPY, *WITHOUT_METADATA}


def test_the_data_had_what_targets_stumble_over(facts):
    assert facts["control_totals"] > 50
    assert {"invoices", "bring_invoice_lines", "reconciliations"} <= set(facts["streams"])
    found = trial(facts, "target-duckdb")["findings"]
    assert found["updates"] > 0
    assert found["deleted"] > 50
    assert found["new_values"] > 0
    assert found["nulls"] > 0


def test_offered_targets_lose_nothing(facts):
    assert must_be_right(facts) == []


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
        ({"values": {"text": {"outcomes": {"different": 1}, "examples": []}}}, "values"),
    ],
)
@pytest.mark.parametrize("name", OFFERED)
def test_any_loss_of_an_offered_target_is_a_problem(facts, name, spoil, problem):
    trial(facts, name)["findings"] |= spoil
    assert f"{name}: {problem} are not as they should be" in must_be_right(facts)


def test_an_offered_target_that_does_not_run_is_a_problem(facts):
    trial(facts, "target-jsonl").update(findings={}, failure="does not run: Oops")
    assert must_be_right(facts) == ["target-jsonl: does not run: Oops"]


def test_losses_are_said_in_words(facts):
    text = page(facts)
    for name in ("target-duckdb with duckdb 1.3", "meltanolabs-target-csv as it comes"):
        assert re.match(r"Loses [\d,]+ of [\d,]+ rows", wrongs(trial(facts, name))[0])
    assert "`add_metadata_columns` left out: loses 1 of" in text
    assert "does not run" in text
    assert "With `use_copy` as well: 13 of 31 sums are wrong" in text
    assert "`activate_version` turned off as well: 3 of 31 sums are wrong" in text
    found = trial(facts, "meltanolabs-target-postgres")
    found["findings"]["updated"] = 0
    assert any("changed rows are updated" in sentence for sentence in wrongs(found))
