"""Files: held against what was declared before any row is read, kept whole, several of one run."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any

import pytest

from tap_billing_reports.core.errors import FileError, NotFound, ReportError, Unavailable
from tap_billing_reports.declare import RemoteFile, Run, RunStatus
from tap_billing_reports.http.client import Download
from tap_billing_reports.reports.files.download import TRIES, Collector, discard

ONE_DAY = {"start": date(2026, 3, 3)}
XLSX = b"PK\x03\x04" + b"sheet" * 300 + b"PK\x05\x06" + bytes(18)


@pytest.fixture
def serve(sync, vendor, monkeypatch):
    """Collects one file of some content; returns it and how often it was fetched."""

    def collect(content, storage=None, **facts):
        contents = content if isinstance(content, list) else [content]
        fetched: list[Any] = []

        def download(_wanted, to):
            body = contents[min(len(fetched), len(contents) - 1)]
            fetched.append(body)
            if isinstance(body, Exception):
                raise body
            to.write(body)
            to.flush()
            return Download(len(body), hashlib.sha256(body).hexdigest(), "")

        monkeypatch.setattr(vendor, "download", download)
        run = sync(vendor, storage=storage, **ONE_DAY)
        (job,) = run.jobs()
        remote = RemoteFile(**{"file_id": "f1", "format": "csv", "host": "fake", "path": "/f1", **facts})
        made = Run("run1", RunStatus.READY, "succeeded", file=remote)
        return Collector(run.folder, storage).collect(job, made), len(fetched)

    return collect


def test_a_file_is_on_disk_with_its_size_and_hash(serve):
    (file,), _ = serve(b"a,b\n1,2\n", size=8)
    assert file.path.read_bytes() == b"a,b\n1,2\n"
    assert (file.size, file.sha256, file.uri) == (8, hashlib.sha256(b"a,b\n1,2\n").hexdigest(), None)
    discard([file])
    assert not file.path.exists()


@pytest.mark.parametrize(
    ("format_", "content", "message"),
    [
        ("csv", b"<html>log in</html>", "web page"),
        ("csv", b'{"error": {}}', "web page or an error"),
        ("csv", b"", "empty"),
        ("csv", b"a,b\n1,2", "7 bytes arrived, 8 were declared"),
        ("csv", b"a,b\n1,2\n3", "9 bytes arrived, 8 were declared"),
        ("xml", b"not xml", "does not begin as XML"),
        ("xml", b"<Report><Line></Line>\n<Line><A>1</A", "does not end as XML"),
        ("xml", b"<Report><Line></Line>", "does not end as XML"),
        ("xml", b"<?xml version='1.0'?><!-- </Report> --><Report><Line/>", "does not end as XML"),
        ("xml", b"<?xml version='1.0'?>", "no root element"),
        ("xlsx", b"<html/>", "does not begin as a ZIP"),
        ("xlsx", XLSX[:-100], "does not end as a ZIP"),
    ],
)
def test_what_is_not_the_declared_file_is_refused_after_three_tries(serve, tmp_path, format_, content, message):
    size = 8 if format_ == "csv" and content[:1] == b"a" else None
    with pytest.raises(FileError, match=message):
        serve(content, format=format_, size=size)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("format_", "content"),
    [
        ("csv", b"\xef\xbb\xbfa,b\n"),
        ("xml", b"\xef\xbb\xbf <?xml version='1.0'?><Report><Line/></Report>\n"),
        ("xml", b"<Report/>"),
        ("xml", b"<r:Report xmlns:r='x'></r:Report >"),
        ("xml", b"<!-- a > b --><Report " + b"a='1' " * 200 + b"><Line/></Report>"),
        ("xlsx", XLSX),
    ],
)
def test_whole_files_are_taken(serve, format_, content):
    (file,), fetched = serve(content, format=format_)
    assert (file.path.read_bytes(), fetched) == (content, 1)


def test_a_transfer_that_was_cut_is_repeated(serve):
    (file,), fetched = serve([b"a,b\n1", b"a,b\n1,2\n"], size=8)
    assert (file.size, fetched) == (8, 2)
    _, fetched = serve([b"<R><L/>"] * (TRIES - 1) + [b"<R><L/></R>"], format="xml")
    assert fetched == TRIES


def test_a_file_is_kept_where_that_is_asked_for(serve, storage):
    (file,), _ = serve(b"a,b\n1,2\n", storage=storage, size=8)
    (path,) = storage._fs.find(storage._root)
    assert storage._fs.cat_file(path) == b"a,b\n1,2\n"
    assert path == storage.path("files", "fake", "acct", "daily", "2026-03-03T00:00:00Z", "run1.csv")
    assert file.uri == storage.uri(path)


def test_a_broken_file_is_not_kept(serve, storage):
    with pytest.raises(FileError):
        serve(b"<html>", storage=storage)
    assert not storage._fs.exists(storage._root)


def test_what_came_of_a_file_that_broke_off_leaves_the_disk(sync, vendor, tmp_path):
    """A sync of thousands of periods whose files all break off must not fill it before its end."""
    vendor.xlsx = True
    run = sync(vendor)
    served = []

    def download(wanted, to):
        served.append(wanted.path)
        if len(served) > 1:
            to.write(b"a part")
            to.flush()
            raise Unavailable("broke off")
        return type(vendor).download(vendor, wanted, to)

    vendor.download = download
    assert len(run.run().errors) == 3
    assert served[1].endswith(".xlsx"), "the first one's rows were there"
    assert not list(tmp_path.iterdir())


def test_a_run_without_a_file_is_an_error(sync, vendor):
    run = sync(vendor, **ONE_DAY)
    (job,) = run.jobs()
    with pytest.raises(ReportError, match="names no file"):
        Collector(run.folder, None).collect(job, Run("run1", RunStatus.READY, "succeeded"))


# -- more than one file --------------------------------------------------------------------------------


def test_a_workbook_comes_with_the_rows_and_is_kept(sync, vendor, storage, tmp_path):
    vendor.xlsx = True
    (finished,) = sync(vendor, storage=storage, **ONE_DAY).run().finished
    assert [file.remote.format for file in finished.files] == ["csv", "xlsx"]
    assert [file.uri.rpartition("/")[2] for file in finished.files] == ["run1.csv", "run1.xlsx"]
    assert not list(tmp_path.iterdir())
    (again,) = sync(vendor, storage=storage, **ONE_DAY).run().finished
    assert again.origin == "kept"
    assert [file.uri for file in again.files] == [file.uri for file in finished.files]
    assert [file.sha256 for file in again.files] == [file.sha256 for file in finished.files]


def test_a_workbook_that_is_wanted_later_is_fetched_then(sync, vendor, storage):
    sync(vendor, storage=storage, **ONE_DAY).run()
    vendor.xlsx = True
    (finished,) = sync(vendor, storage=storage, **ONE_DAY).run().finished
    assert (finished.origin, len(finished.files)) == ("resumed", 2)
    assert len(vendor.runs) == 1


def test_a_workbook_that_is_not_there_fails_the_period_and_orders_nothing(sync, vendor, storage):
    vendor.xlsx = True
    run = sync(vendor, storage=storage, **ONE_DAY)

    def download(wanted, to):
        if wanted.path.endswith(".xlsx"):
            raise NotFound("no such file", status=404)
        return type(vendor).download(vendor, wanted, to)

    vendor.download = download
    ended = run.run()
    assert "a file beside that of the rows is not there" in ended.errors[0]
    assert len(vendor.runs) == 1


def test_a_workbook_in_the_storage_that_is_gone_is_fetched_again(sync, vendor, storage):
    vendor.xlsx = True
    sync(vendor, storage=storage, **ONE_DAY).run()
    (path,) = [path for path in storage._fs.find(storage._root) if path.endswith(".xlsx")]
    storage._fs.rm_file(path)
    (finished,) = sync(vendor, storage=storage, **ONE_DAY).run().finished
    assert (finished.origin, len(finished.files)) == ("resumed", 2)
    assert storage._fs.exists(path)


def test_formats_are_asked_for_by_name(sync, vendor, monkeypatch):
    seen = []
    download = type(vendor).download

    def asked(wanted, to):
        seen.append(wanted.headers["Accept"])
        return download(vendor, wanted, to)

    monkeypatch.setattr(vendor, "download", asked)
    sync(vendor, **ONE_DAY).run()
    assert seen == ["text/csv, */*;q=0.1"]


def test_a_file_id_cannot_leave_the_folder(serve, tmp_path):
    (file,), _ = serve(b"a\n", file_id="../../etc/passwd")
    assert file.path.parent == tmp_path
    assert file.path.exists()
