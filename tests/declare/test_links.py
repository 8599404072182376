"""Files behind links that are signed by themselves, and files with a query, through the whole tap."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from tap_billing_reports import declare as d
from tap_billing_reports.core.about import About
from tap_billing_reports.core.errors import Unreadable
from tap_billing_reports.core.redaction import MASK, MOST_PASSING, Redactor, redact
from tap_billing_reports.http.links import LinkHosts
from tap_billing_reports.http.transport import origin
from tests.declare.shop import SETTINGS, SHOP, Answered, Shop, served, synced, with_reports

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "a-secret-key"


@pytest.fixture
def files() -> Iterator[Shop]:
    """A storage service, which is another host."""
    with served(Shop()) as files:
        yield files


class Links:
    """The shop's runs name links to the storage, each with a signature of its own; `good` says which are taken."""

    def __init__(self, shop: Shop, files: Shop) -> None:
        self.made, self.files = 0, files
        self.good = lambda _number: True
        shop.more["/accounts"] = lambda _asked: Answered({"accounts": [{"id": "one"}]})
        files.answer = self.answer  # type: ignore[method-assign]

    def next(self, run_id: str) -> str:
        self.made += 1
        query = {"day": run_id.partition(".")[2], "X-Signature": f"signature/number+{self.made}"}
        return f"{self.files.url}/bucket-of-reports/sales.csv?{urlencode(query)}"

    def answer(self, asked):
        self.files.asked.append(asked)
        signature = asked.query["X-Signature"]
        if not self.good(int(signature.rpartition("+")[2])):
            return Answered(f"<Error><Sent>{signature}</Sent></Error>", 403)
        return Answered(f"Id,Amount\n{asked.query['day']},1.00\n", headers={"Content-Type": "text/csv"})


def linked(links: Links, **more) -> d.Source:
    def run_of(answer) -> d.Run:
        record = answer.record()
        file = d.RemoteFile(record["id"], "csv", link=links.next(record["id"]))
        return d.Run(record["id"], d.RunStatus.READY, "made", file=file)

    return replace(
        SHOP,
        settings=(*SETTINGS, d.Setting("shop_files_url", "Shop: the files' base URL.", default="https://f.example")),
        hosts=(*SHOP.hosts, d.Host("files", "shop_files_url")),
        reports=with_reports(read_order=run_of, read_status=lambda answer, _run_id: run_of(answer)).reports,
        headers=lambda _values: {"X-Client": "of-the-shop-alone"},
        **more,
    )


def test_a_signed_link_is_followed_without_credentials_and_is_shown_nowhere(monkeypatch, shop, files, tmp_path):
    links = Links(shop, files)
    found = synced(monkeypatch, shop, linked(links), shop_files_url=files.url, storage_url=str(tmp_path))
    assert found.status == 0, found.log
    assert sorted(row["id"] for row in found.of("shop_sales")) == ["2026-11-18", "2026-11-19"]
    for asked in files.asked:
        assert not {"Authorization", "X-Client"} & {*asked.headers}
        assert KEY not in str(asked)
    written = "".join(path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file())
    for text in (found.log, json.dumps([found.records, found.states], default=str), written):
        assert "signature/number" not in text
        assert "signature%2Fnumber" not in text
    assert "signature" not in redact("signature/number+1")
    assert "signature" not in repr(d.RemoteFile("f", "csv", link="https://f.example/?signature"))


def test_a_link_that_has_expired_is_asked_for_once_more(monkeypatch, shop, files):
    links = Links(shop, files)
    made: list[int] = []

    def good(number: int) -> bool:
        made.append(number)
        return len(made) != 1

    links.good = good
    found = synced(monkeypatch, shop, linked(links), shop_files_url=files.url)
    assert found.status == 0, found.log
    assert made[1] > made[0]
    assert len(found.of("shop_sales")) == len(shop.paths("/one/runs")) == 2


def test_a_link_that_is_refused_fails_the_period_and_orders_nothing(monkeypatch, shop, files):
    links = Links(shop, files)
    links.good = lambda _number: False
    source = linked(links)
    found = synced(monkeypatch, shop, source, shop_files_url=files.url)
    assert found.status == 1
    assert "HTTP 403: the link to the file has expired, or is refused" in found.log
    assert "sync again: the vendor is asked for a new link" in found.log
    assert "signature" not in found.log.replace("signed", "")
    assert len(files.asked) == 4
    links.good = lambda _number: True
    again = synced(monkeypatch, shop, source, found.state, shop_files_url=files.url)
    assert (again.status, len(again.of("shop_sales"))) == (0, 2)
    assert len(shop.paths("/one/runs")) == 2


@pytest.mark.parametrize("status", [503, 429])
def test_a_storage_that_stumbles_is_asked_again(monkeypatch, shop, files, status):
    links = Links(shop, files)
    usual, asked_before = files.answer, [0]

    def stumbling(asked):
        asked_before[0] += 1
        return Answered(b"", status, {"Retry-After": "7"}) if asked_before[0] == 1 else usual(asked)

    files.answer = stumbling
    assert synced(monkeypatch, shop, linked(links), shop_files_url=files.url).status == 0


