"""The models of the dbt package, read without dbt: one copy of the SQL, in `dbt/` of the tree and inside the wheel."""

from __future__ import annotations

import ast
import csv
import re
from dataclasses import dataclass
from enum import Enum
from functools import cache
from graphlib import TopologicalSorter
from typing import Final

from tap_billing_reports.core.schema_files import carried

# The two forms in which a model of this package calls a macro; `staged` of dbt/macros says what its arguments mean.
_REF: Final = re.compile(r"\{\{\s*ref\('(\w+)'\)\s*\}\}")
_STAGED: Final = re.compile(r"\{\{\s*(staged\(.*\))\s*\}\}\s*", re.DOTALL)
_OWN_ORDERS: Final = re.compile(r"\{\{\s*own_orders\(\)\s*\}\}\s*")


class CellKind(Enum):
    """What a column of a staged table holds; the names are those that the dbt package uses."""

    TEXT = "text"
    CURRENCY = "currency"
    AMOUNT = "amount"
    DATE = "date"
    INSTANT = "instant"
    WHOLE = "whole"
    TRUTH = "truth"


@dataclass(frozen=True)
class Staged:
    """One table of the tap's, as the marts read it.

    Attributes:
        table: what it holds; the stream's name where `report` is None.
        columns: name and kind of each.
        report: a family of reports such as `payouts.itemized`, whose stream may have any of several names.
    """

    table: str
    columns: dict[str, CellKind]
    report: str | None


@dataclass(frozen=True)
class Orders:
    """The user's own orders, which no stream of the tap's holds."""


@dataclass(frozen=True)
class Seed:
    """A small table that comes with the package.

    Attributes:
        columns: their names; every one is text.
        rows: the cells of each.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Mart:
    """A model of SQL: one that people read, or one that others read.

    Attributes:
        parts: text of SQL and, at each odd place, the name of the model that is read there.
    """

    parts: tuple[str, ...]

    @property
    def reads(self) -> tuple[str, ...]:
        return self.parts[1::2]


@dataclass(frozen=True)
class Models:
    """All of them by name; the marts are in an order in which each comes behind those that it reads.

    Attributes:
        marts: those that people read.
        between: one form for all vendors, for the marts to read; they are no views of their own, and read no mart.
        sources: what the tables of the tap, the user and the package hold.
    """

    marts: dict[str, Mart]
    between: dict[str, Mart]
    sources: dict[str, Staged | Orders | Seed]


def staged(text: str) -> Staged | Orders:
    """A staging model.

    Raises:
        ValueError: it is more than one call of `staged` or `own_orders`.
    """
    if _OWN_ORDERS.fullmatch(text):
        return Orders()
    found = _STAGED.fullmatch(text)
    if found is None:
        raise ValueError("a staging model is one call of staged() or own_orders()")
    call = ast.parse(found[1], mode="eval").body
    assert isinstance(call, ast.Call)
    table, columns = map(ast.literal_eval, call.args)
    report = next((ast.literal_eval(one.value) for one in call.keywords if one.arg == "report"), None)
    return Staged(table, {name: CellKind(kind) for name, kind in columns.items()}, report)


def mart(text: str) -> Mart:
    """A mart.

    Raises:
        ValueError: it calls another macro than `ref`.
    """
    parts = tuple(_REF.split(text))
    if any("{{" in part or "{%" in part for part in parts[::2]):
        raise ValueError("a mart calls no other macro than ref('name')")
    return Mart(parts)


@cache
def models() -> Models:
    """Every model of the package."""
    folder = carried("dbt")
    sources: dict[str, Staged | Orders | Seed] = {
        path.stem: staged(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("models/staging/*.sql"))
    }
    for path in sorted(folder.glob("seeds/*.csv")):
        header, *rows = csv.reader(path.read_text(encoding="utf-8").splitlines())
        sources[path.stem] = Seed(tuple(header), tuple(map(tuple, rows)))
    found, between = (
        {path.stem: mart(path.read_text(encoding="utf-8")) for path in sorted(folder.glob(f"models/{kind}/*.sql"))}
        for kind in ("marts", "intermediate")
    )
    reads = {name: [read for read in one.reads if read in found] for name, one in found.items()}
    return Models({name: found[name] for name in TopologicalSorter(reads).static_order()}, between, sources)
