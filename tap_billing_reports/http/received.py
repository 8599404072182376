"""What arrives on disk, and how it gets there."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from tap_billing_reports.core.errors import not_spooled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_billing_reports.core.about import About


@dataclass(frozen=True)
class Download:
    """What arrived on disk: its length in bytes, its SHA-256 in hex, its content type as sent."""

    size: int
    sha256: str
    content_type: str


def write(to: IO[bytes], first: bytes, rest: Iterator[bytes], about: About) -> tuple[int, str]:
    """Replace what `to` holds; the number of bytes and their SHA-256."""
    digest, count = hashlib.sha256(), 0
    try:
        to.seek(0)
        to.truncate()
        chunk = first
        while chunk:
            to.write(chunk)
            digest.update(chunk)
            count += len(chunk)
            chunk = next(rest, b"")
        to.flush()
    except OSError as error:
        # Not the vendor's fault: `rest` turns its own into Unavailable.
        raise not_spooled(f"{about}: the file cannot be written to the temporary folder", error) from None
    return count, digest.hexdigest()
