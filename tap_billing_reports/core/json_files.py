"""Files that the command line names: what is read holds one JSON object, what is written is there whole."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import simplejson

from tap_billing_reports.core.redaction import sentence

if TYPE_CHECKING:
    from tap_billing_reports.core.errors import BillingError

_KINDS = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}


def object_at(path: str, option: str, error: type[BillingError]) -> dict[str, Any]:
    """The JSON object in the file at a path.

    Args:
        path: as it was given.
        option: the option that names it.
        error: raised in one line that names option, file and place, and shows nothing of what the file holds.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as problem:
        raise error(_about(option, path, f"cannot be read: {problem.strerror}")) from None
    return _object(content, path, option, error)


def object_in(file: IO[str], option: str, error: type[BillingError]) -> dict[str, Any]:
    """The JSON object in a file that is open, as `object_at`."""
    name = str(getattr(file, "name", "standard input"))
    try:
        # As bytes where there are some: the locale's encoding is not the file's.
        content = file.buffer.read() if hasattr(file, "buffer") else file.read()
    except (OSError, UnicodeError):
        raise error(_about(option, name, "cannot be read")) from None
    return _object(content, name, option, error)


def _object(content: bytes | str, name: str, option: str, error: type[BillingError]) -> dict[str, Any]:
    try:
        text = content if isinstance(content, str) else content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = problem.object[: problem.start].count(b"\n") + 1
        raise error(_about(option, name, f"is not UTF-8 text in line {line}: save it as UTF-8")) from None
    if not text.strip():
        raise error(_about(option, name, "is empty, and must hold one JSON object in { }"))
    try:
        found = simplejson.loads(text, use_decimal=True)
    except simplejson.JSONDecodeError as problem:
        raise error(_about(option, name, _slip(problem))) from None
    except RecursionError:
        raise error(_about(option, name, "is no JSON that can be read: its brackets are nested too deep")) from None
    except ValueError:
        raise error(_about(option, name, "is no JSON that can be read: a number in it is too long")) from None
    if not isinstance(found, dict):
        kind = _KINDS.get(type(found), "a number")
        raise error(_about(option, name, f"holds {kind}, and must hold one JSON object in {{ }}"))
    return found


def write_whole(path: Path, text: str, mode: int = 0o666) -> None:
    """Write a file, whole or not at all: whoever reads it meanwhile finds what it was before.

    `mode`, less the umask, holds from before anything is in it: nobody else may read a key.

    Raises:
        OSError: it cannot be written; the file is as it was.
    """
    aside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def json_slip(text: str) -> str:
    """Where a text is no JSON, without a word of it; empty where it is JSON, or nothing is known."""
    try:
        simplejson.loads(text)
    except simplejson.JSONDecodeError as problem:
        return _slip(problem)
    except (ValueError, RecursionError):
        pass
    return ""


def _slip(problem: simplejson.JSONDecodeError) -> str:
    look = "look there and just before it for a comma, a quote or a bracket that is missing or too many"
    return f"is no JSON at line {problem.lineno}, column {problem.colno}: {look}"


def _about(option: str, name: str, problem: str) -> str:
    return sentence(f"{option}: the file {name} {problem}")
