"""A sign-in that asks for a token: through the one client, renewed in time, its failures told as what they are."""

from __future__ import annotations

import base64
import json
import threading
from dataclasses import replace

import pytest

from tap_billing_reports import declare as d
from tap_billing_reports.core.errors import (
    AccountError,
    AuthenticationFailed,
    DeclarationError,
    Unavailable,
    Unreadable,
)
from tap_billing_reports.core.redaction import MASK, redact
from tap_billing_reports.http.client import HttpClient
from tap_billing_reports.http.sent import Absence, FileRequest
from tap_billing_reports.http.sign_in import SignedIn, SignIn, SignInCall
from tests.declare.shop import REPORT_API, SHOP, Answered, Asked, synced
from tests.fakes import FakeClock

KEY = "a-secret-key"
ENDPOINT = d.Endpoint("shop", "/token", method="POST")


def sign_in(**more: object) -> d.TokenSignIn:
    return d.TokenSignIn(ENDPOINT, secrets=(KEY,), headers={"client_secret": KEY}, **more)  # type: ignore[arg-type]


class Tokens:
    """Hands out `token-number-1` and so on, and refuses every call that has not the last one.

    Attributes:
        given: how many tokens were handed out.
        answers: what comes instead of the usual answer: the first element to the first request, and so on.
    """

    def __init__(self, shop, expires_in: object = "3600", answers=()):
        self.given, self.shop, self.expires_in, self.answers = 0, shop, expires_in, list(answers)
        shop.more["/token"] = self.token
        self._usual = shop.answer
        shop.answer = self.answer

    @property
    def now(self) -> str:
        return f"token-number-{self.given}"

    def token(self, asked: Asked) -> Answered:
        assert (asked.method, asked.headers["client_secret"], asked.body) == ("POST", KEY, b"")
        assert "Authorization" not in asked.headers
        if self.answers:
            return self.answers.pop(0)
        self.given += 1
        expires = {} if self.expires_in is None else {"expires_in": self.expires_in}
        return Answered({"access_token": self.now, "token_type": "Bearer", **expires})

    def answer(self, asked: Asked) -> Answered:
        if asked.path != "/token":
            assert "client_secret" not in asked.headers
            if asked.headers.get("Authorization") != f"Bearer {self.now}":
                self.shop.asked.append(asked)
                return Answered({"message": "unauthorised"}, 401)
        return self._usual(asked)


def client(shop, how: SignIn, clock: FakeClock | None = None, **hosts: str) -> HttpClient:
    return HttpClient(
        source="shop",
        account="1",
        hosts={"shop": shop.url, **hosts},
        authenticator=how,
        headers={},
        remedy="the setting shop_key",
        clock=clock or FakeClock(),
    )


def test_a_whole_sync_signs_in_once(monkeypatch, shop):
    tokens = Tokens(shop)
    source = replace(SHOP, authenticator=lambda values: replace(sign_in(), sent={"Shop-Key": values["shop_key"]}))
    found = synced(monkeypatch, shop, source)
    assert found.status == 0, found.log
    assert tokens.given == 1
    assert len(found.of("shop_sales")) == 4
    assert all(asked.headers.get("Shop-Key") == KEY for asked in shop.asked if asked.path != "/token")
    assert redact(tokens.now) == MASK


def test_a_token_that_the_vendor_ends_in_mid_sync_is_renewed(monkeypatch, shop):
    tokens = Tokens(shop)
    usual = tokens.answer

    def forgetful(asked: Asked) -> Answered:
        if asked.path == "/two/runs" and tokens.given == 1:
            tokens.given = 8
        return usual(asked)

    shop.answer = forgetful
    found = synced(monkeypatch, shop, replace(SHOP, authenticator=lambda _values: sign_in()))
    assert found.status == 0, found.log
    # Also an order, which a 401 says was not taken.
    assert tokens.given == 9
    assert len(found.of("shop_sales")) == 4


@pytest.mark.parametrize(("expires_in", "seconds"), [("3600", 3540), (100, 90), ("0", 0)])
def test_a_token_is_renewed_before_it_expires_by_a_clock_that_never_runs_back(shop, expires_in, seconds):
    tokens, clock = Tokens(shop, expires_in), FakeClock()
    http = client(shop, sign_in(), clock)
    http.call("GET", "shop", "/accounts")
    clock.advance(seconds - 1 if seconds else 0)
    http.call("GET", "shop", "/accounts")
    assert tokens.given == (1 if seconds else 2)
    clock.advance(1)
    http.call("GET", "shop", "/accounts")
    assert tokens.given == (2 if seconds else 3)
    assert [asked for asked in shop.asked if asked.path != "/token"][-1].headers["Authorization"].endswith(tokens.now)


