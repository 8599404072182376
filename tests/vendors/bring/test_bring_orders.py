"""Bring's reports: ordered once, polled, collected; nothing is lost where the vendor misbehaves (issue 4, point 4)."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.running import selecting

PARCELS, HOME, ABROAD, SEA = "20000770011", "20000770022", "20000770033", "20000770044"
ECONOMY = "PARCELS-ECONOMY_AND_STATISTICS"
ORDER = "MASTER-SPECIFIED_INVOICE"


def orders_of(bring, report_type=ORDER):
    return [entry for entry in bring.asked(f"/{report_type}") if "/generate/" in entry["path"]]


def queries(entries):
    return [{name: values[0] for name, values in parse_qs(entry["query"]).items()} for entry in entries]


@pytest.fixture
def one(bring):
    """The settings for one customer with few invoices."""
    return bring.config("2026-10-20", bring_customers=[PARCELS])


class TestReportTypes:
    @pytest.mark.parametrize("reports_key", ["reports", "report"])
    @pytest.mark.parametrize("parameters_key", ["parameter", "parameters"])
    def test_one_id_can_stand_twice_told_apart_by_its_parameters(self, bring, one, reports_key, parameters_key):
        bring.control.options.update(bring_reports_key=reports_key, bring_parameters_key=parameters_key)
        result = bring.run(one)
        assert (result.status, result.doubles()) == (0, {})
        types = {(t["report_type"], t["variant"]): t for t in result.of("report_types")}
        assert {variant for kind, variant in types if kind == "PARCELS-ADDITIONAL-COSTS"} == {
            "invoiceNumber",
            "fromDate+toDate",
        }
        master = types[ORDER, "invoiceNumber"]
        assert (master["name"], master["account_id"]) == ("Specified invoice", PARCELS)
        assert json.loads(master["parameters"])[0]["name"] == "invoiceNumber"

    def test_the_list_may_come_as_xml(self, bring, one):
        body = (
            "<ReportList><reports><id>A</id><name>a</name><description>b</description><parameters>"
            "<parameter><name>toDate</name><type>date</type></parameter>"
            "<parameter><name>fromDate</name><type>date</type></parameter>"
            "</parameters></reports></ReportList>"
        )
        bring.control.fault({"status": 200, "body": body}, {"path": rf"/generate/{PARCELS}\.json"})
        types = bring.run(one).of("report_types")
        assert [(t["report_type"], t["variant"]) for t in types] == [("A", "fromDate+toDate")]

    def test_a_parameter_without_a_name_is_a_failure(self, bring, one):
        body = {"reports": [{"id": "A", "parameter": [{"type": "date"}]}]}
        bring.control.fault({"status": 200, "body": body}, {"path": rf"/generate/{PARCELS}\.json"})
        result = bring.run(one)
        assert result.status == 1
        assert f"bring account {PARCELS}: a report type cannot be read" in result.log
        assert result.of("bring_invoice_lines")

    def test_texts_come_in_the_configured_language(self, bring, one):
        names = {t["name"] for t in bring.run({**one, "bring_language": "no"}).of("report_types")}
        assert "Spesifisert faktura" in names


class TestOrdering:
    def test_each_invoice_is_ordered_once_by_its_number(self, bring, one):
        first = bring.run(one)
        specified = {i["invoice_id"] for i in first.of("invoices") if i["specification_available"]}
        assert Counter(query["invoiceNumber"] for query in queries(orders_of(bring))) == Counter(specified)
        assert {tuple(query) for query in queries(orders_of(bring))} == {("invoiceNumber",)}
        bring.run(one, state=first.state)
        assert bring.orders() == 0
        bring.control.next_day()
        third = bring.run({**one, "bring_customers": [PARCELS, HOME, ABROAD, SEA]}, state=first.state)
        runs = {run["period"] for run in third.of("report_runs")}
        assert not runs & specified
        assert bring.orders() == len(runs) > 1

    def test_runs_have_their_records(self, bring, one):
        result = bring.run(one)
        for run in result.of("report_runs"):
            assert (run["status"], run["source_status"], run["origin"]) == ("succeeded", "DONE", "ordered")
            assert json.loads(run["parameters"]) == {"invoiceNumber": run["period"]}
            assert run["created_at"].startswith("2026-11-20T09:30")
        files = {file["run_id"]: file for file in result.of("report_files")}
        assert set(files) == {run["run_id"] for run in result.of("report_runs")}
        assert {file["format"] for file in files.values()} == {"xml"}

    def test_the_runs_id_comes_from_either_place(self, bring, one):
        expected = bring.control.totals(one)["bring_invoice_lines"]["bring"]["rows"]
        bring.control.fault({"alter": {"from": "statusUrl", "to": "elsewhere"}}, {"path": f"/{ORDER}"})
        assert len(bring.run(one).of("bring_invoice_lines")) == expected
        bring.control.clear_faults()
        run_id = "db285042-6e8d-4563-94ca-eb1100706a73"
        body = {"statusUrl": f"https://elsewhere.example/reports/api/report/{run_id}/status/"}
        bring.control.fault({"status": 202, "body": body}, {"path": f"/{ORDER}"})
        bring.run(one)
        assert {entry["path"] for entry in bring.asked("/status")} == {f"/reports/api/report/{run_id}/status.json"}

    def test_an_order_without_an_id_is_a_failure(self, bring, one):
        bring.control.fault({"status": 202, "body": {"message": "wait"}}, {"path": f"/{ORDER}"})
        result = bring.run(one)
        assert result.status == 1
        assert "the answer to the order names no report" in result.log

    def test_links_that_point_elsewhere_are_never_followed(self, bring, one):
        bring.control.options["bring_foreign_links"] = bring.sandbox.urls["foreign"]
        result = bring.run(one)
        assert result.status == 0
        assert result.of("bring_invoice_lines")
        assert {entry["host"] for entry in bring.control.requests()} == {"bring"}

    def test_an_order_whose_answer_was_lost_is_not_sent_again(self, bring, one):
        bring.control.fault({"lose": True}, {"path": f"/{ORDER}"}, times=1)
        result = bring.run(one)
        assert result.status == 1
        numbers = Counter(query["invoiceNumber"] for query in queries(orders_of(bring)))
        assert set(numbers.values()) == {1}
        missing = set(numbers) - {row["period"] for row in result.of("bring_invoice_lines")}
        assert len(missing) == 1
        again = bring.run(one, state=result.state)
        assert again.status == 0
        assert {row["period"] for row in again.of("bring_invoice_lines")} == missing
        assert bring.orders() == 1


class TestStatuses:
    def number(self, bring, one):
        invoices = bring.run({**one, "bring_invoice_lines": False}).of("invoices")
        return next(i["invoice_id"] for i in invoices if i["specification_available"])

    def test_a_failed_run_is_ordered_again(self, bring, one):
        number = self.number(bring, one)
        bring.control.options.update(bring_run_outcomes={number: "failed"}, bring_run_outcome_times=2)
        result = bring.run(one)
        assert result.status == 0
        runs = [run for run in result.of("report_runs") if run["period"] == number]
        assert [(run["status"], run["attempt"]) for run in runs] == [("failed", 1), ("failed", 2), ("succeeded", 3)]

    def test_three_failed_runs_are_enough_for_one_sync(self, bring, one):
        number = self.number(bring, one)
        bring.control.options["bring_run_outcomes"] = {number: "failed"}
        result = bring.run(one)
        assert result.status == 1
        assert sum(query["invoiceNumber"] == number for query in queries(orders_of(bring))) == 3
        others = {row["period"] for row in result.of("bring_invoice_lines")}
        assert others
        assert number not in others
        bring.control.options["bring_run_outcomes"] = {}
        healed = bring.run(one, state=result.state)
        assert {row["period"] for row in healed.of("bring_invoice_lines")} == {number}

    def test_an_unknown_status_is_an_error_and_not_pending(self, bring, one):
        number = self.number(bring, one)
        bring.control.options["bring_run_outcomes"] = {number: "unknown"}
        result = bring.run(one)
        assert result.status == 1
        assert "ARCHIVED" in result.log
        assert {row["period"] for row in result.of("bring_invoice_lines")}

    def test_a_run_that_is_gone_is_ordered_again_once_that_has_been_so_for_a_day(self, bring, one):
        """Bring has no documented words for a report that is gone, so a 404 may as well be a proxy's."""
        number = self.number(bring, one)
        bring.control.options.update(bring_run_outcomes={number: "lost"}, bring_run_outcome_times=1)
        first = bring.run(one)
        assert first.status == 1
        assert "no proof that it is gone" in first.log
        bring.control.advance(3600)
        soon = bring.run(one, state=first.state)
        assert (soon.status, bring.orders()) == (1, 0)
        bring.control.advance(86400)
        result = bring.run(one, state=soon.state)
        assert (result.status, bring.orders()) == (0, 1)
        assert number in {row["period"] for row in result.of("bring_invoice_lines")}

    def test_a_run_past_the_deadline_is_gone_on_with_by_the_next_sync(self, bring, one):
        bring.control.options["bring_run_seconds"] = 150
        one["run_deadline_minutes"] = 2
        result = bring.run(one)
        assert result.status == 1
        assert "is still pending after 2 minutes; the next sync goes on with it" in result.log
        assert not result.of("bring_invoice_lines")
        ordered = bring.orders()
        assert ordered > 0
        again = bring.run(one, state=result.state)
        assert (again.status, bring.orders()) == (0, 0)
        expected = bring.control.totals(one)["bring_invoice_lines"]["bring"]["rows"]
        assert len(again.of("bring_invoice_lines")) == expected
        assert len(again.of("report_runs")) == ordered


