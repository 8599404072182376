"""`billing-reports plan` says what the next sync does, and leaves everything as it is."""

from __future__ import annotations

import json
import re
import socket
from types import SimpleNamespace
from typing import Any

import pytest

from tap_billing_reports.cli import main, plan
from tap_billing_reports.declare import Period
from tap_billing_reports.http.transport import Transport
from tap_billing_reports.singer.tap import TapBillingReports
from tests.cli.desk import DAILY
from tests.running import selecting

# Due on 20 November at half past nine: 15 to 19 November, as far as the vendor has them.
STREAM = "stripe_daily"


def planned(printed):
    """(report, account, action) -> (count, windows, why) of the printed table; the first row of each."""
    found: dict[tuple[str, str, str], tuple[Any, ...]] = {}
    for report, account, action, *rest in rows(printed):
        found.setdefault((report, account, action), tuple(rest))
    return found


def rows(printed):
    """The printed table's rows, whole."""
    table, _, _ = printed.output.partition("\n\n")
    header, *lines = table.splitlines()
    starts = [match.start() for match in re.finditer(r"\S+", header)]
    report = account = ""
    for line in lines:
        cells = [line[a:b].strip() for a, b in zip(starts, [*starts[1:], None], strict=True)]
        report, account = cells[0] or report, cells[1] or account
        yield report, account, cells[2], int(cells[3]), cells[4], cells[5]


def actions(printed, report=STREAM):
    counts: dict[str, int] = {}
    for stream, _account, action, count, *_ in rows(printed):
        if stream == report:
            counts[action] = counts.get(action, 0) + count
    return counts


def said(log, report="daily"):
    """What the lines of a sync's log say of a report: how its runs were got, and what was left -> how often."""
    words = {"ordered": "order", "adopted": "adopt", "resumed": "resume", "kept": "keep", "deferred": "defer"}
    counts: dict[str, int] = {}
    for event in re.findall(rf"event=(\w+) source=\w+ account=\S+ report={report} ", log):
        if event in words:
            counts[words[event]] = counts.get(words[event], 0) + 1
    return counts


def test_what_a_first_sync_would_order(desk):
    kept = desk.folder / "kept"
    config = desk.config(DAILY, storage_url=str(kept))
    printed = desk.command("plan", config)
    assert printed.exit_code == 0, printed.output
    assert planned(printed)[STREAM, "acct_sandbox", "order"] == (5, "2026-11-15 .. 2026-11-19", "not read yet")
    assert planned(printed)[STREAM, "acct_sandbox", "wait"] == (1, "2026-11-20", "not over yet")
    lines = [row for key, row in planned(printed).items() if key[0] == "bring_invoice_lines"]
    assert lines
    assert desk.methods() == {"GET"}
    assert desk.orders() == 0
    assert not kept.exists(), "neither journal nor lock"
    assert "nothing was ordered" in printed.output


