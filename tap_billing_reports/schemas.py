"""The JSON Schemas and catalogues of facts: one copy, in `schemas/` of the tree and inside the wheel."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

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


@cache
def catalogue(source: str) -> dict[str, Any]:
    """What is known of a source's report types and columns. Shared: not to be changed."""
    known: dict[str, Any] = json.loads(_text(f"catalogue/{source}"))
    return known
