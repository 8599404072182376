"""An account's invoices: listed once a sync for all that hangs on them, in time that grows with their number."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

import pytest

from tap_billing_reports.config.settings import Settings, with_defaults
from tap_billing_reports.core.errors import AccountError
from tap_billing_reports.declare import Account
from tap_billing_reports.reports.per_invoice import Bounds, Subject, note_subjects
from tap_billing_reports.reports.state.ledger import Ledger
from tap_billing_reports.singer.invoices.document_state import DocumentMemory, Progress, kept_sizes
from tap_billing_reports.singer.invoices.reader import Brief, InvoiceFeed
from tap_billing_reports.vendors.bring import BRING
from tap_billing_reports.vendors.stripe import STRIPE
from tests.fakes import FakeClock, scripted

LIST = "/invoicearchive/api/invoices/1.json"
ACCOUNT = Account("bring", "1", "bring_customer")
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=timezone.utc)


def invoice(number, day, **more):
    return {
        "customerNumber": "1",
        "invoiceNumber": str(number),
        "invoiceDate": day,
        "totalAmount": "1.00",
        "invoiceSpecificationAvailable": True,
        **more,
    }


def feed_of(records, **settings):
    values = {"start_date": "2026-01-01", **settings}
    client = scripted(BRING, {LIST: json.dumps(records)}, clock=FakeClock(NOW), **values)
    return InvoiceFeed(client, ACCOUNT, Settings.of(with_defaults(values, [BRING])))


def asked(feed):
    return [query["fromDate"] for _path, query in feed._client.http.asked]


RECORDS = [invoice(1, "01.09.2026"), invoice(2, "01.10.2026"), invoice(3, "01.11.2026"), invoice(4, None)]


class TestOneList:
    def test_what_was_read_is_not_asked_for_again(self):
        feed = feed_of(RECORDS)
        assert len(list(feed.read(date(2026, 9, 1)))) == 4
        assert [brief.invoice_id for brief in feed.briefs(date(2026, 9, 1))] == ["1", "2", "3", "4"]
        assert [brief.invoice_id for brief in feed.briefs(date(2026, 10, 15))] == ["3", "4"]
        assert asked(feed) == ["01.09.2026"]

    def test_a_list_that_does_not_reach_back_far_enough_is(self):
        feed = feed_of(RECORDS)
        list(feed.read(date(2026, 9, 3)))
        assert len(feed.briefs(date(2026, 8, 1))) == 4
        assert asked(feed) == ["03.09.2026", "01.08.2026"]

    def test_without_a_reader_before_the_list_is_asked_for(self):
        feed = feed_of(RECORDS)
        assert len(feed.briefs(date(2026, 9, 1))) == len(feed.briefs(date(2026, 9, 1))) == 4
        assert asked(feed) == ["01.09.2026"]

    def test_half_a_reading_leaves_nothing_behind(self):
        # A few unreadable invoices fail by themselves; so many end the reading.
        feed = feed_of([*RECORDS, *(invoice(number, "bad") for number in range(5, 25))])
        with pytest.raises(AccountError):
            list(feed.read(date(2026, 9, 1)))
        with pytest.raises(AccountError):
            feed.briefs(date(2026, 9, 1))
        assert len(asked(feed)) == 2

    def test_nothing_is_kept_where_nothing_hangs_on_invoices(self):
        feed = feed_of(RECORDS, bring_invoice_lines=False)
        list(feed.read(date(2026, 9, 1)))
        assert feed._left == (date(2026, 9, 1), [])

    def test_a_window_after_the_end_date_asks_nothing(self):
        feed = feed_of(RECORDS, end_date="2026-09-01")
        assert list(feed.read(date(2026, 9, 3))) == []
        assert asked(feed) == []


class TestDoubles:
    def test_the_same_invoice_again_comes_once(self):
        feed = feed_of([RECORDS[0], RECORDS[0]])
        assert len(list(feed.read(date(2026, 9, 1)))) == 1
        assert feed.clashes == []

    def test_one_number_with_two_amounts_is_a_clash(self):
        feed = feed_of([RECORDS[0], RECORDS[0] | {"totalAmount": "2.00"}])
        ((columns, _record),) = feed.read(date(2026, 9, 1))
        assert columns["total_amount"] == "1.00"
        assert [(clash.invoice_id, clash.total_amount) for clash in feed.clashes] == [("1", "2.00")]

    def test_one_number_of_two_billed_accounts_is_two_invoices(self):
        feed = feed_of([RECORDS[0], RECORDS[0] | {"customerNumber": "2"}])
        assert [columns["account_id"] for columns, _ in feed.read(date(2026, 9, 1))] == ["1", "2"]

    def test_only_sources_whose_invoices_name_their_account_can_overlap(self):
        assert feed_of(RECORDS).names_account
        values = {"start_date": "2026-01-01", "stripe_account_id": "a"}
        client = scripted(STRIPE, {}, clock=FakeClock(NOW), **values)
        settings = Settings.of(with_defaults(values, [STRIPE]))
        assert not InvoiceFeed(client, replace(ACCOUNT, source="stripe"), settings).names_account


def test_many_invoices_of_one_account():
    count = 20_000
    days = [(date(2026, 1, 1) + timedelta(days=n)).strftime("%d.%m.%Y") for n in range(300)]
    feed = feed_of([invoice(n, days[n % 300]) for n in range(count)], bring_invoice_documents=True)
    bounds = Bounds(start_date=date(2026, 1, 1), today=date(2026, 11, 20), lookback_days=65, horizon_days=365)
    bookmark: dict = {}
    assert sum(1 for _ in feed.read(date(2026, 1, 1))) == count
    briefs = feed.briefs(date(2026, 1, 1))
    ledger = Ledger(lambda: bookmark)
    listed = [Subject(b.number, b.account_id, b.invoice_date, b.specification_available is True) for b in briefs]
    note_subjects(ledger, "1", listed, bounds, before=None)
    ledger.write()
    memory, progress = DocumentMemory(lambda: bookmark), Progress("bring", "1")
    memory.save(progress)
    memory.write()
    for brief in briefs:
        progress.note(brief, 1000)
    assert len(dict(kept_sizes(bookmark))) == count
    progress.pass_ended(bounds, bounds.today, newest="2026-10-27", retry_from=None)
    memory.save(progress)
    memory.write()
    assert sum(len(day) - 1 for day in bookmark["ledger"][0]["subjects_due"]) == count
    assert len(bookmark["documents"][0]["done"]) == pytest.approx(count * 66 / 300, rel=0.01)


def test_a_brief_is_small():
    columns = {"account_id": "1", "invoice_id": "2", "issuer": "x", "source_record": "y", "total_amount": "1.00"}
    assert Brief.of(columns) == Brief("1", "2", None, None, None, None, None, "1.00")
