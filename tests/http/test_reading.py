"""Pages, records and fields by declaration, and paths that no value can leave."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_billing_reports.core.about import About
from tap_billing_reports.core.errors import AccountError, AuthenticationFailed, Unreadable
from tap_billing_reports.declare import Account, CursorPaging, Endpoint, Field, Host, Setting, Source, TokenPaging
from tap_billing_reports.declare import converters as to
from tap_billing_reports.declare.client import HttpSourceClient, map_fields
from tap_billing_reports.declare.paths import fill, value_at
from tap_billing_reports.declare.problems import problem_at
from tap_billing_reports.declare.settings import Noted
from tap_billing_reports.http.auth import BearerAuthenticator, QueryKeyAuthenticator
from tap_billing_reports.http.responses import Answer, Problem
from tests.http.faultserver import reply

LIST = Endpoint("api", "/v1/{account_id}/things", records=("things", "list"), record="thing")
PAGED = Endpoint("api", "/v1/things", records=("data",), paging=CursorPaging("after", "id", "more", ("limit", "2")))


@pytest.fixture
def opened(serve, clock):
    def make(*steps, **more):
        server = serve(*steps)
        source = Source(
            name="acme",
            title="Acme",
            zone="Pacific/Kiritimati",
            settings=(
                Setting("acme_url", "", required=True),
                Setting("acme_key", "", required=True, secret=True),
                Setting("acme_currency", "", required=True),
            ),
            hosts=(Host("api", "acme_url"),),
            authenticator=more.get("authenticator", lambda values: BearerAuthenticator(values["acme_key"])),
            account_label=lambda _values: "me",
            accounts=lambda _client: (),
        )
        values = {"acme_url": server.url, "acme_key": "key-of-acme", "acme_currency": "EUR"}
        return HttpSourceClient(source, values, clock=clock), server

    return make


def listed(opened, body, endpoint=LIST):
    client, _ = opened(reply(body=body))
    return list(client.records(endpoint, path={"account_id": "1"}))


@pytest.mark.parametrize(
    ("body", "records"),
    [
        (b'{"things": [{"a": 1}, null, {"a": 2}]}', [{"a": 1}, {"a": 2}]),
        (b'{"things": {"thing": [{"a": 1}]}}', [{"a": 1}]),
        (b'{"things": {"thing": {"a": 1}}}', [{"a": 1}]),
        (b'{"things": {"a": 1}}', [{"a": 1}]),
        (b'{"list": []}', []),
        (b'{"things": null}', []),
        (b'{"thing": {"a": 1}}', [{"a": 1}]),
        (b'[{"a": 1}]', [{"a": 1}]),
        (b"[]", []),
        (b"<things><thing><a>1</a></thing><thing><a>2</a></thing></things>", [{"a": "1"}, {"a": "2"}]),
        (b"<things><thing><a>1</a></thing></things>", [{"a": "1"}]),
        (b"<things/>", []),
        (b"<n:list xmlns:n='urn:x'> </n:list>", []),
        (b"<thing><a>1</a></thing>", [{"a": "1"}]),
        (b"<wrap><list><thing><a>1</a></thing></list></wrap>", [{"a": "1"}]),
    ],
)
def test_where_records_stand(opened, body, records):
    assert listed(opened, body) == records


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"Things": []}',
        b'"text"',
        b"1",
        b"null",
        b"<other/>",
        b"<other><x/></other>",
        b"<other>text</other>",
        b"<things>text</things>",
        b'{"things": ["1"]}',
        b'{"things": 0}',
        b'{"things": [[{"a": 1}]]}',
    ],
)
def test_another_format_is_never_no_records(opened, body):
    with pytest.raises(AccountError, match=r"acme account me: GET .*format has changed"):
        listed(opened, body)


def test_all_pages_are_read(opened):
    client, server = opened(
        reply(body=b'{"data": [{"id": 1}, {"id": 2}], "more": true}'),
        reply(body=b'{"data": [{"id": "x/|3"}], "more": true}'),
        reply(body=b'{"data": [], "more": false}'),
    )
    account = Account("acme", "acct_2", "kind", headers={"Acme-Account": "2"})
    records = list(client.records(PAGED, params=[("q", "1")], account=account))
    assert [record["id"] for record in records] == [1, 2, "x/|3"]
    assert [request.query for request in server.requests] == [
        [("q", "1"), ("limit", "2")],
        [("q", "1"), ("limit", "2"), ("after", "2")],
        [("q", "1"), ("limit", "2"), ("after", "x/|3")],
    ]
    assert all(request.headers["acme-account"] == "2" for request in server.requests)


@pytest.mark.parametrize(
    ("pages", "said"),
    [
        ([b'{"data": [{"id": 1}], "more": true}'], "more after 1, but sends nothing new"),
        (
            [b'{"data": [{"id": 1}], "more": true}', b'{"data": [], "more": true}'],
            "page 2 of the list says that there is more, and has no records",
        ),
        (
            [b'{"data": [{"id": 1}], "more": true}', b'{"data": [{"id": 2}], "more": true}'] * 5,
            "more after 1, but sends nothing new",
        ),
        (
            [b'{"data": [{"no": 1}], "more": true}'],
            "page 1 of the list says that there is more, and its last record has no id to go on from",
        ),
        (
            [b'{"data": [{"id": 1}], "more": true}', b'{"data": [{"id": 2}, {"id": null}], "more": true}'],
            "page 2 of the list says that there is more, and its last record has no id to go on from",
        ),
    ],
    ids=["same", "empty", "in a circle", "no key", "a null key on the second page"],
)
def test_pages_that_do_not_advance_end(opened, pages, said):
    client, server = opened(*(reply(body=page) for page in pages))
    account = Account("acme", "acct_2", "kind")
    with pytest.raises(Unreadable, match="nothing of this list can be trusted") as caught:
        list(client.records(PAGED, account=account))
    assert "acme account acct_2: GET http" in str(caught.value)
    assert said in str(caught.value)
    assert caught.value.remedy
    assert len(server.requests) <= 3


@pytest.mark.parametrize("body", [b'[{"id": 1}]', b'{"data": [{"id": 1}]}', b'{"data": [], "more": null}'])
def test_a_list_that_does_not_say_whether_it_ends_is_refused(opened, body):
    client, _ = opened(reply(body=body))
    with pytest.raises(Unreadable, match="does not say whether there is more"):
        list(client.records(PAGED))


def test_pages_that_name_the_next(opened):
    endpoint = Endpoint("api", "/v1/things", records=("data",), paging=TokenPaging("page", "meta.next", ("limit", "2")))
    client, server = opened(
        reply(body=b'{"data": [{"id": 1}], "meta": {"next": "b"}}'),
        reply(body=b'{"data": [], "meta": {"next": 3}}'),
        reply(body=b'{"data": [{"id": 2}], "meta": {"next": null}}'),
    )
    assert [record["id"] for record in client.records(endpoint)] == [1, 2]
    assert [request.query[1:] for request in server.requests] == [[], [("page", "b")], [("page", "3")]]


def test_error_bodies_by_declaration():
    read = problem_at("error", "code", "type")

    def said(body, status=400):
        return read(Answer(About("acme", "1"), status, {}, body))

    assert said(b'{"error": {"message": "m", "type": "t", "param": "p"}}') == Problem(None, "m", "t", "p")
    assert said(b'{"error": {"code": 7}}') == Problem(None, "", "7")
    assert said(b'{"error": "text"}') is None
    assert said(b'{"error": {"message": "m"}}', 200) is None


def test_an_error_body_may_be_the_error():
    read = problem_at("", "code")
    assert read(Answer(About("acme", "1"), 404, {}, b'{"code": "not_found", "message": "m"}')) == Problem(
        None, "m", "not_found"
    )
    assert read(Answer(About("acme", "1"), 400, {}, b'["text"]')) is None


def test_settings_that_are_noted_are_settings_still():
    noted = Noted({"a": 1, "b": 2})
    assert (dict(noted), len(noted), noted.get("c", 3)) == ({"a": 1, "b": 2}, 2, 3)
    assert noted.names == ["a", "b", "c"]


def test_the_settings_to_check_are_those_that_signed(opened):
    def sign(values):
        return QueryKeyAuthenticator("key", values["acme_key"], username=values.get("acme_user") or "")

    client, _ = opened(reply(401), authenticator=sign)
    with pytest.raises(AuthenticationFailed, match=r"check the settings acme_key, acme_user$"):
        client.ask(LIST, path={"account_id": "1"})
    assert client.today().isoformat() == "2026-11-20"


def test_the_account_that_is_asked_for_is_named(opened):
    client, _ = opened(reply(404))
    with pytest.raises(AccountError, match="acme account acct_2: GET"):
        client.ask(LIST, path={"account_id": "1"}, account=Account("acme", "acct_2", "kind"))


# -- paths ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_no_segment_of_dots(value):
    with pytest.raises(AccountError, match="account_id"):
        fill("/a/{account_id}/b", {"account_id": value})


@given(st.text(min_size=1).filter(lambda text: text not in {".", ".."}))
def test_a_value_stays_in_its_segment(text):
    path = fill("/a/{x}/b", {"x": text})
    assert path.split("/")[0::3] == ["", "b"]
    assert len(path.split("/")) == 4
    assert unquote(path.split("/")[2]) == text
    assert not set(path) & set("?#| \\%") - {"%"}


@pytest.mark.parametrize(
    "value", ["a|b", "a/../../c", "..%2f", "%2e%2e", "a?b#c", "a b+c", "åäö", "{y}", "...", ";x=1"]
)
def test_a_value_arrives_as_it_was(opened, value):
    client, server = opened(reply(body=b"[]"))
    client.ask(LIST, path={"account_id": value})
    before, segment, after = server.requests[0].target.split("/")[1:]
    assert (before, unquote(segment), after) == ("v1", value, "things")


# -- fields --------------------------------------------------------------------------------------------


def test_values_at_paths():
    record = {"a": {"b": {"c": 1}}, "d": None}
    assert value_at(record, "a.b.c") == 1
    assert value_at(record, "d.e") is None
    assert value_at(record, "x.y") is None
    assert value_at([], "x") is None


@pytest.mark.parametrize("error", [ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError])
def test_a_refused_value_is_named_by_its_column_alone(error):
    def refuse(_value, _record):
        raise error("secret value")

    with pytest.raises(ValueError, match=r"^totals\.net is not a net_amount that can be trusted$"):
        map_fields((Field("net_amount", "totals.net", refuse),), {"totals": {"net": "secret value"}})


def test_missing_and_empty_values_are_null():
    fields = (
        Field("a", "x", to.text),
        Field("b", "y", to.decimal),
        Field("c", "z.z", to.day),
        Field("d", "", to.as_json),
    )
    assert map_fields(fields, {"x": "", "y": None}) == {"a": None, "b": None, "c": None, "d": '{"x":"","y":null}'}


RECORD: dict[str, object] = {"currency": "jpy"}


@pytest.mark.parametrize(
    ("convert", "value", "expected"),
    [
        (to.text, 1, "1"),
        (to.text, Decimal("1.10"), "1.10"),
        (to.text, True, "true"),
        (to.as_json, {"a": [Decimal("1.10"), None]}, '{"a":[1.10,null]}'),
        (to.as_json, ["a", 1], '["a",1]'),
        (to.as_json, "as it is", "as it is"),
        (to.text, "as it is", "as it is"),
        (to.decimal, "10.00", "10.00"),
        (to.decimal, Decimal("1E+2"), "100"),
        (to.decimal, Decimal("0.10"), "0.10"),
        (to.decimal, 12345678901234567890123, "12345678901234567890123"),
        (to.whole, 3, 3),
        (to.whole, " -3 ", -3),
        (to.whole, Decimal("3.0"), 3),
        (to.whole, Decimal("3E+2"), 300),
        (to.whole, 10**30, 10**30),
        (to.flag, True, True),
        (to.flag, "True", True),
        (to.flag, "false ", False),
        (to.day, "31.12.2026", "2026-12-31"),
        (to.day, "2026-12-31", "2026-12-31"),
        (to.epoch, 0, "1970-01-01T00:00:00Z"),
        (to.epoch_day, "86400", "1970-01-02"),
        (to.upper, "nok", "NOK"),
        (to.lookup({"A": "open"}, "unknown"), "A", "open"),
        (to.lookup({"A": "open"}, "unknown"), 7, "unknown"),
        (to.constant("x"), None, "x"),
        (to.minor("currency"), 1234, "1234"),
        (to.minor_of("NOK"), "-1234", "-12.34"),
    ],
)
def test_conversions(convert, value, expected):
    converted = convert(value, RECORD)
    assert converted == expected
    assert type(converted) is type(expected)


@pytest.mark.parametrize(
    ("convert", "value"),
    [
        (to.decimal, True),
        (to.decimal, 1.5),
        (to.decimal, "1,5"),
        (to.decimal, "1e5"),
        (to.decimal, None),
        (to.decimal, Decimal("NaN")),
        (to.decimal, Decimal("1E+999999999")),
        (to.decimal, Decimal("1E-999999999")),
        (to.whole, True),
        (to.whole, "1_000"),
        (to.whole, "١٢"),
        (to.whole, "1.0"),
        (to.whole, 1.0),
        (to.whole, Decimal("1.5")),
        (to.whole, Decimal("1E+999999999")),
        (to.whole, Decimal("Infinity")),
        (to.whole, []),
        (to.text, {"a": 1}),
        (to.text, ["1", "2"]),
        (to.upper, ["nok", "sek"]),
        (to.upper, 578),
        (to.lookup({"A": "open"}, "unknown"), ["A", "A"]),
        (to.lookup({"A": "open"}, "unknown"), {"number": "A"}),
        (to.flag, "yes"),
        (to.flag, 1),
        (to.day, "12/31/2026"),
        (to.day, "31.02.2026"),
        (to.epoch, "soon"),
        (to.epoch, 10**20),
        (to.minor_of("NOK"), "12.34"),
        (to.minor_of("crowns"), 1),
    ],
)
def test_refused_conversions(convert, value):
    with pytest.raises(ValueError):
        convert(value, RECORD)


def test_an_amount_without_its_currency_is_refused():
    with pytest.raises(ValueError, match="net"):
        map_fields((Field("net", "n", to.minor("currency")),), {"n": 1})


def test_what_runs_are_made_of():
    assert to.instant_or_none(None) is None
    assert to.instant("86400") == to.instant_or_none(86400) == datetime(1970, 1, 2, tzinfo=timezone.utc)
    assert to.parameter(["a", 1, True]) == ("a", "1", "true")
    for wrong in (10**20, "soon", 1.5):
        with pytest.raises(ValueError):
            to.instant(wrong)
