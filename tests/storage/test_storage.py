"""Files below one URL: whole or not at all, by names that stay where they belong."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import fsspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tap_billing_reports.core.errors import SyncError
from tap_billing_reports.core.redaction import redact
from tap_billing_reports.storage.files import Storage, id_name, safe_name

TEXTS = st.text(st.characters(), max_size=300)
ALIKE = st.text(st.sampled_from("aA./\\-_~ "), max_size=6)


@pytest.fixture(params=["folder", "file://", "memory://"])
def storage(request, tmp_path) -> Storage:
    url = {"folder": str(tmp_path / "kept"), "file://": f"file://{tmp_path}/kept", "memory://": "memory://kept"}
    fsspec.filesystem("memory").store.clear()
    return Storage(url[request.param])


def files(storage: Storage) -> list[str]:
    return sorted(storage._fs.find(storage._root))


@given(TEXTS)
@example("..")
@example("../../etc/passwd")
@example("/etc/passwd")
@example("a/../b")
@example("C:\\x")
@example("~root")
@example("")
@example("\ud800")
@example("x" * 5000)
def test_any_text_stays_in_its_folder(text):
    name = safe_name(text)
    assert re.fullmatch(r"[A-Za-z0-9._=~-]{1,140}", name)
    assert not name.startswith((".", "~"))
    storage = Storage("/srv/kept")
    path = storage.path("folder", text, text)
    assert path == f"/srv/kept/folder/{name}/{name}"
    assert Path(path).resolve().parent.parent == Path("/srv/kept/folder")


@given(st.one_of(ALIKE, TEXTS), st.one_of(ALIKE, TEXTS))
@example("", "_")
@example(".a", "a")
@example("A", "a")
@example("a/b", "a_b")
@example("x" * 101, "x" * 102)
@example("2026-01-01T00:00:00Z", "2026-01-01t000000z")
@example("2026-01-01T00:00:00Z", "2026-01-01T000000Z")
def test_different_texts_have_different_names(first, second):
    same = safe_name(first).casefold() == safe_name(second).casefold()
    assert same == (first == second)


@given(TEXTS)
def test_a_name_is_no_texts_but_its_own(text):
    """What was made safe and then read back as a text is another text."""
    name = safe_name(text)
    assert name == text or safe_name(name) != name


@pytest.mark.parametrize("text", ["20001", "2026-01-01t00", "a.b_c=d-e", "invoice_lines"])
def test_plain_texts_are_their_own_names(text):
    assert safe_name(text) == text


def test_what_names_a_period_is_readable():
    assert safe_name("2026-01-01T00:00:00Z") == "2026-01-01T000000Z"
    assert safe_name("window=2026-01-01T00:00:00Z") == "window=2026-01-01T000000Z"
    assert re.fullmatch("acct_1GdAbC~[0-9a-f]{16}", safe_name("acct_1GdAbC")), "two accounts may differ in case alone"


@pytest.mark.parametrize("text", ["frr_123.csv", "frr_1MrQR42eZvKYlo2CGTZ6hLpf.csv", "0c1F-9.xlsx"])
def test_a_harmless_id_is_its_own_name(text):
    assert id_name(text) == text
    assert Storage("/srv/kept").path("Files", file=text).rpartition("/")[2] == text


@given(TEXTS)
@example("..")
@example("../x.csv")
@example("frr_\n1.csv")
@example("frr_1.csv\n")
@example("")
def test_any_id_stays_in_its_folder(text):
    name = id_name(text)
    assert re.fullmatch(r"[A-Za-z0-9._=~-]{1,140}", name)
    assert not name.startswith((".", "~"))
    assert name in {text, safe_name(text)}


def test_small_objects(storage):
    path = storage.path("journal", "Stripe", "a/b") + ".json"
    assert storage.read_json(path) is None
    storage.write_json(path, {"b": 1, "a": [None]})
    storage.write_json(path, {"b": 2})
    assert storage.read_json(path) == {"b": 2}
    assert files(storage) == [path]


def test_files_are_kept_and_fetched(storage, tmp_path):
    local, back = tmp_path / "local", tmp_path / "back"
    content = b"line\n" * 500_000
    local.write_bytes(content)
    path = storage.path("files", "a")
    storage.keep(local, path)
    digest = hashlib.sha256(content).hexdigest()
    assert storage.fetch(path, back, size=len(content), sha256=digest)
    assert back.read_bytes() == content
    assert not storage.fetch(path, back, size=len(content) + 1, sha256=digest)
    assert not storage.fetch(path, back, size=len(content), sha256="0" * 64)
    assert not storage.fetch(storage.path("files", "b"), back, size=0, sha256=digest)
    assert storage.sizes("files") == {path: len(content)}
    assert storage.sizes("nothing") == {}
    assert (storage.local(path) == Path(path)) == (storage._fs.protocol != "memory")


def test_what_is_no_json_is_nothing(storage):
    path = storage.path("journal", "x")
    storage._fs.makedirs(storage.path("journal"), exist_ok=True)
    storage._fs.pipe_file(path, b"{cut")
    assert storage.read_json(path) is None


class Interrupted(BaseException):
    pass


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), Interrupted(), ValueError("x")])
def test_what_breaks_off_leaves_the_old_file_alone(storage, error):
    path = storage.path("journal", "x")
    storage.write_json(path, {"old": True})
    wanted = SyncError if isinstance(error, OSError) else type(error)

    def write_half() -> None:
        with storage._replacing(path) as file:
            file.write(b"{half")
            raise error

    with pytest.raises(wanted):
        write_half()
    assert storage.read_json(path) == {"old": True}
    assert files(storage) == [path]


def test_what_cannot_be_closed_leaves_the_old_file_alone(storage, monkeypatch):
    path = storage.path("journal", "x")
    storage.write_json(path, {"old": True})

    def refuse(*_args: Any, **_more: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(storage._fs, "mv", refuse)
        said = "setting storage_url: cannot write or read x: No space left on device"
        with pytest.raises(SyncError, match=said) as caught:
            storage.write_json(path, {"new": True})
    assert "has room" in caught.value.remedy
    assert storage.read_json(path) == {"old": True}
    assert files(storage) == [path]


def test_a_killed_writers_remains_are_not_listed(storage):
    path = storage.path("journal", "x")
    replacing = storage._replacing(path)
    replacing.__enter__().write(b"{half")
    assert storage.sizes("journal") == {}
    assert storage.read_json(path) is None


def test_a_file_system_with_errors_of_its_own(storage, monkeypatch, tmp_path):
    redact.add("storage-secret")

    class NoCredentialsError(Exception):
        pass

    def refuse(*_args: Any, **_more: Any) -> None:
        raise NoCredentialsError("Unable to locate credentials of storage-secret")

    for name in ("open", "makedirs", "cat_file", "ls"):
        monkeypatch.setattr(storage._fs, name, refuse)
    path = storage.path("a", "b")
    calls = [
        lambda: storage.write_json(path, {}),
        lambda: storage.read_json(path),
        lambda: storage.fetch(path, tmp_path / "x", size=0, sha256=""),
        lambda: storage.sizes("a"),
    ]
    for call in calls:
        with pytest.raises(SyncError, match=r"setting storage_url: cannot write or read .: NoCredentialsError$"):
            call()


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "kept").write_text("a file")
    with pytest.raises(SyncError, match="setting storage_url"):
        Storage(str(tmp_path / "kept")).write_json(str(tmp_path / "kept" / "a" / "b"), {})


@pytest.mark.parametrize(
    ("url", "options"),
    [("nosuch://x:hidden-password@y", None), ("zip://x", {"fo": "/nowhere/hidden-password"})],
)
def test_an_unknown_file_system_is_told(url, options):
    with pytest.raises(SyncError, match="setting storage_url: cannot be opened") as caught:
        Storage(url, options)
    assert "hidden-password" not in str(caught.value)
    assert caught.value.__context__ is None


def test_no_password_in_a_records_uri(storage, monkeypatch):
    monkeypatch.setattr(storage._fs, "unstrip_protocol", lambda path: f"s3://key:hidden-password@bucket{path}")
    assert storage.uri("/a/b@c") == "s3://bucket/a/b@c"


def test_uris(tmp_path):
    fsspec.filesystem("memory").store.clear()
    assert Storage("memory://kept").uri("/kept/a@b") == "memory:///kept/a@b"
    assert Storage(str(tmp_path)).uri(f"{tmp_path}/a") == f"file://{tmp_path}/a"


def test_the_root_may_end_in_a_slash(tmp_path):
    assert Storage(f"{tmp_path}/").path("a") == f"{tmp_path}/a"
    assert json.dumps(Storage("memory://").path("a")) == '"/a"'


def test_a_local_file_that_is_not_there(storage, tmp_path):
    with pytest.raises(SyncError):
        storage.keep(tmp_path / "none", storage.path("a"))
    assert files(storage) == []


def test_a_missing_package_is_named(monkeypatch):
    def missing(*_args, **_options):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec.core, "url_to_fs", missing)
    with pytest.raises(SyncError, match=r"s3fs for s3://"):
        Storage("s3://bucket")
