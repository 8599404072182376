"""Stripe's list envelope and its cursors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from .errors import StripeError, missing
from .parameters import Span, limit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class Listed(Protocol):
    """What can stand in a list."""

    @property
    def id(self) -> str: ...

    @property
    def created(self) -> int: ...


T = TypeVar("T", bound=Listed)

CURSORS = frozenset({"limit", "starting_after", "ending_before", "created"})


def page(
    items: Sequence[T], given: Mapping[str, Any], kind: str, url: str, shown: Callable[[T], dict[str, Any]]
) -> dict[str, Any]:
    """One page of `items`, which are newest first; `kind` names them in errors."""
    length = limit(given)
    after, before = given.get("starting_after"), given.get("ending_before")
    if after is not None and before is not None:
        message = "You cannot specify both `starting_after` and `ending_before`."
        raise StripeError(400, message, param="starting_after")
    found = items
    if "created" in given:
        span = Span(given["created"], "created")
        found = [item for item in items if span.holds(item.created)]
    if before is not None:
        found = _newer(found, _place(items, before, kind, "ending_before"), items)
        chosen, more = found[-length:], len(found) > length
    else:
        if after is not None:
            found = _older(found, _place(items, after, kind, "starting_after"), items)
        chosen, more = found[:length], len(found) > length
    return {"object": "list", "data": [shown(item) for item in chosen], "has_more": more, "url": url}


def _place(items: Sequence[T], cursor: Any, kind: str, param: str) -> int:
    for place, item in enumerate(items):
        if item.id == cursor:
            return place
    raise missing(kind, str(cursor), param, status=400)


def _older(found: Sequence[T], place: int, items: Sequence[T]) -> Sequence[T]:
    kept = {item.id for item in items[place + 1 :]}
    return [item for item in found if item.id in kept]


def _newer(found: Sequence[T], place: int, items: Sequence[T]) -> Sequence[T]:
    kept = {item.id for item in items[:place]}
    return [item for item in found if item.id in kept]
