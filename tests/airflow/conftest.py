"""The DAG's modules are found as Airflow finds them: its folder is on the path."""

from __future__ import annotations

import sys
from pathlib import Path

DAGS = Path(__file__).resolve().parents[2] / "examples" / "airflow" / "dags"
if str(DAGS) not in sys.path:
    sys.path.append(str(DAGS))
