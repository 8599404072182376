"""Which of many like cases `make test` tries. `make faults` sets `EVERY_CASE` and tries each of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from tap_billing_reports.sandbox.core import Sandbox

EVERY_CASE = "EVERY_CASE"
Item = TypeVar("Item")


def tries_all() -> bool:
    return os.environ.get(EVERY_CASE) == "1"


def first_and_last(items: Sequence[Item], kind: Callable[[Item], Hashable]) -> list[Item]:
    """The first and the last item of each kind, in their order; with `EVERY_CASE` all items."""
    if tries_all():
        return list(items)
    places: dict[Hashable, list[int]] = {}
    for place, item in enumerate(items):
        places.setdefault(kind(item), []).append(place)
    return [items[place] for place in sorted({place for found in places.values() for place in (found[0], found[-1])})]


def each(items: Sequence[Item], step: int) -> list[Item]:
    """Every so manieth item from the first; with `EVERY_CASE` all items."""
    return list(items if tries_all() else items[::step])


def calls_to_kill_after(box: Sandbox) -> list[int]:
    """Numbers, from 0, of the calls made so far after which a sync is killed: of each route the first and the last."""
    asked = list(enumerate(box.control.requests()))
    return [number for number, _ in first_and_last(asked, lambda item: (item[1]["method"], item[1]["route"]))]
