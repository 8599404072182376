"""Run by `test_acme_package` where the example is installed: syncs end by SIGKILL in a call of each kind, with
`EVERY_CASE` in each call, which the vendor has done and whose answer is lost; and the next goes on."""

from __future__ import annotations

import os
import re
import signal
from datetime import datetime, timezone

import pytest
from tap_billing_reports_acme.emulator import KEY, Emulator
from tap_billing_reports_acme.serving import served

from tests.killing import merged, sync
from tests.sampling import first_and_last

NOW = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
ROWS = "acme_settlements"
VOLATILE = {"run_id", "file_id"}


class Front:
    """The emulator behind a counter that kills a process once a call has been done, before it has the answer."""

    url = ""

    def __init__(self):
        self.reset()

    def reset(self):
        self.emulator = Emulator(NOW)
        self.calls = []
        """Method and path of each, without the ids in it."""
        self.kill_at: int | None = None
        self.pid = 0

    def answer(self, request):
        reply = self.emulator.answer(request)
        self.calls.append((request.method, re.sub(r"[^/]*\d[^/]*", "*", request.path)))
        if len(self.calls) == self.kill_at:
            os.kill(self.pid, signal.SIGKILL)
        return reply

    def kill_after(self, call):
        def arrange(pid):
            self.kill_at, self.pid = call, pid

        return arrange


@pytest.fixture(scope="module")
def front():
    front = Front()
    with served(front.answer) as url:
        front.url = url
        yield front


def settings(front):
    return {
        "start_date": "2026-10-01",
        "acme_api_key": KEY,
        "acme_base_url": front.url,
        "acme_reports": [{"report_type": "settlements", "window": "month"}],
    }


def rows(held):
    return {
        key: {name: value for name, value in record.items() if name not in VOLATILE}
        for key, record in held.get(ROWS, {}).items()
    }


@pytest.fixture(scope="module")
def undisturbed(front, tmp_path_factory):
    front.reset()
    whole = sync(settings(front), tmp_path_factory.mktemp("whole"), now=NOW)
    assert whole.code == 0, whole.log
    assert len(whole.of(ROWS)) == 2 * 31
    return whole, front.calls, set(front.emulator.orders)


@pytest.mark.parametrize("keeps_state", [True, False], ids=["last STATE", "no STATE"])
def test_nothing_is_lost_and_nothing_ordered_twice(front, undisturbed, tmp_path, keeps_state):
    whole, calls, orders = undisturbed
    assert len(calls) > 10
    for call in first_and_last(range(1, len(calls) + 1), lambda number: calls[number - 1]):
        front.reset()
        killed = sync(settings(front), tmp_path, now=NOW, kill_after=front.kill_after(call))
        front.kill_at = None
        again = sync(settings(front), tmp_path, now=NOW, state=killed.state if keeps_state else None)
        assert (killed.code, again.code, again.torn) == (-signal.SIGKILL, 0, 0), (call, again.log)
        held = merged(killed, again)
        assert rows(held) == rows(whole.records), call
        assert held["invoices"].keys() == whole.records["invoices"].keys(), call
        assert sorted(front.emulator.orders) == sorted(orders), call
