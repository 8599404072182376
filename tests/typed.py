"""What the type checker cannot know by itself, said once for all tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from tap_billing_reports.singer.writer import BufferedWriter

if TYPE_CHECKING:
    from singer_sdk import Tap

T = TypeVar("T")


def some(value: T | None) -> T:
    """The value, which must be there."""
    assert value is not None
    return value


def writer_of(tap: Tap) -> BufferedWriter:
    """The tap's message writer, which must be ours."""
    assert isinstance(tap.message_writer, BufferedWriter)
    return tap.message_writer
