"""For all tests: none of them depends on how fast or busy the machine is."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# An example may take as long as it takes, and so may the making of examples.
settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")
