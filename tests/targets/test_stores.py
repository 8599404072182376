"""Reading back: files with late columns, NULL, and a PostgreSQL server that is gone afterwards."""

from __future__ import annotations

import json

from scripts.targets import postgres, stores
from scripts.targets.findings import Table


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


def test_rows_of_a_database_come_as_text():
    answers = {
        "SELECT table_name": [["charges", "id", "text"], ["charges", "amount", "numeric"]],
        'SELECT CAST("id" AS TEXT), CAST("amount" AS TEXT) FROM "billing"."charges"': [["a", None]],
    }

    def query(sql):
        return next(rows for begin, rows in answers.items() if sql.startswith(begin))

    assert stores._tables(query, "TEXT") == {
        "charges": Table({"id": "text", "amount": "numeric"}, [{"id": "a", "amount": None}])
    }


def test_the_systems_server_is_taken_before_the_packaged_one(tmp_path, monkeypatch):
    for program in ("initdb", "postgres", "psql"):
        (tmp_path / program).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert postgres.server_programs() == tmp_path
