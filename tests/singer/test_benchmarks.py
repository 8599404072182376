"""What is measured is the same: fast, stock and floor send the same records, and the floor stays a floor."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from unittest.mock import Mock

import pytest

from benchmarks import data, page, warehouse
from benchmarks.__main__ import PARTS

PROJECT = Path(data.__file__).parents[1]
TEXT = page.PAGE.read_text(encoding="utf-8")
GOALS = {key: goal for key, goal in page.figures(TEXT).items() if goal}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(data, "FOLDER", tmp_path)
    return tmp_path


def records(kind, sample):
    program = "benchmarks.floor" if kind == "floor" else "benchmarks.taps"
    finished = subprocess.run(
        [sys.executable, "-m", program, kind, *sample.arguments],
        capture_output=True,
        check=True,
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(PROJECT), *filter(None, sys.path)])},
    )
    report = json.loads(finished.stderr.splitlines()[-1])
    messages = [json.loads(line) for line in finished.stdout.splitlines()]
    found = [message["record"] for message in messages if message["type"] == "RECORD"]
    assert report["rows"] == len(found)
    assert report["seconds"] > 0
    return found


@pytest.mark.parametrize("make", [data.narrow, data.wide])
def test_all_three_send_the_same_records(folder, make):
    sample = make(300)
    with sample.path.open(newline="") as file:
        assert next(csv.reader(file)) == list(sample.columns)
    fast = records("fast", sample)
    assert len(fast) == 300
    assert fast == records("stock", sample)
    # The floor does not give columns their snake_case names.
    assert [list(row.values()) for row in records("floor", sample)] == [list(row.values()) for row in fast]


def test_the_wide_report_is_the_whole_one(folder):
    assert len(data.wide(1).columns) == 66


def test_the_floor_is_small_and_on_its_own():
    source = (PROJECT / "benchmarks" / "floor.py").read_text()
    assert len(source.splitlines()) <= 60
    assert "tap_billing_reports" not in source
    assert "benchmarks" not in source


@pytest.mark.parametrize("program", warehouse.PROGRAMS)
def test_each_way_into_a_warehouse_loads_all_rows(folder, program):
    report = warehouse.loaded(program, data.wide(300), f"duckdb:{folder / 'warehouse.duckdb'}")
    assert report["rows"] == 300
    assert len(report["loads"]) == (1 if program == "target" else 2)
    spent = [load[seconds] for load in report["loads"] for seconds in ("seconds", "processor_seconds")]
    assert min(*spent, report["rss_mib"]) > 0


def test_the_page_and_the_goals_name_what_is_measured_of_a_warehouse(folder, monkeypatch):
    def loaded(program, _sample, _url):
        # Of `sync` the first load takes 2 seconds, the second 4; the floor half as long.
        first = {"floor": 1, "sync": 2, "target": 8}[program]
        loads = [{"seconds": first * more, "processor_seconds": first * more} for more in (1, 2)]
        return {"rows": 40, "rss_mib": 5 * first, "loads": loads}

    monkeypatch.setattr(warehouse, "ROWS", {"narrow": 3, "wide": 2})
    monkeypatch.setattr(warehouse, "postgres_server", lambda _log: nullcontext(Mock(port=1)))
    monkeypatch.setattr(warehouse, "loaded", loaded)
    monkeypatch.setattr(warehouse, "_others", lambda *_: 0.5)
    found = warehouse.warehouse()
    for engine in ("duckdb", "postgres"):
        for shape in ("narrow", "wide"):
            ratios = {kind: found[f"warehouse.{engine}.{shape}.{kind}.ratio_to_floor"] for kind in warehouse.KINDS}
            assert ratios == {"sync": 0.5, "again": 0.5, "target": 0.125}
    assert found["warehouse.ratio_to_target_postgres"] == 10
    assert found["warehouse.rss_mib"] == 40
    told = {key for key in page.figures(TEXT) if key.startswith("warehouse.")}
    assert told == {key for key in found if not key.endswith(".rows_per_second")}


def test_results_are_nested_by_the_dot():
    assert page.nested({"a.b": 1, "a.c.d": 2, "e": 3}) == {"a": {"b": 1, "c": {"d": 2}}, "e": 3}


def test_figures_have_four_digits():
    assert [page.rounded(seen) for seen in (14.7164, 0.55949, 132313.4, 412)] == [14.72, 0.5595, 132313, 412]


def test_the_page_says_what_was_measured():
    results = json.loads(page.RESULTS.read_text())
    assert page.rewritten(TEXT, results) == TEXT
    again = page.rewritten(TEXT, results | {"waiting": {"ratio_to_ideal": 2.5}})
    assert "| 80 s | 2.5 | ≤ 1.15 |" in again
    assert page.figures(again) == page.figures(TEXT)


def test_every_goal_is_met_by_what_was_measured():
    results = json.loads(page.RESULTS.read_text())
    assert [key for key in GOALS if not page.is_met(GOALS[key], page.value(results, key))] == []


@pytest.mark.parametrize(("key", "reached", "missed"), [("csv.ratio_to_sdk", 13, 12.999), ("rss_mib.5gb", 150, 150.1)])
def test_a_goal_is_a_bound_from_one_side(key, reached, missed):
    assert page.is_met(GOALS[key], reached)
    assert not page.is_met(GOALS[key], missed)


def test_all_parts_have_a_figure_on_the_page():
    """A part is named on the command line, and its figures are in the results."""
    assert {*PARTS} == {
        "csv_rows", "xml_rows", "bulk", "rss", "whole_sync", "state_bytes", "startup", "waiting", "overlap",
        "end_to_end", "warehouse",
    }  # fmt: skip
