"""docs/models.md: a line of SQL for each question, without a cast, on both databases."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tap_billing_reports.views.sql import OwnOrders
from tests.views.tables import D, answers, make

PAGE = Path(__file__).parents[2] / "docs" / "models.md"
LINES = dict(re.findall(r"^\| ([^|]+\?) \| `(select [^`|]+)` \|$", PAGE.read_text(), re.MULTILINE))


@pytest.mark.parametrize("question", LINES)
def test_a_line_is_one_select_without_a_cast(question):
    sql = LINES[question]
    assert sql.count("select ") == 1
    assert not re.search(r"\bcast\(|::|;", sql)


def test_each_line_answers_its_question(place, months, fill):
    make(place, "shop_orders", [{"order_id": "1", "tracking_number": "S0"}])
    fill(orders=OwnOrders("billing.shop_orders", "order_id", "tracking_number"))
    last, before, _ = months
    found = {question: answers(place, sql) for question, sql in LINES.items()}
    closed = {row[:4] for row in found.pop("May I close the month?")}
    assert ("stripe", "acct_1", last, "no") in closed
    assert found == {
        "Which payout does not tie, and why?": [
            (
                "acct_1", "po_off", last, "NOK", D("50"), D("49"), D("-1"),
                "does not tie: its transactions add up to another amount than was paid out",
            ),
        ],
        "Which payout could not be checked, and why?": [],
        "Which invoice is paid by Stripe's word and not by its cash, or the other way?": [],
        "What is overdue?": found["What is overdue?"],
        "What did freight cost per order?": [("1", "NOK", D("40"))],
        "Which shipment has no order?": [("2000", "S1", last, "NOK", D("107.125"))],
        "What did fees cost?": [(last, "NOK", D("30")), (before, "NOK", D("10"))],
    }  # fmt: skip
    assert sorted(found["What is overdue?"]) == [
        ("payable", "bring", "NOK", "1 to 30 days", D("2900")), ("receivable", "brp", "NOK", "31 to 60 days", D("7.5")),
    ]  # fmt: skip
