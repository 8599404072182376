"""Report files that arrive as gzip or as a ZIP archive of one file: unpacked for their reader, kept as they came."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Final, Literal, cast

from tap_billing_reports.core.errors import not_spooled
from tap_billing_reports.storage.disk_guard import Spool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Packing = Literal["", "gzip", "zip"]

# How a file that is kept as it came is called, behind its format.
ENDINGS: Final[dict[Packing, str]] = {"": "", "gzip": ".gz", "zip": ".zip"}

# Tables of text shrink to a tenth, repetitive ones to a fiftieth. Beyond this a file is made to fill the disk.
MOST_TIMES: Final = 200
# A small file may well be repetitive: up to here nobody counts.
UNCOUNTED_BYTES: Final = 64 << 20
_CHUNK_BYTES: Final = 1 << 18


class PackingError(Exception):
    """The packed file cannot be unpacked; the text says why."""


def plain_path(path: Path) -> Path:
    """Where the content of a packed file is."""
    return path.with_name(f"{path.name}.plain")


def packing_of(path: Path) -> Packing:
    """How a file of text is packed, by its first bytes: no text begins with them."""
    with path.open("rb") as file:
        head = file.read(4)
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    # The second is an archive without any file.
    return "zip" if head in {b"PK\x03\x04", b"PK\x05\x06"} else ""


def unpack(path: Path, packing: Packing) -> Path:
    """Write the content of a packed file to `plain_path`.

    Raises:
        PackingError: it is cut short or damaged, holds not exactly one file, or grows beyond all measure.
        SyncError: the disk is full.
    """
    bound = max(UNCOUNTED_BYTES, MOST_TIMES * path.stat().st_size)
    to, count = plain_path(path), 0
    with to.open("wb") as file, _content(path, packing) as content:
        spool = Spool(file)
        while chunk := _read(content):
            count += len(chunk)
            if count > bound:
                raise PackingError(f"it unpacks to more than {bound} bytes, {MOST_TIMES} times what arrived")
            _write(spool, chunk)
    return to


def _read(content: IO[bytes]) -> bytes:
    try:
        return content.read(_CHUNK_BYTES)
    except EOFError:
        raise PackingError("its packed content was cut short") from None
    except (gzip.BadGzipFile, zipfile.BadZipFile, zlib.error):
        raise PackingError("its packed content is damaged") from None


def _write(spool: Spool, chunk: bytes) -> None:
    try:
        spool.write(chunk)
    except OSError as error:
        raise not_spooled("a packed file cannot be unpacked in the temporary folder", error) from None


@contextmanager
def _content(path: Path, packing: Packing) -> Iterator[IO[bytes]]:
    if packing == "gzip":
        with gzip.open(path) as content:
            yield cast("IO[bytes]", content)
        return
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, EOFError, OverflowError):
        raise PackingError("the ZIP archive was cut short, or is damaged") from None
    with archive:
        files = [member for member in archive.infolist() if not member.is_dir()]
        if len(files) != 1:
            raise PackingError(f"the ZIP archive holds {len(files)} files, and a report is one")
        try:
            opened = archive.open(files[0])
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError):
            raise PackingError("the file of the ZIP archive is damaged, encrypted, or packed in a rare way") from None
        with opened as content:
            yield content
