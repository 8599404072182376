"""The temporary folder of a sync: left by one that was killed, it is swept away; a living one's never is."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import signal
import tempfile
from pathlib import Path

import pytest

from tap_billing_reports.singer.tap import TapBillingReports
from tap_billing_reports.storage import workspace
from tap_billing_reports.storage.workspace import PREFIX, Workspace, sweep
from tests.waiting import HANG_SECONDS

FORKED = multiprocessing.get_context("fork")


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def _work(pipe):
    folder = Workspace().path
    (folder / "half.csv").write_text("half a file")
    pipe.send(str(folder))
    signal.pause()


@pytest.fixture
def other():
    """Another sync at work, and its end of a pipe."""
    ours, theirs = FORKED.Pipe()
    process = FORKED.Process(target=_work, args=(theirs,))
    process.start()
    assert ours.poll(HANG_SECONDS)
    yield process, ours.recv()
    process.kill()
    process.join()


def test_it_is_for_this_user_alone_and_gone_in_the_end(temporary):
    mine = Workspace()
    assert mine.path.stat().st_mode & 0o777 == 0o700
    assert list(temporary.iterdir()) == [mine.path]
    (mine.path / "file").touch()
    mine.remove()
    mine.remove()
    assert not list(temporary.iterdir())
    assert mine.path.is_dir(), "asked for again, it is there again"
    mine.remove()


def test_a_folder_is_swept_away_only_after_its_process(temporary, other):
    process, folder = other
    assert sweep() == 0
    assert [path.name for path in Path(folder).iterdir()] == ["half.csv"]
    process.kill()
    process.join()
    assert sweep() == 1
    assert not list(temporary.iterdir())


def test_ones_own_folder_is_never_swept_away(temporary):
    mine = Workspace()
    path = mine.path
    assert sweep() == 0
    assert path.is_dir()
    mine.remove()


def test_what_is_not_ours_stays(temporary, monkeypatch):
    (temporary / f"{PREFIX}acme").mkdir()
    (temporary / f"{PREFIX}abcdefgh-more").mkdir()
    (temporary / "somebody").mkdir()
    (temporary / f"{PREFIX}abcdefgh").symlink_to(temporary / "somebody")
    (temporary / f"{PREFIX}afilehre").touch()
    before = sorted(temporary.iterdir())
    assert sweep() == 0
    (temporary / f"{PREFIX}abcd_123").mkdir()
    uid = os.geteuid()
    with monkeypatch.context() as patched:
        patched.setattr(os, "geteuid", lambda: uid + 1)
        assert sweep() == 0, "another user's"
    assert sweep() == 1
    assert sorted(temporary.iterdir()) == before


def test_a_folder_that_a_sweep_takes_away_at_birth_is_made_again(monkeypatch):
    locked = workspace._locked
    swept: list[Path] = []

    def interrupted(path):
        if not swept:
            # The other sync sweeps between the making and the locking.
            swept.append(path)
            monkeypatch.setattr(workspace, "_locked", locked)
            assert sweep() == 1
            monkeypatch.setattr(workspace, "_locked", interrupted)
        return locked(path)

    monkeypatch.setattr(workspace, "_locked", interrupted)
    mine = Workspace()
    assert mine.path.is_dir()
    assert mine.path not in swept
    mine.remove()


def test_a_file_system_that_cannot_lock_is_used_and_never_swept(temporary, monkeypatch):
    def refuse(*_args):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", refuse)
    mine = Workspace()
    path = mine.path
    assert sweep() == 0
    assert path.is_dir()
    mine.remove()
    assert not path.exists()


def _live(seed, failed):
    for _ in range(60):
        mine = Workspace()
        try:
            (mine.path / str(seed)).write_text("x")
            sweep()
            if (mine.path / str(seed)).read_text() != "x":
                failed.value += 1
        except OSError:
            failed.value += 1
        mine.remove()


def test_syncs_that_start_and_end_together_leave_each_other_alone(temporary):
    failed = FORKED.Value("i", 0)
    processes = [FORKED.Process(target=_live, args=(seed, failed)) for seed in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(HANG_SECONDS)
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    assert failed.value == 0
    assert not list(temporary.iterdir())


def test_a_sync_begins_with_it(temporary):
    settings = {"brp_api_url": "https://brp.example", "brp_api_key": "k", "brp_currency": "NOK"}
    session = TapBillingReports(config={"start_date": "2026-01-01", **settings}).session
    (temporary / f"{PREFIX}abcd_123").mkdir()
    session.begin()
    assert not list(temporary.iterdir()), "and it makes none for itself before there is a file"
    assert session.folder.parent == temporary
    session.close()
    assert not list(temporary.iterdir())
