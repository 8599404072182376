"""Where files are kept: a folder or any fsspec URL. Names are built here, never taken as received."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import fsspec

from tap_billing_reports.errors import SyncError
from tap_billing_reports.redaction import redact

_SAFE = re.compile(r"[^A-Za-z0-9._=-]+")
_LONGEST_NAME = 100
CHUNK_BYTES = 1 << 20


def safe_name(text: str) -> str:
    """A file name that stays inside its folder and tells texts apart that look alike once made safe."""
    name = _SAFE.sub("_", text).strip(".")[:_LONGEST_NAME]
    if name == text:
        return name
    return f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


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
        except (ValueError, ImportError, OSError) as error:
            raise SyncError(f"setting storage_url: cannot be opened ({type(error).__name__})") from None
        self._root = root.rstrip("/")

    def path(self, *names: str) -> str:
        """The path of a file below the root; every name is made safe."""
        return "/".join([self._root, *(safe_name(name) for name in names)])

    def uri(self, path: str) -> str:
        """How a path is called in records."""
        uri: str = self._fs.unstrip_protocol(path)
        return uri

    def write_json(self, path: str, value: Any) -> None:
        """Write a small object, whole or not at all."""
        with self._replacing(path) as file:
            file.write(json.dumps(value, sort_keys=True).encode())

    def read_json(self, path: str) -> Any | None:
        """A small object, None where there is none or it is not readable as JSON."""
        try:
            return json.loads(self._fs.cat_file(path))
        except (FileNotFoundError, ValueError):
            return None
        except OSError as error:
            raise _refused(path, error) from None

    def keep(self, local: Path, path: str) -> None:
        """Copy a local file there, whole or not at all."""
        with self._replacing(path) as file, local.open("rb") as source:
            while chunk := source.read(CHUNK_BYTES):
                file.write(chunk)

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
        except OSError as error:
            raise _refused(path, error) from None
        return count == size and digest.hexdigest() == sha256

    def sizes(self, *names: str) -> dict[str, int]:
        """The files right below a folder: path -> bytes; none where there is no such folder."""
        try:
            found = self._fs.ls(self.path(*names), detail=True)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise _refused(self.path(*names), error) from None
        return {item["name"]: item["size"] for item in found if item["type"] == "file"}

    def _replacing(self, path: str) -> _Replacing:
        return _Replacing(self._fs, path)


class _Replacing:
    """Writes aside and moves into place at the end; what fails on the way leaves the old file alone."""

    def __init__(self, fs: Any, path: str) -> None:
        self._fs, self._path = fs, path
        folder, _, name = path.rpartition("/")
        self._folder = folder
        self._aside = f"{folder}/.{name}.{uuid.uuid4().hex}"
        self._file: IO[bytes] | None = None

    def __enter__(self) -> IO[bytes]:
        try:
            self._fs.makedirs(self._folder, exist_ok=True)
            self._file = self._fs.open(self._aside, "wb")
        except OSError as error:
            raise _refused(self._path, error) from None
        assert self._file is not None
        return self._file

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: Any) -> None:
        assert self._file is not None
        try:
            self._file.close()
            if kind is None:
                self._fs.mv(self._aside, self._path)
            else:
                self._fs.rm_file(self._aside)
        except OSError as failure:
            raise _refused(self._path, failure) from None
        if isinstance(error, OSError):
            raise _refused(self._path, error) from None


def _refused(path: str, error: OSError) -> SyncError:
    name = path.rpartition("/")[2]
    reason = redact(error.strerror or type(error).__name__)
    return SyncError(f"setting storage_url: cannot write or read {name}: {reason}")
