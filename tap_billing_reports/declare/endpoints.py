"""What is asked, and what the answer holds: hosts, endpoints with their paging, accounts, fields."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, Protocol

from tap_billing_reports.http.sent import Absence

if TYPE_CHECKING:
    from datetime import date

    from tap_billing_reports.core.errors import Refused
    from tap_billing_reports.declare.settings import Values
    from tap_billing_reports.http.responses import Answer

Record = Mapping[str, Any]
"""One object of a vendor: JSON as parsed, or XML as nested dicts of text."""

Query = list[tuple[str, str]]


@dataclass(frozen=True)
class Host:
    """A base URL: `setting` overrides `url`. A host without `url` needs its setting."""

    name: str
    setting: str
    url: str = ""


@dataclass(frozen=True)
class CursorPaging:
    """Pages that continue after the last record: `parameter` = that record's `key`, while `more` is true."""

    parameter: str
    key: str
    more: str
    size: tuple[str, str] | None = None
    """The page size's parameter and value; None: the vendor's own size."""
    lost: Callable[[Refused], bool] = lambda _error: False
    """Whether a refusal says that the record at the cursor is not in the list any more: paging goes on from an
    earlier one."""

    @property
    def places(self) -> tuple[str, ...]:
        """Where it looks into an answer; an empty one is none."""
        return (self.key, self.more)


@dataclass(frozen=True)
class TokenPaging:
    """Pages that name the next one: `parameter` = what stands at `next` (keys joined by a dot), until it is null."""

    parameter: str
    next: str
    size: tuple[str, str] | None = None
    """The page size's parameter and value; None: the vendor's own size."""
    more: str = ""
    """Where each answer says whether there is another page; empty: there is while one is named."""

    @property
    def places(self) -> tuple[str, ...]:
        """Where it looks into an answer; an empty one is none."""
        return (self.next, self.more)


@dataclass(frozen=True)
class OffsetPaging:
    """Pages that begin at a record's place: `parameter` = how many records have been read, until there are no more."""

    parameter: str = "offset"
    total: str = ""
    """Where an answer says how many records there are (keys joined by a dot), for vendors that do: each answer must.
    Without it the last page is the one without records."""
    size: tuple[str, str] | None = None
    """The page size's parameter and value; None: the vendor's own size."""
    first: int = 0

    @property
    def places(self) -> tuple[str, ...]:
        """Where it looks into an answer; an empty one is none."""
        return (self.total,)


@dataclass(frozen=True)
class NumberPaging:
    """Numbered pages, until there are no more."""

    parameter: str = "page"
    total: str = ""
    """Where an answer says how many pages there are, as for `OffsetPaging`."""
    size: tuple[str, str] | None = None
    """The page size's parameter and value; None: the vendor's own size."""
    first: int = 1

    @property
    def places(self) -> tuple[str, ...]:
        """Where it looks into an answer; an empty one is none."""
        return (self.total,)


@dataclass(frozen=True)
class LinkPaging:
    """Pages that link the next one, until there is no link. A link that leads to no declared host is refused."""

    next: str | None = None
    """Where the link stands in the body (keys joined by a dot); None: in the header `Link`, as `rel="next"`."""
    size: tuple[str, str] | None = None
    """The page size's parameter and value, for the first page: links have their own."""

    @property
    def places(self) -> tuple[str, ...]:
        """Where it looks into an answer; an empty one is none."""
        return (self.next or "",)


Paging = CursorPaging | TokenPaging | OffsetPaging | NumberPaging | LinkPaging


@dataclass(frozen=True)
class Asked:
    """One call as it is made: the names of its path, its query, and the account whose data is asked for."""

    path: Mapping[str, str]
    params: Mapping[str, str]
    account: Account | None
    today: Callable[[], date] | None = None
    """The current day in the source's zone; None: not known."""


Objection = Callable[[Sequence[Record]], "str | None"]
"""The records of one answer -> how they show that something else was answered than asked; None: nothing shows it.

The text names both, and stands behind `the answer is to another question:`.
"""


def no_objection(_asked: Asked) -> Objection | None:
    """Nothing in the answer says what it was asked."""
    return None


@dataclass(frozen=True)
class Endpoint:
    """One call. `{names}` in `path` are filled with percent-encoded values."""

    host: str
    path: str
    method: Literal["GET", "POST"] = "GET"
    accept: str = "application/json"
    records: tuple[str, ...] = ()
    """Keys (or XML tags of the list) under which the records may stand; a bare list is taken too."""
    record: str = ""
    """Key or XML tag of a single record, for answers that hold one or a list."""
    paging: Paging | None = None
    objection: Callable[[Asked], Objection | None] = no_objection
    """What the answers give back of the question is held against it: a wrong answer is asked for again, never data."""
    absence: Absence = Absence.BELIEVED
    """How far a 404 or 410 is believed. The engine sets it: see `of_known`."""

    @property
    def of_known(self) -> Endpoint:
        """The same call about something that has been there: that it is gone must be the vendor's own word."""
        return replace(self, absence=Absence.PROVEN)


@dataclass(frozen=True)
class Account:
    """One account of a source: what a bookmark, a ledger entry and every key belong to."""

    source: str
    account_id: str
    kind: str
    name: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    record: Record | None = None


class SourceClient(Protocol):
    """The client of one source, as the functions of a declaration see it."""

    values: Values

    def ask(
        self,
        endpoint: Endpoint,
        *,
        path: Mapping[str, str] | None = None,
        params: Query | None = None,
        account: Account | None = None,
    ) -> Answer:
        """The whole answer of one call."""

    def records(
        self,
        endpoint: Endpoint,
        *,
        path: Mapping[str, str] | None = None,
        params: Query | None = None,
        account: Account | None = None,
    ) -> Iterator[Record]:
        """The records of all pages."""

    def today(self) -> date:
        """The current day in the source's own zone."""


Convert = Callable[[Any, Record], Any]
"""A vendor's value and the record around it -> the column's value. ValueError refuses the value."""


class Need(Enum):
    """What each record must have of a field, by the vendor's documents."""

    OPTIONAL = "may be missing"
    KEY = "must be there, if only as null"
    VALUE = "must be there with a value"


@dataclass(frozen=True)
class Field:
    """Column `name` from the vendor's value at `path` (keys joined by a dot), converted; missing is null.

    A record that lacks what it needs is refused: a null must not take the place of what was known.
    """

    name: str
    path: str
    convert: Convert
    need: Need = Need.OPTIONAL
