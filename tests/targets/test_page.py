"""docs/targets.md: about the versions and settings that the project offers, of which nothing may be lost."""

from __future__ import annotations

from collections import defaultdict

import pytest
import yaml

from scripts.targets import page
from scripts.targets.edge_cases import CASES
from scripts.targets.findings import DELETED, MUST_BE_WHOLE, ROWS, SUMS, Findings, Share
from scripts.targets.loaders import BY_COPY, LOADERS, OURS, POSTGRES, TUNED, WITHOUT_METADATA, loader_of
from scripts.targets.page import MARK, OFFERED, PAGE, SHARES, must_be_right, set_up, tables
from scripts.targets.trial import Trial
from scripts.targets.truth import KINDS
from scripts.venvs import ROOT
from tests.docs.pages import rows

TEXT = PAGE.read_text(encoding="utf-8")
SEEN = {cells[0]: cells for cells in rows(TEXT, "target")}


def seen(**off: Share) -> Findings:
    """Of a target that has kept everything, but for what is `off`."""
    shares = {what.replace(" ", "_"): (what, Share(2, 2)) for what in (*SHARES, "decimal")}
    return Findings(
        {what: off.get(word, share) for word, (what, share) in shares.items()}, stored=3,
        types=defaultdict(set, decimal={"numeric"}), edge_cases=dict.fromkeys(CASES, "identical"), seconds=[1.0, 2.5],
    )  # fmt: skip


def trial(name: str, found: Findings | None, failure: str = "") -> Trial:
    return Trial(loader_of(name), failure, {"x": "1"}, findings=found, numbers=found)


def came(name: str) -> dict[str, str]:
    """What the page says of one target."""
    return dict(zip((*SHARES, "stored"), SEEN[name][3:], strict=True))


def whole(cell: str) -> bool:
    right, of = cell.split(" of ")
    return right == of != "0"


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
    assert [what for what, cell in came(name).items() if what in MUST_BE_WHOLE and not whole(cell)] == []
    (values,) = (cells for cells in rows(TEXT.partition("\n## Columns and values\n")[2], "target") if cells[0] == name)
    assert all(whole(cell.rpartition(": ")[2]) for cell in values[1 : 1 + len(KINDS)])


def test_the_page_tells_what_the_others_lose():
    assert not whole(came("target-duckdb with duckdb 1.3")[ROWS])
    assert not whole(came("target-duckdb without metadata columns")[ROWS])
    assert not whole(came(f"{POSTGRES} by COPY")[SUMS])
    assert not whole(came(f"{POSTGRES} without metadata")[DELETED])
    assert not whole(came("meltanolabs-target-csv as it comes")[ROWS])
    assert "does not run" in SEEN["target-csv"][3]


@pytest.mark.parametrize("what", [*MUST_BE_WHOLE, "decimal"])
def test_any_loss_of_an_offered_target_is_a_problem(what):
    assert must_be_right([trial(name, seen()) for name in OFFERED]) == []
    for share in (Share(1, 2), Share()):
        spoilt = seen(**{what.replace(" ", "_"): share})
        found = must_be_right([trial(name, spoilt) for name in OFFERED])
        assert found == [f"{name}: {what}: {share}" for name in OFFERED]
        assert must_be_right([trial("target-sqlite", spoilt)]) == []


def test_an_offered_target_that_does_not_run_is_a_problem():
    failed = trial("target-jsonl", None, "does not run: Oops")
    assert must_be_right([failed]) == ["target-jsonl: does not run: Oops"]


def test_the_tables_say_what_was_found(monkeypatch, tmp_path):
    spoilt = seen(exact_sums=Share(0, 1), nulls=Share(1000, 2000), decimal=Share(1, 4))
    spoilt.examples["decimal"] = ("1.10", "1.1000001")
    spoilt.edge_cases |= {"tab": "different: 'x'"}
    text = tables([trial("target-jsonl", spoilt), trial("target-csv", None, "does not install")], "Seen today.")
    for said in (
        "| 2 of 2 | 2 of 2 | 0 of 1 | 2 of 2 | 2 of 2 | 2 of 2 | 2 of 2 | 1,000 of 2,000 | 3 |", "| does not install |",
        "|  | numeric: 1 of 4 |  |", "| 1 and 2.5 |", "`1.10` became `1.1000001`", "| tab | different `'x'` |",
    ):  # fmt: skip
        assert said in text
    monkeypatch.setattr(page, "PAGE", tmp_path / "page.md")
    page.PAGE.write_text(f"before\n{MARK}old\n")
    page.write([trial("target-jsonl", seen())], "Seen today.")
    written = page.PAGE.read_text()
    assert written.startswith(f"before\n{MARK}\nSeen today.\n\n## What was seen\n")
    assert "old" not in written
