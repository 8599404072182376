"""What arrives: whole and readable, or refused; and how long it may take."""

from __future__ import annotations

import gzip
import hashlib
import io
import select
import socket
import threading
import zlib
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tap_billing_reports.core.errors import AccountError, AuthenticationFailed, SyncError, Unavailable
from tap_billing_reports.http.client import Limits
from tap_billing_reports.http.sent import FileRequest
from tests.http.account import IMPATIENT
from tests.http.faultserver import chunked, drip, head, raw, reply, reset_after
from tests.waiting import HANG_SECONDS, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fakes import FakeClock

ONCE = Limits(tries=1)
WHOLE = b'{"amount": 10.10}'
GZIP = {"Content-Encoding": "gzip"}
PACKED = gzip.compress(b'{"amount": 10.10, "text": "' + b"x" * 200_000 + b'"}', mtime=0)


def passing(clock: FakeClock, seconds: float) -> Callable[[], None]:
    """Moves the clock for each byte, once the reader has looked at it since the byte before."""
    looked = threading.Event()
    look = clock.monotonic

    def monotonic() -> float:
        looked.set()
        return look()

    def pass_by() -> None:
        looked.wait(HANG_SECONDS)
        looked.clear()
        clock.advance(seconds)

    clock.monotonic = monotonic  # type: ignore[method-assign]

    return pass_by


def read(http: Any, server: Any, **more: Any) -> Any:
    return http(server, limits=ONCE).call("GET", "api", "/x", parse=True, **more)


@pytest.mark.parametrize(
    "step",
    [
        reply(body=WHOLE),
        chunked(WHOLE[:5], WHOLE[5:]),
        raw(head(200) + WHOLE),
        reply(body=gzip.compress(WHOLE), headers={"Content-Encoding": "gzip"}),
        chunked(*(gzip.compress(WHOLE)[at : at + 1] for at in range(len(gzip.compress(WHOLE)))), headers=GZIP),
        reply(body=gzip.compress(WHOLE[:4]) + gzip.compress(WHOLE[4:]), headers={"Content-Encoding": "GZIP"}),
        reply(body=zlib.compress(WHOLE), headers={"Content-Encoding": "deflate"}),
        reply(body=WHOLE, headers={"Content-Encoding": "utf-8"}),
        reply(body=b"\xef\xbb\xbf" + WHOLE),
        reply(body=WHOLE, headers={"Content-Type": "text/html; charset=utf-8"}),
    ],
    ids=[
        "length",
        "chunked",
        "until close",
        "gzip",
        "gzip by byte",
        "two gzips",
        "deflate",
        "no encoding",
        "bom",
        "called html",
    ],
)
def test_whole_bodies(serve, http, step):
    assert read(http, serve(step)).json() == {"amount": Decimal("10.10")}


@pytest.mark.parametrize(
    "step",
    [
        reply(body=WHOLE, headers={"Content-Length": "99"}),
        reset_after(head(200, {"Content-Length": "99"}) + WHOLE),
        reset_after(head(200) + WHOLE[:4]),
        chunked(WHOLE[:5], end=b""),
        chunked(WHOLE[:5], end=b"zz\r\n"),
        chunked(WHOLE[:-1]),
        raw(head(200) + WHOLE[:-1]),
        reply(body=b""),
        reply(body=WHOLE[:-1]),
        reply(body=b"{nonsense}"),
        reply(body=b"\xff\xfe{}"),
        reply(body=b"[" * 200_000),
        reply(body=b'{"a": NaN}'),
        reply(body=b"1" * 5000),
        reply(body=PACKED[:-10], headers={"Content-Encoding": "gzip"}),
        chunked(b"", end=b"0\r\n\r\n"),
        raw(head(200, {"Content-Encoding": "gzip"}) + PACKED[:100]),
        reply(body=b"no gzip", headers={"Content-Encoding": "gzip"}),
        reply(body=b"<invoices><invoice>"),
        reply(body=b"<invoices>"),
        reply(body=b"<" + b"<a>" * 10_000),
        reply(body=b"".join(b"<a>" for _ in range(1000)) + b"</a>" * 1000),
        reply(body=b"&#0;<a/>"),
    ],
)
def test_broken_bodies_are_not_there(serve, http, step):
    server = serve(step)
    with pytest.raises(Unavailable, match=r"^stripe account acct_1: GET "):
        read(http, server)


