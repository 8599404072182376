"""When each vendor was last read: what a sync notes, and how the page says it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from tap_billing_reports.page.html import INVENTED, page
from tap_billing_reports.page.syncs import LastSync, said
from tap_billing_reports.page.words import ago
from tap_billing_reports.warehouse.database import SyncEnd
from tests.page.reading import read
from tests.views.tables import views

NOW = datetime(2026, 11, 29, 12, 30, tzinfo=timezone.utc)
WHOLE, FAILED = SyncEnd(is_whole=True), SyncEnd(is_whole=False)


def last(source, whole_hours=None, failed_hours=None, job="default"):
    whole_at, failed_at = (
        None if hours is None else NOW - timedelta(hours=hours) for hours in (whole_hours, failed_hours)
    )
    return LastSync(source, job, whole_at, failed_at, is_emulated=False, now=NOW)


def noted(place, job, **ends):
    database = place.open()
    database.note_sync(job, ends)
    database.close()


def test_vendors_that_were_read_alike_are_one_sentence_and_what_failed_comes_first():
    syncs = (
        last("bring", 6),
        last("brp", 6, failed_hours=30),
        last("klarna", 54, failed_hours=6),
        last("vipps", None, 6),
    )
    failed = "29 November 2026, 06:30 UTC failed"
    assert said(syncs) == [
        f"Klarna: last read without a failure 27 November 2026, 06:30 UTC, 2 days ago; the sync of {failed}.",
        f"Vipps: never read without a failure; the sync of {failed}.",
        "Bring and BRP: last read without a failure 29 November 2026, 06:30 UTC, 6 hours ago.",
    ]
    assert said(()) == []


def test_a_job_is_named_where_there_are_several():
    assert said((last("brp", 1, job="north"), last("brp", 1, job="south"))) == [
        "BRP (job north) and BRP (job south): last read without a failure 29 November 2026, 11:30 UTC, 1 hour ago."
    ]


@pytest.mark.parametrize(
    ("hours", "words"), [(0.9, "less than an hour ago"), (47.9, "47 hours ago"), (48, "2 days ago"), (75, "3 days ago")]
)
def test_an_age_is_whole_hours_or_days(hours, words):
    assert ago(timedelta(hours=hours)) == words


def test_a_page_says_how_each_vendors_last_sync_ended(place):
    views(place)
    assert read(place).read == (), "another program has loaded it"
    noted(place, "default", bring=WHOLE, brp=WHOLE)
    noted(place, "default", bring=FAILED)
    bring, brp = read(place).read
    assert bring.startswith("Bring: last read without a failure ")
    assert bring.endswith(" failed.")
    assert brp.startswith("BRP: last read without a failure ")
    assert brp.endswith(", less than an hour ago.")
    text = page(read(place))
    assert bring in text
    noted(place, "default", bring=WHOLE)
    assert not any("failed" in one for one in read(place).read)
    database = place.open()
    database.reset("default")
    database.close()
    assert read(place).read == ()


@pytest.mark.parametrize("source", ["bring", "klarna"])
def test_what_an_emulator_has_answered_is_said_to_be_invented(place, source):
    views(place)
    noted(place, "default", **{source: WHOLE})
    assert INVENTED not in page(read(place))
    noted(place, "default", **{source: SyncEnd(is_whole=True, is_emulated=True)})
    assert INVENTED in page(read(place))


def test_what_was_not_committed_is_taken_back(place):
    database = place.open()
    database._run("create table billing.half (n bigint)")
    database.note_sync("default", {"brp": WHOLE})
    database.close()
    assert place.tables() == ["_state", "_syncs"]
