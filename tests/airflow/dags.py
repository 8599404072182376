"""Where the DAG and its modules lie."""

from __future__ import annotations

from pathlib import Path

DAGS = Path(__file__).resolve().parents[2] / "examples" / "airflow" / "dags"