def test_a_broken_body_is_asked_for_again(serve, http):
    server = serve(reply(body=b'{"cut'), reply(body=b"<cut"), reply(body=b"{}"))
    assert http(server).call("GET", "api", "/x", parse=True).json() == {}
    assert len(server.requests) == 3


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress"])
def test_what_cannot_be_unpacked_is_refused(serve, http, encoding):
    server = serve(reply(body=b"\x8b\x08\x80", headers={"Content-Encoding": encoding}))
    with pytest.raises(AccountError, match=f"packed as {encoding}"):
        read(http, server)
    assert server.requests[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE html><title>Sign in</title>",
        b"\xef\xbb\xbf \n<!doctype HTML>",
        b"<html lang=en>",
        b"<!-- cached --><?xml version='1.0'?>\n<html xmlns='http://www.w3.org/1999/xhtml'/>",
        b"<head><title>Log in</title></head>",
        b"<script>location = '/login'</script>",
    ],
)
@pytest.mark.parametrize("declared", ["text/html", "application/json", "application/xml"])
def test_a_page_is_an_authentication_failure(serve, http, body, declared):
    server = serve(reply(body=body, headers={"Content-Type": declared}))
    with pytest.raises(AuthenticationFailed, match=r"login page.*check the settings stripe_api_key"):
        read(http, server)
    assert len(server.requests) == 1


def test_text_that_is_called_html_is_a_page(serve, http):
    server = serve(reply(body=b"Please sign in", headers={"Content-Type": "Text/HTML"}))
    with pytest.raises(AuthenticationFailed):
        read(http, server)


def test_a_page_with_an_error_status_is_judged_by_the_status(serve, http):
    with pytest.raises(Unavailable, match=r"HTTP 502$"):
        read(http, serve(reply(502, b"<html>Bad gateway</html>")))


def test_a_body_beyond_the_limit_is_refused(serve, http):
    server = serve(reply(body=b'"' + b"x" * 5000 + b'"'))
    with pytest.raises(AccountError, match="longer than 4000 bytes"):
        http(server, limits=Limits(answer_bytes=4000, tries=1)).call("GET", "api", "/x")


def test_a_bomb_is_refused_before_it_fills_the_memory(serve, http):
    bomb = gzip.compress(bytes(50_000_000))
    server = serve(reply(body=bomb, headers={"Content-Encoding": "gzip"}))
    with pytest.raises(AccountError, match="longer than 1000000 bytes"):
        http(server, limits=Limits(answer_bytes=1_000_000, tries=1)).call("GET", "api", "/x")


def test_a_dripping_body_ends_at_its_deadline(serve, http, clock):
    server = serve(drip(b" " * 1000, passing(clock, 1), first=head(200, {"Content-Length": "1000"})))
    with pytest.raises(Unavailable, match="took longer than 120 s"):
        http(server, limits=Limits(tries=1)).call("GET", "api", "/x")
    assert 120 <= clock.monotonic() < 130


@pytest.mark.parametrize("first", [b"", b"HTTP/1.1 200 OK\r\n"], ids=["status line", "headers"])
def test_a_dripping_header_ends_at_its_deadline(serve, http, first):
    stop = threading.Event()
    dripping = b"HTTP/1.1 200 OK\r\n" + b"X-Padding: 1\r\n" * 1000
    server = serve(drip(dripping.removeprefix(first), lambda: stop.wait(0.05), first=first))
    # The header would take ten minutes, and no silence is long enough for the read time-out.
    with pytest.raises(Unavailable, match="no answer in time"):
        http(server, limits=Limits(tries=1, answer_seconds=0.3)).call("GET", "api", "/x")
    stop.set()


def test_silence_ends_at_the_read_time_out(serve, http):
    server = serve(lambda connection, _request: connection.recv(1))
    with pytest.raises(Unavailable, match="no answer in time"):
        http(server, limits=replace(IMPATIENT, tries=1)).call("GET", "api", "/x")


def test_silence_within_a_body(serve, http, monkeypatch):
    """The time-out strikes when all has come that ever will, not some time after a server that may be slow."""
    silent, waited = threading.Event(), set()
    receive = socket.socket.recv_into

    def recv_into(self, *args):
        if self.gettimeout() is None:
            return receive(self, *args)  # the server's end
        waited.add(self.gettimeout())
        until(lambda: select.select([self], [], [], 0)[0] or silent.is_set())
        if select.select([self], [], [], 0)[0]:
            return receive(self, *args)
        raise TimeoutError("timed out")

    def step(connection, _request):
        connection.sendall(head(200, {"Content-Length": "99"}) + b"{")
        silent.set()
        connection.recv(1)

    monkeypatch.setattr(socket.socket, "recv_into", recv_into)
    with pytest.raises(Unavailable, match=r"broke off after 1 bytes .ReadTimeoutError"):
        http(serve(step), limits=Limits(tries=1, read_seconds=7)).call("GET", "api", "/x")
    assert waited == {7}


