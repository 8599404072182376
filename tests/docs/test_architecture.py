"""docs/architecture.md is true: it names the folders; what the import contract cannot say is looked at here."""

from __future__ import annotations

import ast
import re
from functools import cache

from tests.docs.pages import ROOT, rows
from tests.typed import some

PACKAGE = "tap_billing_reports"
PAGE = (ROOT / "docs" / "architecture.md").read_text()
FILES = sorted((ROOT / PACKAGE).rglob("*.py"))
CONTRACT = (ROOT / "pyproject.toml").read_text()
LONGEST_FILE = 400  # lines


def relative(path):
    return path.relative_to(ROOT / PACKAGE).as_posix()


def folder(path):
    return relative(path).partition("/")[0]


def floors():
    """The folders of the page's table, from the ground up."""
    return [re.findall(r"`(\w+)/`", cell)[0] for cell, _knows in rows(PAGE, "folder")]


def test_the_page_and_the_import_contract_have_the_same_floors():
    layers = some(re.search(r'type = "layers".*?layers = \[(.*?)\]', CONTRACT, re.DOTALL))[1]
    assert re.findall(r'"(\w+)"', layers) == list(reversed(floors()))


def test_every_folder_is_a_floor():
    folders = {folder(path) for path in FILES if "/" in relative(path)}
    assert folders == {*floors(), "sandbox"}
    assert {relative(path) for path in FILES if "/" not in relative(path)} == {"__init__.py", "__main__.py"}


def test_the_import_contract_excepts_nothing():
    assert "ignore_imports" not in CONTRACT
    assert "exclude_type_checking_imports" not in CONTRACT


def test_files_are_short():
    lengths = {relative(path): len(path.read_text().splitlines()) for path in FILES}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


@cache
def imports(path):
    """The modules that one module imports, for types alone too, as dotted names."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                above = path.relative_to(ROOT).parts[: -node.level]
                module = ".".join(filter(None, (*above, module)))
            found.update({module, *(f"{module}.{alias.name}" for alias in node.names)})
    return frozenset(found)


def test_only_the_singer_side_knows_the_sdk():
    found = {folder(path) for path in FILES if any(name.split(".")[0] == "singer_sdk" for name in imports(path))}
    assert found == {"singer", "sync"}


def test_vendors_are_reached_through_the_package_and_where_all_of_them_are_meant():
    for path in FILES:
        reached = {name for name in imports(path) if name.startswith(f"{PACKAGE}.vendors.")}
        if folder(path) != "vendors" and reached:
            assert relative(path) in {"singer/tap.py", "cli/init.py"}
            assert reached == {f"{PACKAGE}.vendors.all_sources"}


def test_the_sandbox_knows_nothing_of_the_tap_but_its_version():
    sandbox = [path for path in FILES if folder(path) == "sandbox"]
    for path in sandbox:
        ours = {name for name in imports(path) if name.split(".")[0] == PACKAGE}
        allowed = {PACKAGE, f"{PACKAGE}.__version__", f"{PACKAGE}.sandbox"}
        assert {name for name in ours if not name.startswith(f"{PACKAGE}.sandbox.")} <= allowed, relative(path)
    assert sandbox


def test_only_the_command_line_starts_the_sandbox():
    for path in FILES:
        if any(name.startswith(f"{PACKAGE}.sandbox") for name in imports(path)):
            assert folder(path) in {"cli", "sandbox"}


def test_nothing_but_the_vendors_asks_which_vendor_it_has():
    names = {"stripe", "bring", "brp", "vipps", "klarna"}
    for path in FILES:
        if folder(path) in {"vendors", "sandbox"}:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Compare):
                for side in ast.walk(node):
                    assert not (isinstance(side, ast.Constant) and side.value in names), (
                        f"{relative(path)}:{node.lineno}"
                    )
