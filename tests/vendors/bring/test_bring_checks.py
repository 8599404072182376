"""What the files of Bring are held against, exact to the öre (issue 4, point 6)."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

PARCELS, HOME = "20000770011", "20000770022"
LINES = "bring_invoice_lines"
# A specification without lines, which says so.
NO_LINES, EMPTY = r"(?s)<NumberOfRows>\d+</NumberOfRows>(.*<Lines>).*(</Lines>)", r"<NumberOfRows>0</NumberOfRows>\1\2"
SUMS = {"lines_net": "net_amount", "lines_tax": "tax_amount", "lines_total": "total_amount"}


def checks(result, name):
    """Invoice -> its check of that name."""
    return {
        check["subject"].rpartition(" ")[2]: check for check in result.of("reconciliations") if check["check"] == name
    }


def one_cent_off(bring, config):
    """Let the list state 0.01 more for the tax-free amount of one specified invoice; its number."""
    invoices = bring.run({**config, "bring_invoice_lines": False}).of("invoices")
    invoice = next(i for i in invoices if i["specification_available"])
    stated = json.loads(invoice["source_record"])["amount"]
    changed = str(Decimal(stated) + Decimal("0.01"))
    bring.control.fault(
        {"alter": {"from": f'"amount":"{stated}"', "to": f'"amount":"{changed}"'}}, {"path": "/api/invoices/"}
    )
    return invoice["invoice_id"]


def test_sums_of_cargo_lines_are_the_invoices_three_amounts(bring):
    result = bring.run(bring.config("2026-04-01", bring_customers=[HOME]))
    assert result.status == 0
    invoices = {i["invoice_id"]: i for i in result.of("invoices")}
    for name, column in SUMS.items():
        found = checks(result, name)
        assert set(found) == {row["period"] for row in result.of(LINES)}
        for number, check in found.items():
            assert check["ok"] is True
            assert Decimal(check["expected"]) == Decimal(check["actual"]) == Decimal(invoices[number][column])
            assert Decimal(check["difference"]) == 0
            assert check["currency"] == invoices[number]["currency"]


def test_sums_of_parcel_lines_are_the_net_amount_and_the_others_are_not_known(bring):
    result = bring.run(bring.config("2026-04-01", bring_customers=[PARCELS]))
    net = checks(result, "lines_net")
    assert {check["ok"] for check in net.values()} == {True}
    credits_ = [i["invoice_id"] for i in result.of("invoices") if i["type"] == "credit_note" and i["invoice_id"] in net]
    assert credits_
    assert all(Decimal(net[number]["actual"]) < 0 for number in credits_)
    for name in ("lines_tax", "lines_total"):
        found = checks(result, name)
        assert found
        assert {(check["ok"], check["actual"]) for check in found.values()} == {(None, None)}
        assert all(check["reason"] for check in found.values())


def test_twenty_digits_are_compared_exactly(bring):
    result = bring.run(bring.config("2026-10-01", bring_customers=["20000770055"]))
    net = checks(result, "lines_net")
    assert max(len(check["actual"]) for check in net.values()) > 20
    assert {check["ok"] for check in net.values()} == {True}


class TestOneCentOff:
    @pytest.fixture
    def config(self, bring):
        return bring.config("2026-10-20", bring_customers=[PARCELS])

    def test_is_warned_of(self, bring, config):
        number = one_cent_off(bring, config)
        result = bring.run(config)
        check = checks(result, "lines_net")[number]
        assert (check["ok"], check["difference"]) == (False, "-0.01")
        assert result.status == 0
        assert f"period {number}: reconciliation lines_net does not hold" in result.log
        bring.run(config, state=result.state)
        assert bring.orders() == 0

    def test_is_a_failure_where_that_is_asked_for(self, bring, config):
        number = one_cent_off(bring, config)
        config["on_mismatch"] = "fail"
        result = bring.run(config)
        assert result.status == 1
        assert number in {row["period"] for row in result.of(LINES)}, "the rows are sent all the same"
        assert checks(result, "lines_net")[number]["ok"] is False
        bring.control.clear_faults()
        again = bring.run(config, state=result.state)
        assert again.status == 0
        assert {row["period"] for row in again.of(LINES)} == {number}
        assert checks(again, "lines_net")[number]["ok"] is True


@pytest.mark.parametrize("count_blank", [False, True])
def test_declared_rows_agree_whether_or_not_blank_ones_count(bring, count_blank):
    """Bring does not say whether its number of rows counts blank lines; either is no loss."""
    bring.control.options["bring_rows_count_blank"] = count_blank
    result = bring.run(bring.config("2026-10-01", bring_customers=[PARCELS]))
    assert result.status == 0
    found = checks(result, "rows_declared")
    assert found
    assert {check["ok"] for check in found.values()} == {True}
    assert any(int(check["actual"]) > 0 for check in checks(result, "blank_lines").values())
    assert {check["ok"] for check in checks(result, "blank_lines").values()} == {None}


def test_a_file_with_fewer_lines_than_it_declares_is_refused(bring):
    config = bring.config("2026-10-20", bring_customers=[PARCELS])
    bring.control.fault(
        {"alter": {"from": "<NumberOfRows>", "to": "<NumberOfRows>9"}}, {"path": r"/report/.*\.xml"}, times=1
    )
    first = bring.run(config)
    assert first.status == 1
    assert "rows" in first.log
    again = bring.run(config, state=first.state)
    assert again.status == 0
    assert bring.orders() == 0
    rows = first.table(LINES) | again.table(LINES)
    assert len(rows) == bring.control.totals(config)[LINES]["bring"]["rows"]


def test_each_check_has_one_record(bring):
    result = bring.run(bring.config("2025-06-01"))
    assert "reconciliations" not in result.doubles()
    assert {"lines_net", "rows_declared", "blank_lines", "file_bytes", "unreachable_range"} <= {
        check["check"] for check in result.of("reconciliations")
    }


class TestAFileThatCannotBeHeldAgainstItsInvoice:
    """What the invoice states is known; a file that says nothing of it is not fine."""

    @pytest.fixture
    def config(self, bring):
        return bring.config("2026-10-20", bring_customers=[HOME], on_mismatch="fail")

    def altered(self, bring, pattern, to=""):
        bring.control.fault({"alter": {"pattern": pattern, "to": to}}, {"path": r"/report/.*\.xml"})

    def test_without_its_price_column(self, bring, config):
        self.altered(bring, "<AMOUNT>.*?</AMOUNT>")
        first = bring.run(config)
        found = checks(first, "lines_net")
        assert found
        assert {(check["ok"], check["actual"]) for check in found.values()} == {(False, None)}
        assert {check["ok"] for check in checks(first, "lines_total").values()} == {True}
        assert first.status == 1
        bring.control.clear_faults()
        again = bring.run(config, state=first.state)
        assert (again.status, set(checks(again, "lines_net"))) == (0, set(found))

    def test_without_any_column_with_an_amount(self, bring, config):
        self.altered(bring, "<(AMOUNT|TAX_AMOUNT|TOTAL_INCL_TAX)>.*?</(AMOUNT|TAX_AMOUNT|TOTAL_INCL_TAX)>")
        first = bring.run(config)
        for name in SUMS:
            assert {check["ok"] for check in checks(first, name).values()} == {False}
        assert first.status == 1

    def test_without_lines(self, bring, config):
        self.altered(bring, NO_LINES, EMPTY)
        warned = bring.run({**config, "on_mismatch": "warn"})
        found = checks(warned, "lines_net")
        assert {(check["ok"], check["actual"]) for check in found.values()} == {(False, "0")}
        assert "reconciliation lines_net, lines_tax, lines_total does not hold" in warned.log
        assert warned.status == 0
        assert bring.run(config).status == 1

    def test_without_lines_an_invoice_of_nothing_is_right(self, bring, config):
        self.altered(bring, NO_LINES, EMPTY)
        amounts = {"pattern": r'("(?:amount|taxAmount|totalAmount)":)"[^"]*"', "to": r'\1"0.00"'}
        bring.control.fault({"alter": amounts}, {"path": "/api/invoices/"})
        result = bring.run(config)
        assert result.status == 0
        for name in SUMS:
            assert {check["ok"] for check in checks(result, name).values()} == {True}

    def test_without_the_number_of_its_rows(self, bring, config):
        self.altered(bring, "<NumberOfRows>.*?</NumberOfRows>")
        result = bring.run(config)
        assert result.status == 1
        assert {check["ok"] for check in checks(result, "rows_declared").values()} == {False}
