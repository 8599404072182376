"""One emulated world with its vendors: everything that a reset throws away and builds anew."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, cast

from .clock import Clock
from .faults import Faults
from .requestlog import RequestLog, Secrets
from .world import World

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from .vendor import Vendor

VENDORS: Mapping[str, tuple[str, Sequence[str]]] = {
    "stripe": ("StripeVendor", ("stripe_api", "stripe_files")),
    "bring": ("BringVendor", ("bring",)),
    "brp": ("BrpVendor", ("brp",)),
    "vipps": ("VippsVendor", ("vipps",)),
    "klarna": ("KlarnaVendor", ("klarna",)),
}
"""Vendor -> its class in the package `sandbox.<vendor>` and the names of its hosts."""

SERVED = ("stripe", "bring", "brp")
"""The vendors of a `Sandbox` within a process that is asked for none by name. The command and the demo have all."""

OWN_HOSTS = ("control", "foreign")


def available(wanted: Sequence[str]) -> tuple[str, ...]:
    """The wanted vendors whose package is there.

    Raises:
        ValueError: a vendor is not known at all.
    """
    unknown = set(wanted) - set(VENDORS)
    if unknown:
        raise ValueError(f"the sandbox has no vendor {sorted(unknown)}; it has {sorted(VENDORS)}")
    return tuple(name for name in VENDORS if name in wanted and find_spec(f"{__package__}.{name}") is not None)


def hosts(vendors: Sequence[str]) -> tuple[str, ...]:
    """All hosts that a sandbox with these vendors serves, in the order of their ports."""
    return (*OWN_HOSTS, *(host for vendor in vendors for host in VENDORS[vendor][1]))


class Emulation:
    """Clock, seeded vendors, fault rules and the log of requests."""

    def __init__(
        self,
        *,
        now: datetime | None,
        seed: int,
        vendors: Sequence[str],
        options: Mapping[str, Any],
        urls: Mapping[str, str],
    ) -> None:
        self.clock = Clock(now)
        self.world = World(self.clock, seed, options)
        self.world.urls.update(urls)
        self.vendors: dict[str, Vendor] = {name: _load(name)(self.world) for name in vendors}
        self.vendor_of = {host: name for name, vendor in self.vendors.items() for host in vendor.hosts}
        self.secrets = Secrets({name: vendor.secrets for name, vendor in self.vendors.items()})
        self.faults = Faults()
        self.log = RequestLog()
        self.latency = 0.0


def _load(name: str) -> type[Any]:
    module = importlib.import_module(f"{__package__}.{name}")
    return cast("type[Any]", getattr(module, VENDORS[name][0]))
