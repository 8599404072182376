"""When a call is made again, and when not: never too early, never twice what may not be, never for ever."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest

from tap_billing_reports.core.errors import AuthenticationFailed, NotFound, Refused, Throttled, Unavailable
from tap_billing_reports.http.client import Limits
from tap_billing_reports.http.retries import RetryBudget
from tap_billing_reports.vendors.stripe import STRIPE
from tests.fakes import FakeClock
from tests.http.account import IMPATIENT
from tests.http.faultserver import chunked, free_port, head, raw, reply, reset, silence
from tests.waiting import until

OK = reply(body=b'{"ok": true}')
NOW = FakeClock().now()


def http_date(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


@pytest.mark.parametrize(
    ("headers", "asked"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": http_date(NOW + timedelta(seconds=9))}, 9),
        # The vendor's clock is an hour ahead, and two days behind.
        (
            {
                "Retry-After": http_date(NOW + timedelta(hours=1, seconds=9)),
                "Date": http_date(NOW + timedelta(hours=1)),
            },
            9,
        ),
        (
            {
                "Retry-After": http_date(NOW - timedelta(days=2) + timedelta(seconds=9)),
                "Date": http_date(NOW - timedelta(days=2)),
            },
            9,
        ),
        ({"Retry-After": http_date(NOW + timedelta(seconds=9)), "Date": "no date"}, 9),
        # A date without a zone is one in UTC, on either side.
        ({"Retry-After": "Fri, 20 Nov 2026 09:30:09 -0000", "Date": "Fri, 20 Nov 2026 09:30:00 -0000"}, 9),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_never_earlier_than_retry_after(serve, http, clock, status, headers, asked):
    server = serve(reply(status, headers=headers), OK)
    assert http(server).call("GET", "api", "/x").json() == {"ok": True}
    assert clock.slept == [pytest.approx(asked + 1)], "what was asked, and jitter on top"


def test_a_wait_is_told(serve, http, caplog):
    caplog.set_level("INFO", "tap-billing-reports")
    server = serve(reply(503, headers={"Retry-After": "7"}), OK)
    http(server).call("GET", "api", "/x")
    (told,) = [record.getMessage() for record in caplog.records if "trying again" in record.getMessage()]
    assert "HTTP 503" in told
    assert told.startswith("trying again in 8.0 s: ")


@pytest.mark.parametrize("value", ["", "soon", "-5", "²", "Fri, 99 Nov 2026 09:30:09 GMT", "9" * 30])
def test_an_unreadable_retry_after_is_none(serve, http, clock, value):
    server = serve(reply(429, headers={"Retry-After": value} if value else {}), OK)
    http(server).call("GET", "api", "/x")
    assert clock.slept == [1]


def test_a_retry_after_in_the_past_is_now(serve, http, clock):
    server = serve(reply(429, headers={"Retry-After": http_date(NOW - timedelta(hours=1))}), OK)
    http(server).call("GET", "api", "/x")
    assert clock.slept == [1]


def test_a_longer_wait_than_allowed_is_not_begun(serve, http, clock):
    server = serve(reply(429, headers={"Retry-After": "601"}))
    with pytest.raises(Throttled) as caught:
        http(server, limits=Limits(waiting_seconds=600)).call("GET", "api", "/x")
    assert caught.value.retry_after == 601
    assert clock.slept == []
    assert len(server.requests) == 1


def test_waits_grow_with_full_jitter(serve, http, clock, full_jitter):
    server = serve(reply(500))
    with pytest.raises(Unavailable, match=r"stripe account acct_1: GET http://127\.0\.0\.1:\d+/x: HTTP 500"):
        http(server, limits=Limits(tries=8)).call("GET", "api", "/x")
    assert full_jitter == [1, 2, 4, 8, 16, 30, 30]
    assert clock.slept == full_jitter
    assert len(server.requests) == 8


@pytest.mark.parametrize("status", [408, 409, 425, 500, 502, 503, 504, 599])
def test_passing_troubles_are_asked_again(serve, http, status):
    server = serve(reply(status), OK)
    http(server).call("GET", "api", "/x")
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, Refused),
        (401, AuthenticationFailed),
        (402, Refused),
        (403, AuthenticationFailed),
        (404, NotFound),
        (406, Refused),
        (410, NotFound),
        (422, Refused),
        (304, Refused),
    ],
)
def test_refusals_are_not(serve, http, clock, status, error):
    server = serve(reply(status))
    with pytest.raises(error) as caught:
        http(server).call("GET", "api", "/x")
    assert caught.value.status == status
    assert len(server.requests) == 1
    assert clock.slept == []


def test_wrong_credentials_name_source_account_and_setting(serve, http):
    server = serve(reply(401, b'{"error": {"message": "Invalid API Key"}}'))
    with pytest.raises(AuthenticationFailed) as caught:
        http(server).call("GET", "api", "/x", account="acct_2")
    text = str(caught.value)
    assert "stripe account acct_2" in text
    assert "Invalid API Key" in text
    assert text.endswith("check the settings stripe_api_key")
    assert "\n" not in text


HINTS = STRIPE.hints


def test_stripe_says_what_to_ask_again(serve, http, clock):
    again = serve(reply(400, headers={"Stripe-Should-Retry": "true"}), OK)
    http(again, hints=HINTS).call("GET", "api", "/x")
    assert len(again.requests) == 2
    for status, error in ((500, Refused), (409, Refused), (404, NotFound), (403, AuthenticationFailed)):
        never = serve(reply(status, headers={"Stripe-Should-Retry": "false"}))
        with pytest.raises(error):
            http(never, hints=HINTS).call("GET", "api", "/x")
        assert len(never.requests) == 1
    # A rate limit is marked so too, and passes.
    limited = serve(reply(429, headers={"Stripe-Should-Retry": "false"}), OK)
    http(limited, hints=HINTS).call("GET", "api", "/x")
    assert len(limited.requests) == 2


def test_another_vendors_headers_mean_nothing(serve, http):
    headers = {"Stripe-Should-Retry": "true", "Idempotent-Replayed": "true"}
    refused = serve(reply(400, headers=headers))
    with pytest.raises(Refused):
        http(refused).call("GET", "api", "/x")
    replayed = serve(reply(500, headers=headers), OK)
    http(replayed).call("GET", "api", "/x")
    assert len(replayed.requests) == 2


def test_a_replayed_failure_is_not_asked_for_again(serve, http):
    server = serve(reply(500, headers={"Idempotent-Replayed": "true"}))
    with pytest.raises(Unavailable) as caught:
        http(server, hints=HINTS).call("POST", "api", "/x", form=[("a", "b")])
    assert caught.value.replayed
    assert len(server.requests) == 1


UNDECIDED = {
    "reset": reset,
    "silence": silence,
    "500": reply(500),
    "short": reply(body=b"{", headers={"Content-Length": "9"}),
    "cut chunk": chunked(b'{"a":', end=b""),
    "garbage": raw(b"SSH-2.0-OpenSSH\r\n"),
    "closed": raw(b""),
    "cut header": raw(b"HTTP/1.1 200 OK\r\nContent-Le"),
}


@pytest.mark.parametrize("fault", UNDECIDED)
def test_an_order_is_never_sent_twice(serve, http, fault):
    server = serve(UNDECIDED[fault], OK)
    if fault == "cut header":
        # Taken for an answer without a body: its reader finds no run in it.
        assert http(server).call("GET", "api", "/order", safe=False).body == b""
    else:
        with pytest.raises(Unavailable) as caught:
            http(server, limits=IMPATIENT if fault == "silence" else None).call("GET", "api", "/order", safe=False)
        assert caught.value.sent
    until(lambda: server.requests)
    assert len(server.requests) == 1


def test_an_order_that_was_not_sent_is_sent_later(serve, http, clock, monkeypatch):
    port, servers = free_port(), []

    def sleep(seconds: float) -> None:
        clock.advance(seconds)
        clock.slept.append(seconds)
        if len(clock.slept) == 2:
            servers.append(serve(OK, port=port))

    monkeypatch.setattr(clock, "sleep", sleep)
    answer = http(f"http://127.0.0.1:{port}").call("GET", "api", "/order", safe=False)
    assert answer.json() == {"ok": True}
    assert clock.slept[:2] == [1, 2], "the vendor was not reached, so that asking again is safe"
    assert len(servers[0].requests) == 1


def test_a_closed_port_was_not_reached(http):
    said = r"connection failed .NewConnectionError: no service listens there, or the network is down.$"
    with pytest.raises(Unavailable, match=said) as caught:
        http(f"http://127.0.0.1:{free_port()}").call("GET", "api", "/order", safe=False)
    assert not caught.value.sent
    assert caught.value.remedy.startswith("check the network, a proxy and the host in the settings")


def test_nobody_to_connect_to(http, nobody, clock):
    with pytest.raises(Unavailable, match="no connection") as caught:
        http(f"http://127.0.0.1:{nobody}", limits=Limits(connect_seconds=0.2, tries=2)).call(
            "GET", "api", "/order", safe=False
        )
    assert not caught.value.sent
    assert clock.slept == [1]


def test_an_unknown_name_is_not_reached(http, clock):
    with pytest.raises(Unavailable) as caught:
        http("https://vendor.invalid", limits=Limits(tries=2)).call("GET", "api", "/order", safe=False)
    assert not caught.value.sent


def test_a_throttled_order_is_handed_back(serve, http, clock):
    server = serve(reply(429, headers={"Retry-After": "3"}))
    with pytest.raises(Throttled) as caught:
        http(server).call("GET", "api", "/order", safe=False, wait_when_throttled=False)
    assert caught.value.retry_after == 3
    assert clock.slept == []


def test_a_keyed_order_goes_out_again_with_its_key(serve, http):
    server = serve(reset, reply(body=b'{"cut', headers={"Content-Length": "99"}), reply(body=b'{"cut'), OK)
    answer = http(server).call(
        "POST", "api", "/v1/runs", form=[("a", "1"), ("a", "2")], headers={"Idempotency-Key": "k1"}, parse=True
    )
    assert answer.json() == {"ok": True}
    assert [request.headers["idempotency-key"] for request in server.requests] == ["k1"] * 4
    assert {request.body for request in server.requests} == {b"a=1&a=2"}


def test_parameters_survive_a_retry(serve, http):
    server = serve(reply(500), OK)
    http(server).call("GET", "api", "/x", params=(pair for pair in [("a", "1"), ("b[]", "ø&")]))
    assert [request.query for request in server.requests] == [[("a", "1"), ("b[]", "ø&")]] * 2


def test_a_dead_api_fails_fast(serve, http, clock):
    server = serve(reply(500))
    dead = http(server, limits=Limits(retry_budget=7))
    for _ in range(3):
        with pytest.raises(Unavailable):
            dead.call("GET", "api", "/x")
    assert len(server.requests) == 3 + 7, "three calls, and all the retries that there are"
    server.steps[:] = [OK]
    for _ in range(2):
        dead.call("GET", "api", "/x")
    server.steps[:] = [reply(500), OK]
    dead.call("GET", "api", "/x")
    assert len(server.requests) == 10 + 2 + 2, "successes pay back"


def test_a_budget_never_exceeds_its_capacity():
    budget = RetryBudget(1)
    for _ in range(10):
        budget.refund()
    assert budget.spend()
    assert not budget.spend()


def test_identical_gets_are_kept_apart_where_a_vendor_wants_it(serve, http, clock):
    server = serve(OK)
    asking = http(server, same_get_seconds=0.25)
    moments = []
    for _ in range(12):
        asking.call("GET", "api", "/x", params=[("a", "1")])
        moments.append(clock.monotonic())
    assert all(later - earlier >= 0.25 for earlier, later in itertools.pairwise(moments))
    before = clock.monotonic()
    for number in range(5):
        asking.call("GET", "api", "/x", params=[("b", str(number))])
    assert clock.monotonic() == before, "others are not held up"
    for number in range(2000):
        asking._transport._space_out(f"http://other/{number}")
        clock.advance(0.1)
    assert len(asking._transport._last_get) < 1100, "nor remembered for ever"


def test_orders_are_not_spaced_nor_is_anything_by_default(serve, http, clock):
    server = serve(OK)
    for method, seconds in (("POST", 0.25), ("GET", 0)):
        asking = http(server, same_get_seconds=seconds)
        for _ in range(3):
            asking.call(method, "api", "/x")
    assert clock.slept == []


def test_the_last_error_is_told(serve, http):
    server = serve(reply(503), reset, reply(502, b"the end"))
    with pytest.raises(Unavailable, match=r"HTTP 502 .the end"):
        http(server, limits=Limits(tries=3)).call("GET", "api", "/x")


def test_a_retry_after_date_in_another_zone(serve, http, clock):
    moment = (NOW + timedelta(seconds=5)).astimezone(timezone(timedelta(hours=2)))
    server = serve(reply(429, headers={"Retry-After": format_datetime(moment)}), OK)
    http(server).call("GET", "api", "/x")
    assert clock.slept == [6]


def test_the_header_of_an_order_that_drips_is_sent_once(serve, http):
    server = serve(raw(head(200)[:5]), OK)
    with pytest.raises(Unavailable):
        http(server).call("GET", "api", "/order", safe=False)
    assert len(server.requests) == 1