# -- downloads -----------------------------------------------------------------------------------------

FILE = b"id,amount\r\n" + b"1,10.00\r\n" * 50_000
CSV = {"Content-Type": "text/csv"}
CSV_FILE = FileRequest("api", "/file")


def test_a_download_is_whole(serve, http):
    server = serve(reply(body=FILE, headers=CSV))
    target = io.BytesIO(b"what was there before, and longer than the file" * 20_000)
    got = http(server).download(replace(CSV_FILE, size=len(FILE), headers={"Accept": "text/csv"}), target)
    assert target.getvalue() == FILE
    assert (got.size, got.sha256) == (len(FILE), hashlib.sha256(FILE).hexdigest())
    assert got.content_type == "text/csv"
    assert server.requests[0].headers["accept"] == "text/csv"


def test_a_download_begins_anew_on_every_try(serve, http):
    cut = reply(body=FILE[:-7], headers={**CSV, "Content-Length": str(len(FILE))})
    server = serve(cut, reset_after(head(200, {"Content-Length": "99"}) + b"other bytes"), reply(500), reply(body=FILE))
    target = io.BytesIO()
    got = http(server).download(CSV_FILE, target)
    assert target.getvalue() == FILE
    assert got.sha256 == hashlib.sha256(FILE).hexdigest()
    assert len(server.requests) == 4
    assert all("range" not in request.headers for request in server.requests)


def test_an_empty_file_is_a_file(serve, http):
    target = io.BytesIO(b"before")
    assert http(serve(reply(body=b"", headers=CSV))).download(CSV_FILE, target).size == 0
    assert target.getvalue() == b""


def test_a_packed_download_is_unpacked_and_hashed_so(serve, http):
    server = serve(reply(body=gzip.compress(FILE), headers={"Content-Encoding": "gzip"}))
    target = io.BytesIO()
    assert http(server).download(CSV_FILE, target).sha256 == hashlib.sha256(FILE).hexdigest()
    assert target.getvalue() == FILE


@pytest.mark.parametrize(
    "step",
    [
        reply(body=b"<html>Sign in</html>", headers=CSV),
        reply(body=b"id,amount\r\n", headers={"Content-Type": "text/html"}),
        reply(body=b"", headers={"Content-Type": "text/html; charset=utf-8"}),
    ],
)
def test_a_page_is_no_file(serve, http, step):
    server = serve(step)
    target = io.BytesIO(b"before")
    with pytest.raises(AuthenticationFailed, match="login page"):
        http(server).download(CSV_FILE, target)
    assert target.getvalue() == b"before"
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [202, 204, 206])
def test_another_success_is_no_file(serve, http, status):
    body = b"" if status == 204 else b"part"
    server = serve(reply(status, body, headers=CSV))
    with pytest.raises(Unavailable, match=f"HTTP {status} "):
        http(server, limits=Limits(tries=2)).download(CSV_FILE, io.BytesIO())
    assert len(server.requests) == 2


def test_a_download_has_a_deadline_by_its_size(serve, http, clock):
    server = serve(drip(b"x" * 1000, passing(clock, 1), first=head(200, {"Content-Length": "1000"})))
    limits = Limits(tries=1, answer_seconds=10, slowest_bytes_per_second=10)
    with pytest.raises(Unavailable, match="took longer than 60 s"):
        http(server, limits=limits).download(replace(CSV_FILE, size=500), io.BytesIO())


def test_a_download_of_unknown_size_has_a_deadline_too(serve, http, clock):
    server = serve(drip(b"x" * 1000, passing(clock, 10), first=head(200)))
    with pytest.raises(Unavailable, match="took longer than 3600 s"):
        http(server, limits=Limits(tries=1)).download(CSV_FILE, io.BytesIO())


def test_a_full_disk_is_no_fault_of_the_vendor(serve, http):
    class Full(io.BytesIO):
        def write(self, _data: Any) -> int:
            raise OSError(28, "No space left on device")

    server = serve(reply(body=FILE))
    with pytest.raises(SyncError, match="No space left on device"):
        http(server).download(CSV_FILE, Full())
    assert len(server.requests) == 1
