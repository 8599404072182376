"""Form and query decoding as Stripe does it: `a[b]=1`, `a[]=x`, `a[0]=x`."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

from .errors import StripeError

_NAME = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")


def decode(text: str) -> dict[str, Any]:
    """Nested objects, lists and texts.

    Raises:
        StripeError: a name is malformed, or is an object in one place and a text in another.
    """
    found: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        match = _NAME.match(name)
        if match is None:
            # The name of a metadata column stands inside a value; brackets in a name must be balanced.
            raise StripeError(400, f"Invalid parameter name: {name}", param=name)
        path = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])]
        _put(found, path, value, name)
    return {key: _lists(value) for key, value in found.items()}


def _put(target: dict[str, Any], path: list[str], value: str, name: str) -> None:
    for part in path[:-1]:
        below = target.setdefault(_index(target, part), {})
        if not isinstance(below, dict):
            raise StripeError(400, f"Invalid parameter: {name}", param=name)
        target = below
    last = _index(target, path[-1])
    if isinstance(target.get(last), dict):
        raise StripeError(400, f"Invalid parameter: {name}", param=name)
    target[last] = value


def _index(target: dict[str, Any], part: str) -> str:
    """`[]` is the next free index."""
    return part or str(len(target))


def _lists(value: Any) -> Any:
    """Objects whose keys are all indexes are lists, in the order of the indexes."""
    if not isinstance(value, dict):
        return value
    below = {key: _lists(item) for key, item in value.items()}
    if below and all(key.isdigit() for key in below):
        return [below[key] for key in sorted(below, key=int)]
    return below
