"""Files of a declared vendor, through the whole tap."""

from __future__ import annotations

from tap_billing_reports import declare as d
from tap_billing_reports.declare.csv_form import minor_units_of
from tests.declare.shop import synced, with_reports


def test_a_dialect_is_declared_for_each_report(monkeypatch, shop):
    form = d.CsvForm(delimiter=";", encoding="iso-8859-1", skipped_lines=1, cells={"Amount": minor_units_of("NOK")})
    shop.files = lambda day: f"Påskrift\nId;Amount\nø{day};1250\n".encode("iso-8859-1")
    found = synced(monkeypatch, shop, with_reports(csv=lambda report: {"sales": form}[report.report_type]))
    assert found.status == 0, found.log
    assert {(row["id"][0], row["amount"]) for row in found.of("shop_sales")} == {("ø", "12.50")}
