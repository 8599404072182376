"""A window that the vendor does not have yet: deferred, no failure, asked for again, and not for ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tap_billing_reports import declare as d
from tests.declare.shop import ORDERED, Answered, planned, synced, with_reports
from tests.fakes import FakeClock

OPEN, CLOSED = "2026-11-19", "2026-11-18"
SAID = "the vendor does not have its data yet"
NOT_FOUND = Answered({"error": "not closed"}, 404)


def answering(shop, answer):
    """Orders of the open day get this answer, while it is given."""
    shop.more["/accounts"] = lambda _asked: Answered({"accounts": [{"id": "one"}]})
    shop.more["/one/runs"] = lambda asked: (
        answer
        if asked.form["day"] == OPEN and answer is not None
        else Answered({"id": f"one.{asked.form['day']}", "state": "made"}, 201)
    )


def raising(answer):
    if answer.record().get("state") == "open":
        raise d.NotYet("the day is still open")
    return ORDERED.read_order(answer)


@pytest.mark.parametrize(
    ("rule", "answer"),
    [
        ({"not_yet": d.NotYetWhen(statuses={404})}, NOT_FOUND),
        ({"not_yet": d.NotYetWhen(flag="wait.more")}, Answered({"wait": {"more": True}})),
        ({"read_order": raising}, Answered({"state": "open"})),
    ],
)
def test_it_is_deferred_and_read_by_the_next_sync(monkeypatch, shop, rule, answer):
    source = with_reports(**rule)
    answering(shop, answer)
    first = synced(monkeypatch, shop, source)
    said = "the day is still open" if "read_order" in rule else SAID
    assert first.status == 0, first.log
    assert [row["period"] for row in first.of("shop_sales")] == [f"{CLOSED}T00:00:00Z"]
    assert f"left: shop_sales account one: period {OPEN}T00:00:00Z: deferred: {said}" in first.log
    assert "not all was read yet: 1 period more are due" in first.log
    entry = first.state["bookmarks"]["shop_sales"]["ledger"][0]
    assert entry["through"] == f"{OPEN}T00:00:00Z"
    assert entry["open"] == [{"period": f"{OPEN}T00:00:00Z", "not_yet": "2026-11-20T09:30:00Z"}]
    assert not [check for check in first.of("reconciliations") if check["ok"] is False]

    due = next(row for row in planned(monkeypatch, shop, source, first.state) if row.action == "order")
    assert (due.windows, due.why) == (OPEN, "0:00 ago the vendor did not have its data yet")

    answering(shop, None)
    second = synced(monkeypatch, shop, source, first.state)
    assert second.status == 0, second.log
    assert [row["period"] for row in second.of("shop_sales")] == [f"{OPEN}T00:00:00Z"]
    assert "open" not in second.state["bookmarks"]["shop_sales"]["ledger"][0]


def test_one_in_the_middle_is_not_called_missing(monkeypatch, shop):
    answering(shop, NOT_FOUND)
    clock = FakeClock()
    clock.advance(timedelta(days=1).total_seconds())
    found = synced(monkeypatch, shop, with_reports(not_yet=d.NotYetWhen(statuses={404})), clock=clock)
    assert found.status == 0, found.log
    assert [row["period"][:10] for row in found.of("shop_sales")] == [CLOSED, "2026-11-20"]
    assert [check["ok"] for check in found.of("reconciliations") if check["check"] == "windows_contiguous"] == [True]


def test_it_is_not_believed_for_ever(monkeypatch, shop):
    answering(shop, NOT_FOUND)
    rule = d.NotYetWhen(statuses={404}, believed_for=timedelta(hours=9))
    found = synced(monkeypatch, shop, with_reports(not_yet=rule))
    assert found.status == 1
    assert f"{SAID}, and it ended 0 days ago" in found.log


def test_only_the_vendors_own_words_are_taken_so(monkeypatch, shop):
    answering(shop, Answered("<html>no such page</html>", 404, {"Content-Type": "text/html"}))
    found = synced(monkeypatch, shop, with_reports(not_yet=d.NotYetWhen(statuses={404})))
    assert found.status == 1
    assert SAID not in found.log


def test_of_a_run_and_of_its_file_too(monkeypatch, shop):
    answering(shop, None)
    status, file = f"/runs/one.{OPEN}", f"/files/one.{OPEN}"
    source = with_reports(
        not_yet=d.NotYetWhen(statuses={404}, codes={"busy"}, flag="wait"),
        # Made, but not said so at once: it is asked about.
        read_order=lambda answer: replace(ORDERED.read_order(answer), status=d.RunStatus.PENDING),
    )
    shop.more[status] = lambda _asked: Answered({"wait": True})
    first = synced(monkeypatch, shop, source)
    assert (first.status, len(first.of("shop_sales"))) == (0, 1), first.log
    del shop.more[status]
    shop.more[file] = lambda _asked: NOT_FOUND
    second = synced(monkeypatch, shop, source, first.state)
    assert (second.status, second.of("shop_sales")) == (0, []), second.log
    del shop.more[file]
    third = synced(monkeypatch, shop, source, second.state)
    assert (third.status, len(third.of("shop_sales"))) == (0, 1), third.log
    # The run of the first sync was gone on with.
    assert len([asked for asked in shop.asked if asked.path == "/one/runs" and asked.form["day"] == OPEN]) == 1


@pytest.mark.parametrize(
    ("said", "always", "is_refused"),
    [
        ({}, True, True),
        ({"wait": None}, True, True),
        ({"wait": "true"}, True, True),
        ({"wait": False}, True, False),
        # A vendor that has the flag only where there is something to wait for.
        ({}, False, False),
        ({"wait": None}, False, False),
        ({"wait": False}, False, False),
        # Neither yes nor no, whoever says it.
        ({"wait": "true"}, False, True),
        ({"wait": "false"}, False, True),
        ({"wait": 1}, False, True),
        ({"wait": 0}, False, True),
        ({"wait": {}}, False, True),
    ],
)
def test_an_answer_that_does_not_say_whether_it_is_whole_is_refused(monkeypatch, shop, said, always, is_refused):
    answering(shop, Answered({"id": f"one.{OPEN}", "state": "made", **said}, 201))
    answered = shop.more["/one/runs"]
    # The other day's answer says it.
    shop.more["/one/runs"] = lambda asked: (
        answered(asked)
        if asked.form["day"] == OPEN
        else Answered({"id": f"one.{CLOSED}", "state": "made", "wait": False}, 201)
    )
    found = synced(monkeypatch, shop, with_reports(not_yet=d.NotYetWhen(flag="wait", always_says=always)))
    assert [row["period"][:10] for row in found.of("shop_sales")] == [CLOSED, OPEN][: 1 if is_refused else 2], found.log
    assert ("does not say at wait whether its data are all there" in found.log) == is_refused
    assert found.status == int(is_refused)
    assert "left: shop_sales" not in found.log


def test_a_rule_names_an_answer():
    with pytest.raises(ValueError, match="names no answer"):
        d.NotYetWhen()
    with pytest.raises(ValueError, match="always_says speaks of a flag"):
        d.NotYetWhen(statuses={404}, always_says=True)
