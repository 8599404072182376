"""What is measured is the same: fast, stock and floor send the same records, and the floor stays a floor."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import data, page, warehouse
from benchmarks.goals import GOALS, RESULTS
from benchmarks.run import nested

PROJECT = Path(data.__file__).parents[1]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(data, "FOLDER", tmp_path)
    return tmp_path


def records(kind, sample):
    program = ["benchmarks/floor.py"] if kind == "floor" else ["-m", "benchmarks.taps"]
    finished = subprocess.run(
        [sys.executable, *program, kind, str(sample.path), json.dumps(sample.columns), sample.zone],
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


@pytest.mark.parametrize("kind", ["floor", *warehouse.KINDS, "floor_again"])
def test_each_way_into_a_warehouse_loads_all_rows(folder, kind):
    report = warehouse.loaded(kind, data.wide(300), f"duckdb:{folder / 'warehouse.duckdb'}")
    assert report["rows"] == 300
    assert min(report["seconds"], report["processor_seconds"], report["rss_mib"]) > 0


def test_results_are_nested_by_the_dot():
    assert nested({"a.b": 1, "a.c.d": 2, "e": 3}) == {"a": {"b": 1, "c": {"d": 2}}, "e": 3}
    assert {key for key, _, _ in GOALS} >= {"csv.ratio_to_sdk", "csv_wide.ratio_to_floor", "xml.ratio_to_iterparse"}


def test_the_page_says_what_was_measured():
    results = json.loads(RESULTS.read_text())
    text = page.PAGE.read_text(encoding="utf-8")
    assert page.rewritten(text, results) == text


def test_every_goal_is_met_by_what_was_measured():
    results = json.loads(RESULTS.read_text())
    measured = {key: page.value(results, key) for key, _, _ in GOALS}
    assert [
        key for key, sense, bound in GOALS if (measured[key] < bound if sense == ">=" else measured[key] > bound)
    ] == []
