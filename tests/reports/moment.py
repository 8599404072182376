"""The instant at which the tests' syncs begin."""

from __future__ import annotations

from datetime import datetime, timezone

NOW = datetime(2026, 3, 4, 6, 0, tzinfo=timezone.utc)
