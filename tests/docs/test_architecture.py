"""docs/architecture.md is true: it names every module, and imports go only downwards."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.docs.pages import ROOT, rows

PACKAGE = "tap_billing_reports"
PAGE = (ROOT / "docs" / "architecture.md").read_text()
FILES = sorted((ROOT / PACKAGE).rglob("*.py"))


def relative(path):
    return path.relative_to(ROOT / PACKAGE).as_posix()


def is_empty(path):
    """A package of nothing but a docstring and re-exports."""
    body = ast.parse(path.read_text()).body
    return all(isinstance(node, (ast.Expr, ast.Assign, ast.ImportFrom)) for node in body)


def test_every_module_is_named_and_no_other():
    named = set(re.findall(r"^\| (`.+?`) \|", PAGE, re.MULTILINE))
    paths = {path for cell in named for path in re.findall(r"`([\w/]+\.py)`", cell)}
    modules = {relative(path) for path in FILES}
    empty = {relative(path) for path in FILES if path.name == "__init__.py" and is_empty(path)}
    assert modules - empty <= paths
    assert paths <= modules


# -- floors --------------------------------------------------------------------------------------------


def floors():
    """Module or package of the floors' table -> its number."""
    found = {}
    for number, modules, _knows in rows(PAGE, "floor"):
        for name in re.findall(r"`([\w/.]+)`", modules):
            found[name.removesuffix("/").removesuffix(".py")] = int(number)
    return found


def is_for_types_alone(node):
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def nodes(tree):
    """All nodes but those that only type checkers see."""
    for child in ast.iter_child_nodes(tree):
        if is_for_types_alone(child):
            continue
        yield child
        yield from nodes(child)


@cache
def imports(path):
    """The modules that one module imports when it runs, as dotted names."""
    package = ".".join(path.relative_to(ROOT).with_suffix("").parts[:-1])
    found = set()
    for node in nodes(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, *([node.module] if node.module else [])])
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                found.add(whole if module_path(whole) is not None else base)
    return frozenset(found)


def module_path(dotted):
    """The file of one of our modules, None for anything else."""
    place = ROOT.joinpath(*dotted.split("."))
    for candidate in (place.with_suffix(".py"), place / "__init__.py"):
        if dotted.split(".")[0] == PACKAGE and candidate.is_file():
            return candidate
    return None


def part(path):
    """A module's name in the floors' table: its package, or itself."""
    return relative(path).partition("/")[0].removesuffix(".py")


OWN = [path for path in FILES if part(path) not in {"sandbox", "__init__"}]


@pytest.mark.parametrize("path", OWN, ids=relative)
def test_imports_go_downwards_or_stay_in_their_package(path):
    known = floors()
    for dotted in imports(path):
        other = module_path(dotted)
        if other is None or part(other) == "__init__":
            continue
        if part(other) == "sandbox":
            assert part(path) == "cli", "only the command line starts the sandbox"
            continue
        same = "/" in relative(path) and part(other) == part(path)
        lower = known[part(other)] < known[part(path)]
        beside = known[part(path)] == known[part(other)] and "/" not in relative(path) and "/" not in relative(other)
        assert same or lower or beside, f"{relative(path)} imports {dotted}"


def test_no_modules_import_each_other():
    graph = {path: {found for dotted in imports(path) if (found := module_path(dotted))} - {path} for path in FILES}
    left = dict(graph)
    while left:
        free = [path for path, needs in left.items() if not needs & set(left)]
        assert free, f"a circle among {sorted(map(relative, left))}"
        for path in free:
            del left[path]


def importers(prefix):
    return {relative(path) for path in FILES if any(name.split(".")[0] == prefix for name in imports(path))}


def test_only_the_singer_side_knows_the_sdk():
    found = importers("singer_sdk")
    assert found
    assert all(
        name in {"tap.py", "emit.py", "termination.py", "states.py"} or name.startswith("streams/") for name in found
    )


def test_vendors_are_reached_through_the_package_and_by_the_tap_alone():
    for path in FILES:
        reached = {name for name in imports(path) if name.startswith(f"{PACKAGE}.sources")}
        if part(path) != "sources" and reached:
            assert relative(path) == "tap.py"
            assert reached == {f"{PACKAGE}.sources"}


def test_the_sandbox_knows_nothing_of_the_tap_but_its_version():
    sandbox = [path for path in FILES if part(path) == "sandbox"]
    for path in sandbox:
        for name in imports(path):
            assert name == PACKAGE or not name.startswith(f"{PACKAGE}.") or name.startswith(f"{PACKAGE}.sandbox"), (
                relative(path)
            )
        text = path.read_text()
        assert not re.search(rf"from {PACKAGE} import (?!__version__\b)", text), relative(path)
    assert sandbox


def test_nothing_but_the_vendors_asks_which_vendor_it_has():
    names = {"stripe", "bring", "brp"}
    for path in OWN:
        if part(path) == "sources":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Compare):
                for side in ast.walk(node):
                    assert not (isinstance(side, ast.Constant) and side.value in names), (
                        f"{relative(path)}:{node.lineno}"
                    )
