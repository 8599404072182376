"""Each way in which the sandbox breaks a request, as a client sees it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from datetime import timedelta
from email.utils import parsedate_to_datetime
from types import SimpleNamespace

import pytest
import requests

from tests.waiting import HANG_SECONDS, until

PLAIN = "A host that nobody should send a credential to.\n"


@pytest.fixture
def get(sandbox):
    with requests.Session() as session:
        session.trust_env = False

        def fetch(path="/x", **more):
            return session.get(sandbox.urls["foreign"] + path, timeout=HANG_SECONDS, allow_redirects=False, **more)

        yield fetch


def raw(sandbox, path="/x"):
    """Every byte of an answer until the server closes, and whether it ended with a reset."""
    host, port = sandbox.urls["foreign"].removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=HANG_SECONDS) as found:
        found.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        pieces = []
        try:
            while piece := found.recv(65536):
                pieces.append(piece)
        except ConnectionResetError:
            return b"".join(pieces), True
        return b"".join(pieces), False


def test_a_status_with_headers_and_json(sandbox, get):
    sandbox.control.fault({"status": 503, "headers": {"Retry-After": "7"}, "body": {"error": "later"}})
    answer = get()
    assert (answer.status_code, answer.headers["Retry-After"], answer.json()) == (
        503,
        "7",
        {"error": "later"},
    )


def test_a_header_with_a_moment_counted_from_the_answer(sandbox, get):
    sandbox.control.fault({"status": 429, "headers": {"Retry-After": {"in": 90}}})
    headers = get().headers
    until_then, now = (parsedate_to_datetime(headers[name]) for name in ("Retry-After", "Date"))
    assert until_then - now >= timedelta(seconds=89)  # whole seconds, of two moments


def test_a_status_with_text_of_a_chosen_type(sandbox, get):
    sandbox.control.fault({"status": 200, "headers": {"Content-Type": "text/csv"}, "body": "a,b\n"})
    answer = get()
    assert (answer.headers["Content-Type"], answer.text) == ("text/csv", "a,b\n")


def test_a_login_page_and_an_empty_answer(sandbox, get):
    sandbox.control.fault({"html": True}, times=1)
    sandbox.control.fault({"empty": True}, times=1)
    page, empty, plain = get(), get(), get()
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "<form" in page.text
    assert (empty.status_code, empty.content) == (200, b"")
    assert plain.text == PLAIN


def test_a_redirect(sandbox, get):
    sandbox.control.fault({"redirect": "http://elsewhere.example/y", "status": 307})
    answer = get()
    assert (answer.status_code, answer.headers["Location"]) == (307, "http://elsewhere.example/y")


@pytest.fixture
def slept(monkeypatch):
    """The pauses that the sandbox makes, in seconds, none of which is waited for."""
    pauses = []

    async def sleep(seconds):
        pauses.append(seconds)

    for module in ("disturb", "front"):
        monkeypatch.setattr(f"tap_billing_reports.sandbox.{module}.asyncio", SimpleNamespace(sleep=sleep))
    return pauses


def test_a_delay_and_latency(sandbox, get, slept):
    sandbox.control.fault({"delay": 40}, times=1)
    assert get().text == PLAIN
    assert slept == [40]
    sandbox.control.latency(30)
    assert get().text == PLAIN
    assert slept == [40, 30]


def test_a_stall_lasts_until_the_client_goes(sandbox):
    sandbox.control.fault({"stall": True})
    with pytest.raises(requests.ReadTimeout):
        requests.get(sandbox.urls["foreign"], timeout=(HANG_SECONDS, 0.2))
    until(sandbox.control.requests)
    assert sandbox.control.requests()[-1]["status"] is None


def test_a_lost_answer_to_a_processed_order(sandbox, calls):
    sandbox.control.fault({"lose": True}, {"vendor": "stripe", "method": "POST"})
    week = {"interval_start": 1793577600, "interval_end": 1794182400}
    with pytest.raises(requests.ConnectionError):
        calls.order("balance.summary.1", **week)
    assert sandbox.control.counters()["orders"]["stripe"]["total"] == 1


def test_a_reset_after_some_bytes(sandbox):
    sandbox.control.fault({"reset": 6})
    answer, was_reset = raw(sandbox)
    assert answer.partition(b"\r\n\r\n")[2] == b"A host"
    assert was_reset


def test_a_body_shorter_than_its_length(sandbox, get):
    sandbox.control.fault({"cut": {"after": 6}})
    answer, was_reset = raw(sandbox)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert f"content-length: {len(PLAIN)}".encode() in head.lower()
    assert (body, was_reset) == (b"A host", False)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        get()


def test_a_body_that_ends_early_but_correctly(sandbox, get):
    sandbox.control.fault({"cut": {"after": 6, "framing": "chunked"}})
    answer = get()
    assert answer.text == "A host"
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert "Content-Length" not in answer.headers


def test_a_body_that_ends_with_the_connection(sandbox, get):
    sandbox.control.fault({"cut": {"after": 6, "framing": "close"}})
    answer = get()
    assert answer.text == "A host"
    assert not {"Content-Length", "Transfer-Encoding"} & set(answer.headers)


def test_a_cut_behind_the_end_of_the_body(sandbox, get):
    for framing in ("length", "chunked", "close"):
        sandbox.control.clear_faults()
        sandbox.control.fault({"cut": {"after": 9999, "framing": framing}})
        assert get().text == PLAIN


@pytest.mark.parametrize(("rate", "at_once"), [(200, 10), (1, 1)])
def test_a_dripping_body(sandbox, get, slept, rate, at_once):
    sandbox.control.fault({"drip": rate})
    assert get().text == PLAIN
    # The client has the whole body before the pause after its last piece.
    pauses = -(-len(PLAIN) // at_once)
    until(lambda: len(slept) >= pauses, lambda: len(slept))
    assert slept == [at_once / rate] * pauses


def test_altered_text_and_a_dropped_line(sandbox, get):
    sandbox.control.fault({"alter": {"from": "nobody", "to": "everybody"}}, times=1)
    sandbox.control.fault({"alter": {"drop_line": 2}}, {"path": "^/settings$"})
    altered = get()
    assert altered.text == PLAIN.replace("nobody", "everybody")
    assert int(altered.headers["Content-Length"]) == len(altered.content)


@pytest.mark.parametrize(("line", "left"), [(2, "a\nc\n"), (-1, "a\nb\n"), (9, "a\nb\nc\n")])
def test_dropping_lines(line, left):
    from tap_billing_reports.sandbox.disturb import _altered

    assert _altered(b"a\nb\nc\n", {"drop_line": line}) == left.encode()


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_signal_before_the_request_or_after_the_answer(sandbox, get, when):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        sandbox.control.fault({"signal": {"pid": child.pid, "signal": "TERM", "when": when}})
        assert get().text == PLAIN
        assert child.wait(timeout=HANG_SECONDS) == -signal.SIGTERM
    finally:
        child.kill()
        child.wait()


def test_a_client_killed_before_its_request_is_handled(sandbox):
    code = f"import urllib.request as u; u.urlopen({sandbox.urls['foreign']!r}).read(); print('answered')"
    environment = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
    child = subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.stdin.read(1); {code}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
    )
    sandbox.control.fault({"delay": 0.05, "signal": {"pid": child.pid, "when": "before"}})
    output, _ = child.communicate(b"x", timeout=HANG_SECONDS)
    assert (child.returncode, output) == (-signal.SIGKILL, b"")


def test_rules_are_tried_in_order_skip_and_run_out(sandbox, get):
    sandbox.control.fault({"status": 500}, skip=1, times=1)
    sandbox.control.fault({"status": 502}, {"path": r"^/b\d$"})
    codes = [get(path).status_code for path in ("/a", "/a", "/a", "/b1", "/b")]
    assert codes == [200, 500, 200, 502, 200]
    assert [(rule["matched"], rule["used"]) for rule in sandbox.control.faults()] == [(2, 1), (1, 1)]
    sandbox.control.clear_faults()
    assert get("/b1").status_code == 200


@pytest.mark.parametrize(
    ("match", "hit"),
    [
        ({"host": "foreign"}, True),
        ({"host": "stripe_api"}, False),
        ({"vendor": "stripe"}, False),
        ({"method": "GET"}, True),
        ({"method": "POST"}, False),
        ({"query": "day=2 3"}, True),
        ({"query": {"day": "2 3", "n": "1"}}, True),
        ({"query": {"day": "4"}}, False),
        ({"form": "x"}, False),
    ],
)
def test_what_a_rule_matches(sandbox, get, match, hit):
    sandbox.control.fault({"status": 418}, match)
    assert (get("/x?day=2%203&n=1").status_code == 418) is hit


def test_a_form_is_matched_too(sandbox, calls):
    sandbox.control.fault({"status": 500, "body": {}}, {"form": {"parameters[currency]": "nok"}})
    week = {"interval_start": 1793577600, "interval_end": 1794182400}
    assert calls.order("balance.summary.1", **week, currency="usd").status_code == 200
    assert calls.order("balance.summary.1", **week, currency="nok").status_code == 500


@pytest.mark.parametrize("rule", [({"explode": 1}, None), ({"status": 500}, {"colour": "blue"}), ({}, None)])
def test_unknown_rules_are_refused(sandbox, rule):
    with pytest.raises(ValueError, match="fault rule"):
        sandbox.control.fault(*rule)