class TestLimits:
    @pytest.mark.parametrize("budget", [1, 3])
    def test_no_more_runs_than_the_budget_at_once(self, bring, budget):
        bring.control.options["bring_run_seconds"] = 2
        result = bring.run(bring.config("2026-08-15", bring_max_concurrent_runs=budget))
        assert result.status == 0
        assert bring.control.counters()["pending"]["bring"] == budget
        assert bring.orders() > 10

    @pytest.mark.parametrize("retry_after", [None, 40])
    def test_a_throttled_order_waits_for_runs_of_ones_own(self, bring, retry_after):
        bring.control.options.update(bring_run_seconds=2, bring_concurrent_limit=2, bring_retry_after=retry_after)
        config = bring.config("2026-09-01", bring_max_concurrent_runs=10)
        result = bring.run(config)
        statuses = bring.control.counters()["statuses"]["bring"]
        assert (result.status, result.doubles()) == (0, {})
        assert statuses["429"] >= 1
        expected = bring.control.totals(config)["bring_invoice_lines"]["bring"]["rows"]
        assert len(result.of("bring_invoice_lines")) == expected

    def test_what_is_over_max_new_runs_is_named_and_comes_later(self, bring):
        config = bring.config("2026-09-01", max_new_runs=5)
        first = bring.run(config)
        assert (first.status, bring.orders()) == (0, 5)
        assert "max_new_runs" in first.log
        seen, state = set(first.table("bring_invoice_lines")), first.state
        for _ in range(9):
            result = bring.run(config, state=state)
            seen |= set(result.table("bring_invoice_lines"))
            state = result.state
        assert len(seen) == bring.control.totals(config)["bring_invoice_lines"]["bring"]["rows"]


