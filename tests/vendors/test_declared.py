"""The declarations as such: each vendor on one page, and nothing outside them that knows a vendor."""

from __future__ import annotations

import ast
import json
import re
import tokenize
from pathlib import Path

import pytest

from tap_billing_reports.declare.catalogue import catalogue
from tap_billing_reports.vendors import all_sources

PACKAGE = Path(__file__).resolve().parents[2] / "tap_billing_reports"
VENDORS = {"stripe", "bring", "brp", "vipps", "klarna"}
NAMES_A_VENDOR = re.compile(r"\b(my)?(stripe|bring|brp|vipps|klarna)(\b|_)", re.IGNORECASE).search
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


NAMED_IN_PROSE = re.compile(r"\b(Stripe|Mybring|Bring|BRP|Vipps|Klarna)(\b|'s)").search


@pytest.mark.parametrize("path", ENGINE, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_engine_code_has_a_vendors_reason_for_what_it_does(path):
    with tokenize.open(path) as file:
        comments = [token for token in tokenize.generate_tokens(file.readline) if token.type == tokenize.COMMENT]
    for comment in comments:
        assert not NAMED_IN_PROSE(comment.string), f"line {comment.start[0]}"


def _vendors_words():
    """Names of fields, parameters and XML elements that vendors have and our streams have not."""
    words = set()
    for source in all_sources():
        values = {setting.name: setting.default for setting in source.settings} | {"brp_currency": "NOK"}
        if source.invoices is not None:
            words |= {part for field in source.invoices.fields_by(values) for part in field.path.split(".")}
        if source.report_types is not None:
            words |= {part for field in source.report_types.fields for part in field.path.split(".")}
        if source.reports is not None and source.reports.xml is not None:
            form = source.reports.xml
            words |= {form.lines, form.line, form.metadata, form.rows}
    ours = set()
    for schema in (PACKAGE.parent / "schemas").glob("*.json"):
        ours |= set(json.loads(schema.read_text()).get("properties", ()))
    # Words of the field, which any program has.
    return (
        words
        - ours
        - {"", "id", "number", "type", "company", "customer", "amount", "rest", "created", "updated", "state"}
    )


def test_no_engine_code_knows_a_vendors_field_or_element():
    words = _vendors_words()
    assert {"invoiceNumber", "NumberOfRows", "totalamount", "total_excluding_tax"} <= words
    for path in ENGINE:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert node.value not in words, f"{path.relative_to(PACKAGE)}, line {node.lineno}"


def test_every_setting_and_report_carries_its_vendors_name():
    for source in all_sources():
        assert all(setting.name.startswith(f"{source.name}_") for setting in source.settings)
        assert source.required


def test_every_catalogued_stripe_type_has_a_name_by_default():
    names = {}
    (stripe,) = [source for source in all_sources() if source.name == "stripe"]
    assert stripe.reports is not None
    entries = [{"report_type": report_type} for report_type in catalogue("stripe")["report_types"]]
    for report in stripe.reports.configured({"stripe_reports": entries}):
        report_type = report.report_type
        short = report_type.replace("connected_account", "ca").replace("financial_account", "fa")
        assert report.name == short.replace(".", "_")
        names[report.stream] = report_type
    assert len(names) == len(catalogue("stripe")["report_types"])
    assert max(map(len, names)) <= 63
