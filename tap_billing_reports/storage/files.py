"""Where files are kept: a folder or any fsspec URL. Names are built here, never taken as received."""

from __future__ import annotations

import hashlib
import json
import os
import re
import uuid
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from tap_billing_reports.core.errors import SyncError
from tap_billing_reports.core.redaction import redact, sentence

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

_LONGEST_NAME = 100
_UNSAFE = re.compile(r"[^A-Za-z0-9._=-]+")
# Small letters alone: two names that differ in case are one file on some file systems.
_is_own_name = re.compile(rf"[a-z0-9_=-][a-z0-9._=-]{{0,{_LONGEST_NAME - 1}}}(?<!\.)").fullmatch
_is_plain = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._=-]{{0,{_LONGEST_NAME - 1}}}(?<!\.)").fullmatch
# A window's start, which names the journal's notes and the folders of files.
_is_instant = re.compile(r"(?:[a-z]+=)?[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z").fullmatch
_is_like_instant = re.compile(r"(?:[a-z]+=)?[0-9]{4}-[0-9]{2}-[0-9]{2}t[0-9]{6}z").fullmatch
_USER_INFO = re.compile(r"^([a-z0-9+.-]+://)[^/@]*@", re.IGNORECASE)
CHUNK_BYTES = 1 << 20


def safe_name(text: str) -> str:
    """A file name that stays inside its folder; different texts have different names, whatever the file system.

    A text of small letters, digits and `._=-` that is not hidden is its own name, and an instant loses its
    colons. Any other keeps what is harmless, with a secret masked, followed by `~`, which no name of the first kinds
    holds, and a part of its hash.
    """
    harmless = redact.data(text)
    if harmless is text and _is_own_name(text) and not _is_like_instant(text):
        return text
    if _is_instant(text):
        return text.replace(":", "")
    name = _UNSAFE.sub("_", harmless).strip(".")[:_LONGEST_NAME]
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{name or '_'}~{digest[:16]}"


def id_name(text: str) -> str:
    """The name of a file called by an id that the vendor made: the id as it is where it is harmless.

    Unlike in `safe_name`, capitals stay as they are: no vendor makes two runs of one period whose ids differ in
    case alone. If one did, where case does not count, the later file would stand in the place of the earlier one,
    whose size and hash are noted: it would be fetched again, not taken for the other.
    """
    return text if _is_plain(text) and redact.data(text) is text else safe_name(text)


