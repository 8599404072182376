"""The pipe: STATE as it comes, failures of either end, a stop that ends well."""

from __future__ import annotations

import json
import shlex
import sys
import tempfile
import threading

import pytest
from billing_pipe import Commands, Pipe, PipeError, list_shards, prepare
from billing_shards import Shard, States

from tests.waiting import until

SHARD = Shard("bring", "1")

# Says what it was given, sends what `messages` says, and on SIGTERM a last STATE.
TAP = """
import argparse, json, os, signal, sys, time
from pathlib import Path
parser = argparse.ArgumentParser()
for name in ("config", "state", "catalog"):
    parser.add_argument("--" + name)
parser.add_argument("--discover", action="store_true")
given = parser.parse_args()
here = Path(sys.argv[0]).parent
config = json.loads(Path(given.config).read_text())
mode = oct(os.stat(given.config).st_mode & 0o777)
seen = {"config": config, "mode": mode, "path": given.config, "discover": given.discover}
folder = here / "temporary"
seen["temporary"] = folder.is_dir() and os.listdir(folder)
seen["state"] = given.state and json.loads(Path(given.state).read_text())
seen["catalog"] = given.catalog and json.loads(Path(given.catalog).read_text())
with open(here / "seen.jsonl", "a") as log:
    log.write(json.dumps(seen) + "\\n")
def last(*_):
    print(json.dumps({"type": "STATE", "value": {"n": "last"}}), flush=True)
    sys.exit(143)
signal.signal(signal.SIGTERM, last)
if given.discover:
    streams = [{"tap_stream_id": name, "schema": {}, "key_properties": ["id"],
                "metadata": [{"breadcrumb": [], "metadata": {}}]} for name in ("accounts", "invoices")]
    print(json.dumps({"streams": streams}))
    sys.exit(0)
for message in config["messages"]:
    print(json.dumps(message), flush=True)
(here / "sent").touch()
if config.get("hang"):
    time.sleep(600)
sys.exit(config.get("status", 0))
"""

# Keeps what it gets and passes every STATE on.
TARGET = """
import json, sys
from pathlib import Path
here = Path(sys.argv[0]).parent
with open(here / "loaded.jsonl", "a") as loaded:
    for line in sys.stdin:
        message = json.loads(line)
        if message["type"] == "STATE":
            print(json.dumps(message["value"]), flush=True)
        loaded.write(line)
        loaded.flush()
        if message.get("record") == "poison":
            sys.exit(5)
"""


def state(n):
    return {"type": "STATE", "value": {"n": n}}


class Bench:
    """Both programs in a folder, and what they have seen."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "tap.py").write_text(TAP)
        (folder / "target.py").write_text(TARGET)
        python = shlex.quote(sys.executable)
        self.commands = Commands(f"{python} {folder}/tap.py", f"{python} {folder}/target.py")
        self.states = States(str(folder / "states"))
        self.pipe = Pipe(self.commands, self.states)

    def seen(self):
        return [json.loads(line) for line in (self.folder / "seen.jsonl").read_text().splitlines()]

    def loaded(self):
        return [json.loads(line) for line in (self.folder / "loaded.jsonl").read_text().splitlines()]

    def kept(self):
        found = self.states.load(SHARD)
        return None if found is None else json.loads(found)


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


def test_a_second_sync_goes_on_from_the_kept_state(bench):
    done = bench.pipe.sync(SHARD, {"messages": [state(1), state(2)]})
    assert {**done, "seconds": 0} == {"source": "bring", "account_id": "1", "seconds": 0, "states": 2}
    assert bench.kept() == {"n": 2}
    bench.pipe.sync(SHARD, {"messages": [state(3)]})
    assert [call["state"] for call in bench.seen()] == [None, {"n": 2}]
    assert bench.kept() == {"n": 3}


def test_the_settings_are_this_users_alone_and_stand_in_no_folder(bench, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(bench.folder / "temporary"))
    (bench.folder / "temporary").mkdir()
    bench.pipe.sync(SHARD, {"messages": [], "bring_api_key": "k"})
    (call,) = bench.seen()
    assert call["mode"] == "0o600"
    assert call["config"]["bring_api_key"] == "k"
    assert not call["temporary"]
    assert call["path"].startswith("/dev/fd/")


def test_a_failed_tap_fails_the_shard_and_what_was_stored_is_in_its_state(bench):
    with pytest.raises(PipeError, match="the tap ended with exit status 1, the target with 0"):
        bench.pipe.sync(SHARD, {"messages": [state(1)], "status": 1})
    assert bench.kept() == {"n": 1}


def test_a_failed_target_fails_the_shard(bench):
    messages = [state(1), {"type": "RECORD", "record": "poison"}, state(2)]
    with pytest.raises(PipeError, match="the target with 5"):
        bench.pipe.sync(SHARD, {"messages": messages, "hang": True})
    assert bench.kept() == {"n": 1}


def test_a_torn_state_fails_the_shard_and_the_whole_one_stays(bench):
    bench.states.save(SHARD, '{"n": 0}')
    with pytest.raises(ValueError, match="no JSON object"):
        bench.pipe.sync(SHARD, {"messages": [{"type": "STATE", "value": []}]})
    assert bench.kept() == {"n": 0}


def test_stop_lets_the_tap_send_a_last_state_and_the_target_store_it(bench):
    def stop():
        until((bench.folder / "sent").exists)
        bench.pipe.stop()

    stopper = threading.Thread(target=stop)
    stopper.start()
    with pytest.raises(PipeError, match="exit status 143, the target with 0"):
        bench.pipe.sync(SHARD, {"messages": [state(1)], "hang": True})
    stopper.join()
    assert bench.kept() == {"n": "last"}
    assert bench.loaded()[-1] == state("last")


def test_tables_are_made_before_any_shard(bench):
    assert prepare(bench.commands, {"messages": []}) == 2
    assert [(m["type"], m["stream"]) for m in bench.loaded()] == [("SCHEMA", "accounts"), ("SCHEMA", "invoices")]
    assert [call["discover"] for call in bench.seen()] == [True]


def test_listing_reads_accounts_alone_and_loads_them(bench):
    record = {"type": "RECORD", "stream": "accounts", "record": {"source": "bring", "account_id": "1"}}
    assert list_shards(bench.commands, {"messages": [record]}) == [SHARD]
    assert bench.loaded() == [record]
    chosen = bench.seen()[-1]["catalog"]["streams"]
    assert [stream["tap_stream_id"] for stream in chosen] == ["accounts"]


def test_a_listing_that_fails_gives_no_shards(bench):
    with pytest.raises(PipeError, match="the tap ended with exit status 1"):
        list_shards(bench.commands, {"messages": [], "status": 1})
