"""The names of what a sync imports on its way.

An emulated vendor is no part of a sync, a program would run, and arrays are rarely asked for.
"""

from __future__ import annotations

from pathlib import Path

import tap_billing_reports

ROOT = Path(tap_billing_reports.__file__).parent
LEFT_OUT = ("sandbox", "__main__", "csv_arrow")


def modules() -> list[str]:
    """Those of the package."""
    paths = [path.relative_to(ROOT.parent).with_suffix("") for path in sorted(ROOT.rglob("*.py"))]
    return [".".join(path.parts).removesuffix(".__init__") for path in paths if not set(LEFT_OUT) & set(path.parts)]


MODULES = modules()
BESIDE = ("encodings.utf_8_sig", "fsspec.implementations.local", "tests.killing")