class TestConfiguredReports:
    def config(self, bring, start="2026-10-30", **entry):
        return bring.config(
            start,
            bring_invoice_lines=False,
            bring_customers=[PARCELS],
            bring_reports=[{"report_type": ECONOMY, **entry}],
        )

    def test_windows_are_whole_days_in_oslo_and_both_ends_count(self, bring):
        config = self.config(bring, window="week", name="economy")
        result = bring.run(config)
        assert result.status == 0
        assert [(q["fromDate"], q["toDate"]) for q in queries(orders_of(bring, ECONOMY))] == [
            ("26.10.2026", "01.11.2026"),
            ("02.11.2026", "08.11.2026"),
            ("09.11.2026", "15.11.2026"),
        ]
        assert {row["period"] for row in result.of("bring_economy")} <= {
            # The clock was put back on 25 October: midnight is 23:00 UTC.
            "2026-10-25T23:00:00Z",
            "2026-11-01T23:00:00Z",
            "2026-11-08T23:00:00Z",
        }
        expected = bring.control.totals(config)["bring_economy"]["bring"]
        assert len(result.of("bring_economy")) == expected["rows"]

    def test_a_window_is_complete_once_it_has_ended_in_oslo(self, bring):
        bring.control.clock.set(bring.control.now().replace(day=30, hour=22, minute=59))
        result = bring.run(self.config(bring, "2026-11-01", window="month"))
        assert not orders_of(bring, ECONOMY)
        bring.control.advance(120)
        bring.run(self.config(bring, "2026-11-01", window="month"), state=result.state)
        assert [q["toDate"] for q in queries(orders_of(bring, ECONOMY))] == ["30.11.2026"]

    def test_the_look_back_reads_late_days_again(self, bring):
        config = self.config(bring, "2026-11-10", window="day", lookback_days=3)
        state = bring.run(config).state
        assert len(orders_of(bring, ECONOMY)) == 10
        bring.control.next_day()
        bring.run(config, state=state)
        assert [q["fromDate"] for q in queries(orders_of(bring, ECONOMY))] == [
            "20.11.2026",
            "18.11.2026",
            "19.11.2026",
        ], "what was never read comes first"

    def test_a_look_back_over_the_limit_keeps_no_window_waiting_for_ever(self, bring):
        config = {**self.config(bring, "2026-11-14", window="day", lookback_days=30), "max_new_runs": 3}
        state, read = None, []
        for _ in range(4):
            result = bring.run(config, state=state)
            assert result.status == 0, result.log
            read.append([q["fromDate"][:2] for q in queries(orders_of(bring, ECONOMY))])
            state = result.state
            bring.control.advance(3600)
        assert read == [["14", "15", "16"], ["17", "18", "19"], ["14", "15", "16"], ["17", "18", "19"]]

    def test_free_parameters_go_out_as_bring_spells_them(self, bring):
        entry = {
            "report_type": "PARCELS-FREIGHT_STATISTICS_SUMMED",
            "parameters": {"reporttype": "INVOICED", "year": 2026},
        }
        config = bring.config("2026-01-01", bring_invoice_lines=False, bring_customers=[PARCELS], bring_reports=[entry])
        result = bring.run(config)
        assert result.status == 0
        assert queries(orders_of(bring, entry["report_type"])) == [{"reporttype": "INVOICED", "year": "2026"}]
        assert {row["period"] for row in result.of("bring_parcels_freight_statistics_summed")} == {"all"}

    def test_a_boolean_parameter_is_a_word(self, bring):
        config = self.config(bring, parameters={"onlyMine": True})
        bring.run(config)
        assert queries(orders_of(bring, ECONOMY)) == [{"onlyMine": "true"}]

    def test_a_refused_report_is_a_failure_unless_it_is_optional(self, bring):
        config = self.config(bring, window="month")
        config["bring_customers"] = [PARCELS, HOME]
        result = bring.run(config)
        assert result.status == 1
        assert f"account {HOME} period" in result.log
        assert "Invalid input parameters" in result.log
        config["bring_reports"][0]["optional"] = True
        result = bring.run(config)
        assert result.status == 0
        assert "refused, and optional" in result.log

    def test_the_workbook_is_kept_beside(self, bring, tmp_path):
        config = self.config(bring, "2026-10-01", window="month", keep_xlsx=True)
        config["storage_url"] = str(tmp_path)
        result = bring.run(config)
        assert result.status == 0
        by_format = {file["format"]: file for file in result.of("report_files")}
        assert set(by_format) == {"xml", "xlsx"}
        assert Path(urlsplit(by_format["xlsx"]["uri"]).path).read_bytes().startswith(b"PK\x03\x04")
        assert len(result.of("report_files")) == 2


