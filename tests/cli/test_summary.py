"""The closing lines: what was sent, what became of the runs, what was left, what failed and what to do."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_billing_reports.core import errors
from tap_billing_reports.core.failure import Failure
from tap_billing_reports.declare.client import HttpSourceClient
from tap_billing_reports.reports.runs.ordering import Orders
from tap_billing_reports.singer.console.failures import causes
from tap_billing_reports.singer.outcome import Summary
from tap_billing_reports.singer.tap import TapBillingReports
from tests.cli.desk import DAILY
from tests.running import selecting
from tests.typed import some


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
    waited, took = some(re.search(r"waited (\d+:\d\d) of (\d+:\d\d)", first.log)).groups()
    assert "1:00" <= waited <= took <= "2:00", "two at a time, 30 s each"
    (cut,) = [line for line in first.log.splitlines() if "not all was read yet" in line]
    assert cut.startswith("WARNING ")
    assert "1 period more are due" in cut
    assert first.log.index(cut) < first.log.index("records sent: "), "before all other closing lines"
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


@pytest.mark.parametrize(
    "kind",
    [
        errors.RetryableError,
        errors.Unavailable,
        errors.Throttled,
        errors.Refused,
        errors.NotFound,
        errors.AuthenticationFailed,
        errors.Unreadable,
        errors.ReportError,
        errors.FileError,
    ],
)
def test_whatever_a_vendor_does_there_is_something_to_do(kind):
    assert len(kind.remedy) > 20
    assert errors.remedy_of(kind("x", status=400) if issubclass(kind, errors.Refused) else kind("x")) == kind.remedy


DOWN = {"status": 503, "body": {"error": {"message": "no service today"}}}


def test_a_vendor_that_is_down_is_one_line_that_names_all_it_hit(desk):
    desk.control.fault(DOWN, {"vendor": "stripe"})
    done = desk.sync(desk.config(DAILY, {**DAILY, "name": "second"}, stripe_connected_accounts=["acct_connected1"]))
    assert done.status == 1
    (failed,) = [line for line in closing(done.log) if "failed: " in line]
    assert failed.startswith("ERROR failed: stripe accounts acct_sandbox, acct_connected1: HTTP 503 (no service today)")
    assert "8 times in report_types, invoices, stripe_daily, stripe_second, report_runs;" in failed
    assert re.search(r"; asked: GET http://\S+/v1/reporting/report_types and 3 more; to do: ", failed)
    assert failed.endswith(f"; to do: {errors.RetryableError.remedy}")
    assert closing(done.log)[-1] == "ERROR 8 failed of 1 cause, 0 left"
    told = [line for line in done.log.splitlines() if line.startswith("ERROR stripe account ") and "HTTP 503" in line]
    assert len(told) == 8, "each has been told where it happened"
    assert done.of("bring_invoice_lines") or done.of("invoices"), "the other vendors go on"


def test_accounts_that_cannot_be_listed_keep_all_streams_of_their_vendor_away(desk):
    desk.control.fault(DOWN, {"vendor": "bring"})
    done = desk.sync(desk.only("bring", bring_customers=[]))
    (failed,) = [line for line in closing(done.log) if "failed: " in line]
    assert "HTTP 503" in failed
    assert "; in all streams of Bring; to do: sync again later" in failed
    assert (done.status, closing(done.log)[-1]) == (1, "ERROR 1 failed, 0 left")


def test_periods_that_failed_alike_are_counted_and_their_ends_named(desk):
    desk.control.fault({"status": 503}, {"path": "^/v1/reporting/report_runs$", "method": "POST"})
    done = desk.sync(desk.only("stripe", DAILY))
    (failed,) = [line for line in closing(done.log) if "failed: " in line]
    assert "stripe_daily (5 periods, 2026-11-15T00:00:00Z to 2026-11-19T00:00:00Z)" in failed
    assert closing(done.log)[-1] == "ERROR 5 failed of 1 cause, 0 left"


def test_other_words_another_remedy_and_another_vendor_are_other_causes():
    get, rows = "GET https://x/1", {"source": "stripe", "stream": "stripe_rows"}
    summary = Summary()
    for failure in (
        Failure("HTTP 500", "stripe", "a", call=get),
        Failure("HTTP 500", account="a", period="2026-01-01", call="GET https://x/2", **rows),
        Failure("HTTP 500", "bring", "a", call=get),
        Failure("HTTP 502", "stripe", "a", "invoices", call=get),
        Failure("HTTP 500", "stripe", "b", call=get, remedy="another"),
        Failure("no business unit names its company", "brp", "list"),
        Failure("the run has failed", account="a", period="1", **rows),
        Failure("the run has failed", account="b", period="2", run="r2", **rows),
        Failure("the run has failed", "stripe", "b", "stripe_other", "2"),
        Failure("no answer to it", "stripe", "b", "stripe_other", "2", "r3"),
    ):
        summary.failed(failure)
    assert [str(cause) for cause in causes(summary)] == [
        "stripe account a: HTTP 500; 2 times in stripe_rows (period 2026-01-01); asked: GET https://x/1 and 1 more",
        "bring account a: GET https://x/1: HTTP 500",
        "stripe account a: GET https://x/1: HTTP 502; in invoices",
        "stripe account b: GET https://x/1: HTTP 500; to do: another",
        "brp account list: no business unit names its company",
        "stripe accounts a, b: the run has failed; 3 times in stripe_rows (2 periods, 1 to 2), stripe_other (period 2)",
        "stripe_other account b period 2: run r3: no answer to it",
    ]


def test_what_several_streams_meet_is_one_failure_that_names_them():
    summary = Summary()
    told = [summary.failed(Failure("HTTP 500", "stripe", "a", stream)) for stream in ("invoices", "x", "invoices")]
    assert told == [True, False, False]
    assert [str(cause) for cause in causes(summary)] == ["stripe account a: HTTP 500; in invoices, x"]


_texts = st.text(max_size=20)
_failures = st.builds(Failure, _texts, _texts, _texts, _texts, _texts, _texts, _texts, remedy=_texts)


@given(st.lists(_failures, max_size=6))
def test_whatever_failures_say_each_is_counted_once(failures):
    summary = Summary()
    fresh = [failure for failure in failures if summary.failed(failure)]
    assert sum(cause.count for cause in causes(summary)) == len(fresh) == len(summary.failures)
    assert all(cause.first.said in str(cause) for cause in causes(summary))


def test_a_sentence_that_nobody_has_written_before_ends_with_its_vendor_account_and_stream(desk, monkeypatch):
    said = "GET stripe account period: the moon: is in another phase"

    def moody(self, *_args, **_kwargs):
        raise errors.AccountError(said)

    monkeypatch.setattr(HttpSourceClient, "records", moody)
    done = desk.sync(desk.only("stripe", stripe_connected_accounts=["acct_connected1"]))
    (failed,) = [line for line in closing(done.log) if "failed: " in line]
    assert failed == (
        f"ERROR failed: stripe accounts acct_sandbox, acct_connected1: {said}; 2 times in report_types, invoices, "
        f"report_runs"
    )
    assert f"ERROR stripe account acct_connected1: {said}" in done.log.splitlines()


def test_an_error_of_a_vendor_while_a_period_is_ordered_names_the_period(desk, monkeypatch):
    def moody(self, *_args, **_kwargs):
        raise errors.ReportError("the moon is in another phase")

    monkeypatch.setattr(Orders, "order", moody)
    done = desk.sync(desk.only("stripe", DAILY, start_date="2026-11-19"))
    (failed,) = [line for line in closing(done.log) if "failed: " in line]
    assert failed == (
        "ERROR failed: stripe_daily account acct_sandbox period 2026-11-19T00:00:00Z: the moon is in another phase; "
        f"to do: {errors.ReportError.remedy}"
    )


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
    assert [str(failure) for failure in tap.summary.failures] == [said]


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


def test_a_report_that_only_the_catalogue_knows(desk):
    old = TapBillingReports(config=desk.only("stripe", DAILY)).catalog_dict
    done = desk.sync(desk.only("stripe"), catalog=old)
    (left,) = [line for line in closing(done.log) if "left: " in line]
    assert left.startswith("WARNING left: the catalogue selects stripe_daily, which these settings do not have")
    assert done.status == 0


def test_a_catalogue_that_deselects_all_is_a_failure(desk):
    config = desk.only("stripe", DAILY)
    done = desk.sync(config, catalog=selecting(config))
    assert (done.status, done.messages, desk.orders()) == (1, [], 0)
    (failed,) = [line for line in closing(done.log) if "failed: " in line]
    assert failed.startswith("ERROR failed: the catalogue deselects every stream, so there is nothing to read")
    assert "meltano select tap-billing-reports" in failed
    planned = desk.command("plan", config, catalog=selecting(config))
    assert planned.exit_code == 1
    assert "the catalogue deselects every stream" in planned.output


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
