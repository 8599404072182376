"""SIGTERM and SIGINT while Bring makes a report: its id is written down first, so nothing is ordered twice."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import dataclass

import pytest

from tap_billing_reports.http import Limits
from tap_billing_reports.sandbox.core import Sandbox
from tests.bring.conftest import NOW
from tests.bring.test_bring_kill import CUSTOMER, ROWS, contents, orders
from tests.killing import merged, sync

ORDER = {"path": f"/reports/api/generate/{CUSTOMER}/MASTER-SPECIFIED_INVOICE.json"}


@pytest.fixture(scope="module")
def box():
    with Sandbox(NOW, seed=7, vendors=("bring",), bring_run_seconds=0) as box:
        yield box


@pytest.fixture(scope="module")
def settings(box):
    return {**box.settings("2026-10-20"), "bring_customers": [CUSTOMER]}


@dataclass(frozen=True)
class Patience:
    """Gives the tap's doors so many seconds for an answer."""

    seconds: float

    def __call__(self, tap):
        tap.limits = Limits(read_seconds=self.seconds, answer_seconds=self.seconds)


def again(box, pid, signum):
    """A second signal, while the vendor still thinks."""
    while not box.control.faults()[0]["used"]:
        time.sleep(0.01)
    time.sleep(0.1)
    os.kill(pid, signum)


@pytest.mark.parametrize("times", [1, 2], ids=["once", "twice"])
@pytest.mark.parametrize(("signum", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_the_answer_to_an_order_is_waited_for(box, settings, tmp_path, signum, status, times):
    box.control.reset()
    whole = sync(settings, tmp_path, now=NOW)
    needed = orders(box)
    assert len(needed) == 3
    for number in range(len(needed)):
        box.control.reset()

        def arrange(pid, number=number):
            sent = {"pid": pid, "signal": int(signum), "when": "before"}
            box.control.fault({"signal": sent, "delay": 0.4}, ORDER, skip=number, times=1)
            if times == 2:
                threading.Thread(target=again, args=(box, pid, signum)).start()

        first = sync(settings, tmp_path, now=NOW, kill_after=arrange)
        assert first.code == status, first.log
        assert "Traceback" not in first.log
        assert orders(box).total() == number + 1, "nothing more is begun"
        [entry] = first.state["bookmarks"][ROWS]["ledger"]
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

    started = time.monotonic()
    first = sync(settings, tmp_path, now=NOW, kill_after=arrange, prepare=Patience(1.0))
    assert first.code == 143, first.log
    assert time.monotonic() - started < 20
    assert first.state["bookmarks"][ROWS]["ledger"][0]["subjects_due"], "the invoice is still due"
