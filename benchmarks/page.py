"""docs/performance.md: its table names figures and what they must reach; what was seen is written into it."""

from __future__ import annotations

import operator
import re
from functools import reduce
from pathlib import Path

RESULTS = Path(__file__).with_name("results.json")
PAGE = Path(__file__).parents[1] / "docs" / "performance.md"

# `key`, what it is and what it is held against | seen | goal
_ROW = re.compile(r"^(\| `([\w.-]+)` \|.*\| )([^|]*)( \| ([^|]*) \|)$", re.MULTILINE)
_MET = {"≥": operator.ge, "≤": operator.le}


def figures(text):
    """Key -> goal of each figure that the page shows; empty where none must be reached."""
    return {row[2]: row[5].strip() for row in _ROW.finditer(text)}


def is_met(goal, seen):
    """Whether what was seen reaches its goal."""
    sense, bound = goal.split()
    return _MET[sense](seen, float(bound))


def rewritten(text, results):
    """The page with what was seen."""
    return _ROW.sub(lambda row: f"{row[1]}{value(results, row[2]):,}{row[4]}", text)


def rounded(seen):
    """Four digits, and no fraction of larger numbers."""
    return round(seen) if isinstance(seen, int) or seen >= 1000 else float(f"{seen:.4g}")


def nested(flat):
    """`{"a.b": 1}` as `{"a": {"b": 1}}`."""
    found = {}
    for key, seen in flat.items():
        *path, last = key.split(".")
        reduce(lambda place, part: place.setdefault(part, {}), path, found)[last] = seen
    return found


def value(results, key):
    return reduce(operator.getitem, key.split("."), results)