def test_a_vendor_that_cannot_be_reached_is_tried_twice_and_named_once(desk, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        gone = f"http://127.0.0.1:{free.getsockname()[1]}"
    tried = []
    opening = Transport.open

    def counted(self, method, url, **more):
        tried.append(url)
        return opening(self, method, url, **more)

    monkeypatch.setattr(Transport, "open", counted)
    monkeypatch.setattr(TapBillingReports, "limits", None)
    weekly = {**DAILY, "name": "weekly", "window": "week"}
    printed = desk.command("plan", desk.config(DAILY, weekly, stripe_api_url=gone))
    assert printed.exit_code == 1
    assert len([url for url in tried if url.startswith(gone)]) == plan.LIMITS.tries == 2
    assert printed.output.count("\nfailed: stripe") == 1
    assert "failed: bring" not in printed.output
    assert set(actions(printed, "bring_invoice_lines")) & {"order", "wait", "skip"}


def test_it_tells_somebody_at_a_terminal_what_it_asks(desk, monkeypatch):
    assert "asking" not in desk.command("plan", desk.only("stripe", DAILY)).output
    told: list[str] = []
    monkeypatch.setattr(main, "_say_to_who_waits", told.append)
    desk.command("plan", desk.only("stripe", DAILY))
    assert told == ["1 of 1: asking stripe about stripe_daily"]


def state_of_pending(desk, config):
    """The STATE after a sync that gave up waiting for its runs."""
    desk.control.options["stripe_run_seconds"] = 4000
    pending = desk.sync({**config, "run_deadline_minutes": 1})
    assert pending.status == 1
    desk.control.options["stripe_run_seconds"] = 0
    return pending.state


CASES = {
    "nothing known": {"order": 5},
    "max_new_runs": {"order": 2, "defer": 3},
    "state": {"skip": 5},
    "state of yesterday": {"skip": 5, "order": 1},
    "no state": {"adopt": 5},
    "no state, kept files": {"keep": 5},
    "pending": {"resume": 5},
    "corrected": {"order": 5},
}


@pytest.mark.parametrize("case", CASES)
def test_the_plan_is_what_the_sync_then_does(desk, case):
    config, state = desk.only("stripe", DAILY), None
    if case == "max_new_runs":
        config["max_new_runs"] = 2
    elif case == "pending":
        config["stripe_max_concurrent_runs"] = 5
        state = state_of_pending(desk, config)
    elif case != "nothing known":
        if case == "no state, kept files":
            config["storage_url"] = str(desk.folder / "kept")
        first = desk.sync(config)
        assert first.status == 0, first.log
        if "no state" not in case:
            state = first.state
        if case == "state of yesterday":
            desk.control.next_day()
        if case == "corrected":
            desk.control.advance(10)
            config["reuse_runs_since"], state = desk.control.now().isoformat(), None
    before = json.dumps(state)
    printed = desk.command("plan", config, state=state)
    assert printed.exit_code == 0, printed.output
    found = actions(printed)
    assert found.pop("wait") == 1
    assert found == CASES[case], printed.output
    assert json.dumps(state) == before
    assert desk.orders() == 0
    sync = desk.sync(config, state=state)
    assert said(sync.log) == {action: count for action, count in found.items() if action != "skip"}, sync.log


def test_a_pending_run_is_named_with_its_age(desk):
    config = desk.only("stripe", DAILY, start_date="2026-11-19")
    state = state_of_pending(desk, config)
    run = state["bookmarks"][STREAM]["ledger"][0]["open"][0]["run"]
    desk.control.advance(7200)
    printed = desk.command("plan", config, state=state)
    (count, windows, why) = planned(printed)[STREAM, "acct_sandbox", "resume"]
    assert (count, windows) == (1, "2026-11-19")
    assert re.fullmatch(rf"run {run} is pending, ordered 2:0\d:\d\d ago", why)


def test_reports_are_counted_over_their_accounts(desk):
    """`max_new_runs` holds for a report, not for each of its accounts, and the oldest windows of all come first."""
    config = desk.only("stripe", DAILY, stripe_connected_accounts=["acct_sandbox_north"], max_new_runs=6)
    found = planned(desk.command("plan", config))
    for account in ("acct_sandbox", "acct_sandbox_north"):
        assert found[STREAM, account, "order"][0] == 3
        assert found[STREAM, account, "defer"] == (
            2, "2026-11-18 .. 2026-11-19", "more than max_new_runs=6 are due",
        )  # fmt: skip


def test_what_is_refused_is_a_failure_unless_it_is_optional(desk):
    strange = {"report_type": "nothing.of_the_kind.1", "name": "strange"}
    refused = desk.command("plan", desk.only("stripe", strange, DAILY))
    assert refused.exit_code == 1
    assert actions(refused, "stripe_strange") == {"fail": 0}
    assert "failed: " in refused.output
    assert "to do: " in refused.output
    assert actions(refused)["order"] == 5, "the other report is planned all the same"
    excused = desk.command("plan", desk.only("stripe", {**strange, "optional": True}))
    assert excused.exit_code == 0, excused.output
    assert actions(excused, "stripe_strange") == {"skip": 0}


def test_only_what_the_catalogue_selects(desk):
    config = desk.only("stripe", DAILY)
    printed = desk.command("plan", config, catalog=selecting(config, "invoices"))
    assert actions(printed) == {}
    assert f"note: {STREAM} is configured but deselected" in printed.output
    assert desk.command("plan", config, catalog=selecting(config, STREAM)).output.count("note:") == 0


def test_a_changed_report_is_refused_as_the_sync_refuses_it(desk):
    state = desk.sync(desk.only("stripe", DAILY)).state
    printed = desk.command("plan", desk.only("stripe", {**DAILY, "window": "month"}), state=state)
    assert printed.exit_code == 1
    assert "window changed" in printed.output
    assert "Traceback" not in printed.output


def test_a_state_that_is_none(desk):
    (desk.folder / "state.json").write_text('{"bookmarks": ')
    printed = desk.command("plan", desk.only("stripe", DAILY), state={"bookmarks": []})
    assert printed.exit_code == 1
    assert "the state's bookmarks are no object" in printed.output


def test_subjects_are_named_and_not_as_a_range():
    report: Any = SimpleNamespace(zone="Europe/Oslo")
    job = [Period(key) for key in ("4700000221", "4700000013", "4700000500")]
    assert plan._windows(report, job[:1]) == "4700000221"
    assert plan._windows(report, job[:2]) == "4700000221, 4700000013"
    assert plan._windows(report, job) == "4700000221, 4700000013 and 1 more"


def test_a_run_that_is_given_up_is_named(desk):
    config = desk.only("stripe", DAILY)
    desk.control.fault({"alter": {"from": "gross", "to": "grass"}}, {"path": "/contents$"})
    state = None
    for bad in (1, 2):
        state = desk.sync(config, state=state).state
        printed = desk.command("plan", config, state=state)
        whys = {why for report, _, _, _, _, why in rows(printed) if report == STREAM and "could not be used" in why}
        assert whys
        assert all(("is given up" in why) == (bad == 2) for why in whys)
    assert actions(printed)["order"] == 5
    assert "resume" not in actions(printed)
