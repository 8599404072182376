"""The names of columns in STATE: whatever this tap has ever called a header is taken back, and no other name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_billing_reports.core.columns import assigned_names, unique_names
from tap_billing_reports.core.errors import StateError
from tap_billing_reports.singer.column_memory import check_state

LETTERS = st.sampled_from("aAbB9_-. æØ\u202e%[]")
HEADERS = st.lists(st.text(LETTERS, max_size=12) | st.text(max_size=9).map(lambda text: text * 12), unique=True)
NAMES = st.lists(st.sampled_from(["a", "b", "ab", "a_b", "a" * 63, "period", "_9"]), unique=True)


@given(HEADERS, NAMES, NAMES)
def test_every_name_that_a_header_gets_is_taken_back(headers, taken, reserved):
    for names in (
        assigned_names(headers, taken, reserved),
        dict(zip(headers, unique_names(headers, {*taken, *reserved}), strict=True)),
    ):
        check_state("acme_rows", {"columns": [[header, name] for header, name in names.items()]})


@pytest.mark.parametrize(
    ("header", "name"),
    [("product", "x"), ("x", "product"), ("9999-12-31", "product"), ("amount", "9"), ("æ", "amount")],
)
def test_a_name_that_a_header_cannot_have_had_is_refused(header, name):
    with pytest.raises(StateError, match="the state of acme_rows holds damaged columns"):
        check_state("acme_rows", {"columns": [["fine", "fine"], [header, name]]})