def test_a_token_of_unknown_age_is_kept_until_a_401(shop):
    tokens, clock = Tokens(shop, None), FakeClock()
    http = client(shop, sign_in(), clock)
    http.call("GET", "shop", "/accounts")
    clock.advance(10**7)
    http.call("GET", "shop", "/accounts")
    assert tokens.given == 1
    tokens.given = 4
    http.call("GET", "shop", "/accounts")
    assert tokens.given == 5


def test_a_second_401_is_a_failure_and_is_not_answered_with_ever_more_tokens(shop):
    tokens = Tokens(shop)
    shop.more["/closed"] = lambda _asked: Answered({"message": "no right"}, 401)
    http = client(shop, sign_in())
    for given in (2, 2):
        with pytest.raises(AuthenticationFailed, match=r"GET .*/closed: HTTP 401 .*check the setting shop_key"):
            http.call("GET", "shop", "/closed")
        assert tokens.given == given
    assert len(shop.paths("/closed")) == 3
    # Once a call has been answered, tokens may end again.
    http.call("GET", "shop", "/accounts")
    tokens.given = 6
    http.call("GET", "shop", "/accounts")
    assert tokens.given == 7


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_refused_sign_in_is_told_as_one_and_tried_once(shop, status):
    tokens = Tokens(shop, answers=[Answered({"error": "invalid_client", "sent": KEY}, status)] * 9)
    http = client(shop, sign_in())
    for _ in range(3):
        with pytest.raises(AuthenticationFailed, match=r"POST .*/token: the sign-in failed: HTTP") as caught:
            http.call("GET", "shop", "/accounts", absence=Absence.PROVEN)
        assert "invalid_client" in str(caught.value)
        assert "check the setting shop_key" in str(caught.value)
        assert KEY not in str(caught.value)
    assert len(tokens.answers) == 8
    assert shop.paths("/accounts") == []


def test_a_refused_sign_in_fails_a_sync_by_its_name(monkeypatch, shop):
    Tokens(shop, answers=[Answered({"error": "invalid_client"}, 401)] * 9)
    found = synced(
        monkeypatch,
        shop,
        replace(SHOP, authenticator=lambda values: sign_in(form=None, sent={"x": values["shop_key"]})),
    )
    assert found.status == 1
    assert "the sign-in failed: HTTP 401" in found.log
    assert "shop_key" in found.log
    assert len(shop.paths("/token")) == 1


def test_a_404_of_a_renewal_says_nothing_of_the_period_that_was_asked_for(monkeypatch, shop):
    tokens = Tokens(shop)
    usual = tokens.answer

    def forgetful(asked: Asked) -> Answered:
        if asked.path == "/two/runs" and tokens.given == 1:
            tokens.given = 8
            tokens.answers = [Answered({"error": "invalid_client"}, 404)] * 9
        return usual(asked)

    shop.answer = forgetful
    reports = replace(REPORT_API, not_yet=d.NotYetWhen(statuses={404}))
    found = synced(monkeypatch, shop, replace(SHOP, reports=reports, authenticator=lambda _values: sign_in()))
    assert found.status == 1
    assert "the sign-in failed: HTTP 404" in found.log
    assert "does not have its data yet" not in found.log


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"expires_in": 60}, "the answer has no token at access_token"),
        ({"access_token": None}, "the answer has no token at access_token"),
        ({"access_token": ["token-in-a-list"]}, "the answer has no token at access_token"),
        ({"access_token": "two-lines\r\nof-one-token"}, "the answer has no token at access_token"),
        ({"access_token": "token-of-no-end", "expires_in": "soon"}, "no number of seconds at expires_in"),
        ({"access_token": "token-of-no-end", "expires_in": -1}, "no number of seconds at expires_in"),
        ({"access_token": "token-of-no-end", "expires_in": True}, "no number of seconds at expires_in"),
    ],
)
def test_an_answer_without_a_token_is_told_as_one(shop, body, said):
    Tokens(shop, answers=[Answered(body)])
    with pytest.raises(Unreadable, match=f"/token: the sign-in failed: the answer has .*{said[-20:]}") as caught:
        client(shop, sign_in()).call("GET", "shop", "/accounts")
    assert "token-" not in str(caught.value)
    assert "lines" not in str(caught.value)


def test_no_answer_to_the_sign_in_is_tried_again_also_for_an_order(shop):
    tokens = Tokens(shop, answers=[Answered({}, 502), Answered("[]"), Answered("{", 200)])
    clock = FakeClock()
    client(shop, sign_in(), clock).call("POST", "shop", "/one/runs", form=[("day", "x")], safe=False)
    assert tokens.given == 1
    assert len(clock.slept) == 3
    assert len(shop.paths("/runs")) == 1


