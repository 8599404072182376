"""Settings from environment variables, as `--config=ENV` reads them; what cannot be read is left to validation."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TRUE = frozenset({"true", "1", "yes", "on"})
FALSE = frozenset({"false", "0", "no", "off"})
_PYTHON: dict[str, tuple[type, ...]] = {
    "integer": (int,),
    "number": (int, float),
    "array": (list,),
    "object": (dict,),
}

_from_file: set[str] = set()


@contextmanager
def reading_file() -> Iterator[None]:
    """What comes into the process's environment inside has come from `.env`, not from the caller."""
    before = frozenset(os.environ)
    try:
        yield
    finally:
        _from_file.update(os.environ.keys() - before)


def callers_environment() -> dict[str, str]:
    """The environment for a command of the user's: without the secrets that `.env` has brought into this process."""
    return {name: value for name, value in os.environ.items() if name not in _from_file}


def settings_from(environment: Mapping[str, str], prefix: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of `schema` that the environment holds as `<prefix><NAME>`, typed; empty ones are unset.

    A value that is not of its setting's type stays text, so that validation names the setting; the value
    itself is never part of an error. Booleans are true/false, 1/0, yes/no, on/off; arrays and objects JSON;
    an array of texts may also be texts with commas between them.
    """
    found: dict[str, Any] = {}
    for name, property_schema in schema["properties"].items():
        text = environment.get(prefix + name.upper().replace("-", "_"), "")
        if text:
            found[name] = _typed(text, property_schema)
    return found


def _typed(text: str, schema: Mapping[str, Any]) -> Any:
    declared = schema.get("type", ())
    kinds = {declared} if isinstance(declared, str) else set(declared)
    if "string" in kinds:
        return text
    word = text.strip().lower()
    if "boolean" in kinds and word in TRUE | FALSE:
        return word in TRUE
    of_texts = "array" in kinds and schema.get("items", {}).get("type") == "string"
    if of_texts and not text.lstrip().startswith("["):
        return [part.strip() for part in text.split(",")]
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    wanted: dict[str, tuple[type, ...]] = {
        "integer": (int,),
        "number": (int, float),
        "array": (list,),
        "object": (dict,),
    }
    fits = any(isinstance(value, wanted[kind]) for kind in kinds & wanted.keys())
    return value if fits and not isinstance(value, bool) else text
