"""The rows on docs/models.md: what the queries of that page answer in the demo."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from scripts.docs.tables import table

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from scripts.models.stores import Store

ROWS = 5

# A query, and the place for its rows behind it.
SECTION = re.compile(
    r"(```sql\n(?P<sql>[^`]*?)\n```\n\n<!-- rows of (?P<mart>\w+): written by `make models` -->\n)"
    r".*?(<!-- end of (?P=mart) -->)",
    re.DOTALL,
)


def write(path: Path, store: Store, today: date) -> None:
    """Put the first rows of each query's answer below it, as they are on that day."""

    def filled(section: re.Match[str]) -> str:
        names, rows = store.head(f"{section['sql']} limit {ROWS}", today)
        shown = table(names, ([_cell(value) for value in row] for row in rows)) if rows else "(no row in the demo)\n"
        return f"{section[1]}\n{shown}\n{section[4]}"

    path.write_text(SECTION.sub(filled, path.read_text(encoding="utf-8")), encoding="utf-8")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
