"""docs/models.md: each mart has a section, whose query is one SELECT without a cast that runs on both databases."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from scripts.models import page
from scripts.models.at import ClockFrom
from scripts.models.stores import Store
from tap_billing_reports.views.models import models
from tests.views.tables import answers, views

TODAY = date(2026, 11, 28)
PAGE = Path(__file__).parents[2] / "docs" / "models.md"
SECTIONS = {found["mart"]: found["sql"] for found in page.SECTION.finditer(PAGE.read_text())}


def test_each_mart_has_a_section():
    assert set(SECTIONS) == set(models().marts)


@pytest.mark.parametrize("mart", sorted(SECTIONS))
def test_a_query_needs_no_cast(mart):
    sql = SECTIONS[mart]
    assert sql.startswith("select ")
    assert sql.count("select ") == 1
    assert "cast(" not in sql
    assert "::" not in sql
    assert f"billing.{mart}" in sql


def test_the_queries_run(place):
    views(place)
    for sql in SECTIONS.values():
        assert answers(place, sql) == []


def test_rows_are_put_below_their_query(tmp_path):
    class Answers:
        def head(self, sql, today):
            assert sql == "select a\nfrom b limit 5"
            assert today == TODAY
            return ["a", "b"], [("x|y", None), (True, 1)]

    written = tmp_path / "page.md"
    written.write_text(
        "```sql\nselect a\nfrom b\n```\n\n<!-- rows of b: written by `make models` -->\nold\n<!-- end of b -->\n\nend\n"
    )
    page.write(written, Answers(), TODAY)  # type: ignore[arg-type]
    assert written.read_text().partition("-->\n")[2] == (
        "\n| a | b |\n| --- | --- |\n| x\\|y |  |\n| yes | 1 |\n\n<!-- end of b -->\n\nend\n"
    )


def test_a_view_shows_the_day_that_is_asked_for(tmp_path):
    store = Store("duckdb", f"duckdb:{tmp_path / 'w.duckdb'}", "billing", has_views=True)
    store.change("create view due as select date '2026-11-20' as due_date, current_date - date '2026-11-20' as days")
    names, rows = store.head("select due_date, days, current_date from due", TODAY)
    assert names[:2] == ["due_date", "days"]
    assert rows == [(date(2026, 11, 20), 8, TODAY)]


def test_the_programs_clock_starts_where_it_is_told_to():
    start = datetime(2026, 11, 28, 12, tzinfo=timezone.utc)
    clock = ClockFrom(start)
    first, then = clock.now(), clock.now()
    assert start <= first <= then < start + timedelta(days=1)
    assert clock.today("Asia/Tokyo") == TODAY
