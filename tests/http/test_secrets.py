"""Keys go to the vendor and nowhere else: not into messages, logs, exceptions' contexts, nor another's files."""

from __future__ import annotations

import ast
import base64
import html
import json
import logging
import re
import subprocess
import sys
import threading
import traceback
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest
from singer_sdk.logging import StructuredFormatter

from tap_billing_reports.core import dates, money, redaction
from tap_billing_reports.core.errors import AccountError, BillingError, Unavailable
from tap_billing_reports.core.redaction import MASK, Redactor, redact, sentence
from tap_billing_reports.http.auth import Authenticator, BearerAuthenticator, HeaderAuthenticator, QueryKeyAuthenticator
from tap_billing_reports.http.client import Limits
from tap_billing_reports.http.responses import EXCERPT_FROM, EXCERPT_LENGTH, LONGEST_MESSAGE, Problem, excerpt
from tap_billing_reports.storage.files import id_name, safe_name
from tests.http.account import IMPATIENT, KEY
from tests.http.faultserver import chunked, free_port, redirect, reply, reset, silence
from tests.waiting import pause

if TYPE_CHECKING:
    from collections.abc import Callable

# Blanks, slashes, quotes and letters beyond ASCII: each is written otherwise in some form.
ODD = 'Pass "wörd"/+=&%\\ 1'
FORMS = [
    KEY,
    ODD,
    quote(ODD),
    quote(ODD, safe=""),
    quote(ODD, safe="").lower().replace("pass", "Pass"),
    quote_plus(ODD),
    json.dumps(ODD),
    json.dumps(ODD, ensure_ascii=False),
    repr(ODD),
    base64.b64encode(ODD.encode()).decode(),
    base64.b64encode(ODD.encode()).decode().rstrip("="),
    base64.urlsafe_b64encode(ODD.encode()).decode(),
    base64.b64encode(ODD.encode() + b":").decode(),
]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_masked(form):
    mask = Redactor()
    mask.add(KEY, ODD)
    shown = mask(f"before {form} after")
    assert shown in {f"before {MASK} after", f'before "{MASK}" after', f"before '{MASK}' after"}


def _left(shown, secret):
    """The longest run of a secret's letters that a text has."""
    found = 0
    for start in range(len(secret)):
        while secret[start : start + found + 1] in shown and start + found < len(secret):
            found += 1
    return found


STRIPE = "sk_test_51HhZ8xKq0aVbNcMdLfPgRjTuWyEoIs9D7B3/+="
ENCODERS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "percent": partial(quote, safe=""),
    "percent, twice": lambda text: quote(quote(text, safe=""), safe=""),
    "percent, three times, small": lambda text: quote(quote(quote(text, safe=""), safe=""), safe="").replace("F", "f"),
    "form": quote_plus,
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)[1:-1])[1:-1],
    "JSON for a page": lambda text: json.dumps(text)[1:-1].replace("/", "\\/").replace("&", "\\u0026"),
    "HTML": html.escape,
    "HTML by number": lambda text: "".join(c if c.isalnum() and c.isascii() else f"&#{ord(c)};" for c in text),
    "HTML, twice": lambda text: html.escape(html.escape(text)),
    "a link in a page": lambda text: html.escape("?a=1&apikey=" + quote_plus(text)),
    "bytes": lambda text: repr(text.encode())[2:-1],
    "capitals": str.upper,
    "Base64": lambda text: base64.b64encode(text.encode()).decode(),
    "Base64, URL-safe, without padding": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "Basic": lambda text: base64.b64encode(f"{text}:".encode()).decode(),
    "Basic in a link": lambda text: quote(base64.b64encode(f"{text}:".encode()).decode(), safe=""),
    "a password in Basic": lambda text: base64.b64encode(f"somebody:{text}".encode()).decode(),
    "a password of another": lambda text: base64.b64encode(f"somebodyy:{text}".encode()).decode(),
}
BASES = {name for name in ENCODERS if "Ba" in name or "password" in name}


@pytest.mark.parametrize("secret", [STRIPE, ODD, 'Ünder "the" <tree> & so/on+', "0123456789abcdef"], ids=str)
@pytest.mark.parametrize("how", ENCODERS)
def test_every_encoding_is_masked(how, secret):
    mask = Redactor()
    mask.add(secret)
    written = ENCODERS[how](secret)
    shown = mask(f"before {written} after")
    assert MASK in shown
    # A password's neighbours in Base64 are not known; some of its first and last letters hold bits of theirs.
    assert _left(shown, written) <= (len("c29tZWJvZHk6") + 4 if "a password" in how else len("?a=1&amp;apikey="))
    if "a " not in how:
        assert shown == f"before {MASK} after"


