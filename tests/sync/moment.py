"""The instant at which the vendors' clock stands."""

from __future__ import annotations

from datetime import datetime, timezone

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=timezone.utc)