def test_a_sign_in_without_answer_is_told_as_one_after_the_retries(shop):
    Tokens(shop, answers=[Answered({}, 502)] * 99)
    with pytest.raises(Unavailable, match="the sign-in failed: HTTP 502") as caught:
        client(shop, sign_in()).call("POST", "shop", "/one/runs", form=[], safe=False)
    assert not caught.value.sent
    assert shop.paths("/runs") == []


def test_clients_of_several_threads_sign_in_once(shop):
    tokens, begun = Tokens(shop), threading.Barrier(4)
    http = client(shop, sign_in())

    def ask(one: HttpClient) -> None:
        begun.wait()
        one.call("GET", "shop", "/accounts")

    threads = [threading.Thread(target=ask, args=(http.another(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tokens.given == 1
    assert len(shop.paths("/accounts")) == 4


def test_a_form_json_and_basic(shop):
    asked: list[Asked] = []

    def token(one: Asked) -> Answered:
        asked.append(one)
        return Answered({"data": {"jwt": "token-of-another-form"}})

    shop.more["/token"] = token
    how = d.TokenSignIn(
        ENDPOINT, (), basic=("me", "pass-word-1"), form=[("grant_type", "client_credentials")], token="data.jwt"
    )
    client(shop, how).call("GET", "shop", "/accounts")
    assert asked[0].headers["Authorization"] == "Basic " + base64.b64encode(b"me:pass-word-1").decode()
    assert asked[0].form == {"grant_type": "client_credentials"}
    assert shop.asked[-1].headers["Authorization"] == "Bearer token-of-another-form"
    assert redact("pass-word-1") == MASK
    client(shop, replace(how, form=None, json={"key": KEY})).call("GET", "shop", "/accounts")
    assert (asked[1].headers["Content-Type"], json.loads(asked[1].body)) == ("application/json", {"key": KEY})
    with pytest.raises(ValueError, match="form and json"):
        replace(how, json={})


class TwoSteps(SignIn):
    """First a code, then what it is exchanged for."""

    def flow(self):
        code = (yield SignInCall("shop", "/code", "GET")).record()["code"]
        answer = yield SignInCall("shop", "/exchange", headers={"X-Code": code}, secrets=(code,))
        return SignedIn({"X-Session": answer.record()["session"]}, (answer.record()["session"],))


def test_a_flow_of_several_requests(shop):
    shop.more["/code"] = lambda _asked: Answered({"code": "code-for-a-session"})
    shop.more["/exchange"] = lambda asked: Answered({"session": f"session-of-{asked.headers['X-Code']}"})
    client(shop, TwoSteps()).call("GET", "shop", "/accounts")
    assert shop.asked[-1].headers["X-Session"] == "session-of-code-for-a-session"
    assert redact("code-for-a-session") == MASK
    shop.more["/exchange"] = lambda _asked: Answered({"other": 1})
    with pytest.raises(Unreadable, match="the sign-in failed: the answer has an unknown shape"):
        client(shop, TwoSteps()).call("GET", "shop", "/accounts")


def test_credentials_go_to_declared_hosts_alone(shop):
    with pytest.raises(DeclarationError, match="the host elsewhere of the sign-in is not declared"):
        client(shop, replace(sign_in(), endpoint=replace(ENDPOINT, host="elsewhere"))).call("GET", "shop", "/accounts")
    shop.more["/token"] = lambda _asked: Answered(b"", 307, {"Location": "https://elsewhere.example/token"})
    with pytest.raises(AccountError, match="but a POST is never sent on"):
        client(shop, sign_in()).call("GET", "shop", "/accounts")
    source = replace(SHOP, authenticator=lambda _values: replace(sign_in(), endpoint=d.Endpoint("elsewhere", "/{x}")))
    assert source.problems({"shop_reports": []}) == [
        "authenticator.endpoint: the host elsewhere is not declared",
        "authenticator.endpoint: nothing fills x in the path /{x}: it is given no names",
    ]


def test_a_download_is_signed_in_for_as_well(shop, tmp_path):
    tokens = Tokens(shop)
    http = client(shop, sign_in())
    with (tmp_path / "file").open("wb") as file:
        http.download(FileRequest("shop", "/files/one.2026-11-18"), file)
        tokens.given = 3
        http.download(FileRequest("shop", "/files/one.2026-11-18"), file)
    assert tokens.given == 4
    assert (tmp_path / "file").read_bytes() == b"Id,Amount\n2026-11-18,1.00\n"
