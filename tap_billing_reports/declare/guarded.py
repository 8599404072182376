"""The functions of a declaration, each so that its own mistake ends what it was called for, and not the sync."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tap_billing_reports.core.errors import UNDERSTOOD, BillingError, DeclarationError, place_of

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Declared = TypeVar("Declared", bound="DataclassInstance")

# Functions that refuse what a vendor says by one of `UNDERSTOOD`: their callers say what of the vendor it was.
_REFUSING: Final = frozenset(
    {"read_run", "read_order", "read_status", "read_listed", "window", "availability", "read_problem"}
)


def guarded(part: Declared, source: str) -> Declared:
    """The same part of a declaration; what its functions raise by mistake is a `DeclarationError` that names them.

    Args:
        part: a dataclass some of whose fields are functions.
        source: the source's name, for messages.
    """
    changed = {
        each.name: _guarded(value, f"{each.name} of the source {source}", refuses=each.name in _REFUSING)
        for each in fields(part)
        if callable(value := getattr(part, each.name)) and not hasattr(value, "__guarded__")
    }
    return replace(part, **changed) if changed else part


def guard_functions(part: DataclassInstance) -> None:
    """The same for a frozen part within `__post_init__`: its functions are named by its class."""
    for each in fields(part):
        if callable(value := getattr(part, each.name)) and not hasattr(value, "__guarded__"):
            called = f"{each.name} of {type(part).__name__}"
            object.__setattr__(part, each.name, _guarded(value, called, refuses=each.name in _REFUSING))


def _guarded(function: Callable[..., Any], called: str, *, refuses: bool) -> Callable[..., Any]:
    let_through: tuple[type[Exception], ...] = (BillingError, *(UNDERSTOOD if refuses else ()))

    @wraps(function)
    def call(*args: Any, **named: Any) -> Any:
        try:
            answer = function(*args, **named)
        except let_through:
            raise
        except Exception as error:
            raise mistake(called, error) from error
        return _iterated(answer, called) if isinstance(answer, Iterator) else answer

    # A part may be taken over into another source: it is not guarded twice.
    setattr(call, "__guarded__", True)  # noqa: B010 - functions have no such attribute by their type
    return call


def _iterated(values: Iterator[Any], called: str) -> Iterator[Any]:
    """The values of a generator, whose body runs only now."""
    try:
        yield from values
    except BillingError:
        raise
    except Exception as error:
        raise mistake(called, error) from error


def mistake(called: str, error: Exception) -> DeclarationError:
    """Names the function, what it raised, and the line of the declaration."""
    where = place_of(error)
    return DeclarationError(f"the function {called} fails: {type(error).__name__}: {error}{where and f' ({where})'}")
