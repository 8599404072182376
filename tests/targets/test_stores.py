"""Reading back: files with late columns, NULL, and a PostgreSQL server that is gone afterwards."""

from __future__ import annotations

import json
import os

import pytest

from scripts.demo import processes
from scripts.targets import postgres, stores
from scripts.warehouse import Table


def test_json_files_keep_digits_and_types(tmp_path):
    record = {"amount": 12345678901234567890.5, "text": "x"}
    line = json.dumps(record).replace("1.2345678901234567e+19", "12345678901234567890.5")
    (tmp_path / "charges.jsonl").write_text(line + "\n" + '{"amount": null, "late": true}\n')
    assert stores.jsonl_files(tmp_path) == {
        "charges": Table(
            {"amount": "number", "text": "string", "late": "boolean"},
            [{"amount": "12345678901234567890.5", "text": "x"}, {"amount": None, "late": "true"}],
        )
    }


def test_csv_files_of_several_runs_are_one_table_oldest_first(tmp_path):
    (tmp_path / "charges-2026-01-02.csv").write_text("id,amount,late\na,2.00,new\n")
    (tmp_path / "charges-2026-01-01.csv").write_text('id,amount\na,1.00\nb,"two\nlines"\nc\n')
    table = stores.csv_files(tmp_path)["charges"]
    assert list(table.columns) == ["id", "amount", "late"]
    assert table.rows == [
        {"id": "a", "amount": "1.00"},
        {"id": "b", "amount": "two\nlines"},
        {"id": "c", "amount": None},
        {"id": "a", "amount": "2.00", "late": "new"},
    ]


def test_the_systems_server_is_taken_before_the_packaged_one(tmp_path, monkeypatch):
    for program in ("initdb", "postgres"):
        (tmp_path / program).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert postgres.server_programs() == tmp_path


VERSION = '[ "$1" = --version ] && { echo "postgres (PostgreSQL) 16.1"; exit 0; }'
PROGRAMS = {
    "initdb": "exit 0",
    "postgres": f'{VERSION}\necho $$ > "$PIDS"\nexec sleep 600',
}


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A server that only pretends: what counts is how it is started and ended."""
    folder = tmp_path / "programs"
    folder.mkdir()
    tmp_path.chmod(0o755)

    def provide(**other):
        for name, body in (PROGRAMS | other).items():
            (folder / name).write_text(f"#!/bin/sh\n{body}\n")
            (folder / name).chmod(0o755)

    provide()
    pids = tmp_path / "pids"
    pids.touch()
    pids.chmod(0o666)
    monkeypatch.setenv("PIDS", str(pids))
    monkeypatch.setattr(postgres, "server_programs", lambda: folder)
    # Other users than one's own may not see this folder; a server that pretends needs none.
    monkeypatch.setattr(postgres, "_owner", os.geteuid)
    monkeypatch.setattr(postgres.Server, "answers", lambda _server: bool(pids.read_text()))
    return provide


def test_a_server_answers_in_the_block_and_is_gone_after_it(programs, tmp_path):
    with postgres.postgres_server(tmp_path / "log") as server:
        assert server.version == "16.1"
        pid = int((tmp_path / "pids").read_text())
        os.kill(pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"initdb": "echo no space; exit 1"}, "initdb failed:\nno space"),
        ({"postgres": f"{VERSION}\necho port taken; exit 1"}, "did not start:\nport taken"),
        ({"postgres": f"{VERSION}\nexec sleep 600"}, "did not start"),
    ],
)
def test_a_server_that_does_not_come_up_says_why(programs, tmp_path, monkeypatch, broken, said):
    programs(**broken)
    if "sleep" in str(broken):
        # It never answers; the others end by themselves.
        monkeypatch.setattr(processes, "READY_SECONDS", 0)
    with pytest.raises(RuntimeError, match=said), postgres.postgres_server(tmp_path / "log"):
        pass
