"""The JSON files of schemas and catalogues: one copy, in `schemas/` of the tree and inside the wheel."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


def carried(name: str) -> Path:
    """A folder that stands at the top of the tree, and that the wheel carries inside the package."""
    inside = _PACKAGE / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


@cache
def schema_text(name: str) -> str:
    """The text of `schemas/<name>.json`; FileNotFoundError if there is none."""
    return (carried("schemas") / f"{name}.json").read_text(encoding="utf-8")
