"""STATEs and journals that earlier versions have written are read, and gone on with as those versions would have.

`written/` holds one folder a version, from `python -m tests.singer.whole_syncs FOLDER`. None is ever changed: where the
layout grows or the emulated world changes, another folder comes beside them. Those without a journal are of ledgers,
from `python -m tests.vendors.vipps.ledger_syncs FOLDER`; `tests/vendors/vipps` goes on with them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scripts import schema_snapshot
from tap_billing_reports.reports.state.entry import Entry
from tap_billing_reports.sandbox.core import Sandbox
from tests.singer.whole_syncs import START, WholeSyncs, journal, text

FOLDERS = sorted((Path(__file__).parent / "written").iterdir())
NEWEST = [folder for folder in FOLDERS if (folder / "journal.json").exists()][-1]


def read(folder, name):
    return json.loads((folder / f"{name}.json").read_text())


def stated(folder, name):
    return (folder / f"{name}.json").read_text()


def unread(notes):
    """Notes without a word that nothing hangs on: how a vendor called a run that was not made yet."""
    for note in notes.values():
        if note["stage"] == "ordered":
            assert note["run"].pop("source_status")
    return text(notes)


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """All vendors, after the two syncs."""
    with Sandbox(START) as box:
        syncs = WholeSyncs(box, tmp_path_factory.mktemp("kept"))
        yield syncs, syncs.begin()


def test_what_is_written_is_what_was_written_and_is_gone_on_with(begun):
    syncs, results = begun
    for number, result in enumerate(results, 1):
        assert text(result.state) == stated(NEWEST, f"state-{number}")
    assert unread(journal(syncs.folder)) == unread(read(NEWEST, "journal"))

    # As written then, not as just written now.
    syncs.state = read(NEWEST, "state-2")
    for path, note in read(NEWEST, "journal").items():
        (syncs.folder / path).write_text(json.dumps(note))
    last = syncs.sync()
    assert text(last.state) == stated(NEWEST, "state-3")

    held: dict[str, Any] = {}
    for result in (*results, last):
        for stream in result.records:
            held.setdefault(stream, {}).update(result.table(stream))
    settings = syncs.settings()
    for stream, found in syncs.box.control.totals(settings).items():
        if stream.startswith(("stripe_", "bring_invoice_lines")) and stream != "stripe_partial":
            assert len(held[stream]) == sum(source["rows"] for source in found.values()), stream
    assert held["stripe_partial"], "its rows are read once its stream is selected"


def test_with_the_journal_alone_nothing_that_was_kept_is_ordered_again(begun):
    syncs, _results = begun
    syncs.state = None
    notes = read(NEWEST, "journal")
    for path, note in notes.items():
        (syncs.folder / path).write_text(json.dumps(note))
    # What reaches up to the present asks for more each day.
    whole = {path: note for path, note in notes.items() if "/to_date/" not in path and "/partial/" not in path}
    kept = {note["run"]["id"] for note in whole.values() if note["stage"] == "kept"}
    assert len(kept) > 10
    syncs.box.control.forget()
    fresh = syncs.sync()
    assert kept <= {record["run_id"] for record in fresh.of("report_files")}
    assert not [asked for asked in syncs.box.control.requests() if any(run in asked["path"] for run in kept)]


def test_no_key_stands_in_what_is_written(begun):
    syncs, _results = begun
    keys = [value for name, value in syncs.settings().items() if name.endswith("_key")]
    assert len(keys) == 3
    for file in Path(__file__).parent.glob("written/*/*"):
        assert not any(key in file.read_text() for key in keys)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
@pytest.mark.parametrize("name", ["state-1", "state-2", "state-3"])
def test_a_state_is_taken_and_its_ledgers_are_written_as_they_were(folder, name):
    schema_snapshot.everything().load_state(read(folder, name))
    ledgers = {
        stream: bookmark["ledger"]
        for stream, bookmark in read(folder, name)["bookmarks"].items()
        if "ledger" in bookmark
    }
    assert ledgers
    for entries in ledgers.values():
        assert text([Entry.from_state(entry).as_state() for entry in entries]) == text(entries)