@pytest.mark.parametrize("how", [how for how in ENCODERS if "a " not in how])
def test_the_beginning_of_a_key_is_masked_at_every_length(how):
    mask = Redactor()
    mask.add(STRIPE)
    whole = ENCODERS[how](STRIPE)
    for length in range(1, len(whole)):
        assert _left(mask(f"({whole[:length]}"), whole) < redaction.PART + 8 * (how not in BASES | {"raw", "capitals"})


def test_the_end_of_a_key_is_masked_at_every_length():
    mask = Redactor()
    mask.add(STRIPE)
    for length in range(1, len(STRIPE)):
        for encode in (str, partial(quote, safe="")):
            assert _left(mask(f"({encode(STRIPE[-length:])})"), STRIPE) < redaction.PART


@pytest.mark.parametrize("letter", ["&", "%", "%25", "&amp;", "\\", '"', "<", "+", "é"])
@pytest.mark.parametrize("how", [how for how in ENCODERS if how not in BASES and "a " not in how])
def test_a_letter_in_the_middle_that_begins_its_own_escape(how, letter):
    """`&` may be all of `&` or the beginning of `&amp;`: the part behind it must not stay."""
    secret = f"sk_test_51HhZ8xKq0aV{letter}bNcMdLfPgRjTuWyEoIs9D7B3"
    mask = Redactor()
    mask.add(secret)
    whole = ENCODERS[how](secret)
    for length in range(len(whole) - redaction.PART, len(whole)):
        assert mask(f"({whole[:length]})") == f"({MASK})"


@pytest.mark.parametrize("cut", ["&#45", "&#x2d", "&#x2D", "&amp;#45", "&#045"])
def test_an_escape_that_is_cut_before_its_semicolon(cut):
    """It is read all the same, and then it is the twelfth letter."""
    mask = Redactor()
    mask.add("brp-sandbox-password")
    assert mask(f"({cut.join(['brp-sandbox', ''])}") == f"({MASK}"
    assert mask("brp-sandbox&#451") == "brp-sandbox&#451"


def test_what_vendors_show_of_a_key_on_purpose_stays():
    """Stripe's own message; the account's id has letters of the key in it."""
    mask = Redactor()
    mask.add(STRIPE)
    for said in ("Invalid API Key provided: sk_test_********************D7B3", "a key begins sk_live_ or sk_test_"):
        assert mask(said) is said
    account = "acct_1HhZ8xKq0aVbNcMd"
    assert mask(account) is account


def test_short_secrets_are_masked_whole_alone():
    mask = Redactor()
    mask.add("Drammen7")
    assert mask("Drammen Drammen7 drammen") == f"Drammen {MASK} drammen"


@pytest.mark.parametrize("encode", [str, partial(quote, safe=""), html.escape], ids=["raw", "percent", "HTML"])
def test_an_echo_at_every_place_around_a_cut(encode):
    """The kind: a text of a vendor's that is cut before it is masked shows what no longer is known for a secret."""
    redact.add(STRIPE)
    echo = encode(STRIPE)
    for longest in (EXCERPT_LENGTH, LONGEST_MESSAGE):
        for before in range(longest - len(echo) - 2, longest + 1):
            text = "x" * before + " " + echo + " and more"
            for shown in (
                excerpt(text.encode()),
                Problem(message=text).said,
                Problem(message="m", code=text).said,
                redaction.clipped(text, longest),
                sentence(text, longest),
            ):
                assert _left(shown, STRIPE) < redaction.PART


def test_an_echo_around_the_bytes_that_an_excerpt_looks_at():
    redact.add(STRIPE)
    for before in range(EXCERPT_FROM - len(STRIPE) - 1, EXCERPT_FROM + 1):
        assert _left(excerpt(b" " * before + STRIPE.encode() + b" and more"), STRIPE) < redaction.PART


def test_no_text_is_cut_by_its_format():
    """`{value!r:.80}` cuts before anything is masked; `clipped` and `sentence` mask first."""
    package = Path(redaction.__file__).parents[1]
    files = [file for file in package.rglob("*.py") if "sandbox" not in file.parts]
    cut = [
        f"{file.relative_to(package)}: {ast.unparse(piece)}"
        for file in files
        for piece in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(piece, ast.FormattedValue)
        and piece.format_spec is not None
        and re.search(r"\.[0-9]+'?s?'?$", ast.unparse(piece.format_spec))
    ]
    assert len(files) > 90
    assert cut == []


