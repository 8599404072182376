"""What is asked of a vendor, without anything that signs it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class Absence(Enum):
    """How far a 404 or 410 is believed."""

    BELIEVED = "whoever says it"
    PROVEN = "in the vendor's own words alone"
    """Something hangs on whether the thing is gone: it has been there. Any other 404 is asked for again."""


@dataclass(frozen=True)
class Sent:
    """What a request asked for, without anything that signs it.

    Attributes:
        method: GET or POST.
        host: the host's name in the declaration.
        path: below the host's base URL, percent-encoded.
        params: the query, without a key that an authenticator adds.
        form: the body as a form; None: it has none.
        json: the body as JSON; None: it is none.
        account: the id of the account whose data are asked for; empty where it is none's.
        absence: how far a 404 or 410 is believed.
    """

    method: str = ""
    host: str = ""
    path: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] | None = None
    json: Mapping[str, Any] | None = None
    account: str = ""
    absence: Absence = Absence.BELIEVED


@dataclass(frozen=True)
class FileRequest:
    """A file at a vendor, and how to ask for it.

    Attributes:
        host: the host's name in the declaration.
        path: below the host's base URL, percent-encoded.
        params: the query.
        link: followed instead of host and path: it is signed by itself, and gets no credentials. It is a secret.
        size: the file's length in bytes; None where the vendor does not declare it.
        headers: for this request only.
        account: whose file it is, for messages; None: the client's own.
        absence: how far a 404 or 410 is believed.
    """

    host: str = ""
    path: str = ""
    params: tuple[tuple[str, str], ...] = ()
    link: str = field(default="", repr=False)
    size: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    account: str | None = None
    absence: Absence = Absence.BELIEVED

    @property
    def sent(self) -> Sent:
        """The request itself. A link is left out."""
        return Sent("GET", self.host, self.path, dict(self.params), account=self.account or "", absence=self.absence)