class Storage:
    """Files below one URL.

    Args:
        url: `storage_url`.
        options: `storage_options`.

    Raises (every method):
        SyncError: the storage refuses; nothing can be kept, so nothing may be called done.
    """

    def __init__(self, url: str, options: Mapping[str, Any] | None = None) -> None:
        try:
            self._fs, root = fsspec.core.url_to_fs(url, **(options or {}))
        except Exception as error:  # noqa: BLE001 - each file system has exceptions of its own, here and below
            failure = type(error).__name__
            if isinstance(error, ImportError):
                failure = (
                    "the package for it is not installed, such as s3fs for s3://, gcsfs for gs://, adlfs for abfs://"
                )
        else:
            self._root = root.rstrip("/")
            self._another = partial(Storage, url, options)
            return
        # Outside the handler: the library's error may hold the URL with its password.
        raise SyncError(
            f"setting storage_url: cannot be opened with storage_options ({failure}): correct one or the other"
        )

    def another(self) -> Storage:
        """The same place for another thread, to be called in it: not every file system can be used by two."""
        return self._another()

    def path(self, *names: str, file: str | None = None) -> str:
        """The path of a file or folder below the root; every name is made safe.

        Args:
            names: the folders, and the file's name where `file` is not given.
            file: the file's name, which is an id of the vendor's and an ending; see `id_name`.
        """
        last = [] if file is None else [id_name(file)]
        return "/".join([self._root, *map(safe_name, names), *last])

    def uri(self, path: str) -> str:
        """How a path is called in records; without the user and password that `storage_url` may hold."""
        return _USER_INFO.sub(r"\1", self._fs.unstrip_protocol(path))

    def local(self, path: str) -> Path | None:
        """Where a path is on this machine's own file system, None in any other."""
        return Path(path) if isinstance(self._fs, LocalFileSystem) else None

    def write_json(self, path: str, value: Any) -> None:
        """Write a small object, whole or not at all."""
        with self._replacing(path) as file:
            file.write(json.dumps(value, sort_keys=True).encode())

    def read_json(self, path: str) -> Any | None:
        """A small object, None where there is none or it is not readable as JSON."""
        try:
            content = self._fs.cat_file(path)
        except FileNotFoundError:
            return None
        except Exception as error:  # noqa: BLE001
            raise _refused(path, error) from None
        try:
            return json.loads(content)
        except ValueError:
            return None

    def keep(self, local: Path, path: str) -> None:
        """Copy a local file there, whole or not at all."""
        with self._replacing(path) as file, local.open("rb") as source:
            while chunk := source.read(CHUNK_BYTES):
                file.write(chunk)

    def writing(self, path: str) -> AbstractContextManager[IO[bytes]]:
        """A file to write to: it is there when the block ends well, whole, and not at all otherwise."""
        return self._replacing(path)

    def fetch(self, path: str, local: Path, *, size: int, sha256: str) -> bool:
        """Copy a kept file to disk if it is still what it was; False where it is gone or changed."""
        digest, count = hashlib.sha256(), 0
        try:
            with self._fs.open(path, "rb") as source, local.open("wb") as target:
                while chunk := source.read(CHUNK_BYTES):
                    digest.update(chunk)
                    count += len(chunk)
                    target.write(chunk)
        except FileNotFoundError:
            return False
        except Exception as error:  # noqa: BLE001
            raise _refused(path, error) from None
        return count == size and digest.hexdigest() == sha256

    def sizes(self, *names: str) -> dict[str, int]:
        """The files right below a folder: path -> bytes; none where there is no such folder.

        What a killed process has left half-written is not among them.
        """
        try:
            found = self._fs.ls(self.path(*names), detail=True)
        except FileNotFoundError:
            return {}
        except Exception as error:  # noqa: BLE001
            raise _refused(self.path(*names), error) from None
        files = {item["name"]: item["size"] for item in found if item["type"] == "file"}
        return {path: size for path, size in files.items() if not path.rpartition("/")[2].startswith(".")}

    def below(self, *names: str) -> dict[tuple[str, ...], int]:
        """All files below a folder, also what a killed process has left half-written: names from there -> bytes."""
        root = self.path(*names) if names else self._root
        try:
            found = self._fs.find(root, detail=True)
        except FileNotFoundError:
            return {}
        except Exception as error:  # noqa: BLE001
            raise _refused(root, error) from None
        return {tuple(path[len(root) :].strip("/").split("/")): item["size"] for path, item in found.items()}

    def at(self, *names: str) -> str:
        """The path of what `below` has found: its names are as they stand."""
        return "/".join([self._root, *names])

    def writable(self) -> bool | None:
        """Whether files may be written, as far as that is known without writing one; None: it is not."""
        folder = self.local(self._root)
        if folder is None:
            return None
        there = next(path for path in (folder, *folder.parents) if path.exists())
        return os.access(there, os.W_OK | os.X_OK)

    def _replacing(self, path: str) -> _Replacing:
        folder, _, name = path.rpartition("/")
        aside = f"{folder}/.{name}.{uuid.uuid4().hex}"
        try:
            self._fs.makedirs(folder, exist_ok=True)
            file = self._fs.open(aside, "wb")
        except Exception as error:  # noqa: BLE001
            raise _refused(path, error) from None
        return _Replacing(self._fs, path, aside, file)


class _Replacing:
    """Moves a file that is written aside into place at the end; what fails on the way leaves the old file alone."""

    def __init__(self, fs: Any, path: str, aside: str, file: IO[bytes]) -> None:
        self._fs, self._path, self._aside, self._file = fs, path, aside, file

    def __enter__(self) -> IO[bytes]:
        return self._file

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        failure = error
        try:
            self._file.close()
            if kind is None:
                self._fs.mv(self._aside, self._path)
        except Exception as refusal:  # noqa: BLE001
            failure = error or refusal
        if failure is None:
            return
        # What is left aside is hidden and harms nobody; that it cannot be removed is not the news.
        with suppress(Exception):
            self._fs.rm_file(self._aside)
        if error is None or isinstance(error, OSError):
            raise _refused(self._path, failure) from None


def _refused(path: str, error: BaseException) -> SyncError:
    name = path.rpartition("/")[2]
    reason = getattr(error, "strerror", None) or type(error).__name__
    refusal = SyncError(sentence(f"setting storage_url: cannot write or read {name}: {reason}"))
    refusal.remedy = "see that it is there, has room and takes this user's files; then sync again"
    return refusal