REFUSERS = {
    "an amount": (money.parse_decimal, 60),
    "a date": (dates.parse_date, 40),
    "an instant": (dates.parse_utc, 40),
    "a zone": (dates.zone_named, 60),
}


@pytest.mark.parametrize("what", REFUSERS)
def test_a_value_that_is_refused_is_masked_before_it_is_cut(what):
    redact.add(STRIPE)
    refuse, cut = REFUSERS[what]
    for before in range(cut):
        with pytest.raises(ValueError, match="not ") as caught:
            refuse("x" * before + STRIPE)
        assert _left(str(caught.value), STRIPE) < redaction.PART


class TestRecords:
    def mask(self, *secrets, **more):
        mask = Redactor()
        mask.add(*secrets, **more)
        return mask

    def test_an_echo_in_any_text(self):
        record = {"id": "frr_1", "error": f"key {STRIPE}", "amount": 1, "source_record": json.dumps({"a": STRIPE})}
        assert self.mask(STRIPE).record(record) == {
            "id": "frr_1", "error": f"key {MASK}", "amount": 1, "source_record": f'{{"a": "{MASK}"}}',
        }  # fmt: skip

    def test_without_one_it_is_the_same(self):
        record = {"id": "frr_1", "error": None, "amount": 1}
        assert self.mask(STRIPE).record(record) is record

    def test_what_may_be_a_word_stays(self):
        """A short password, or one of several words, would alter what customers are called."""
        record = {"city": "Sankt Petersburg Nord", "name": "Drammen7"}
        assert self.mask("Sankt Petersburg Nord", "Drammen7").record(record) is record

    def test_what_opens_the_storage_stays(self):
        record = {"uri": "gs://the-project-of-our-company/a"}
        assert self.mask("the-project-of-our-company", records=False).record(record) is record

    def test_a_file_name(self):
        redact.add(STRIPE)
        for name in (safe_name(STRIPE.lower()), id_name(STRIPE), id_name(f"frr_{STRIPE}")):
            assert _left(name, STRIPE.lower()) < redaction.PART
        assert id_name("frr_1AbC") == "frr_1AbC"


def test_an_error_that_nobody_catches():
    said = subprocess.run(
        [sys.executable, "-c", UNCAUGHT, STRIPE], capture_output=True, check=False, timeout=300
    ).stderr.decode()  # fmt: skip
    assert _left(said, STRIPE) < redaction.PART
    assert said.count(f"ValueError: {MASK}") == 3
    assert said.count("ValueError: harmless") == 1


UNCAUGHT = """
import sys, threading
from tap_billing_reports.core import redaction

class Thrown:
    def __init__(self, text):
        self.text = text
    def __del__(self):
        raise ValueError(self.text)

def throw(text):
    raise ValueError(text)

key = sys.argv[1]
redaction.redact.add(key)
redaction.install()
Thrown(key)
Thrown("harmless")
thread = threading.Thread(target=throw, args=(key,))
thread.start()
thread.join()
throw(key)
"""


def test_a_secret_within_another():
    mask = Redactor()
    mask.add("secret", "secret-and-more", "", None, "abc")
    assert mask("secret-and-more secret abc") == f"{MASK} {MASK} abc"


def test_a_sentence_is_one_line_for_any_terminal():
    redact.add("key-in-a-sentence")
    assert sentence("a\r\nb\x1b[31mc\x00 key-in-a-sentence\t\u2028d") == f"a b [31mc {MASK} d"


