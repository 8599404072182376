"""What is known of a vendor's reports: the headers of each type, the type of each column and what it holds."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_billing_reports.core.columns import ColumnType
    from tap_billing_reports.declare.report import Report
from tap_billing_reports.core.schema_files import schema_text


@dataclass(frozen=True)
class Catalogue:
    """What is known of a vendor's reports: the headers of each type, and each column's type and text by its header."""

    report_types: Mapping[str, Sequence[str]]
    types: Mapping[str, ColumnType]
    descriptions: Mapping[str, str] = field(default_factory=dict)
    """What a column holds and when it is null, by its header or, of `common_columns`, its name."""

    def headers(self, report: Report) -> Sequence[str]:
        return self.report_types.get(report.report_type, ())

    def column_type(self, _report: Report, header: str) -> ColumnType:
        return self.types.get(header, "text")

    def describe(self, _report: Report, header: str) -> str | None:
        return self.descriptions.get(header)

    @classmethod
    def in_package(cls, package: str, name: str = "catalogue.json") -> Catalogue:
        """The catalogue that lies in the package of a source of one's own."""
        return cls(**json.loads(files(package).joinpath(name).read_text(encoding="utf-8")))


@cache
def catalogue(source: str) -> dict[str, Any]:
    """What is known of a source's report types and columns. Shared: not to be changed."""
    known: dict[str, Any] = json.loads(schema_text(f"catalogue/{source}"))
    return known