def test_lines_that_wait_for_a_number_which_is_read_no_more_come_through_another(bring):
    """An agreement is converted while a back-fill is under way: the old number goes, its invoices' lines do not."""
    old = "PARCELS_NORWAY-00012770011"
    config = bring.config("2026-02-01", bring_lookback_days=5)
    first = bring.run({**config, "bring_customers": [old, PARCELS], "max_new_runs": 1})
    assert (first.status, len(orders_of(bring))) == (0, 1)
    second = bring.run({**config, "bring_customers": [PARCELS]}, state=first.state)
    assert second.status == 0, second.log
    assert len(orders_of(bring)) > 3
    lines = first.table("bring_invoice_lines") | second.table("bring_invoice_lines")
    back = bring.run({**config, "bring_customers": [old, PARCELS]}, state=second.state)
    assert not back.of("bring_invoice_lines"), "nor are they ordered twice should it come back"
    whole = bring.run({**config, "bring_customers": [PARCELS]})
    assert lines.keys() == whole.table("bring_invoice_lines").keys()


def test_invoices_alone_order_nothing(bring, one):
    result = bring.run(one, catalog=selecting(one, "invoices", "report_types", "report_runs", "accounts"))
    assert result.of("invoices")
    assert bring.orders() == 0


def test_an_invoice_without_a_specification_is_never_ordered(bring):
    config = bring.config("2026-05-01")
    result = bring.run(config)
    lacking = {i["invoice_id"] for i in result.of("invoices") if i["specification_available"] is False}
    assert lacking
    assert not lacking & {query["invoiceNumber"] for query in queries(orders_of(bring))}
    assert date.fromisoformat(min(i["invoice_date"] for i in result.of("invoices"))) >= date(2026, 5, 1)
