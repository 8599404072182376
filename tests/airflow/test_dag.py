"""The DAG's file as far as it goes without Airflow; its run is `make airflow`."""

from __future__ import annotations

import ast
import json
import re

from scripts.venvs import ROOT
from tests.airflow.dags import DAGS

TEXT = (DAGS / "billing_reports.py").read_text()
README = (DAGS.parent / "README.md").read_text()


def test_the_file_is_python_of_every_supported_version():
    for path in DAGS.glob("*.py"):
        ast.parse(path.read_text(), feature_version=(3, 11))


def test_the_pool_lets_in_one_sync_as_the_warehouse_does():
    (name,) = set(re.findall(r'^POOL = "(\w+)"', TEXT, re.MULTILINE))
    pools = json.loads((DAGS / "billing_pools.json").read_text())
    assert list(pools) == [name]
    assert pools[name]["slots"] == 1
    assert set(pools[name]) == {"slots", "description", "include_deferred"}


def test_what_the_file_reads_from_the_environment_is_documented_and_set_by_the_trial():
    read = set(re.findall(r'os\.environ(?:\.get\(|\[)"(\w+)"', TEXT))
    assert read == set(re.findall(r"BILLING_[A-Z_]+", README))
    given = set(re.findall(r'"(BILLING_[A-Z_]+)":', (ROOT / "scripts/airflow/__main__.py").read_text()))
    assert given == read
