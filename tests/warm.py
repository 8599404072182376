"""What a sync imports on its way, imported before processes are forked from this one: each of them is spared it."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import tap_billing_reports

ROOT = Path(tap_billing_reports.__file__).parent
# An emulated vendor is no part of a sync, a program would run, and arrays are rarely asked for.
LEFT_OUT = ("sandbox", "__main__", "csv_arrow")

for path in sorted(ROOT.rglob("*.py")):
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    if not set(LEFT_OUT) & set(parts):
        import_module(".".join(parts).removesuffix(".__init__"))
for name in ("encodings.utf_8_sig", "fsspec.implementations.local", "tests.killing"):
    import_module(name)
