"""Invoices that are not settled: what is remembered, what a deletion takes to be believed, and what it costs."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from tap_billing_reports.core.errors import StateError
from tap_billing_reports.singer.invoices.unsettled import Known
from tap_billing_reports.singer.streams.invoices import check_state
from tests.faults.vendors.stripe import STRIPE

DAY = 86400
OLD = {"start_date": "2026-05-01", "stripe_lookback_days": 5}
ALL_FORMS = dict(STRIPE.not_there)


def recorder(stripe):
    return stripe.control.vendor("stripe").books["acct_sandbox"]


def part(ended):
    return ended.state["bookmarks"]["invoices"]["partitions"][0]


def remembered(ended):
    return {item[0]: item[1:] for item in part(ended).get("unsettled", ())}


def one(stripe, status, days_ago=40):
    """A new invoice of that status, beyond the look-back."""
    return recorder(stripe).add(status, days_ago=days_ago)[0].id


def gone(invoice_id, hint=""):
    """What Stripe answers for an id that it does not have."""
    error = {"code": "resource_missing", "message": f"No such invoice: '{invoice_id}'{hint}", "param": "invoice"}
    return {"status": 404, "body": {"error": {"type": "invalid_request_error", **error}}}


def by_id(invoice_id):
    return {"path": f"^/v1/invoices/{invoice_id}$"}


def of(ended, invoice_id):
    return next((r for r in ended.of("invoices") if r["invoice_id"] == invoice_id), None)


class TestADeletionThatIsBelieved:
    @pytest.mark.parametrize("stub", [False, True], ids=["resource_missing", "deleted: true"])
    def test_of_a_draft_keeps_its_amounts(self, stripe, stub):
        draft = one(stripe, "draft")
        first = stripe.sync(**OLD)
        assert remembered(first)[draft][1] == "draft"
        if stub:
            body = {"id": draft, "object": "invoice", "deleted": True}
            stripe.control.fault({"status": 200, "body": body}, by_id(draft))
        recorder(stripe).delete(draft)
        second = stripe.sync(**OLD, state=first.state)
        assert second.code == 0, second.log
        record, before = of(second, draft), of(first, draft)
        assert (record["status"], bool(record["_sdc_deleted_at"])) == ("deleted", True)
        for name in ("type", "currency", "net_amount", "total_amount", "amount_due", "invoice_date"):
            assert record[name] == before[name] is not None, name
        assert draft not in remembered(second)
        third = stripe.sync(**OLD, state=second.state)
        assert third.code == 0
        assert of(third, draft) is None

    def test_within_the_look_back_too(self, stripe):
        draft = one(stripe, "draft", days_ago=2)
        first = stripe.sync(**OLD)
        recorder(stripe).delete(draft)
        second = stripe.sync(**OLD, state=first.state)
        assert of(second, draft)["status"] == "deleted"

    def test_of_the_only_draft_by_the_witness(self, stripe):
        """Nothing else is remembered: an invoice that cannot be deleted shows that the account is the same."""
        books = recorder(stripe)
        for invoice in books.newest_first():
            books.change(invoice.id, "paid")
        draft = one(stripe, "draft")
        first = stripe.sync(**OLD)
        assert set(remembered(first)) == {draft}
        witness = part(first)["witness"]
        books.delete(draft)
        second = stripe.sync(**OLD, state=first.state)
        assert second.code == 0, second.log
        assert of(second, draft)["status"] == "deleted"
        assert part(second)["witness"] == witness


class TestADeletionThatIsNot:
    @pytest.mark.parametrize("form", ALL_FORMS)
    @pytest.mark.parametrize("status", ["draft", "open", "uncollectible", None])
    def test_a_404_keeps_the_invoice_and_the_others_go_on(self, stripe, form, status):
        wanted, other = one(stripe, status or "draft"), one(stripe, "open")
        first = stripe.sync(**OLD)
        state = json.loads(json.dumps(first.state))
        if status is None:
            # As older versions wrote it.
            partition = state["bookmarks"]["invoices"]["partitions"][0]
            partition["unsettled"] = [item[:2] for item in partition["unsettled"]]
        if status in {"draft", None}:
            recorder(stripe).delete(wanted)
        else:
            recorder(stripe).change(wanted, "paid")
        recorder(stripe).change(other, "paid")
        stripe.control.fault(ALL_FORMS[form], by_id(wanted))
        second = stripe.sync(**OLD, state=state)
        assert second.code == 1
        assert of(second, wanted) is None, "not sent, least of all as deleted"
        assert wanted in remembered(second)
        assert remembered(second)[wanted][:2] == (
            remembered(first)[wanted][:2] if status else remembered(second)[wanted]
        )
        assert of(second, other)["status"] == "paid", "the rest of the account went on"
        line = next(line for line in second.log.splitlines() if line.startswith("ERROR"))
        assert f"stripe account acct_sandbox: invoice {wanted}" in line
        assert "same mode (live or test)" in second.log
        stripe.control.clear_faults()
        third = stripe.sync(**OLD, state=second.state)
        if status in {"open", "uncollectible"}:
            assert third.code == 0, third.log
            assert of(third, wanted)["status"] == "paid"
        elif status == "draft":
            assert of(third, wanted)["status"] == "deleted"

    @pytest.mark.parametrize("status", ["open", "uncollectible", None])
    def test_the_vendors_own_words_about_what_it_does_not_delete(self, stripe, status):
        wanted = one(stripe, status or "open")
        first = stripe.sync(**OLD)
        state = json.loads(json.dumps(first.state))
        if status is None:
            for item in state["bookmarks"]["invoices"]["partitions"][0]["unsettled"]:
                del item[2:]
        recorder(stripe).change(wanted, "paid")
        stripe.control.fault(gone(wanted), by_id(wanted))
        second = stripe.sync(**OLD, state=state)
        assert (second.code, of(second, wanted)) == (1, None)
        assert wanted in remembered(second)
        third = stripe.sync(**OLD, state=second.state)
        assert (third.code, of(third, wanted)) == (1, None)

    @pytest.mark.parametrize("hint", ["", "; a similar object exists in live mode, but a test mode key was used"])
    def test_a_key_of_another_mode_loses_nothing(self, stripe, hint):
        """Its lists hold other invoices, and none of ours is there: 60 drafts, 60 open ones, and the witness."""
        recorder(stripe).add("draft", 60, days_ago=40)
        recorder(stripe).add("open", 60, days_ago=41)
        first = stripe.sync(**OLD)
        empty = {"object": "list", "data": [], "has_more": False, "url": "/v1/invoices"}
        stripe.control.fault({"status": 200, "body": empty}, {"path": "^/v1/invoices$"})
        for invoice_id in (*remembered(first), part(first)["witness"]):
            stripe.control.fault(gone(invoice_id, hint), by_id(invoice_id))
        asked = len(stripe.control.requests())
        second = stripe.sync(**OLD, state=first.state)
        assert second.code == 1
        assert second.of("invoices") == []
        assert remembered(second) == remembered(first)
        for name in ("replication_key_value", "witness"):
            assert part(second)[name] == part(first)[name]
        assert len([r for r in stripe.control.requests()[asked:] if "/v1/invoices/in_" in r["path"]]) < 100
        stripe.control.clear_faults()
        third = stripe.sync(**OLD, state=second.state)
        assert third.code == 0, third.log

    def test_a_stub_for_what_is_not_deleted(self, stripe):
        wanted = one(stripe, "open")
        first = stripe.sync(**OLD)
        recorder(stripe).change(wanted, "paid")
        stub = {"id": wanted, "object": "invoice", "deleted": True}
        stripe.control.fault({"status": 200, "body": stub}, by_id(wanted))
        second = stripe.sync(**OLD, state=first.state)
        assert (second.code, of(second, wanted)) == (1, None)
        assert wanted in remembered(second)

    def test_the_answer_is_another_invoice(self, stripe):
        wanted, other = one(stripe, "draft"), one(stripe, "draft")
        first = stripe.sync(**OLD)
        recorder(stripe).delete(wanted)
        stub = {"id": other, "object": "invoice", "deleted": True}
        stripe.control.fault({"status": 200, "body": stub}, by_id(wanted))
        second = stripe.sync(**OLD, state=first.state)
        assert (second.code, of(second, wanted)) == (1, None)
        assert wanted in remembered(second)
        assert wanted in next(line for line in second.log.splitlines() if line.startswith("ERROR"))


class TestWhatWasSentIsRemembered:
    def test_a_state_names_each_draft_before_it_is_sent(self, stripe):
        """Whichever STATE a target has kept, it knows all drafts that stand before it or after it."""
        recorder(stripe).add("draft", 7, days_ago=40)
        ended = stripe.sync(**OLD)
        named: set[str] = set()
        drafts = 0
        for message in ended.messages:
            if message["type"] == "STATE":
                parts = message["value"]["bookmarks"].get("invoices", {}).get("partitions", [])
                named = {item[0] for one in parts for item in one.get("unsettled", ())}
            elif message["type"] == "RECORD" and message["record"].get("status") == "draft":
                drafts += 1
                assert message["record"]["invoice_id"] in named
        assert drafts >= 7

    def test_a_draft_of_a_pass_that_fails_later_is_not_a_phantom(self, stripe):
        """An old one cannot be asked for; what the same pass has sent is deleted before the next sync."""
        draft = one(stripe, "draft", days_ago=30)
        first = stripe.sync(**OLD)
        late = recorder(stripe).add("draft", 40, days_ago=0)
        recorder(stripe).add("draft", 200, days_ago=0.5)
        stripe.control.fault({"status": 500}, by_id(draft))
        recorder(stripe).change(draft, "paid")
        failed = stripe.sync(**OLD, state=first.state)
        assert failed.code == 1
        held = {r["invoice_id"] for r in failed.of("invoices") if r["status"] == "draft"}
        assert {invoice.id for invoice in late} <= held, "what was listed has been sent"
        recorder(stripe).delete(*(invoice.id for invoice in late))
        stripe.control.clear_faults()
        last = stripe.sync(**OLD, state=failed.state)
        assert last.code == 0, last.log
        assert {of(last, invoice.id)["status"] for invoice in late} == {"deleted"}

    @pytest.mark.parametrize("page", [1, 2])
    def test_a_list_that_breaks_off(self, stripe, page):
        drafts = recorder(stripe).add("draft", 250, days_ago=1)
        stripe.control.fault({"status": 500}, {"path": "^/v1/invoices$"}, skip=page)
        failed = stripe.sync(**OLD)
        assert failed.code == 1
        sent = {r["invoice_id"] for r in failed.of("invoices") if r["status"] == "draft"}
        assert sent <= set(remembered(failed))
        assert "replication_key_value" not in part(failed)
        stripe.control.clear_faults()
        recorder(stripe).delete(*(invoice.id for invoice in drafts))
        last = stripe.sync(**OLD, state=failed.state)
        living = {r["invoice_id"] for r in last.of("invoices") if not r["_sdc_deleted_at"]}
        assert not sent - living - {r["invoice_id"] for r in last.of("invoices") if r["_sdc_deleted_at"]}

    @pytest.mark.parametrize("older", ["an older STATE", "no STATE"])
    def test_with_storage_also_what_the_state_does_not_know(self, stripe, tmp_path, older):
        """A target has kept a record, but only the STATE of the sync before."""
        kept = {**OLD, "storage_url": str(tmp_path / "kept")}
        first = stripe.sync(**kept)
        state = first.state if older == "an older STATE" else None
        draft = one(stripe, "draft", days_ago=1)
        assert of(stripe.sync(**kept, state=first.state), draft)["status"] == "draft"
        recorder(stripe).delete(draft)
        # The tombstone, too, may be lost with its STATE, once.
        for _ in range(2):
            ended = stripe.sync(**kept, state=state)
            assert ended.code == 0, ended.log
            assert of(ended, draft)["status"] == "deleted"
        ended = stripe.sync(**kept, state=state)
        assert (ended.code, of(ended, draft)) == (0, None)

    def test_what_is_noted_there_and_damaged_is_left_alone(self, stripe, tmp_path):
        kept = {**OLD, "storage_url": str(tmp_path / "kept")}
        first = stripe.sync(**kept)
        (note,) = (tmp_path / "kept" / "sent").rglob("*.json")
        for content in ('{"version": 1, "invoices": [[1]]}', '{"version": 9}', "[]"):
            note.write_text(content)
            ended = stripe.sync(**kept, state=first.state)
            assert ended.code == 0, ended.log

    def test_a_status_that_nobody_knows_is_not_settled(self, stripe):
        wanted = one(stripe, "open")
        first = stripe.sync(**OLD)
        stripe.control.fault(
            {"alter": {"from": '"status":"open"', "to": '"status":"frozen"'}}, {"path": "^/v1/invoices$"}
        )
        second = stripe.sync(**OLD, state=first.state)
        assert wanted in remembered(second)
        stripe.control.clear_faults()
        recorder(stripe).change(wanted, "paid")
        third = stripe.sync(**OLD, state=second.state)
        assert of(third, wanted)["status"] == "paid"


@pytest.mark.parametrize(
    "item",
    [
        ["in_1"],
        [7, "2026-08-24", "open"],
        ["in_1", "yesterday", "open"],
        ["in_1", "2026-08-24", 7],
        ["in_1", "2026-08-24", "draft", ["NOK"]],
        ["in_1", "2026-08-24", "draft", {"recipient": "Acme"}],
        ["in_1", "2026-08-24", "draft", {"total_amount": "much"}],
        ["in_1", "2026-08-24", "draft", {"total_amount": 100}],
        ["in_1", "2026-08-24", "draft", {}, "more"],
    ],
    ids=str,
)
def test_a_damaged_memory_is_refused(item):
    context = {"source": "stripe", "account_id": "acct_1"}
    with pytest.raises(StateError, match="invoices"):
        check_state("invoices", {"partitions": [{"context": context, "unsettled": [item]}]})


def test_older_and_newer_memories_are_read():
    items: list[Any] = [
        ["in_1", "2026-08-24"],
        ["in_2", None, "open"],
        ["in_3", "2026-08-24", "draft", {"total_amount": "1.00"}],
    ]
    context = {"source": "stripe", "account_id": "acct_1"}
    check_state("invoices", {"partitions": [{"context": context, "unsettled": items, "witness": "in_4"}]})
    assert [known.written(name) for name, known in map(Known.read, items)] == items


class TestWhatItCosts:
    def requests(self, stripe, since):
        return Counter(
            "list" if r["path"] == "/v1/invoices" else "by id"
            for r in stripe.control.requests()[since:]
            if r["path"].startswith("/v1/invoices")
        )

    def test_two_thousand_that_stay_as_they_are(self, stripe):
        recorder(stripe).add("uncollectible", 2000, days_ago=60)
        first = stripe.sync(**OLD)
        asked = len(stripe.control.requests())
        second = stripe.sync(**OLD, state=first.state)
        assert second.code == 0, second.log
        assert len(remembered(second)) >= 2000
        assert sum(self.requests(stripe, asked).values()) <= 25
        assert len([r for r in second.of("invoices") if r["status"] == "uncollectible"]) >= 2000

    def test_seven_hundred_that_are_paid_at_once_are_bounded(self, stripe):
        """No list names what they have become: each is asked for, the rest by the next sync."""
        more = recorder(stripe).add("open", 700, days_ago=60)
        state = stripe.sync(**OLD).state
        for invoice in more:
            recorder(stripe).change(invoice.id, "paid")
        seen = set()
        for left in (200, 0):
            asked = len(stripe.control.requests())
            ended = stripe.sync(**OLD, state=state)
            assert ended.code == 0, ended.log
            assert self.requests(stripe, asked)["by id"] <= 500
            assert (f"{left} unsettled invoices are left" in ended.log) == bool(left)
            seen |= {r["invoice_id"] for r in ended.of("invoices") if r["status"] == "paid"}
            state = ended.state
        assert {invoice.id for invoice in more} <= seen
