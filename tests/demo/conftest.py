"""Meltano for the demo."""

from __future__ import annotations

from tests.meltano.project import forking_meltano, started_once

__all__ = ["forking_meltano", "started_once"]
