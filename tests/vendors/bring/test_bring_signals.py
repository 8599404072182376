"""SIGTERM and SIGINT while Bring makes a report: its id is written down first, so nothing is ordered twice."""

from __future__ import annotations

import os
import signal
from functools import partial

import pytest

from tap_billing_reports.sandbox.core import Sandbox
from tests.inside import Telling, impatient_for_orders
from tests.killing import merged, sync
from tests.typed import some
from tests.vendors.bring.emulated import NOW
from tests.vendors.bring.test_bring_kill import CUSTOMER, ROWS, contents, orders
from tests.waiting import until

ORDER = {"path": f"/reports/api/generate/{CUSTOMER}/MASTER-SPECIFIED_INVOICE.json"}


@pytest.fixture(scope="module")
def box():
    with Sandbox(NOW, seed=7, vendors=("bring",), bring_run_seconds=0) as box:
        yield box


@pytest.fixture(scope="module")
def settings(box):
    return {**box.settings("2026-10-20"), "bring_customers": [CUSTOMER]}


@pytest.mark.parametrize("times", [1, 2], ids=["once", "twice"])
@pytest.mark.parametrize(("signum", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_the_answer_to_an_order_is_waited_for(box, settings, tmp_path, monkeypatch, signum, status, times):
    heeded = tmp_path / "heeded"

    def has_heeded(count):
        return len(heeded.read_text()) == count

    def signalled(what):
        """The vendor answers no sooner than the tap has heeded each signal."""
        for count in range(1, times + 1):
            os.kill(what["pid"], what["signal"])
            until(partial(has_heeded, count))

    monkeypatch.setattr("tap_billing_reports.sandbox.disturb._kill", signalled)
    box.control.reset()
    whole = sync(settings, tmp_path, now=NOW)
    needed = orders(box)
    assert len(needed) == 3
    for number in range(len(needed)):
        box.control.reset()

        def arrange(pid, number=number):
            sent = {"pid": pid, "signal": int(signum), "when": "before"}
            box.control.fault({"signal": sent}, ORDER, skip=number, times=1)

        heeded.write_text("")
        first = sync(settings, tmp_path, now=NOW, kill_after=arrange, prepare=Telling(str(heeded)))
        assert first.code == status, first.log
        assert "Traceback" not in first.log
        assert orders(box).total() == number + 1, "nothing more is begun"
        [entry] = some(first.state)["bookmarks"][ROWS]["ledger"]
        known = len(entry.get("open", ())) + len(entry.get("subjects_done", ()))
        assert known == number + 1, "the run's id is in the STATE"
        second = sync(settings, tmp_path, now=NOW, state=first.state)
        assert second.code == 0, second.log
        assert orders(box) == needed
        assert contents(merged(first, second)) == contents(merged(whole))


def test_an_answer_that_does_not_come_is_waited_for_no_longer_than_without_a_signal(box, settings, tmp_path):
    box.control.reset()

    def arrange(pid):
        sent = {"pid": pid, "signal": "TERM", "when": "before"}
        box.control.fault({"signal": sent, "stall": True}, ORDER, times=1)

    first = sync(settings, tmp_path, now=NOW, kill_after=arrange, prepare=impatient_for_orders)
    assert first.code == 143, first.log
    assert ORDER["path"] in box.control.requests()[-1]["path"], "nothing is asked after it"
    assert some(first.state)["bookmarks"][ROWS]["ledger"][0]["subjects_due"], "the invoice is still due"
