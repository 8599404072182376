"""The JSON Schemas and catalogues of facts: one copy, in `schemas/` of the tree and inside the wheel."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_billing_reports.columns import ColumnType
    from tap_billing_reports.declarations import Report

_INSIDE_WHEEL = Path(__file__).parent / "schemas"
_IN_TREE = Path(__file__).parent.parent / "schemas"


@cache
def _text(name: str) -> str:
    folder = _INSIDE_WHEEL if _INSIDE_WHEEL.is_dir() else _IN_TREE
    return (folder / f"{name}.json").read_text(encoding="utf-8")


def stream_schema(stream: str) -> dict[str, Any]:
    """A fresh copy of a stream's JSON Schema."""
    schema: dict[str, Any] = json.loads(_text(stream))
    return schema


@dataclass(frozen=True)
class Catalogue:
    """What is known of a vendor's reports: the headers of each type, and each column's type by its header."""

    report_types: Mapping[str, Sequence[str]]
    types: Mapping[str, ColumnType]

    def headers(self, report: Report) -> Sequence[str]:
        return self.report_types.get(report.report_type, ())

    def column_type(self, _report: Report, header: str) -> ColumnType:
        return self.types.get(header, "text")

    @classmethod
    def in_package(cls, package: str, name: str = "catalogue.json") -> Catalogue:
        """The catalogue that lies in the package of a source of one's own."""
        return cls(**json.loads(files(package).joinpath(name).read_text(encoding="utf-8")))


@cache
def catalogue(source: str) -> dict[str, Any]:
    """What is known of a source's report types and columns. Shared: not to be changed."""
    known: dict[str, Any] = json.loads(_text(f"catalogue/{source}"))
    return known
