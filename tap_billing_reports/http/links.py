"""Links to files that are signed by themselves: where they may lead, and what of them must never be shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlsplit

from tap_billing_reports.core.about import About
from tap_billing_reports.core.errors import BillingError, LinkRefused, Throttled, Unavailable, Unreadable
from tap_billing_reports.core.redaction import redact
from tap_billing_reports.http.transport import LOOPBACK, checked_base, origin

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

# A host, or `*.` and the end of one: of at least two labels, for all of `com` is no vendor's.
_LABEL: Final = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_is_pattern: Final = re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})+").fullmatch
# Shorter values and names of a link say what it is about; a signature or a key is longer.
_SHORTEST_SECRET: Final = 16


def pattern_problems(patterns: Collection[str]) -> Iterator[str]:
    """What is wrong with declared patterns of hosts, one line each."""
    if isinstance(patterns, str):
        yield f"link_hosts must be a tuple of hosts, such as ({patterns!r},)"
        return
    for pattern in patterns:
        if not _is_pattern(pattern):
            yield f"link_hosts: {pattern} is neither a host nor *. with the end of one"


class LinkHosts:
    """The hosts to which a vendor's signed links may lead.

    Args:
        patterns: `files.vendor.example`, or `*.files.vendor.example` for all hosts below one. On https alone.
        bases: the base URLs of the vendor's own hosts: links may lead there, too.
    """

    def __init__(self, patterns: Collection[str], bases: Collection[str]) -> None:
        self._exact = frozenset(pattern for pattern in patterns if not pattern.startswith("*."))
        self._ends = tuple(pattern[1:] for pattern in patterns if pattern.startswith("*."))
        self._origins = frozenset(origin(base) for base in bases)

    def allows(self, there: tuple[str | None, str | None, int | None]) -> bool:
        """Whether a link may lead to this scheme, host and port."""
        scheme, host, port = there
        if there in self._origins:
            return True
        if scheme != "https" or port != 443 or host is None or host in LOOPBACK:
            return False
        name = host.lower()
        return name in self._exact or name.endswith(self._ends)

    def enter(self, link: str, about: About) -> About:
        """Make sure that a link may be followed, and what of it is secret; say how messages call it.

        Raises:
            Unreadable: it leads elsewhere. Nothing was sent there.
        """
        try:
            there = origin(link)
            # No user and no password: they would be sent.
            checked_base(f"{there[0]}://{urlsplit(link).netloc}")
        except ValueError:
            there = None, None, None
        if not self.allows(there):
            raise Unreadable(
                "the link to the file leads to no host of the declaration; nothing was sent there", about=about
            )
        redact.add_passing(*secrets_of(link))
        return About(about.source, about.account, f"GET {there[0]}://{there[1]}/... (a signed link)")


def secrets_of(link: str) -> tuple[str, ...]:
    """What of a link opens the file to anybody: long values of its query, long names of its path."""
    parts = urlsplit(link)
    values = [value for _, value in parse_qsl(parts.query)]
    return tuple(text for text in [*values, *parts.path.split("/")] if len(text) >= _SHORTEST_SECRET)


def failure_of(status: int, about: About, retry_after: float | None) -> BillingError:
    """What an answer without a file means. Its body is not shown: storage services repeat what they were sent."""
    if status == 429:
        return Throttled(f"HTTP {status}", about=about, retry_after=retry_after)
    if status in {408, 425} or status >= 500:
        return Unavailable(f"HTTP {status}", about=about, retry_after=retry_after)
    return LinkRefused(f"HTTP {status}: the link to the file has expired, or is refused", about=about)