FAULTS = {
    "refused": None,
    "reset": reset,
    "silence": silence,
    "echo": lambda connection, request: reply(400, f"no such {request.target} {request.headers}".encode())(
        connection, request
    ),
    "echo late": lambda connection, request: reply(500, b"x" * 190 + request.target.encode())(connection, request),
    "moved": lambda connection, request: redirect("http://elsewhere.test" + request.target)(connection, request),
    "moved to a key": redirect(f"http://{KEY[:14]}.test/"),
    "cut": chunked(b"{", end=b""),
    "broken": reply(body=b"{"),
    "limited": reply(429),
    "unauthorised": reply(401),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", ["query", "bearer", "headers"])
def test_no_key_in_any_error_or_log(serve, http, caplog, fault, kind):
    authenticators = {
        "query": QueryKeyAuthenticator("apikey", KEY, username="user", password=ODD),
        "bearer": BearerAuthenticator(KEY, {"X-Password": "p"}),
        "headers": HeaderAuthenticator({"X-MyBring-API-Key": KEY}, secrets=(KEY,)),
    }
    # The host's name of one fault begins as the key does.
    redact.add(KEY[:14])
    server = serve(FAULTS[fault]) if FAULTS[fault] else f"http://127.0.0.1:{free_port()}"
    opened = http(
        server,
        authenticator=authenticators[kind],
        limits=replace(IMPATIENT if fault == "silence" else Limits(), tries=2),
    )
    formatter = StructuredFormatter()
    with caplog.at_level(logging.DEBUG), pytest.raises(BillingError) as caught:
        opened.call("GET", "api", "/x", params=[("a", "1")], parse=True)
    error = caught.value
    try:
        raise error
    except BillingError:
        logging.getLogger("test").exception("failed: %s", error)
    shown = [str(error), repr(error), "".join(traceback.format_exception(error)), repr(opened), repr(opened.call)]
    for record in caplog.records:
        shown += [record.getMessage(), str(record.exc_text), formatter.format(record), repr(record.args)]
    context = error.__context__
    while context is not None:
        shown.append(repr(context))
        context = context.__context__
    text = "\n".join(shown)
    basic = base64.b64encode(f"user:{ODD}".encode()).decode()
    for secret in (*FORMS, basic, quote_plus(KEY), quote(KEY)):
        assert secret not in text
    assert "/x" in str(error), "what was asked is told all the same"
    assert "\n" not in str(error)


def test_an_echo_is_masked_before_it_is_cut(serve, http):
    server = serve(reply(400, b"x" * 190 + KEY.encode() + b" and more"))
    with pytest.raises(AccountError) as caught:
        http(server).call("GET", "api", "/x")
    assert KEY[:4] not in str(caught.value)


def test_a_vendors_message_has_an_end(serve, http):
    from tap_billing_reports.http.responses import Problem

    server = serve(reply(400))
    opened = http(server, read_problem=lambda _answer: Problem(message="long\x1b " * 1000, code="c"))
    with pytest.raises(AccountError) as caught:
        opened.call("GET", "api", "/x")
    assert len(str(caught.value)) < 700
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("value", ["key\nwith a line break", "key\rX: 1", "ключ1234"])
def test_a_key_that_no_header_can_hold(serve, http, value):
    server = serve(reply())
    with pytest.raises(AccountError, match="check the settings stripe_api_key") as caught:
        http(server, authenticator=BearerAuthenticator(value)).call("GET", "api", "/x")
    assert "key\\n" not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__context__ is None
    assert server.requests == []


def test_a_header_that_the_library_refuses(serve, http):
    server = serve(reply())
    with pytest.raises(AccountError, match=r"the request cannot be made .InvalidHeader") as caught:
        http(server).call("GET", "api", "/x", headers={"X-Name": "a\nb: secret1"})
    assert "secret1" not in str(caught.value)
    assert caught.value.__context__ is None
    assert server.requests == []


def test_netrc_is_not_read(serve, http, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login netrc password netrc\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server = serve(redirect("/y"), reply())
    http(server, authenticator=QueryKeyAuthenticator("apikey", KEY)).call("GET", "api", "/x")
    http(server, authenticator=Authenticator()).call("GET", "api", "/z")
    assert [request.headers.get("authorization") for request in server.requests] == [None] * 3


def test_how_each_authenticator_signs(serve, http):
    server = serve(reply())
    http(server, authenticator=BearerAuthenticator(KEY, {"Stripe-Version": "v1"})).call("GET", "api", "/a")
    http(
        server,
        authenticator=HeaderAuthenticator({"X-Mybring-API-Uid": "me@x.no", "X-Mybring-API-Key": KEY}, secrets=(KEY,)),
    ).call("GET", "api", "/b")
    http(server, authenticator=QueryKeyAuthenticator("apikey", ODD, username="üser", password=KEY)).call(
        "GET", "api", "/c", params=[("a", "1"), ("empty", "")]
    )
    http(server, authenticator=QueryKeyAuthenticator("apikey", ODD)).call("GET", "api", "/d")
    stripe, bring, brp, plain = server.requests
    assert stripe.headers["authorization"] == f"Bearer {KEY}"
    assert stripe.headers["stripe-version"] == "v1"
    assert bring.headers["x-mybring-api-key"] == KEY
    assert bring.headers["x-mybring-api-uid"] == "me@x.no"
    assert brp.query == [("a", "1"), ("empty", ""), ("apikey", ODD)]
    assert base64.b64decode(brp.headers["authorization"].removeprefix("Basic ")).decode() == f"üser:{KEY}"
    assert plain.query == [("apikey", ODD)]
    assert "authorization" not in plain.headers
    assert brp.headers["user-agent"].startswith("tap-billing-reports/")


def test_a_proxy_of_the_environment_is_asked(serve, http, monkeypatch):
    proxy = serve(reply(407, b"who are you"))
    monkeypatch.setenv("HTTPS_PROXY", f"http://proxyuser:proxypass@127.0.0.1:{proxy.port}")
    with pytest.raises(Unavailable, match="no connection") as caught:
        http("https://api.vendor.test", limits=Limits(tries=1)).call("GET", "api", "/order", safe=False)
    assert not caught.value.sent
    assert (proxy.requests[0].method, proxy.requests[0].target) == ("CONNECT", "api.vendor.test:443")
    assert "authorization" not in proxy.requests[0].headers
    assert "proxypass" not in str(caught.value)


def test_loopback_needs_no_proxy(serve, http, monkeypatch):
    proxy, server = serve(reply()), serve(reply())
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
    http(server).call("GET", "api", "/x")
    assert (len(server.requests), len(proxy.requests)) == (1, 0)


def test_an_unknown_proxy_is_told(http, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "gopher://127.0.0.1:1")
    with pytest.raises(AccountError, match=r"GET https://api\.vendor\.test/x"):
        http("https://api.vendor.test", limits=Limits(tries=1)).call("GET", "api", "/x")


class TestTheLog:
    @pytest.fixture(autouse=True)
    def _installed(self):
        redaction.install()
        redact.add("logged-secret")

    def test_once(self):
        factory = logging.getLogRecordFactory()
        redaction.install()
        assert logging.getLogRecordFactory() is factory

    def test_arguments(self, caplog):
        logging.getLogger("any").warning("a %s b", {"key": "logged-secret"})
        assert caplog.messages == [f"a {{'key': '{MASK}'}} b"]

    def test_other_records_stay(self, caplog):
        logging.getLogger("any").warning("a %s b", 1)
        assert caplog.records[0].args == (1,)

    def test_an_exception(self, caplog):
        try:
            raise ValueError("logged-secret")
        except ValueError:
            logging.getLogger("any").exception("failed")
        assert caplog.records[0].exc_info is None
        assert MASK in caplog.records[0].exc_text
        assert "logged-secret" not in caplog.text

    def test_an_exception_without_a_secret_stays(self, caplog):
        try:
            raise ValueError("harmless")
        except ValueError:
            logging.getLogger("any").exception("failed")
        assert caplog.records[0].exc_info is not None

    def test_arguments_that_do_not_fit(self):
        record = logging.getLogRecordFactory()("n", 10, "p", 1, "a %d logged-secret", ("logged-secret",), None)
        assert "logged-secret" not in record.getMessage()


class Renewing(Authenticator):
    """Gets a token when it is first used, as one that signs in somewhere does."""

    def __init__(self) -> None:
        self.renewals = 0

    def __call__(self, request):
        if not self.secrets:
            self.renewals += 1
            pause()  # the other thread comes meanwhile
            self.secrets = ("token-of-this-hour",)
        request.headers["Authorization"] = f"Bearer {self.secrets[0]}"
        return request


def test_two_doors_renew_a_token_once_and_neither_shows_it(http, serve):
    """The client that fetches ahead shares its authenticator: a token renewed twice may be refused from then on."""
    signer = Renewing()
    server = serve(reply(200, b"{}"), reply(400, b'{"said": "token-of-this-hour"}'))
    first = http(server, authenticator=signer)
    found, both = [], threading.Barrier(2)

    def ask(one):
        both.wait()
        try:
            found.append(one.call("GET", "api", f"/{id(one)}").status)
        except BillingError as error:
            found.append(str(error))

    threads = [threading.Thread(target=ask, args=(each,)) for each in (first, first.another())]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert signer.renewals == 1
    assert len(found) == 2
    assert "token-of-this-hour" not in str(found)
    assert MASK in str(found)
