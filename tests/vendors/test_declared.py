"""The declarations as such: each vendor on one page, and nothing outside them that knows a vendor."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tap_billing_reports.declare import Report
from tap_billing_reports.declare.catalogue import catalogue
from tap_billing_reports.vendors import all_sources

PACKAGE = Path(__file__).resolve().parents[2] / "tap_billing_reports"
VENDORS = {"stripe", "bring", "brp"}
NAMES_A_VENDOR = re.compile(r"\b(my)?(stripe|bring|brp)(\b|_)", re.IGNORECASE).search
ENGINE = [
    path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.relative_to(PACKAGE).parts[0] not in {"vendors", "sandbox", "schemas"}
]


@pytest.mark.parametrize("vendor", sorted(VENDORS))
def test_each_vendor_is_one_page(vendor):
    assert len((PACKAGE / "vendors" / f"{vendor}.py").read_text().splitlines()) < 400


def test_there_is_an_engine_to_look_at():
    assert len(ENGINE) > 40


@pytest.mark.parametrize("path", ENGINE, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_engine_code_asks_which_vendor_it_serves(path):
    tree = ast.parse(path.read_text())
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        # Neither a value, such as a header's name, nor a name of code: only docstrings speak of vendors.
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            assert not NAMES_A_VENDOR(node.value), f"line {node.lineno}"
        if isinstance(node, (ast.Name, ast.Attribute)):
            assert not NAMES_A_VENDOR(node.id if isinstance(node, ast.Name) else node.attr), f"line {node.lineno}"
        if isinstance(node, ast.Compare):
            sides = [ast.unparse(side) for side in (node.left, *node.comparators)]
            named = [side for side in sides if side.endswith(("source.name", "shop.name"))]
            others = [side for side in sides if side not in named]
            assert not named or not any(side.startswith(("'", '"')) for side in others), f"line {node.lineno}"


def test_every_setting_and_report_carries_its_vendors_name():
    for source in all_sources():
        assert all(setting.name.startswith(f"{source.name}_") for setting in source.settings)
        assert source.required


def test_every_catalogued_stripe_type_has_a_name_by_default():
    names = {}
    for report_type in catalogue("stripe")["report_types"]:
        report = Report.of("stripe", {"report_type": report_type}, zone="UTC")
        assert report.name == report_type.replace(".", "_").replace("connected_account", "ca")
        names[report.stream] = report_type
    assert len(names) == len(catalogue("stripe")["report_types"])
    assert max(map(len, names)) <= 63
