"""`billing-reports new-source`: a package for a vendor of one's own, that passes its own tests as it is."""

from __future__ import annotations

import re
import shutil
import uuid
from typing import TYPE_CHECKING, Final

from tap_billing_reports.cli.init import vendors
from tap_billing_reports.core.errors import ConfigError
from tap_billing_reports.core.schema_files import carried

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KINDS: Final = ("ordered", "listed", "paged")
"""How the vendor's reports are got. Each is a folder of the templates; `common` is what they share."""

TEMPLATE_NAME: Final = "newvendor"
"""The vendor's name in the templates, in any spelling of its first letter."""

_is_name: Final = re.compile(r"[a-z][a-z0-9]{0,14}").fullmatch  # what the tap takes for the name of a source


def new_source(name: str, kind: str, into: Path) -> Path:
    """Write the package, whole or not at all; its folder.

    Args:
        name: the vendor's: the beginning of its settings, streams and columns.
        kind: one of `KINDS`.
        into: the folder that the package's own folder is made in.

    Raises:
        ConfigError: the name cannot be used, the folder is there already, or it cannot be written.
    """
    _check(name)
    folder = into / f"tap-billing-reports-{name}"
    if folder.exists() or folder.is_symlink():
        raise ConfigError(f"{folder} is there already: remove it, or choose another name or --into")
    aside = into / f".{folder.name}.{uuid.uuid4().hex}"
    try:
        for path, text in _files(name, kind):
            file = aside / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        aside.rename(folder)
    except OSError as error:
        raise ConfigError(f"{folder} cannot be written ({error.strerror}): choose another --into") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return folder


def _check(name: str) -> None:
    if not _is_name(name):
        raise ConfigError(f"the name {name} cannot be used: lower case letters and digits, 15 at most, a letter first")
    if name in vendors():
        raise ConfigError(f"the name {name} is taken: there is a source of that name in this environment")


def _files(name: str, kind: str) -> Iterator[tuple[str, str]]:
    """Path within the package's folder, and text, of each file."""
    for part in ("common", kind):
        root = carried("templates") / "new-source" / part
        for file in sorted(root.rglob("*")):
            path = file.relative_to(root)
            if not file.is_file() or file.suffix == ".pyc":
                continue
            parts = [f"tap_billing_reports_{name}" if one == "package" else one for one in path.parts]
            # Named .in where a tool would take it for one of the tree that it lies in.
            yield _named("/".join(parts).removesuffix(".in"), name), _named(file.read_text(encoding="utf-8"), name)


def _named(text: str, name: str) -> str:
    """The text with this vendor's name in the place of the template's."""
    for spelt in (str.lower, str.capitalize, str.upper):
        text = text.replace(spelt(TEMPLATE_NAME), spelt(name))
    return text
