"""docs/warehouse.md: what is new since yesterday, after a sync that has read much of it again."""

from __future__ import annotations

from contextlib import suppress

import pytest

from tap_billing_reports.singer.lifecycle import Lifecycle
from tap_billing_reports.warehouse.errors import LoadError
from tests.docs.pages import ROOT, blocks
from tests.sync.syncing import settings_in, sync

(RECIPE,) = blocks((ROOT / "docs" / "warehouse.md").read_text(), "sql")
ALL = RECIPE.replace("_first_loaded_at >= now() - interval '1 day' and ", "")


def test_what_is_new_since_yesterday(sandbox, place, tmp_path):
    config = settings_in(tmp_path, sandbox)
    assert sync(place, config) == 0
    ends = "select source, job, whole_at is not null, failed_at, is_emulated from billing._syncs order by source"
    assert place.query(ends) == [(source, "default", True, None, True) for source in ("bring", "brp", "stripe")]
    before = place.query(ALL)
    assert place.query(RECIPE) == before, "a first sync: all of it is new"
    database = place.open()
    for table in database.tables():
        if not table.startswith("_"):
            database._run(f"update billing.{table} set _first_loaded_at = _first_loaded_at - interval '2 days'")
    database._commit()
    database.close()
    assert place.query(RECIPE) == []
    sandbox.control.next_day()
    assert sync(place, config) == 0
    after = place.query(ALL)
    assert place.query(RECIPE) == [row for row in after if row[:3] not in {one[:3] for one in before}] != []
    # Reports' rows go their own way into the tables.
    new = "select count(*), count(*) filter (where _first_loaded_at >= now() - interval '1 day') from billing."
    ((runs, new_runs),) = place.query(f"{new}report_runs")
    assert 0 < new_runs < runs
    ((lines, new_lines),) = place.query(f"{new}bring_invoice_lines")
    assert 0 <= new_lines < lines


@pytest.mark.parametrize("harm", [KeyboardInterrupt, LoadError("broken")])
def test_a_sync_that_broke_off_is_noted_as_failed_for_all_its_vendors(sandbox, file_place, settings, monkeypatch, harm):
    def breaks_off(_lifecycle):
        raise harm

    monkeypatch.setattr(Lifecycle, "drive", breaks_off)
    with suppress(KeyboardInterrupt):
        assert sync(file_place, settings()) == 1
    ends = "select source, whole_at, failed_at is not null from billing._syncs"
    assert file_place.query(ends) == [("stripe", None, True)]
