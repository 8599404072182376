"""The JSON files of schemas and catalogues: one copy, in `schemas/` of the tree and inside the wheel."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_INSIDE_WHEEL = Path(__file__).parents[1] / "schemas"
_IN_TREE = Path(__file__).parents[2] / "schemas"


@cache
def schema_text(name: str) -> str:
    """The text of `schemas/<name>.json`; FileNotFoundError if there is none."""
    folder = _INSIDE_WHEEL if _INSIDE_WHEEL.is_dir() else _IN_TREE
    return (folder / f"{name}.json").read_text(encoding="utf-8")
