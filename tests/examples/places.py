"""Where the example vendor's package lies."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "tap-billing-reports-acme"
DLT = ROOT / "examples" / "dlt"
