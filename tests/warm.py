"""What a sync imports on its way, imported before processes are forked from this one: each of them is spared it."""

from __future__ import annotations

from importlib import import_module

from tests.imported import BESIDE, MODULES

for name in (*MODULES, *BESIDE):
    import_module(name)
