"""No value changes on its way into Arrow: it is the same number, day and instant there, or the file is refused."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tap_billing_reports.core.columns import Column
from tap_billing_reports.core.dates import date_text, utc_text
from tap_billing_reports.core.errors import FileError
from tap_billing_reports.core.money import exact_sum
from tap_billing_reports.reports.files.parquet import BulkLane, Layout
from tap_billing_reports.reports.files.readers.arrow import DECIMAL_PLACES, DIGITS, arrow_type, decimals
from tap_billing_reports.reports.files.readers.csv import CsvReader
from tap_billing_reports.storage.files import Storage

# Seen in a bulk file: pyarrow's cast made 72170047135290683334132480.136463577088 of it.
WRAPPED = "752734780977167610260881695"
MOST = Decimal(10) ** (DIGITS - DECIMAL_PLACES)

patient = settings(deadline=None)
signs = st.sampled_from(["", "-", "+"])
digits = st.text("0123456789", min_size=1, max_size=90)
amounts = st.builds(
    lambda sign, zeros, before, behind, more: f"{sign}{zeros}{before}" + (f".{behind}{more}" if behind or more else ""),
    signs,
    st.sampled_from(["", "0", "0" * 30, "0" * 80]),
    digits,
    st.just("") | digits,
    st.sampled_from(["", "0" * 12, "0" * 70]),
)
fitting = st.builds(
    lambda sign, zeros, before, behind, more: f"{sign}{zeros}{before}.{behind}{more}",
    signs,
    st.sampled_from(["", "0" * 40]),
    st.text("0189", min_size=1, max_size=26),
    st.text("0189", min_size=1, max_size=12),
    st.sampled_from(["", "0" * 40]),
)
too_big = st.builds(
    lambda sign, first, more: f"{sign}{first}{more}", signs, st.sampled_from("19"), st.text("0189", min_size=26)
)
too_fine = st.builds(
    lambda sign, before, behind: f"{sign}{before}.{behind}1", signs, digits, st.text("0189", min_size=12)
)


def fits(text: str) -> bool:
    """By arithmetic alone: whether 38 digits, twelve of them behind the point, hold the number."""
    number = Decimal(text)
    return number.copy_abs() < MOST and number == round_down(text)


def round_down(text: str) -> Decimal:
    before, _, behind = text.partition(".")
    return Decimal(f"{before}.{behind[:DECIMAL_PLACES]}" if behind else before)


@given(amounts)
@example(WRAPPED)
@example("1" * 38)
@example("9" * 27)
@example("-" + "9" * 26 + "." + "9" * 12)
@example("0." + "0" * 50 + "1")
@example("0" * 500 + "1.5")
@example("1." + "0" * 500)
@example("1" + "0" * 500)
@patient
def test_an_amount_is_the_same_number_or_refused(text):
    if fits(text):
        assert decimals([text]).to_pylist() == [Decimal(text)]
    else:
        with pytest.raises(ValueError):
            decimals([text])


@given(st.lists(st.none() | fitting, max_size=5))
@patient
def test_amounts_that_fit_stay_what_they_are_beside_others(texts):
    assert decimals(texts).to_pylist() == [None if text is None else Decimal(text) for text in texts]


@given(st.lists(fitting, max_size=5), too_big | too_fine)
@patient
def test_one_that_does_not_fit_is_found_among_others(texts, misfit):
    with pytest.raises(ValueError):
        decimals([*texts, misfit, None])


@given(st.dates() | st.sampled_from([date.min, date.max]))
@patient
def test_every_day_is_the_same_day(day):
    assert pa.array([date_text(day)]).cast(arrow_type("date")).to_pylist() == [day]


@given(st.datetimes(timezones=st.just(timezone.utc)))
@patient
def test_every_instant_is_the_same_instant(moment):
    (found,) = pa.array([utc_text(moment)]).cast(arrow_type("timestamp")).cast(pa.int64()).to_pylist()
    since = moment - datetime(1970, 1, 1, tzinfo=timezone.utc)
    assert found == (since.days * 86400 + since.seconds) * 10**6 + since.microseconds


@given(cells=st.lists(amounts, min_size=1, max_size=6), summed=st.booleans(), foreign=st.booleans())
@example(cells=["1.00", WRAPPED], summed=True, foreign=False)
@example(cells=["1.00", WRAPPED], summed=False, foreign=True)
@example(cells=["1.00", "0." + "0" * 30 + "1"], summed=True, foreign=True)
@settings(deadline=None, max_examples=40)
def test_a_file_holds_the_numbers_of_the_report_or_names_the_row_that_does_not_fit(
    tmp_path_factory, cells, summed, foreign
):
    """Whichever way the file takes; `TRUE` is a form that pyarrow does not read."""
    folder = tmp_path_factory.mktemp("fits")
    file = folder / "report.csv"
    flag = "TRUE" if foreign else "true"
    file.write_text("amount,good\n" + "".join(f"{cell},{flag}\n" for cell in cells))
    columns = [Column("amount", "amount", "decimal"), Column("good", "good", "boolean")]

    def reader() -> CsvReader:
        sums = ("amount",) if summed else ()
        return CsvReader(file, size=file.stat().st_size, resolve=lambda _header: columns, sum_of=sums)

    lane = BulkLane(Storage(str(folder / "store")))
    path = lane.path("rows", "acct_1", "all")
    layout = Layout({"row_number": "integer", "amount": "decimal"}, {})
    misfits = [row for row, cell in enumerate(cells, 1) if not fits(cell)]
    fresh = reader()
    if misfits:
        assert lane.keep_arrays(path, fresh, layout, rows=len(cells)) is None
        with pytest.raises(FileError, match=rf"row {misfits[0]}: the value of column 'amount' does not fit"):
            lane.keep_rows(path, reader(), layout, rows=len(cells))
        assert not list(folder.rglob("*.parquet"))
        return
    uri = lane.keep_arrays(path, fresh, layout, rows=len(cells))
    if uri is None:
        uri = lane.keep_rows(path, reader(), layout, rows=len(cells))
    elif summed:
        assert fresh.sums == {"amount": exact_sum(cells)}
    kept = pq.read_table(uri.removeprefix("file://")).column("amount").to_pylist()
    assert kept == [Decimal(cell) for cell in cells]