def test_a_link_or_its_redirect_to_another_host_is_not_followed(monkeypatch, shop, files):
    links = Links(shop, files)
    found = synced(monkeypatch, shop, linked(links))
    assert found.status == 1
    assert "the link to the file leads to no host of the declaration" in found.log
    assert files.asked == []
    files.answer = lambda _asked: Answered(b"", 302, {"Location": f"{files.url.replace('127.0.0.1', 'localhost')}/x"})
    found = synced(monkeypatch, shop, linked(links), shop_files_url=files.url)
    assert found.status == 1
    assert "which is no host of the settings" in found.log


def test_a_redirect_among_the_vendors_hosts_is_followed_without_credentials(monkeypatch, shop, files):
    links = Links(shop, files)
    usual = files.answer

    def moved(asked):
        if asked.path == "/moved":
            return usual(asked)
        return Answered(b"", 307, {"Location": f"{shop.url}/moved?{urlencode(asked.query)}"})

    files.answer = moved
    shop.more["/moved"] = moved
    found = synced(monkeypatch, shop, linked(links), shop_files_url=files.url)
    assert found.status == 0, found.log
    (first, *_) = [asked for asked in shop.asked if asked.path == "/moved"]
    assert "Authorization" not in first.headers


ABOUT = About("shop", "1")


@pytest.mark.parametrize(
    ("link", "is_allowed"),
    [
        ("https://files.shop.example/a?b=c", True),
        ("https://FILES.shop.example:443/a", True),
        ("https://eu.bucket.example/a", True),
        ("https://a.eu.bucket.example/a", True),
        ("https://bucket.example/a", False),
        ("https://evilbucket.example/a", False),
        ("https://files.shop.example.evil.example/a", False),
        ("https://evil.example/files.shop.example", False),
        ("https://evil.example#.bucket.example", False),
        ("https://evil.example\\.bucket.example/", False),
        ("https://eu.bucket.example@evil.example/", False),
        ("https://user:@eu.bucket.example/", False),
        ("https://files.shop.example:8443/a", False),
        ("http://files.shop.example/a", False),
        ("https://127.0.0.1/a", False),
        ("ftp://files.shop.example/a", False),
        ("//files.shop.example/a", False),
        ("/a", False),
        ("https://[", False),
        ("", False),
        ("http://127.0.0.1:8123/own", True),
    ],
)
def test_where_links_may_lead(link, is_allowed):
    hosts = LinkHosts(("files.shop.example", "*.bucket.example"), ["http://127.0.0.1:8123"])
    if is_allowed:
        assert "(a signed link)" in str(hosts.enter(link, ABOUT))
        assert hosts.allows(origin(link))
        return
    with pytest.raises(Unreadable, match="leads to no host of the declaration"):
        hosts.enter(link, ABOUT)


def test_patterns_are_checked_when_the_declaration_is():
    good = ("files.shop.example", "*.s3.eu-west-1.amazonaws.example")
    assert replace(SHOP, link_hosts=good).problems() == []
    bad = ("*", "*.com", "https://files.shop.example", "files.*.example", "localhost")
    assert len(replace(SHOP, link_hosts=bad).problems()) == len(bad)
    assert replace(SHOP, link_hosts="files.shop.example").problems() == [  # type: ignore[arg-type]
        "link_hosts must be a tuple of hosts, such as ('files.shop.example',)"
    ]


def test_only_the_last_signatures_are_remembered_and_lasting_secrets_stay():
    mask = Redactor()
    mask.add("a-lasting-secret")
    for number in range(MOST_PASSING + 5):
        mask.add_passing(f"{number:02}-is-a-signature", "a-lasting-secret")
    assert mask("a-lasting-secret") == MASK
    assert mask(f"{MOST_PASSING + 4}-is-a-signature") == MASK
    assert mask("00-is-a-signature") != MASK
    # Rows are not searched for each of them.
    assert mask.data(f"{MOST_PASSING + 4}-is-a-signature") != MASK


def test_a_file_may_have_a_query(monkeypatch, shop):
    def run_of(answer) -> d.Run:
        record = answer.record()
        file = d.RemoteFile(record["id"], "csv", "shop", "/report", params=(("reference", record["id"]), ("x", "a&b")))
        return d.Run(record["id"], d.RunStatus.READY, "made", file=file)

    def report(asked):
        assert asked.query["x"] == "a&b"
        return Answered(f"Id,Amount\n{asked.query['reference']},1.00\n")

    shop.more["/report"] = report
    made = with_reports(read_order=run_of, read_status=lambda answer, _run_id: run_of(answer))
    found = synced(monkeypatch, shop, made)
    assert found.status == 0, found.log
    assert len({row["id"] for row in found.of("shop_sales")}) == 4
