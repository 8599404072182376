"""docs/models.md: each mart has a section, whose query is one SELECT without a cast that runs on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.models import page
from tap_billing_reports.views.models import models
from tests.views.tables import answers, views

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
        def head(self, sql):
            assert sql == "select a\nfrom b limit 5"
            return ["a", "b"], [("x|y", None), (True, 1)]

    written = tmp_path / "page.md"
    written.write_text(
        "```sql\nselect a\nfrom b\n```\n\n<!-- rows of b: written by `make models` -->\nold\n<!-- end of b -->\n\nend\n"
    )
    page.write(written, Answers())  # type: ignore[arg-type]
    assert written.read_text().partition("-->\n")[2] == (
        "\n| a | b |\n|---|---|\n| x\\|y |  |\n| yes | 1 |\n\n<!-- end of b -->\n\nend\n"
    )
