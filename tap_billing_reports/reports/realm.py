"""Where data come from: test or live mode, the hosts. What one realm has said, done and kept is not another's.

A realm is a mapping of names to texts, as `Source.whole_realm` gives it. Where nothing of it is recorded, as in a state
that was written before realms were, the present one is taken for it.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping

from tap_billing_reports.core.errors import ConfigError

KEY = "realm"
REMEDY = "run with a state and a storage_url of its own"


def difference(stored: Mapping[str, str], realm: Mapping[str, str]) -> str:
    """What differs, in words; empty where nothing that both know does."""
    changed = [name for name in sorted(stored) if realm.get(name, stored[name]) != stored[name]]
    if not changed:
        return ""
    was = ", ".join(f"{name} {stored[name]}" for name in changed)
    return f"is of {was}, and the settings are of {', '.join(f'{name} {realm[name]}' for name in changed)}"


def hold(stored: Mapping[str, str], realm: MutableMapping[str, str], about: str, remedy: str = REMEDY) -> None:
    """Go on only within one realm; what the settings do not say of it is learned from what is stored.

    Raises:
        ConfigError: names what is of the other realm, both realms, and what to do.
    """
    changed = difference(stored, realm)
    if changed:
        raise ConfigError(f"{about} {changed}: {remedy}")
    for name, value in stored.items():
        realm.setdefault(name, value)


def is_realm(value: object) -> bool:
    """Whether a part of a state can be a realm."""
    return isinstance(value, Mapping) and all(isinstance(text, str) for pair in value.items() for text in pair)
