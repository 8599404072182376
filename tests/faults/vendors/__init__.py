"""The vendors of the proof: every module here that declares a `Vendor`. To add one is to add a file, and its world."""

from __future__ import annotations

import importlib
import pkgutil

from tests.faults.vendors.facts import Vendor
from tests.faults.worlds import WORLDS


def _declared() -> dict[str, Vendor]:
    found = {}
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, Vendor):
                found[value.name] = value
    # In the order of the worlds: one that no world has is no vendor of the proof, which is an error.
    names = [name for world in WORLDS for name in world.vendors]
    assert sorted(names) == sorted(found), (names, sorted(found))
    return {name: found[name] for name in names}


ALL = _declared()
