"""What is entered around each try of a call: never around a wait, and left to its owner once there is an answer."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from tap_billing_reports.core.errors import Unavailable
from tap_billing_reports.http.client import Limits
from tests.http.faultserver import free_port, reply


class Held:
    def __init__(self):
        self.now = 0
        self.tries = 0

    @contextmanager
    def __call__(self):
        self.now += 1
        self.tries += 1
        try:
            yield
        finally:
            self.now -= 1


def test_no_wait_is_guarded(http, clock, monkeypatch):
    held, guarded = Held(), []
    monkeypatch.setattr(type(clock), "sleep", lambda _self, _seconds: guarded.append(held.now))
    nobody = http(f"http://127.0.0.1:{free_port()}", limits=Limits(tries=3))
    with pytest.raises(Unavailable):
        nobody.call("POST", "api", "/x", safe=False, guard=held)
    assert held.tries == 3
    assert guarded == [0, 0]


def test_sending_and_reading_are_guarded(serve, http):
    held, seen = Held(), []

    def watched(connection, request):
        seen.append(held.now)
        reply(body=b"{}")(connection, request)

    http(serve(watched)).call("POST", "api", "/x", safe=False, guard=held)
    assert (seen, held.now) == ([1], 0)
