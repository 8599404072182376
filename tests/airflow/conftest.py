"""The DAG's modules are found as Airflow finds them: its folder is on the path."""

from __future__ import annotations

import sys

from tests.airflow.dags import DAGS

if str(DAGS) not in sys.path:
    sys.path.append(str(DAGS))
