"""Where a request may be led: among the hosts of the settings, and signed for the first of them alone."""

from __future__ import annotations

import pytest

from tap_billing_reports.core.errors import AccountError, AuthenticationFailed, ConfigError
from tap_billing_reports.http.auth import QueryKeyAuthenticator
from tests.http.account import KEY
from tests.http.faultserver import raw, redirect, reply

OK = reply(body=b"[]")
CREDENTIALS = ("authorization", "stripe-version", "stripe-account", "idempotency-key")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_within_a_host_the_credentials_go_along(serve, http, status):
    server = serve(redirect("/new?page=2", status), OK)
    http(server).call("GET", "api", "/old", params=[("page", "1")], headers={"Stripe-Account": "acct_2"})
    assert server.paths == ["/old", "/new"]
    assert server.requests[1].query == [("page", "2")]
    assert server.requests[1].headers["authorization"] == f"Bearer {KEY}"
    assert server.requests[1].headers["stripe-account"] == "acct_2"


def test_the_other_host_of_the_settings_gets_none(serve, http):
    files = serve(OK)
    api = serve(redirect(f"{files.url}/signed"))
    http(api, files).call("GET", "api", "/x", headers={"Stripe-Account": "acct_2", "Accept": "text/csv"})
    assert files.paths == ["/signed"]
    assert not set(CREDENTIALS) & set(files.requests[0].headers)
    assert files.requests[0].headers["accept"] == "text/csv"
    assert files.requests[0].headers["accept-language"] == "en"


def test_back_home_the_credentials_are_there_again(serve, http):
    files, api = serve(OK), serve(OK)
    files.steps[:] = [redirect(f"{api.url}/end")]
    api.steps[:] = [redirect(f"{files.url}/middle"), OK]
    http(api, files).call("GET", "api", "/start")
    assert "authorization" not in files.requests[0].headers
    assert api.requests[1].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:{foreign}/",
        "//127.0.0.1:{foreign}/x",
        "http://localhost:{api}/another-name",
        "https://127.0.0.1:{api}/another-scheme",
        "ftp://127.0.0.1:{api}/",
        "http://127.0.0.1:{api}@127.0.0.1:{foreign}/",
        # Read by urllib.parse as the host after the @, by who connects as the one before the backslash.
        "http://127.0.0.1:{foreign}\\@127.0.0.1:{api}/",
        "http://127.0.0.1:{foreign}#@127.0.0.1:{api}/",
        "http://127.0.0.1:{foreign}?@127.0.0.1:{api}/",
        "http://127.0.0.1",
        "javascript:alert(1)",
        "http://[::1/",
        "http://127.0.0.1:port/",
        "http://127.0.0.1:99999/",
        "file:///etc/passwd",
    ],
)
def test_nothing_is_sent_anywhere_else(serve, http, target):
    foreign = serve(OK)
    api = serve(OK)
    api.steps[:] = [redirect(target.format(foreign=foreign.port, api=api.port))]
    with pytest.raises(AccountError, match=r"redirected to .*nothing was sent there") as caught:
        http(api).call("GET", "api", "/x")
    assert foreign.requests == []
    assert api.paths == ["/x"]
    assert not isinstance(caught.value, AuthenticationFailed)


def test_https_is_not_left(serve, http):
    api = serve(redirect("http://api.stripe.test/x"))
    with pytest.raises(AccountError, match=r"redirected to http://api\.stripe\.test"):
        http(api, "https://api.stripe.test").call("GET", "api", "/x")


def test_a_default_port_is_the_same_host(http):
    from tap_billing_reports.http.transport import origin

    assert origin("https://Api.Stripe.com:443/x") == origin("https://api.stripe.com/y")
    assert origin("https://api.stripe.com:8443/") != origin("https://api.stripe.com/")


@pytest.mark.parametrize("ways", [1, 2])
def test_loops_end(serve, http, ways):
    server = serve(*([redirect("/a"), redirect("/b")] * 10)[: 6 if ways == 2 else 1])
    with pytest.raises(AccountError, match="more than 5 redirects"):
        http(server).call("GET", "api", "/a")
    assert len(server.requests) == 6


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_post_is_never_sent_on(serve, http, status):
    server = serve(redirect("/elsewhere", status), OK)
    with pytest.raises(AccountError, match="a POST is never sent on"):
        http(server).call("POST", "api", "/order", form=[("a", "1")])
    assert server.paths == ["/order"]


def test_a_login_page_at_the_end_of_a_redirect(serve, http):
    server = serve(redirect("/login"), reply(body=b"<!doctype html>"))
    with pytest.raises(AuthenticationFailed, match="check the settings stripe_api_key"):
        http(server).call("GET", "api", "/x")


def test_an_unread_redirect_does_no_harm(serve, http):
    server = serve(raw(b"HTTP/1.1 302 X\r\nLocation: /b\r\nContent-Length: 99999999\r\n\r\nx"), OK)
    assert http(server).call("GET", "api", "/a").json() == []


def test_a_redirect_without_a_place_is_refused(serve, http):
    with pytest.raises(AccountError, match="HTTP 302"):
        http(serve(reply(302, b""))).call("GET", "api", "/a")


def test_a_key_in_the_query_is_never_doubled_nor_passed_on(serve, http):
    other = serve(OK)
    server = serve(OK)
    brp = http(server, other, authenticator=QueryKeyAuthenticator("apikey", KEY))
    # The vendor repeats the query in its redirect, as web servers do that add a slash.
    server.steps[:] = [lambda connection, request: redirect(request.target + "&again=1")(connection, request), OK]
    brp.call("GET", "api", "/x", params=[("a", "1")])
    assert server.requests[1].query == [("a", "1"), ("apikey", KEY), ("again", "1")]
    server.steps[:] = [lambda connection, request: redirect(other.url + request.target)(connection, request)]
    with pytest.raises(AccountError, match="with a credential; nothing was sent there"):
        brp.call("GET", "api", "/y")
    assert other.requests == []


def test_cookies_are_not_kept(serve, http):
    server = serve(reply(headers={"Set-Cookie": "session=1; Path=/"}), OK)
    opened = http(server)
    opened.call("GET", "api", "/x")
    opened.call("GET", "api", "/y")
    assert "cookie" not in server.requests[1].headers


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://api.stripe.com", "https"),
        ("http://localhost.evil.test", "https"),
        ("http://127.0.0.1@evil.test", "https"),
        ("http://127.0.0.2", "https"),
        ("ftp://api.stripe.com", "https"),
        ("api.stripe.com", "https"),
        ("https://", "host"),
        ("https://user:secret@api.stripe.com", "without user"),
        ("https://api.stripe.com/?key=secret", "without user"),
        ("https://api.stripe.com/#secret", "without user"),
        ("https://api.stripe.com\\@evil.test", "host and path"),
        ("https://[::1", "URL"),
    ],
)
def test_no_door_onto_other_urls(http, url, said):
    with pytest.raises(ConfigError, match=said) as caught:
        http(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://localhost:1", "http://[::1]:1/", "https://api.example.test/api2/"])
def test_doors_onto_these(http, url):
    assert http(url)._hosts["api"] == url.rstrip("/")
