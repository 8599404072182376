"""How often STATE goes out, and what it costs."""

from __future__ import annotations

import inspect
import json

import pytest
from singer_sdk import Tap
from singer_sdk.singerlib.encoding.simple import StateMessage

from tap_billing_reports.singer.state_writer import BYTES_A_SECOND, FREE_BYTES, LineStates, Pace
from tap_billing_reports.singer.writer import BufferedWriter
from tests.fakes import FakeClock

SECONDS = 5.0


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def pace(clock):
    return Pace(clock.monotonic, SECONDS)


def sent(pace, clock, size, *, at_once, seconds, step=0.5):
    """How many STATEs of a size go out while something happens every half second."""
    count = 0
    for _ in range(int(seconds / step)):
        if pace.allows(at_once=at_once):
            pace.sent(size)
            count += 1
        clock.advance(step)
    return count


def test_a_small_state_goes_out_every_few_seconds(pace, clock):
    assert sent(pace, clock, 1000, at_once=False, seconds=100) == 20


def test_what_must_not_wait_does_not_while_state_is_small(pace, clock):
    assert sent(pace, clock, 1000, at_once=True, seconds=100) == 200


def test_bytes_grow_with_time_and_not_with_the_size_of_state(pace, clock):
    size, hour = 500_000, 3600
    bytes_sent = size * sent(pace, clock, size, at_once=True, seconds=hour)
    assert bytes_sent <= FREE_BYTES + hour * BYTES_A_SECOND + 2 * size
    assert bytes_sent >= hour * BYTES_A_SECOND / 2


def test_a_big_state_that_can_wait_waits_for_its_bytes(pace, clock):
    assert sent(pace, clock, 60 * BYTES_A_SECOND, at_once=False, seconds=600) == 10


def test_a_state_that_has_not_changed_costs_nothing(pace, clock):
    pace.sent(FREE_BYTES)
    assert not pace.allows(at_once=True)
    clock.advance(3600)
    assert pace.allows(at_once=True)
    pace.sent(0)
    assert pace.allows(at_once=True)


class Written(BufferedWriter):
    def __init__(self):
        super().__init__()
        self.lines = []

    def _put(self, data):  # type: ignore[override] # a method, where the writer needs no self
        self.lines += bytes(data).splitlines()


def test_only_what_has_changed_is_sent():
    writer = Written()
    states = LineStates(writer)
    state = {"bookmarks": {"a": {"ledger": [{"account": "1"}]}}}
    states.write_state(state)
    states.write_state(state)
    assert len(writer.lines) == 1
    # Changed in place, deep inside: a shallow memory of it would not see that.
    state["bookmarks"]["a"]["ledger"][0]["account"] = "2"
    states.write_state(state)
    assert [json.loads(line)["value"]["bookmarks"]["a"]["ledger"] for line in writer.lines] == [
        [{"account": "1"}],
        [{"account": "2"}],
    ]
    assert states.sent == sum(len(line) + 1 for line in writer.lines)


def test_the_message_is_the_sdks():
    state = {"bookmarks": {"a": {"partitions": [{"context": {"k": None}, "value": "å"}]}}}
    message = StateMessage(value=state)
    assert json.loads(BufferedWriter().serialize_message(message)) == message.to_dict()


def test_the_sdk_sends_through_the_taps_writer():
    assert "self._state_writer" in inspect.getsource(Tap.__init__)
    assert "self._state_writer.write_state(self.state)" in inspect.getsource(Tap.sync_all)
