"""The closing lines: what was sent, what became of the runs, what was left, what failed and what to do."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tap_billing_reports import errors
from tap_billing_reports.tap import TapBillingReports
from tests.cli.conftest import DAILY
from tests.running import selecting


def closing(log):
    """The lines after the last stream, with their levels."""
    lines = log.splitlines()
    start = next(place for place, line in enumerate(lines) if "records sent: " in line)
    return lines[start:]


def sent(log):
    (line,) = [line for line in closing(log) if "records sent: " in line]
    return {stream: int(count) for stream, count in re.findall(r"(\w+) (\d+)(?:, |$)", line.partition("sent: ")[2])}


def runs(log):
    (line,) = [line for line in closing(log) if " runs: " in line]
    return {word: int(count) for count, word in re.findall(r"(\d+) ([a-z]+)", line)}


def test_every_stream_with_its_records(desk):
    done = desk.sync(desk.config(DAILY))
    assert done.status == 0
    assert sent(done.log) == Counter({stream: len(records) for stream, records in done.records.items()})
    assert "ERROR" not in done.log
    assert closing(done.log)[-1] == "INFO 0 failed, 0 left"


def test_runs_files_bytes_and_waiting(desk):
    desk.control.options["stripe_run_seconds"] = 30
    config = desk.only("stripe", DAILY, max_new_runs=4)
    first = desk.sync(config)
    found = runs(first.log)
    assert {found[word] for word in ("ordered", "done", "files")} == {4}
    assert (found["deferred"], found["adopted"], found["failed"]) == (1, 0, 0)
    assert found["bytes"] == sum(file["size"] for file in first.of("report_files"))
    waited, took = re.search(r"waited (\d+:\d\d) of (\d+:\d\d)", first.log).groups()
    assert "1:00" <= waited <= took <= "2:00", "two at a time, 30 s each"
    again = runs(desk.sync(config).log)
    assert (again["adopted"], again["ordered"]) == (4, 1)
    last = runs(desk.sync(config, state=first.state).log)
    assert (last["ordered"], last["adopted"], last["done"]) == (0, 1, 1)


def test_what_was_left_is_one_line_for_each_reason(desk):
    done = desk.sync(desk.only("stripe", DAILY, max_new_runs=2))
    (left,) = [line for line in closing(done.log) if "left: " in line]
    assert left == (
        "WARNING left: stripe_daily account acct_sandbox: 3 periods, 2026-11-17T00:00:00Z to 2026-11-19T00:00:00Z: "
        "deferred: more than max_new_runs=2 are due"
    )
    assert done.status == 0


def test_what_failed_is_said_with_the_remedy_and_the_status(desk):
    strange = {"report_type": "nothing.of_the_kind.1", "name": "strange"}
    done = desk.sync(desk.only("stripe", strange, DAILY))
    assert done.status == 1
    (failed,) = [line for line in closing(done.log) if "failed: " in line]
    assert failed.startswith("ERROR failed: stripe account acct_sandbox: ")
    assert "nothing.of_the_kind.1" in failed
    assert f"; to do: {errors.NotFound.remedy}" in failed
    assert closing(done.log)[-1] == "ERROR 1 failed, 0 left"
    assert runs(done.log)["done"] == 5, "the other report goes on"


def test_a_run_that_failed_for_good_counts_once(desk):
    desk.control.options["stripe_run_rules"] = [{"match": {}, "do": {"fail": "never"}}]
    done = desk.sync(desk.only("stripe", DAILY, start_date="2026-11-19"))
    assert done.status == 1
    assert (runs(done.log)["ordered"], runs(done.log)["failed"]) == (3, 1)
    assert errors.ReportError.remedy in closing(done.log)[-2]


def test_a_run_that_was_made_in_the_end_is_not_left(desk):
    desk.control.options["stripe_run_rules"] = [{"match": {"nth": 1}, "do": {"fail": "at first"}}]
    done = desk.sync(desk.only("stripe", DAILY, start_date="2026-11-19"))
    assert done.status == 0
    assert "WARNING event=again" in done.log
    assert closing(done.log)[-1] == "INFO 0 failed, 0 left"


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (BrokenPipeError("nobody reads"), "ended early by BrokenPipeError: the target reads no more"),
        (SystemExit(143), "ended early by SIGTERM"),
        (RecursionError(), "ended early by RecursionError"),
    ],
)
def test_an_end_before_its_time_is_told_too(desk, monkeypatch, end, said):
    def broken(self):
        raise end

    monkeypatch.setattr(TapBillingReports, "sync_all", broken)
    tap = TapBillingReports(config=desk.only("stripe", DAILY))
    with pytest.raises(type(end)):
        tap.run()
    assert tap.summary.failures == [said]


# -- a catalogue older than the settings ---------------------------------------------------------------


def test_a_report_that_the_catalogue_does_not_know(desk):
    old = TapBillingReports(config=desk.only("stripe")).catalog_dict
    done = desk.sync(desk.only("stripe", DAILY), catalog=old)
    (left,) = [line for line in closing(done.log) if "left: " in line]
    assert left.startswith("WARNING left: stripe_daily is configured but not in the catalogue")
    assert "--discover" in left
    assert not done.of("stripe_daily")


def test_a_report_that_the_catalogue_deselects(desk):
    config = desk.only("stripe", DAILY)
    done = desk.sync(config, catalog=selecting(config, "invoices"))
    (left,) = [line for line in closing(done.log) if "left: " in line]
    assert left.startswith("WARNING left: stripe_daily is configured but deselected")
    assert "meltano select tap-billing-reports stripe_daily" in left
    assert (desk.orders(), done.status) == (0, 0)


def test_columns_that_the_catalogue_does_not_know(desk):
    config = desk.only("stripe", DAILY)
    old = TapBillingReports(config=config).catalog_dict
    (rows,) = [stream for stream in old["streams"] if stream["tap_stream_id"] == "stripe_daily"]
    for name in ("fee", "gross"):
        del rows["schema"]["properties"][name]
        rows["metadata"] = [one for one in rows["metadata"] if one["breadcrumb"] != ["properties", name]]
    done = desk.sync(config, catalog=old)
    (left,) = [line for line in closing(done.log) if "left: " in line]
    assert left.startswith("WARNING left: stripe_daily: not in the catalogue, so not sent: gross, fee: make the")
    assert done.status == 0
    assert not {"fee", "gross"} & set(done.of("stripe_daily")[0])


@pytest.mark.parametrize("streams", [("stripe_daily",), ("report_files",)])
def test_a_report_whose_rows_or_files_are_wanted_is_not_called_skipped(desk, streams):
    config = desk.only("stripe", DAILY)
    done = desk.sync(config, catalog=selecting(config, *streams))
    assert closing(done.log)[-1] == "INFO 0 failed, 0 left"
    assert desk.orders() == 5
